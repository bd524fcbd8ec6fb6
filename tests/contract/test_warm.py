"""When a bake begins, the functions that it will come to are made ready."""

from __future__ import annotations

import json

from kiln.runtime import WARM
from tests.contract.test_names import MACHINES, TEMPLATE, tasks

# It is under way by then; one that nothing can wait for is called twelve seconds before it counts;
# and one that mends what nearly never happens.
COLD = {"PlanBake", "AwaitResource", "UndoCopy"}
BEGINS = {
    "source": ["aws.states"],
    "detail": {
        "status": ["RUNNING"],
        "stateMachineArn": [
            {
                "Fn::Sub": "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}"
                ":stateMachine:${AWS::StackName}-bake"
            }
        ],
    },
}


def test_every_function_that_a_bake_comes_to_is_warmed_when_it_begins() -> None:
    called = {name.removeprefix("${").removesuffix("FunctionArn}") for name in bake_calls()}
    warmed = {
        name.removesuffix("Function"): event["Properties"]
        for name, resource in TEMPLATE["Resources"].items()
        if (event := resource.get("Properties", {}).get("Events", {}).get("BakeBegins"))
    }
    assert set(warmed) == called - COLD
    for told in warmed.values():
        assert told["Pattern"] == BEGINS
        assert json.loads(told["Input"]) == WARM


def bake_calls() -> set[str]:
    """The functions of a bake and of its copies."""
    return set(tasks(MACHINES["bake"]).values()) | set(tasks(MACHINES["distribution"]).values())
