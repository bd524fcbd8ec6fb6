"""What the port of versions promises, kept by the fake and by DynamoDB alike."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from kiln.adapters._table import Table
from kiln.adapters.versions import DynamoVersions
from kiln.ports import Versions
from tests.builders import a_document, a_version
from tests.fakes import FakeVersions
from tests.moto_clients import a_table, mock_aws


@pytest.fixture(params=["fake", "dynamodb"])
def versions(request: pytest.FixtureRequest) -> Iterator[Versions]:
    """The fake, then the adapter on moto."""
    if request.param == "fake":
        yield FakeVersions()
        return
    with mock_aws():
        yield DynamoVersions(a_table(), "kiln")


def test_a_version_is_stored_once_and_never_changes(versions: Versions) -> None:
    first = a_version(message="why")
    assert versions.add(first)
    assert not versions.add(a_version(document=a_document(description="other")))
    assert versions.get("web", 1) == versions.get("web") == first


def test_the_latest_version_is_the_one_with_the_highest_number(versions: Versions) -> None:
    stored = [a_version(n, document=a_document(description=str(n))) for n in range(1, 12)]
    for version in stored:
        assert versions.add(version)
    assert versions.get("web") == stored[-1]
    assert versions.all_of("web") == tuple(stored)


def test_what_is_not_stored_is_none(versions: Versions) -> None:
    assert (versions.get("web"), versions.get("web", 1), versions.all_of("web")) == (None, None, ())
    versions.add(a_version())
    assert (versions.get("web", 0), versions.get("web", 2)) == (None, None)
    assert versions.get("web", 10**8) is None


def test_names_are_listed_once_each_and_sorted(versions: Versions) -> None:
    assert versions.names() == ()
    for version in (a_version(), a_version(2), a_version(blueprint="bank")):
        versions.add(version)
    assert versions.names() == ("bank", "web")


def test_a_version_from_before_authors_were_kept_is_read_as_its_document() -> None:
    with mock_aws():
        client = a_table()
        for number in (1, 2):
            body = json.dumps(a_document(description=str(number)))
            Table(client, "kiln").put(("BLUEPRINT#web", f"VERSION#{number:08d}"), body)
        versions = DynamoVersions(client, "kiln")
        old = a_version(document=a_document(description="1"), author="", at="")
        assert (versions.get("web", 1), versions.all_of("web")[0]) == (old, old)
        latest = versions.get("web")
        assert latest is not None
        assert (latest.number, latest.document["description"]) == (2, "2")
