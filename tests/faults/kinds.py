"""The kinds of faults, as a fault file says them, and what each may end a run with."""

from __future__ import annotations

from typing import Any

Fault = dict[str, Any]

# Of an AWS call, whoever makes it.
ON_CALLS: dict[str, Fault] = {
    "throttled-once": {"error": "throttling"},
    "throttled-for-a-minute": {"error": "throttling", "for_s": 60},
    "internal-error": {"error": "internal"},
    "denied": {"error": "denied", "times": "always"},
    "crash-before": {"crash": "before"},
    "crash-after": {"crash": "after"},
    "answer-lost": {"drop": True},
    # Later than Kiln's clients wait; AWS has acted all the same.
    "timed-out": {"delay_s": 45},
}
# Of what asks for an instance.
ON_LAUNCHES: dict[str, Fault] = {"no-capacity": {"error": "capacity", "times": "always"}}
LAUNCHES = frozenset({"ec2:RunInstances", "ec2:StartInstances"})
# Of a function as a whole.
ON_INVOCATIONS: dict[str, Fault] = {
    "function-refused": {"error": "throttling"},
    "function-crashed": {"crash": "before"},
    "function-timed-out": {"crash": "after", "by": "time-out"},
    "function-doubled": {"double": True},
}
# Of a function that an event or a schedule starts: nobody asks Lambda for it.
ON_STARTED = {kind: ON_INVOCATIONS[kind] for kind in ON_INVOCATIONS if kind != "function-refused"}
# Of the table, whatever is asked of it.
ON_TABLE: dict[str, Fault] = {
    "table-throttled": {"service": "dynamodb", "operation": "*", "error": "throttling", "for_s": 60}
}
# Of an execution.
ON_STATES: dict[str, Fault] = {
    "stopped-from-outside": {"act": "stop-execution"},
    "execution-timed-out": {"act": "time-out-execution"},
}
# Of every event of one type on its way to one function.
ON_EVENTS: dict[str, Fault] = {
    "lost": {"drop": True, "times": "always"},
    "doubled": {"double": True, "delay_s": 20, "times": "always"},
    "late": {"delay_s": 40, "times": "always"},
}
# Of what somebody else may end.
ON_INSTANCES: dict[str, Fault] = {"terminated": {"act": "terminate-instance"}}
ON_IMAGES: dict[str, Fault] = {"image-failed": {"act": "fail-image", "delay_s": 5}}
BY_NAME: dict[str, Fault] = {
    **ON_CALLS,
    **ON_LAUNCHES,
    **ON_INVOCATIONS,
    **ON_TABLE,
    **ON_STATES,
    **ON_EVENTS,
    **ON_INSTANCES,
    **ON_IMAGES,
}

# What a fault may end a bake or a rollout with, in the words of its error or its cause. The others
# must be survived.
REASONS: dict[str, tuple[str, ...]] = {
    "denied": ("AccessDenied", "UnauthorizedOperation", "NotAuthorized", "denied"),
    "no-capacity": ("apacity",),
    "stopped-from-outside": ("ABORTED", "stopped from outside"),
    "execution-timed-out": ("TIMED_OUT", "ran out of time", "Timeout"),
    "terminated": ("terminat", "shutting-down"),
    "image-failed": ("failed",),
}
