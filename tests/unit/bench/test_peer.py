from __future__ import annotations

from bench.peer import counted, left, together
from kiln_local.recorder import Call


def a_call(caller: str, operation: str) -> Call:
    return Call(1.0, caller, operation, None)


def test_calls_of_functions_are_kilns_and_no_calls_of_packer() -> None:
    inside = [a_call("launch_builder", "ec2:RunInstances"), a_call("wake", "dynamodb:Query")]
    outside = [a_call("packer", "ec2:RunInstances"), a_call("kiln", "states:DescribeExecution")]
    packer, kiln = (counted(inside, outside, who) for who in ("packer", "kiln"))
    assert (packer["calls"], packer["calls_from_the_users_machine"]) == (1, 1)
    assert (kiln["calls"], kiln["calls_from_the_users_machine"]) == (3, 1)
    assert (packer["calls_of_ec2"], kiln["calls_of_ec2"]) == (1, 1)


def test_left_is_what_was_not_there_before() -> None:
    before = {"instance": {"i-1"}, "volume": {"vol-1"}}
    after = {"instance": {"i-1", "i-2"}, "volume": {"vol-1"}, "key pair": {"packer"}}
    assert left(before, after) == {"instance": 1, "key pair": 1}


def test_several_runs_are_told_by_their_medians_and_spread() -> None:
    def run(wall_s: float, calls: int) -> dict[str, float]:
        return {"wall_s": wall_s, "image_available_s": 9.0, "peak_mb": 5.0, "calls": calls}

    found = together([run(210.0, 33), run(212.0, 33), run(230.0, 35)])
    assert (found["wall_s"], found["wall_s_spread"]) == (212.0, [210.0, 230.0])
    assert (found["calls"], found["runs"]) == (33, 3)
