"""Identity and Access Management, enforced: who calls, what a call needs, what policies say of it.

`statements` and `conditions` read policies, `evaluation` decides, `reference` has AWS's own table
of actions, `needs` and its like say which resources and condition keys a call has, `enforcement`
stands before each call of a function or state machine. Nothing here makes or changes a resource.
"""
