"""What Kiln can do to an Auto Scaling group, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from kiln.domain.group import (
    GroupFacts,
    TemplateUse,
    VersionFacts,
    check_group,
    check_same_kind,
    check_way_back,
    configuration,
    is_reversible,
    types_of,
)
from kiln.errors import InvalidBlueprint, Unsupported
from tests.builders import an_image

T = "lt-1"


def a_group(version: str = "1", **more: Any) -> GroupFacts:
    """A group of template lt-1."""
    facts: dict[str, Any] = {
        "name": "shop-api",
        "size": 10,
        "templates": (TemplateUse(id=T, version=version),),
    }
    return GroupFacts(**(facts | more))


def a_version(image: str = "ami-1", **more: Any) -> VersionFacts:
    """Its first version."""
    facts: dict[str, Any] = {"template": T, "number": 1, "image": image, "resolved": image}
    return VersionFacts(**(facts | {"instance_type": "m7i.large"} | more))


def a_policy(*overrides: dict[str, Any]) -> dict[str, Any]:
    """A mixed instances policy."""
    use = {"LaunchTemplateId": T, "LaunchTemplateName": "shop", "Version": "1"}
    return {"LaunchTemplate": {"LaunchTemplateSpecification": use, "Overrides": list(overrides)}}


def test_a_launch_configuration_is_refused_with_what_to_do() -> None:
    old = GroupFacts(name="shop-api", size=1, launch_configuration="shop-lc")
    with pytest.raises(
        Unsupported, match=r"shop-lc, which cannot be given.*make a launch template"
    ):
        check_group(old, ())


@pytest.mark.parametrize("process", ["Launch", "Terminate", "InstanceRefresh"])
def test_a_group_that_stands_still_is_refused(process: str) -> None:
    with pytest.raises(Unsupported, match=f"has suspended {process}"):
        check_group(a_group(suspended=(process, "AZRebalance")), ())
    check_group(a_group(suspended=("AZRebalance",)), ())


@pytest.mark.parametrize("key", ["LaunchTemplateSpecification", "ImageId"])
def test_an_override_with_an_image_of_its_own_is_refused(key: str) -> None:
    group = a_group(policy=a_policy({"InstanceType": "m6i.large", key: "x"}))
    with pytest.raises(Unsupported, match=r"override for m6i\.large has an image of its own"):
        check_group(group, ())
    check_group(a_group(policy=a_policy({"InstanceType": "m6i.large"})), ())


def test_a_template_shared_with_a_group_that_follows_its_latest_version_is_refused() -> None:
    group = a_group("$Latest")
    check_group(group, (group, a_group("3", name="other"), a_group("", name="third")))
    with pytest.raises(Unsupported, match="shared with group other, which follows its \\$Latest"):
        check_group(group, (group, a_group("$Latest", name="other")))
    elsewhere = TemplateUse(id="lt-2", version="$Latest")
    check_group(group, (a_group(name="other", templates=(elsewhere,)),))


def test_nothing_leads_back_where_the_parameter_has_moved_already() -> None:
    alias = a_version("resolve:ssm:/images/web", resolved="ami-2")
    with pytest.raises(Unsupported, match="names ami-2 already"):
        check_way_back(a_group(), alias, "ami-2")
    check_way_back(a_group(), alias, "ami-3")
    check_way_back(a_group(), a_version("ami-2"), "ami-2")


def test_types_are_those_of_the_policy_or_of_the_template_or_not_known() -> None:
    assert types_of(a_group(), a_version()) == ("m7i.large",)
    mixed = a_group(types=("m6i.large",), policy=a_policy({"InstanceType": "m6i.large"}))
    assert types_of(mixed, a_version()) == ("m6i.large",)
    assert types_of(a_group(policy=a_policy()), a_version()) == ("m7i.large",)
    by_properties = a_group(policy=a_policy({"InstanceRequirements": {}}))
    assert types_of(by_properties, a_version()) == ()
    assert types_of(a_group(), a_version(instance_type=None)) == ()


def test_where_no_type_is_known_the_former_image_says_what_runs() -> None:
    check_same_kind(a_group(), an_image(), an_image(id="ami-2"))
    with pytest.raises(InvalidBlueprint, match="runs x86_64 images, ami-2 is arm64"):
        check_same_kind(a_group(), an_image(), an_image(id="ami-2", architecture="arm64"))


@pytest.mark.parametrize(
    ("version", "image", "reversible"),
    [
        ("3", "ami-1", True),
        ("$Latest", "ami-1", False),
        ("$Default", "ami-1", False),
        ("", "ami-1", False),
        ("3", "resolve:ssm:/images/web", False),
    ],
)
def test_auto_scaling_rolls_back_to_a_number_with_an_image(
    version: str, image: str, reversible: bool
) -> None:
    assert is_reversible(a_group(version), a_version(image)) is reversible


def test_a_setting_names_its_template_by_id_alone() -> None:
    use = {"LaunchTemplateId": T, "Version": "2"}
    assert configuration(T, "2", None) == {"LaunchTemplate": use}
    assert configuration(T, "", None) == {"LaunchTemplate": {"LaunchTemplateId": T}}
    policy = a_policy({"InstanceType": "m6i.large"})
    found = configuration(T, "2", policy)["MixedInstancesPolicy"]["LaunchTemplate"]
    assert found == {
        "LaunchTemplateSpecification": use,
        "Overrides": [{"InstanceType": "m6i.large"}],
    }
    assert policy["LaunchTemplate"]["LaunchTemplateSpecification"]["Version"] == "1"
