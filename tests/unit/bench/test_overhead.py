from __future__ import annotations

from bench.bakes import Baked
from bench.overhead import CASES, Run, over_by_state, row
from kiln.domain.blueprint import blueprint_from
from kiln_local.clock import SimClock
from kiln_local.recorder import Interval, Recorder


def a_bake(makespan_s: float, aws_s: float) -> Baked:
    states = (("LaunchBuilder", 0.0, 1.0), ("AwaitBuilder", 1.0, 50.0), ("Seal", 50.0, 52.0))
    return Baked("web-1", makespan_s, aws_s, states, {})


def test_what_is_over_is_told_by_state_without_what_aws_needed() -> None:
    clock = SimClock()
    try:
        recorder = Recorder(clock)
        recorder.intervals.append(Interval("web-1", "start", 0.5, 40.0))
        recorder.intervals.append(Interval("other", "start", 40.0, 52.0))
        found = over_by_state(a_bake(52.0, 39.5), recorder)
    finally:
        clock.end()
    assert found == {"AwaitBuilder": 10.0, "Seal": 2.0, "LaunchBuilder": 0.5}


def test_a_case_is_told_by_medians() -> None:
    runs = [
        Run(a_bake(makespan_s, 200.0), {"AwaitBuilder": over_s}, 15, 12.0)
        for makespan_s, over_s in ((210.0, 9.0), (220.0, 19.0), (204.0, 3.0))
    ]
    found = row(runs, "emulator")
    assert (found["makespan_s"], found["aws_s"], found["over_s"]) == (210.0, 200.0, 10.0)
    assert (found["ratio"], found["runs"]) == (1.05, 3)
    assert (found["over_by_state"], found["cold_starts"]) == ({"AwaitBuilder": 9.0}, 15)


def test_every_case_is_a_blueprint() -> None:
    for document in CASES.values():
        assert blueprint_from(document | {"name": "web"}).name == "web"
