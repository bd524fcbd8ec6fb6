"""Decisions and values of Kiln. Frozen models; time, ids and randomness arrive as arguments."""
