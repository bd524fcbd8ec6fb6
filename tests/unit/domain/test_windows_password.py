"""The administrator's password: random or by reference, and never repeated."""

from __future__ import annotations

from typing import Any

import pytest

from kiln.domain.blueprint import blueprint_from
from kiln.errors import InvalidBlueprint
from tests.builders import a_document

SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:windows/admin-Ab1"
PARAMETER = "arn:aws:ssm:eu-west-1:123456789012:parameter/windows/admin"


def a_windows_document(**windows: Any) -> dict[str, Any]:
    """A blueprint for Windows."""
    steps = [{"name": "a", "powershell": "Write-Output a"}]
    return a_document(platform="windows-2022", steps=steps, windows=windows)


@pytest.mark.parametrize("arn", [SECRET, PARAMETER])
def test_a_password_is_given_by_the_arn_of_where_it_lies(arn: str) -> None:
    blueprint = blueprint_from(a_windows_document(administrator_password={"secret": arn}))
    assert blueprint.windows is not None
    assert blueprint.windows.password_reference == arn
    assert blueprint_from(blueprint.model_dump(mode="json")) == blueprint


@pytest.mark.parametrize(
    "given",
    [
        "hunter2",
        {"secret": "hunter2"},
        {"secret": 5},
        {"secret": SECRET, "hunter2": "x"},
        {"hunter2": SECRET},
        ["hunter2"],
        {},
        None,
        SECRET.replace("secretsmanager", "s3"),
        f"{SECRET}\nhunter2",
    ],
)
def test_what_is_no_reference_is_refused_and_not_repeated(given: Any) -> None:
    with pytest.raises(InvalidBlueprint) as refused:
        blueprint_from(a_windows_document(administrator_password=given))
    said = str(refused.value)
    assert said.startswith("windows.administrator_password: must be random, or {secret: ARN}")
    assert "hunter2" not in said
