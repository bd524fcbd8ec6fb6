"""Measurements: what a promise about time, calls or money costs to keep, run by hand with
`make bench-...`.

A module here measures one thing in the local AWS, or beside it, and prints a table; the same rows
go to a file for machines. Nothing of the product imports this room. A test may, to assert counts
and ratios, never seconds of the machine.
"""
