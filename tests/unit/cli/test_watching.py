"""What is shown of bakes and rollouts while they run."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from kiln_cli.outputs import Document, Said
from kiln_cli.result import CommandOutcome
from kiln_cli.screen import Paced, picture, screen
from kiln_cli.watching import BakeView, Lines, RolloutView, View
from tests.builders import BAKE

BUILDING = BakeView(BAKE, "RUNNING", "AwaitBuilder", "boot of the builder", 12.0, 240.0)
ROLLING = RolloutView("ami-1-shop-web", "shop/web", "ami-1", "RUNNING", False, {"online": 2})


def said(*lines: str) -> tuple[Document, ...]:
    """A step that has printed these lines."""
    outcome = CommandOutcome(document="d", instance="i-1", status="Success", ran=True, steps=())
    return (Document("step 'x'", "step", outcome, (Said("s", 0, "\n".join(lines), ""),)),)


def test_a_change_is_a_line_and_what_did_not_change_is_none() -> None:
    lines = Lines()
    assert list(lines.of(View((BUILDING,)))) == [
        f"{BAKE}: RUNNING AwaitBuilder (boot of the builder; 12 s)"
    ]
    assert list(lines.of(View((replace(BUILDING, elapsed_s=14.0),)))) == []
    ended = replace(BUILDING, status="FAILED", state="", waits_for="", cause="StepFailed: no")
    assert list(lines.of(View((ended,)))) == [f"{BAKE}: FAILED (StepFailed: no; 12 s)"]


def test_what_a_step_said_is_told_once_as_it_comes() -> None:
    lines = Lines()
    list(lines.of(View((BUILDING,))))
    first = replace(BUILDING, documents=said("one"))
    assert list(lines.of(View((first,)))) == [f"{BAKE}: step 'x' | one"]
    more = replace(BUILDING, documents=said("one", "two"))
    assert list(lines.of(View((more,)))) == [f"{BAKE}: step 'x' | two"]


def test_a_rollout_is_told_with_its_layers_instances() -> None:
    lines = Lines()
    assert list(lines.of(View(rollouts=(ROLLING,)))) == [
        "ami-1-shop-web: shop/web RUNNING (2 online)"
    ]
    back = replace(ROLLING, way_back=True, cause="RolloutFailed")
    assert list(lines.of(View(rollouts=(back,)))) == [
        "ami-1-shop-web: shop/web RUNNING on its way back (RolloutFailed; 2 online)"
    ]


def shown(view: View) -> str:
    """The picture as text."""
    console = Console(file=io.StringIO(), width=120, force_terminal=False)
    console.print(picture(view, console))
    out = console.file
    assert isinstance(out, io.StringIO)
    return out.getvalue()


def test_the_picture_has_states_times_output_and_instances() -> None:
    running = replace(BUILDING, documents=said("compiling"))
    text = shown(View((running,), (ROLLING,)))
    for part in (BAKE, "AwaitBuilder", "boot of the builder", "12 s of about 4 min 0 s"):
        assert part in text
    assert "step 'x' | compiling" in text
    assert "2 online" in text


def test_what_a_step_prints_steers_no_terminal() -> None:
    assert "\x1b" not in shown(View((replace(BUILDING, documents=said("\x1b[2J[red]x")),)))
    assert "[red]x" in shown(View((replace(BUILDING, documents=said("[red]x")),)))


def test_a_bake_whose_image_layers_still_wait_for_is_not_over() -> None:
    done = replace(BUILDING, status="SUCCEEDED", state="")
    assert not View((done,)).runs
    assert View((replace(done, awaited=frozenset({"shop/web"})),)).runs
    assert View((replace(done, status="ABORTED"),)).failed


def test_without_a_terminal_each_change_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    with screen() as show:
        show(View((BUILDING,)))
        show(View((BUILDING,)))
    assert capsys.readouterr().err.count("AwaitBuilder") == 1


def test_nothing_is_asked_more_often_than_it_should_be() -> None:
    calls: list[int] = []
    often = Paced(3600, lambda: calls.append(1))
    for _ in range(3):
        often()
    assert calls == [1]
    always = Paced(0, lambda: calls.append(1))
    always()
    always()
    assert len(calls) == 3
