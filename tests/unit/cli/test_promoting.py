"""`kiln promote` asks the function, waits out what is busy, and says what has changed."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any

import pytest

from kiln import errors
from kiln.errors import AwsBusy, AwsRefused, InvalidRequest, KilnError
from kiln.steps.promote_image import Promoted, PromoteImage, promote_image
from kiln_cli import promoting
from kiln_cli.baking import Pace, takers_of
from kiln_cli.commands.plan import _print, described
from kiln_cli.finding import find_layer
from kiln_cli.promoting import Wish
from kiln_cli.taking import image_of, takes
from kiln_cli.versions import listed, promotions
from tests.builders import a_document, a_plan
from tests.fakes import FakeWorld
from tests.unit.steps.promoting import ADA, a_world, announced, promoted, up

PACE = Pace(lambda _: None, lambda: repeat(1.0))


@dataclass
class FakeLambda:
    """The function on fakes. `errors` are answered first, as Lambda answers what a handler
    raises."""

    fake: FakeWorld
    errors: list[dict[str, str]] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)

    def invoke(self, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803
        assert FunctionName == "kiln-promote"
        self.asked.append(json.loads(Payload))
        if self.errors:
            body = json.dumps(self.errors.pop(0))
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(body.encode())}
        found = promote_image(PromoteImage.model_validate_json(Payload), self.fake.world)
        return {"Payload": io.BytesIO(found.model_dump_json().encode())}


@dataclass
class FakePlace:
    """A place on fakes."""

    function: FakeLambda
    outputs: dict[str, str] = field(
        default_factory=lambda: {"PromoteImageFunctionName": "kiln-promote"}
    )
    stack_name: str = "kiln"

    def caller(self) -> str:
        return ADA

    @property
    def session(self) -> FakePlace:
        return self

    def client(self, service: str, **_: Any) -> Any:
        assert service == "lambda"
        return self.function


def a_place(fake: FakeWorld, *said: dict[str, str]) -> Any:
    return FakePlace(FakeLambda(fake, list(said)))


def error(name: str, message: str) -> dict[str, str]:
    return {"errorType": name, "errorMessage": message}


def told(found: Promoted) -> str:
    return "\n".join(promoting.told(found))


def test_the_function_is_asked_in_the_name_of_the_caller() -> None:
    fake = a_world()
    announced(fake, 1)
    place = a_place(fake)
    found = promoting.promote(Wish("web", "staging"), place, PACE)
    (asked,) = place.function.asked
    assert len(asked.pop("token")) == 32
    assert asked == {"target": "web", "to": "staging", "source": None, "by": ADA, "dry_run": False}
    assert told(found) == f"web@1 {found.image} (web-1) is now in staging, from dev"


@pytest.mark.parametrize("name", ["InvalidRequest", "DistributionFailed", "InvalidBlueprint"])
def test_what_the_function_refuses_is_refused_in_its_words(name: str) -> None:
    with pytest.raises(getattr(errors, name), match=r"^no such thing$"):
        promoting.promote(
            Wish("web", "prod"), a_place(FakeWorld(), error(name, "no such thing")), PACE
        )


def test_what_aws_refused_the_function_keeps_its_code() -> None:
    said = error("AwsRefused", "dynamodb:PutItem was refused: AccessDenied: not: you")
    with pytest.raises(AwsRefused, match=r"^dynamodb:PutItem was refused: AccessDenied: not: you$"):
        promoting.promote(Wish("web", "prod"), a_place(FakeWorld(), said), PACE)


@pytest.mark.parametrize(
    "said",
    [error("ValidationError", "odd"), {"errorMessage": "Task timed out after 120.00 seconds"}, {}],
)
def test_a_fault_of_the_function_says_where_to_look(said: dict[str, str]) -> None:
    with pytest.raises(KilnError, match=r"kiln-promote: .*; its log in CloudWatch says more"):
        promoting.promote(Wish("web", "prod"), a_place(FakeWorld(), said), PACE)


def test_what_is_busy_is_asked_again_and_in_the_end_said() -> None:
    fake = a_world()
    announced(fake, 1)
    busy = error("AwsBusy", "parameter /x does not name ami-1 yet")
    place = a_place(fake, busy, busy)
    assert promoting.promote(Wish("web", "staging"), place, PACE).changed
    assert len(place.function.asked) == 3
    # One request, however often it is made.
    assert len({asked["token"] for asked in place.function.asked}) == 1
    with pytest.raises(AwsBusy, match="does not name ami-1 yet; promote it again: what is done is"):
        promoting.promote(Wish("web", "prod"), a_place(fake, *[busy] * 9), PACE)


def test_a_kiln_without_channels_is_named() -> None:
    place = FakePlace(FakeLambda(FakeWorld()), outputs={})
    wish: Any = (Wish("web", "prod"), place, PACE)
    with pytest.raises(AwsRefused, match="stack kiln has no output PromoteImageFunctionName"):
        promoting.promote(*wish)


def test_what_changes_is_said_in_words() -> None:
    fake = a_world({"channel": "prod"}, distribute={"channel_parameters": {"prod": "/i/web"}})
    first, second = up(fake, 1), up(fake, 2, "staging")
    dry = promoted(fake, second, "prod", dry_run=True)
    assert told(dry).splitlines() == [
        f"web@1 {second} (web-2) would be in prod, from staging, instead of {first}",
        "parameter /i/web names it in eu-west-1",
    ]
    assert promoting.rows(dry) == [("shop/one", "replace", "-")]
    promoted(fake, second, "prod")
    again = promoted(fake, second, "prod")
    assert told(again) == f"web@1 {second} (web-2) is in prod already; nothing has changed"
    gone = again.model_copy(update={"gone_for": first})
    assert told(gone).endswith(f"was let in; {first} has taken its place in prod since")
    back = promoted(fake, first, "prod")
    assert told(back).startswith(f"prod of web goes back from {second} to {first}\n")


# ------------------------------------------------------------ what layers take


def test_what_each_layer_takes_is_listed_with_the_image_of_its_channel() -> None:
    fake = a_world({"channel": "prod"}, {"channel": "staging"}, {"strategy": "canary"})
    live, newest = up(fake, 1), announced(fake, 2)
    found = {
        path: [tuple(row.values()) for row in rows] for path, rows in takes(fake.world).items()
    }
    assert found == {
        "shop/one": [("web", "prod", "replace", live)],
        "shop/two": [("web", "staging", "replace", live)],
        "shop/three": [("web", None, "canary", newest)],
    }


def test_a_rollout_by_hand_brings_what_is_in_the_layers_channel() -> None:
    fake = a_world({"channel": "prod"}, {})
    newest = announced(fake, 1)
    one, two = (find_layer(f"shop/{name}", fake.world) for name in ("one", "two"))
    assert image_of("web", two, fake.world) == newest
    with pytest.raises(
        InvalidRequest, match="shop/one takes what is in prod of web, and nothing is"
    ):
        image_of("web", one, fake.world)
    live = up(fake, 1)
    announced(fake, 2)
    assert image_of("web", one, fake.world) == live


def test_blueprints_are_listed_with_what_is_in_their_channels_and_was() -> None:
    fake = a_world()
    first, second = up(fake, 1), up(fake, 2, "staging")
    (row,) = listed(None, fake.world)
    assert row["channels"] == {"dev": second, "staging": second, "prod": first}
    held = promotions("web", fake.world)
    assert [(e["image"], e["by"]) for e in held["dev"]] == [(first, ""), (second, "")]
    assert [(e["image"], e["by"], e["source"]) for e in held["prod"]] == [(first, ADA, "staging")]


def test_the_plan_says_when_a_layer_takes_the_image_and_what_it_would_take_now(
    capsys: pytest.CaptureFixture[str],
) -> None:
    pointer = {"channel_parameters": {"prod": "/images/web/prod"}}
    fake = a_world({"channel": "dev"}, {"channel": "prod"}, {}, distribute=pointer)
    dev = announced(fake, 1)
    plan = described(a_plan(a_document(distribute=pointer)), fake.world)
    rows = [(row["layer"], row["channel"], row["takes"]) for row in plan["layers"]]
    assert rows == [("shop/one", "dev", dev), ("shop/two", "prod", None), ("shop/three", None, dev)]
    _print(plan)
    printed = capsys.readouterr().out
    assert f"shop/one: replace, once it enters dev, where {dev} is now" in printed
    assert "shop/two: replace, once it is promoted to prod, where nothing is now" in printed
    assert "/images/web/prod in every Region, when promoted to prod" in printed


def test_a_bake_waits_for_the_layers_that_take_its_image_now() -> None:
    fake = a_world({"channel": "dev"}, {"channel": "prod"}, {})
    newest, older = announced(fake, 2), announced(fake, 1)
    plan = a_plan()
    assert takers_of(plan, newest, fake.world) == {"shop/one", "shop/three"}
    # An older bake that ended later: dev does not take its image.
    assert takers_of(plan, older, fake.world) == {"shop/three"}
