"""Who asks, and where."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import (
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    ProfileNotFound,
)

from kiln_cli.doctor.credentials import identify, region
from tests.examined import mends
from tests.stubs import scripted

ME = "arn:aws-us-gov:iam::123456789012:user/ada"


def test_who_asks_is_told() -> None:
    with scripted("sts") as sts:
        sts.answer("get_caller_identity", {"Arn": ME, "Account": "123456789012", "UserId": "A"})
        caller, finding = identify(lambda: sts.client)
    assert caller is not None
    assert (caller.account, caller.partition) == ("123456789012", "aws-us-gov")
    assert (finding.state, finding.what) == ("well", f"you are {ME} in account 123456789012")


@pytest.mark.parametrize(
    ("code", "says", "mend"),
    [
        ("ExpiredToken", "have expired", "aws sso login"),
        ("InvalidClientTokenId", "does not know the access key", "aws sts get-caller-identity"),
        ("SignatureDoesNotMatch", "clock is wrong", "aws configure"),
        ("AccessDenied", "refuses who asks", "aws configure list"),
    ],
)
def test_what_aws_does_not_take_is_one_line_and_a_command(code: str, says: str, mend: str) -> None:
    with scripted("sts") as sts:
        sts.refuse("get_caller_identity", code, 403)
        caller, finding = identify(lambda: sts.client)
    assert caller is None
    assert finding.state == "broken"
    assert says in finding.what
    assert str(finding.mend).startswith(mend)
    mends(finding)


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (NoCredentialsError(), "no credentials were found"),
        (NoRegionError(), "no Region is set"),
        (ProfileNotFound(profile="work"), "the profile does not exist"),
        (EndpointConnectionError(endpoint_url="https://sts"), "AWS cannot be reached"),
        (ValueError("Invalid endpoint: x"), "Invalid endpoint"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_wrong_on_this_machine_is_said_too(error: Exception, says: str) -> None:
    def fails() -> Any:
        raise error

    caller, finding = identify(fails)
    assert caller is None
    assert finding.state == "broken"
    assert says in finding.what


def test_the_command_names_the_profile_that_is_used() -> None:
    with scripted("sts") as sts:
        sts.refuse("get_caller_identity", "ExpiredToken", 403)
        assert identify(lambda: sts.client, "work")[1].mend == "aws sso login --profile work"


@pytest.mark.parametrize(
    ("status", "state"),
    [("opt-in-not-required", "well"), ("opted-in", "well"), ("not-opted-in", "broken")],
)
def test_a_region_must_be_enabled(status: str, state: str) -> None:
    with scripted("ec2") as ec2:
        row = {"RegionName": "af-south-1", "OptInStatus": status}
        asked = {"RegionNames": ["af-south-1"], "AllRegions": True}
        ec2.answer("describe_regions", {"Regions": [row]}, asked)
        finding = region(ec2.client, "af-south-1")
    assert finding.state == state
    mends(finding)
