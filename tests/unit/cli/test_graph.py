"""A state machine as a drawing."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import yaml

from kiln_cli.history import Span
from kiln_cli.pages.graph import BOX_HEIGHT, BOX_WIDTH, ROW, Drawing, draw
from tests.e2e.running import ROOT

MACHINE: dict[str, Any] = {
    "States": {
        "Begin": {"Type": "Task", "Next": "Again", "Catch": [{"Next": "Clear"}]},
        "Again": {"Type": "Choice", "Choices": [{"Next": "Work"}], "Default": "Clear"},
        "Work": {"Type": "Task", "Next": "Again", "Catch": [{"Next": "Clear"}]},
        "Clear": {"Type": "Task", "Next": "Done"},
        "Done": {"Type": "Succeed"},
    }
}


def drawn(*names: str, failed: str = "", last_s: float | None = 1.0) -> Drawing:
    """The machine after these states, a second each; the last may still be open."""
    spans = [Span(name, float(at), at + 1.0) for at, name in enumerate(names)]
    if last_s is None:
        spans[-1].exited_s = None
    return draw(MACHINE, spans, len(names) + 9.0, failed)


def test_states_stand_below_each_other_in_the_machines_order() -> None:
    nodes = drawn("Begin").nodes
    assert [node.name for node in nodes] == list(MACHINE["States"])
    assert {b.y - a.y for a, b in pairwise(nodes)} == {ROW}


def test_a_node_tells_how_often_and_how_long_it_was_entered() -> None:
    by_name = {n.name: n for n in drawn("Begin", "Again", "Work", "Again", "Clear", "Done").nodes}
    assert (by_name["Again"].visits, by_name["Again"].seconds) == (2, 2.0)
    assert by_name["Again"].verdict == "passed"


def test_what_runs_failed_or_was_never_entered_is_told_apart() -> None:
    running = {n.name: n for n in drawn("Begin", "Again", "Work", last_s=None).nodes}
    assert (running["Work"].verdict, running["Work"].seconds) == ("under way", 10.0)
    assert running["Clear"].verdict == "not entered"
    failed = {n.name: n.verdict for n in drawn("Begin", "Clear", failed="Begin").nodes}
    assert failed["Begin"] == "failed"


def test_of_what_catches_errors_only_the_way_that_was_taken_is_drawn() -> None:
    assert not any(way.caught for way in drawn("Begin", "Again", "Clear", "Done").ways)
    (caught,) = [way for way in drawn("Begin", "Clear", failed="Begin").ways if way.caught]
    assert caught.taken


def test_ways_back_run_on_the_left_and_jumps_on_the_right() -> None:
    found = drawn("Begin", "Again", "Work", "Again", "Clear", "Done")
    box = found.nodes[0].x
    around = [way.path.split()[4] for way in found.ways if "H" in way.path]
    sides = sorted(int(x) for x in around)
    assert sides[0] < box
    assert sides[-1] > box + BOX_WIDTH


def test_every_state_of_every_machine_is_on_the_drawing_and_no_way_crosses_a_box() -> None:
    for path in ROOT.glob("statemachine/*.asl.yaml"):
        machine = yaml.safe_load(path.read_text())
        found = draw(machine, [], 0.0, "")
        assert {node.name for node in found.nodes} == set(machine["States"])
        for node in found.nodes:
            assert 0 < node.x < found.width - BOX_WIDTH
            assert node.y + BOX_HEIGHT <= found.height
        for way in found.ways:
            if "H" in way.path:
                x = int(way.path.split()[4])
                assert not found.nodes[0].x <= x <= found.nodes[0].x + BOX_WIDTH
                assert 0 < x < found.width


def test_ways_that_overlap_have_lanes_of_their_own() -> None:
    machine = yaml.safe_load((ROOT / "statemachine" / "bake.asl.yaml").read_text())
    upright: dict[int, list[tuple[int, int]]] = {}
    for way in draw(machine, [], 0.0, "").ways:
        if "H" in way.path:
            words = way.path.split()
            ends = sorted((int(words[2]), int(words[6])))
            upright.setdefault(int(words[4]), []).append((ends[0], ends[1]))
    for lane in upright.values():
        for (_, end), (begin, _) in pairwise(sorted(lane)):
            assert end < begin
