"""What somebody else does as a state is entered: stops the execution, lets it time out, terminates
an instance, silences an agent; or EC2 itself fails an image.

It is done before the state does anything; with `delay_s` so much later, while the state is under
way or behind it. An act that finds nothing to act on has not fired.
"""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from moto.ec2.models import ec2_backends

from kiln_local import images
from kiln_local.crew import Ended
from kiln_local.ec2 import Ec2
from kiln_local.executions import Ends
from kiln_local.faults.engine import Faults, Occasion
from kiln_local.faults.model import Fault
from kiln_local.patches import Patches
from kiln_local.scenes import scene_of

_OWNERS = ("kiln:bake", "kiln:rollout")
_INSTANCE = re.compile(r"\bi-[0-9a-f]{8,17}\b")
_REASON = "A fault on request."


class Over(Ended):
    """The execution has ended under the thread that evaluates it."""


@dataclass(frozen=True)
class Entry:
    """A state that is entered: the execution, the names that its things are tagged with, and the
    text of its input, the state's and the variables."""

    execution: Any
    owners: frozenset[str]
    told: str


class Acts:
    """Does what faults of kind `state` say."""

    def __init__(self, faults: Faults, ends: Ends, ec2: Ec2) -> None:
        self._faults = faults
        self._ends = ends
        self._ec2 = ec2
        self._acts: dict[str, Callable[[Fault, Entry], bool]] = {
            "stop-execution": lambda _, entry: self._ends.abort(entry.execution, None, _REASON),
            "time-out-execution": lambda _, entry: self._ends.time_out(entry.execution),
            "terminate-instance": self._with_instance(lambda i: self._ec2.agents.die(i.id)),
            "silence-agent": self._with_instance(lambda i: self._ec2.agents.silence(i.id)),
            "fail-image": self._fail_image,
        }

    def connect(self, patches: Patches) -> None:
        """Stand where a state has been entered."""
        module = importlib.import_module("moto.stepfunctions.parser.asl.component.state.state")
        state = module.CommonStateField
        begin = state._eval_state_input

        def entered(one: Any, env: Any) -> None:
            self._entered(one.name, env)
            begin(one, env)

        patches.set(state, "_eval_state_input", entered)

    def _entered(self, name: str, env: Any) -> None:
        context = env.states.context_object.context_object_data
        occasion = Occasion("state", scene=scene_of(context, name))
        for fault in self._faults.all_due(occasion):
            entry = self._entry(context, env)
            if fault.delay_s:
                late = partial(self._act, fault, entry, occasion)
                self._ec2.clock.later(fault.delay_s, late)
            else:
                self._act(fault, entry, occasion)
                if entry.execution.stop_date is not None:
                    raise Over

    def _entry(self, context: Any, env: Any) -> Entry:
        execution = self._ends.execution(context["Execution"]["Id"])
        store = env.variable_store
        variables = store._outer_scope | store._inner_scope
        owners = {context["Execution"]["Name"], str(variables.get("bake", ""))} - {""}
        said = [execution.execution_input, env.states.get_input(), variables]
        told = json.dumps(said, default=str)
        return Entry(execution, frozenset(owners), told)

    def _act(self, fault: Fault, entry: Entry, occasion: Occasion) -> None:
        if self._acts[str(fault.act)](fault, entry):
            self._faults.acted(fault, occasion)

    # ------------------------------------------------------------ what it is done to

    def _with_instance(self, do: Callable[[Any], None]) -> Callable[[Fault, Entry], bool]:
        def act(fault: Fault, entry: Entry) -> bool:
            alive = sorted(self._instances(fault, entry), key=lambda i: i.launch_time)
            if alive:
                do(alive[-1])
            return bool(alive)

        return act

    def _instances(self, fault: Fault, entry: Entry) -> Iterator[Any]:
        named = set(_INSTANCE.findall(entry.told))
        for backend in self._backends():
            for reservation in list(backend.reservations.values()):
                for instance in reservation.instances:
                    tags = self._ec2.tags(instance)
                    own = instance.id in named or _owned(tags, entry)
                    fits = fault.role is None or tags.get("kiln:role") == fault.role
                    alive = instance._state.name not in ("shutting-down", "terminated")
                    if own and fits and alive:
                        yield instance

    def _fail_image(self, _: Fault, entry: Entry) -> bool:
        pending = [
            ami
            for backend in self._backends()
            for ami in list(backend.amis.values())
            if ami.state == "pending" and _owned(_tags(ami), entry)
        ]
        return bool(pending) and images.fail(self._ec2, pending[-1], _REASON)

    def _backends(self) -> list[Any]:
        return list(ec2_backends[self._ec2.backend.account_id].values())


def _tags(resource: Any) -> dict[str, str]:
    return {tag["key"]: tag["value"] for tag in resource.get_tags()}


def _owned(tags: dict[str, str], entry: Entry) -> bool:
    return any(tags.get(key) in entry.owners for key in _OWNERS)
