"""Checks of `make check` that no ready-made tool does.

They read files, print and exit; they import nothing of ours.
"""
