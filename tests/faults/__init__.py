"""The fault matrix: every call behind every state of a bake goes wrong in every way that
matters."""
