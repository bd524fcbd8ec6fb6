"""What the port of channels promises, kept by the fake and by DynamoDB alike."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kiln.adapters.channels import DynamoChannels
from kiln.ports import Channels
from tests.builders import an_entry
from tests.fakes import FakeChannels
from tests.moto_clients import a_table, mock_aws


@pytest.fixture(params=["fake", "dynamodb"])
def channels(request: pytest.FixtureRequest) -> Iterator[Channels]:
    """The fake, then the adapter on moto."""
    if request.param == "fake":
        yield FakeChannels()
        return
    with mock_aws():
        yield DynamoChannels(a_table(), "kiln")


def test_an_empty_channel_has_nothing(channels: Channels) -> None:
    assert channels.current("web", "prod") is None
    assert channels.history("web", "prod") == ()


def test_the_last_that_came_is_in_a_channel_and_all_are_kept(channels: Channels) -> None:
    entries = tuple(an_entry(number, back=number == 12) for number in range(1, 13))
    for entry in entries:
        assert channels.add(entry)
    assert channels.current("web", "prod") == entries[-1]
    assert channels.history("web", "prod") == entries


def test_of_two_who_take_one_number_the_first_has_it(channels: Channels) -> None:
    assert channels.add(an_entry())
    assert not channels.add(an_entry(image="ami-other"))
    assert channels.history("web", "prod") == (an_entry(),)


def test_channels_and_blueprints_are_kept_apart(channels: Channels) -> None:
    entries = (an_entry(), an_entry(channel="dev"), an_entry(blueprint="web-2"))
    for entry in entries:
        assert channels.add(entry)
        assert channels.current(entry.blueprint, entry.channel) == entry
    assert channels.current("web", "staging") is None
