"""An event that a function fails on is kept, shown, and taken once the function works again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kiln.domain.stack import stack_from
from kiln.wiring import world
from kiln_cli import local
from kiln_cli.place import make_place
from kiln_local.world import LocalAws
from tests.e2e.running import ROOT
from tests.integration.local.worlds import until
from tests.kiln_command import run

pytestmark = [pytest.mark.long, pytest.mark.timeout(120)]
# Two attempts more: three minutes, in a tenth of a second.
SPEED = 2000
FUNCTION = "kiln-AddToLayersFunction"
DETAIL = {
    "bake": "web-20261123-101500-9f3a",
    "blueprint": "web",
    "images": {"eu-west-1": "ami-0123456789abcdef0"},
    "platform": "debian-12",
    "architecture": "x86_64",
}
WEB = {
    "name": "web",
    "kind": "instances",
    "platform": "debian-12",
    "instance_type": "m7i.large",
    "blueprints": [{"blueprint": "web", "strategy": "add"}],
}


def kiln(*args: object) -> Any:
    """What a command prints with --json; functions that run meanwhile print their metrics."""
    ran = run(*args, "--json")
    assert ran.status == 0, ran.stderr
    return json.loads(ran.stdout.splitlines()[-1])


def broken(*_: Any) -> Any:
    """A function that cannot do its work."""
    raise RuntimeError("out of order")


def test_an_event_is_kept_and_taken_when_the_function_works_again() -> None:
    with LocalAws(ROOT, speed=SPEED) as aws:
        local.tell_outputs(make_place(aws.session(), "kiln", aws.outputs))
        world().records.put_stack(stack_from({"kind": "stack", "name": "shop", "layers": [WEB]}))
        works, aws.functions._handlers[FUNCTION] = aws.functions._handler(FUNCTION), broken
        _announce(aws)
        (letter,) = until(lambda: kiln("dlq", "list")["letters"], pause=0.5)
        until(lambda: _rings(aws, "kiln-dead-letters"))
        assert letter["target"].endswith(f":{FUNCTION}")
        assert (letter["error"], letter["cause"]) == ("RuntimeError", "out of order")
        # Looking loses nothing, and what fails again comes back.
        assert kiln("dlq", "list")["letters"] == [letter]
        assert kiln("dlq", "replay", letter["id"]) == {"replayed": [letter["id"]], "left": []}
        (back,) = until(lambda: kiln("dlq", "list")["letters"], pause=0.5)
        assert back["payload"] == letter["payload"]
        aws.functions._handlers[FUNCTION] = works
        assert kiln("dlq", "replay")["left"] == []
        until(lambda: world().records.rollout(DETAIL["images"]["eu-west-1"], "shop/web"))
        assert kiln("dlq", "list") == {"letters": []}


def _rings(aws: LocalAws, name: str) -> bool:
    alarms = aws.session().client("cloudwatch").describe_alarms(AlarmNames=[name])
    (alarm,) = alarms["MetricAlarms"]
    assert alarm["AlarmActions"] == [aws.outputs["AlarmTopicArn"]]
    return bool(alarm["StateValue"] == "ALARM")


def _announce(aws: LocalAws) -> None:
    entry = {"Source": "kiln", "DetailType": "Image Available", "Detail": json.dumps(DETAIL)}
    bus = {"EventBusName": aws.outputs["BusName"]}
    aws.session().client("events").put_events(Entries=[entry | bus])
