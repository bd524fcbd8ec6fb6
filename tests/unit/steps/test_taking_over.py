"""Work that an execution left which was stopped: another one is started, once."""

from __future__ import annotations

import pytest

from kiln.domain.instance import InstanceState
from kiln.domain.stopped import Stopped, end_name
from kiln.errors import AwsBusy
from kiln.ports import ExecutionFacts
from kiln.steps._instances import change_instance
from kiln.steps._taking_over import MOST, row_of
from kiln.steps.begin_change import begin_change
from kiln.steps.sweep import Sweep, sweep
from kiln.steps.take_over import TakeOver
from tests.unit.steps.stopping import abort, asked, started, told
from tests.unit.steps.test_changes import a_player
from tests.unit.steps.test_rollouts import a_layer, announced, planned

S = InstanceState


def test_the_machine_is_told_by_its_arn() -> None:
    arn = "arn:aws:states:eu-west-1:123456789012:stateMachine:kiln-configure"
    assert TakeOver(machine=arn, execution="x").machine == "configure"  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="machine"):
        TakeOver(machine=arn.replace("configure", "other"), execution="x")  # type: ignore[arg-type]


def test_a_doubled_event_starts_one_and_a_third_execution_stands_in_the_same_row() -> None:
    player = a_player()
    name = change_instance(player.add("web1"), "start", player.fake.world)
    abort(player, name)
    first = told(player, "instance", name)
    assert (first, told(player, "instance", name)) == (f"{name}_end", None)
    given = player.fake.machines.started[f"{name}_end"]
    assert given["stopped"] == {
        "of": name,
        "error": "ABORTED",
        "cause": f"the execution {name} was stopped from outside (ABORTED): the wrong one",
    }
    abort(player, f"{name}_end", ExecutionFacts("TIMED_OUT"))
    assert told(player, "instance", f"{name}_end") == f"{name}_end2"
    # The reason is the first one's.
    assert player.fake.machines.started[f"{name}_end2"] == given


def test_it_is_tried_thrice_at_once_and_then_by_the_sweep() -> None:
    player = a_player()
    last = change_instance(player.add("web1"), "start", player.fake.world)
    begin_change(asked(player, last), player.fake.world)
    for _ in range(MOST):
        abort(player, last)
        started = told(player, "instance", last)
        assert started
        last = started
    abort(player, last)
    assert told(player, "instance", last) is None
    swept = sweep(Sweep(), player.fake.world)
    assert [name.split()[0] for name in swept.taken_over] == ["instance"]
    assert list(player.fake.machines.started)[-1].endswith(f"_end{MOST + 1}")


def test_an_execution_that_is_not_told_to_have_ended_yet_is_asked_about_again() -> None:
    player = a_player()
    name = change_instance(player.add("web1"), "start", player.fake.world)
    with pytest.raises(AwsBusy, match="does not tell yet"):
        told(player, "instance", name)
    player.instance(name)
    assert told(player, "instance", name) is None
    assert told(player, "instance", "unknown") is None


def test_a_change_that_failed_and_came_to_its_end_is_left_alone() -> None:
    player = a_player()
    player.failing = {"setup"}
    web1 = player.add("web1")
    player.change(web1, "start")
    name = next(iter(player.fake.machines.started))
    assert told(player, "instance", name) is None
    assert player.now(web1).state is S.SETUP_FAILED


def test_a_name_that_somebody_else_has_is_passed_over() -> None:
    player = a_player()
    machines = player.fake.machines
    name = change_instance(player.add("web1"), "start", player.fake.world)
    machines.start("instance", f"{name}_end", {"stack": "other"})
    abort(player, name)
    assert told(player, "instance", name) == f"{name}_end2"
    assert row_of("instance", name, player.fake.world).runs


def test_names_are_never_longer_than_step_functions_takes() -> None:
    long, other = "x" * 80, "x" * 79 + "y"
    names = {end_name(of, n) for of in (long, other) for n in (1, 2, 10)}
    assert len(names) == 6
    assert max(len(name) for name in names) == 80


# ------------------------------------------------------------ the sweep


def test_the_sweep_takes_over_what_nobody_heard_of_and_a_dry_run_says_so() -> None:
    player = a_layer(1)
    rollout = announced(player)
    planned(player)
    name = started(player, player.add("db1", layers=("db",)), "launched")
    abort(player, rollout.id)
    dry = sweep(Sweep(dry_run=True), player.fake.world)
    assert set(dry.taken_over) == {f"rollout {rollout.id}", f"instance {name}"}
    assert dry.metrics()["Stopped"] == 2
    assert not [name for name in player.fake.machines.started if name.endswith("_end")]
    assert sweep(Sweep(), player.fake.world).taken_over == dry.taken_over
    assert {f"{rollout.id}_end", f"{name}_end"} <= player.fake.machines.started.keys()
    assert sweep(Sweep(), player.fake.world).taken_over == ()


def test_a_rollout_that_was_never_started_is_ended_after_a_while() -> None:
    player = a_layer(1)
    rollout = announced(player)
    del player.fake.machines.started[rollout.id]
    assert sweep(Sweep(), player.fake.world).taken_over == ()
    player.fake.clock.move(3 * 3600)
    assert sweep(Sweep(), player.fake.world).taken_over == (f"rollout {rollout.id}",)
    stopped = player.fake.machines.started[f"{rollout.id}_end"]["stopped"]
    assert Stopped(**stopped).failure.error == "NeverStarted"
