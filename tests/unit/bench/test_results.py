from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bench.page import page
from bench.results import median, merge, merge_row, spread

PEER = {
    "wall_s": 210.8,
    "image_available_s": 157.4,
    "calls": 33,
    "calls_of_ec2": 33,
    "calls_from_the_users_machine": 33,
    "peak_mb": 59.4,
    "runs": 1,
    "left_after_kill": {"instance": 1, "key pair": 1},
}


def an_overhead(**more: Any) -> dict[str, Any]:
    case = {
        "makespan_s": 204.0,
        "aws_s": 200.0,
        "over_s": 4.0,
        "ratio": 1.02,
        "functions": "emulator",
        "runs": 3,
        "over_by_state": {"AwaitBuilder": 3.1},
    }
    return {"linux": case | more}


def test_a_part_goes_in_and_the_others_stay(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    merge("local", {"help_s": 0.2}, "make bench-local", path)
    cold = {"floor_ms": 600, "functions": {"wake": 300}, "peak_mb": {"wake": 80}}
    merge("cold_start", cold, "make bench-cold", path)
    found = json.loads(path.read_text())
    assert found["local"] == {"help_s": 0.2}
    assert found["cold_start"]["functions"] == {"wake": 300}
    assert found["measured"]["local"]["command"] == "make bench-local"
    told = (tmp_path / "results.md").read_text()
    assert "## Cold starts" in told
    assert "## On a laptop" in told


def test_a_row_goes_in_beside_the_others_or_over_its_own(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    row = {"makespan_s": 480.0, "calls_per_instance": 90.0, "batches": 4, "failures": 0}
    for number, rounds in ((100, 8), (10, 9), (100, 9)):
        found = row | {"instances": number, "configure_rounds": rounds}
        merge_row("rollouts", found, "instances", "make bench-rollouts", path)
    rows = json.loads(path.read_text())["rollouts"]
    assert [(one["instances"], one["configure_rounds"]) for one in rows] == [(10, 9), (100, 9)]


def test_a_goal_that_is_reached_says_no_more() -> None:
    assert "Goal reached: at most 1.02" in page({"overhead": an_overhead()})


def test_a_goal_that_is_not_reached_says_what_stands_in_the_way() -> None:
    told = page({"overhead": an_overhead(ratio=1.09, over_s=18.0)})
    assert "Goal not reached: at most 1.02" in told
    assert "AwaitBuilder 3.1 s" in told


def test_eight_seconds_are_a_goal_of_their_own() -> None:
    assert "Goal not reached" in page({"overhead": an_overhead(over_s=8.1)})


def test_what_is_left_is_told_by_kind() -> None:
    told = page({"peer": {"packer": PEER, "kiln": PEER | {"wall_s": 200.0, "left_after_kill": {}}}})
    assert "| left after SIGKILL | 1 instance, 1 key pair | nothing |" in told
    assert "Goal reached: Kiln is faster" in told
    assert "Goal not reached: Kiln makes fewer calls" in told


def test_a_function_at_the_goal_has_not_reached_it() -> None:
    functions, peaks = {"wake": 70, "sweep": 69}, {"wake": 80, "sweep": 90}
    told = page({"cold_start": {"floor_ms": 100, "functions": functions, "peak_mb": peaks}})
    assert "| wake | 70 | 0.70 | 80 |" in told
    assert "Goal not reached" in told
    assert "Over it are 1" in told


def test_several_measurements_have_a_middle_and_ends() -> None:
    assert median([3.0, 1.0, 2.0]) == 2.0
    assert spread([3.0, 1.0, 2.0]) == [1.0, 3.0]


def test_rounds_of_configure_are_to_be_as_many_whatever_the_number() -> None:
    row = {"makespan_s": 480.0, "calls_per_instance": 90.0, "configure_rounds": 16, "failures": 0}
    few, many = ({"instances": n, "batches": 4} | row for n in (10, 100))
    assert "Goal reached" in page({"rollouts": [few, many]})
    told = page({"rollouts": [few, many | {"configure_rounds": 17}]})
    assert "Goal not reached" in told
    assert "No more than 100 were measured" in told
