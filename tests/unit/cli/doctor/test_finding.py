"""What a finding means for the exit status, and what a refusal becomes."""

from __future__ import annotations

import pytest

from kiln.errors import AwsBusy, AwsRefused
from kiln_cli.doctor.finding import Finding, State, status_of, unknown


def of(*states: State) -> list[Finding]:
    return [Finding("check", "it", state, "what") for state in states]


@pytest.mark.parametrize(
    ("states", "status"),
    [
        ((), 0),
        (("well", "note"), 0),
        (("well", "unknown"), 3),
        (("unknown", "broken", "well"), 1),
    ],
)
def test_the_worst_finding_is_the_status(states: tuple[State, ...], status: int) -> None:
    assert status_of(of(*states)) == status


def test_what_aws_refuses_to_say_is_not_well_and_names_the_permission() -> None:
    found = unknown("keys", AwsRefused("kms", "DescribeKey", "AccessDeniedException", "no"))
    assert (found.check, found.state) == ("keys", "unknown")
    assert "AccessDeniedException" in found.what
    assert found.mend == "let whoever asks do kms:DescribeKey, then kiln doctor"


def test_what_an_older_template_does_not_tell_is_mended_by_a_deployment() -> None:
    error = AwsRefused(
        "cloudformation", "DescribeStacks", "NoOutputs", "stack kiln has no output X"
    )
    found = unknown("profile", error)
    assert (found.state, found.mend) == ("unknown", "make deploy")
    assert found.what == "stack kiln has no output X"


def test_what_aws_is_too_busy_to_say_is_asked_again() -> None:
    assert unknown("keys", AwsBusy("kms is busy")).mend == "kiln doctor"
