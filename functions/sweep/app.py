"""Sweep: find what belongs to no running bake and remove it, once an hour."""

from kiln.runtime import step, world
from kiln.steps.sweep import Sweep, Swept, sweep


@step(Sweep)
def handler(request: Sweep) -> Swept:
    return sweep(request, world())
