"""The parameters that name what is in a channel: right in every Region, whoever writes when."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kiln.errors import AwsBusy, AwsRefused, DistributionFailed
from kiln.steps.promote_image import PromoteImage, promote_image
from tests.builders import a_document, a_version
from tests.fakes import FakeParameters, FakeWorld
from tests.unit.steps.promoting import (
    ADA,
    FAR,
    HOME,
    a_world,
    abroad,
    announced,
    current,
    image_id,
    promoted,
    up,
)
from tests.unit.steps.test_channels import moves

POINTER: dict[str, Any] = {"distribute": {"channel_parameters": {"prod": "/images/web/prod"}}}


def parameters(fake: FakeWorld, region: str, account: str | None = None) -> dict[str, str]:
    found = fake.regions.at(region, account).parameters
    assert isinstance(found, FakeParameters)
    return found.values


def test_a_promotion_writes_the_channels_pointer_wherever_the_image_is() -> None:
    fake = a_world(**POINTER)
    fake.distribution_role = "kiln-distribution"
    image = announced(fake, 1)
    copy = abroad(fake, 1, "210987654321")
    promoted(fake, image, "staging")
    assert parameters(fake, HOME) == {}
    request = PromoteImage(target=image, to="prod", by=ADA)
    assert promote_image(request, fake.world).parameters == ("/images/web/prod",)
    assert parameters(fake, HOME) == {"/images/web/prod": image}
    assert parameters(fake, FAR) == parameters(fake, FAR, "210987654321")
    assert parameters(fake, FAR) == {"/images/web/prod": copy}


def test_accounts_that_gave_no_role_are_left_alone() -> None:
    fake = a_world(**POINTER)
    up(fake, 1, "staging")
    abroad(fake, 1, "210987654321")
    promoted(fake, "web", "prod")
    assert parameters(fake, FAR, "210987654321") == {}


def test_the_pointer_goes_back_with_the_channel_to_a_version_that_knew_none() -> None:
    fake = a_world()
    first = up(fake, 1)
    fake.versions.add(a_version(2, document=a_document(**POINTER)))
    second = up(fake, 2)
    assert parameters(fake, HOME) == {"/images/web/prod": second}
    promoted(fake, first, "prod")
    assert parameters(fake, HOME) == {"/images/web/prod": first}


class Refusing(FakeParameters):
    """Parameters of a Region in which Kiln may write none."""

    def point(self, name: str, image: str) -> None:
        raise AwsRefused("ssm", "PutParameter", "AccessDeniedException", "no")


def test_a_pointer_that_cannot_be_written_is_said_and_written_by_the_next_try() -> None:
    fake = a_world(**POINTER)
    up(fake, 1, "staging")
    copy = abroad(fake, 1)
    there = fake.regions.at(FAR)
    fake.regions.places[FAR, None] = replace(there, parameters=Refusing())
    words = "is in prod of web, but parameter /images/web/prod in us-east-1 could not be written"
    with pytest.raises(DistributionFailed, match=words):
        promoted(fake, "web", "prod")
    # No layer was told of an image that a pointer does not name.
    assert ("prod", image_id(1)) not in moves(fake)
    fake.regions.places[FAR, None] = there
    assert promoted(fake, "web", "prod").changed
    assert parameters(fake, FAR) == {"/images/web/prod": copy}
    assert moves(fake)[-1] == ("prod", image_id(1))
    assert len(fake.channels.history("web", "prod")) == 1


def test_a_pointer_that_aws_has_not_checked_yet_is_looked_at_again() -> None:
    fake = a_world(**POINTER)
    up(fake, 1, "staging")
    point = fake.parameters.point
    fake.parameters.point = lambda *_: None  # type: ignore[method-assign]
    with pytest.raises(AwsBusy, match="parameter /images/web/prod does not name"):
        promoted(fake, "web", "prod")
    fake.parameters.point = point  # type: ignore[method-assign]
    assert promoted(fake, "web", "prod").changed


def test_whoever_wrote_a_pointer_for_what_has_left_the_channel_writes_it_again() -> None:
    fake = a_world(**POINTER)
    first, second = up(fake, 1, "staging"), up(fake, 2, "staging")
    point = fake.parameters.point

    def point_late(name: str, image: str) -> None:
        fake.parameters.point = point  # type: ignore[method-assign]
        promoted(fake, second, "prod")
        point(name, image)

    fake.parameters.point = point_late  # type: ignore[method-assign]
    promoted(fake, first, "prod")
    assert current(fake, "prod") == second
    assert parameters(fake, HOME) == {"/images/web/prod": second}
    # What left before its pointers stood is in the history, and no layer hears of it.
    assert [move for move in moves(fake) if move[0] == "prod"] == [("prod", second)]
