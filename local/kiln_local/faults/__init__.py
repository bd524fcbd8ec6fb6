"""Faults on request: what goes wrong on the way to AWS, in it and on the way back, by a list that a
file gives. docs/faults.md is the page for its user.

`model` is the list, `names` what it may name, `engine` counts and says when one acts; the other
modules do what it says where it is due: on calls, on invocations, on events, as a state is entered.
"""

from kiln_local.faults.engine import Faults
from kiln_local.faults.model import Fault, faults_from

__all__ = ["Fault", "Faults", "faults_from"]
