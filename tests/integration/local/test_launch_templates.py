"""Launch templates: their versions, tokens and images by parameter."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.local.worlds import BASE, World, a_world


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """One local AWS for all tests here, with a template each."""
    with a_world() as world:
        yield world


def a_template(world: World, name: str, **data: Any) -> str:
    """A template of one version; its id."""
    wanted = {"ImageId": world.base, "InstanceType": "m7i.large"} | data
    made = world.ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=wanted)
    return str(made["LaunchTemplate"]["LaunchTemplateId"])


def add(world: World, template: str, **more: Any) -> dict[str, Any]:
    """A further version, as EC2 tells it."""
    made = world.ec2.create_launch_template_version(
        **({"LaunchTemplateId": template, "LaunchTemplateData": {"ImageId": "ami-1"}} | more)
    )
    return dict(made["LaunchTemplateVersion"])


def numbers(world: World, template: str) -> list[int]:
    """The versions that there are."""
    found = world.ec2.describe_launch_template_versions(LaunchTemplateId=template)
    return [version["VersionNumber"] for version in found["LaunchTemplateVersions"]]


def test_a_version_inherits_from_its_source_and_from_nothing_else(world: World) -> None:
    template = a_template(world, "inherits")
    from_first = add(world, template, SourceVersion="1", VersionDescription="new image")
    assert from_first["LaunchTemplateData"] == {"ImageId": "ami-1", "InstanceType": "m7i.large"}
    assert (from_first["VersionNumber"], from_first["VersionDescription"]) == (2, "new image")
    assert add(world, template)["LaunchTemplateData"] == {"ImageId": "ami-1"}
    with pytest.raises(ClientError, match="VersionNotFound"):
        add(world, template, SourceVersion="9")


def test_a_client_token_makes_one_version(world: World) -> None:
    template = a_template(world, "tokens")
    first = add(world, template, ClientToken="a")
    assert add(world, template, ClientToken="a")["VersionNumber"] == first["VersionNumber"]
    assert add(world, template, ClientToken="b")["VersionNumber"] == 3
    with pytest.raises(ClientError, match="IdempotentParameterMismatch"):
        add(world, template, ClientToken="a", SourceVersion="1")


def test_a_number_is_never_given_twice(world: World) -> None:
    template = a_template(world, "numbers")
    add(world, template)
    deleted = world.ec2.delete_launch_template_versions(
        LaunchTemplateId=template, Versions=["1", "2", "7"]
    )
    (done,) = deleted["SuccessfullyDeletedLaunchTemplateVersions"]
    assert done["VersionNumber"] == 2
    errors = {
        kept["VersionNumber"]: kept["ResponseError"]["Code"]
        for kept in deleted["UnsuccessfullyDeletedLaunchTemplateVersions"]
    }
    assert errors == {1: "unexpectedError", 7: "launchTemplateVersionDoesNotExist"}
    assert numbers(world, template) == [1]
    assert add(world, template)["VersionNumber"] == 3
    world.ec2.modify_launch_template(LaunchTemplateId=template, DefaultVersion="3")
    found = world.ec2.describe_launch_template_versions(
        LaunchTemplateId=template, Versions=["$Latest", "$Default"]
    )["LaunchTemplateVersions"]
    assert [version["VersionNumber"] for version in found] == [3, 3]


def test_an_image_by_parameter_is_told_as_it_is_or_resolved(world: World) -> None:
    template = a_template(world, "alias", ImageId=f"resolve:ssm:{BASE}")

    def image(**more: Any) -> str:
        found = world.ec2.describe_launch_template_versions(LaunchTemplateId=template, **more)
        return str(found["LaunchTemplateVersions"][0]["LaunchTemplateData"]["ImageId"])

    assert image() == f"resolve:ssm:{BASE}"
    assert image(ResolveAlias=True) == world.base
