"""What a blueprint may say of its distribution, and what AWS would refuse of it."""

from __future__ import annotations

from typing import Any

import pytest

from kiln.domain.blueprint import blueprint_from
from kiln.domain.distribution import Distribute, check_regions, costs
from kiln.errors import InvalidBlueprint
from tests.builders import a_document

HOME = "eu-west-1"
FRIEND = "210987654321"
KEY = {"volume": {"kms_key": "alias/images"}}
ORGANIZATION = "arn:aws:organizations::123456789012:organization/o-exampleorg"
UNIT = "arn:aws:organizations::123456789012:ou/o-exampleorg/ou-ab12-webservers"
WINDOWS = {
    "platform": "windows-2022",
    "base": {"parameter": "/aws/service/ami-windows-latest/Windows_Server-2022-English-Full-Base"},
    "steps": None,
}
STORED = {"platform": "amazon-linux-1", "root_device": "instance-store"}
EC2S_OWN = {"volume": {"kms_key": "arn:aws:kms:eu-west-1:123456789012:alias/aws/ebs"}}


def regions(*names: str, key: str | None = None) -> list[dict[str, Any]]:
    return [{"region": name} | ({"kms_key": key} if key else {}) for name in names]


@pytest.mark.parametrize(
    "document",
    [
        {"distribute": {"regions": regions("us-east-1", "ap-southeast-2")}},
        {"distribute": {"accounts": [FRIEND], "copyable": True}, "builder": KEY},
        {"distribute": {"organizations": [ORGANIZATION]}, "builder": KEY},
        {"distribute": {"organizational_units": [UNIT]}, "builder": KEY},
        {"distribute": {"accounts": [FRIEND], "organizations": [ORGANIZATION]}, **STORED},
        {"distribute": {"fast_launch": {"max_parallel": 6}}, **WINDOWS},
        {"distribute": {"launch_templates": [{"id": "lt-0123456789abcdef0"}]}},
    ],
    ids=str,
)
def test_what_aws_takes_is_taken(document: dict[str, Any]) -> None:
    assert blueprint_from(a_document(**document)).distribute is not None


@pytest.mark.parametrize(
    ("wish", "document", "said"),
    [
        (
            {"regions": regions("us-east-1", "us-east-1")},
            {},
            "regions: us-east-1 is named 2",
        ),
        ({"accounts": [FRIEND, FRIEND]}, {}, "distribute.accounts: 210987654321 is named 2 times"),
        ({"regions": regions("us-east")}, {}, "distribute.regions.0.region: 'us-east' does not"),
        ({"organizations": ["o-exampleorg"]}, {}, "distribute.organizations.0: 'o-exampleorg' doe"),
        ({"organizational_units": [ORGANIZATION]}, {}, "distribute.organizational_units.0: "),
        ({"accounts": [FRIEND]}, {}, "builder.volume.kms_key: an image that is shared needs a key"),
        (
            {"accounts": [FRIEND]},
            {"builder": EC2S_OWN},
            "does not share what is encrypted with the",
        ),
        (
            {"accounts": [FRIEND], "regions": regions("us-east-1")},
            {"builder": KEY},
            "distribute.regions: us-east-1: an image that is shared needs a key",
        ),
        (
            {"organizations": [ORGANIZATION], "regions": regions("us-east-1", key="alias/aws/ebs")},
            {"builder": KEY},
            "distribute.regions: us-east-1: an image that is shared needs a key",
        ),
        ({"copyable": True}, {"builder": KEY}, "distribute.copyable: names no account"),
        ({"regions": regions("us-east-1")}, STORED, "distribute.regions: an instance-store image"),
        ({"fast_snapshot_restore": ["eu-west-1a"]}, STORED, "distribute.fast_snapshot_restore: an"),
        ({"fast_snapshot_restore": ["us-west-2-lax-1a"]}, {}, "restore.0: 'us-west-2-lax-1a' does"),
        ({"fast_launch": {}}, {}, "distribute.fast_launch: is for images of Windows made with Sys"),
        ({"fast_launch": {"max_parallel": 5}}, WINDOWS, "distribute.fast_launch.max_parallel: "),
        (
            {"fast_launch": {}},
            {**WINDOWS, "windows": {"sysprep": False}},
            "made with Sysprep, not for windows-2022 without it",
        ),
        ({"launch_templates": [{"default": True}]}, {}, "needs exactly one of id, name"),
        (
            {"launch_templates": [{"id": "lt-1"}]},
            {},
            "launch_templates.0.id: 'lt-1' does not match",
        ),
    ],
    ids=str,
)
def test_what_aws_would_refuse_is_refused_at_once(
    wish: dict[str, Any], document: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidBlueprint) as refused:
        blueprint_from(a_document(distribute=wish, **document))
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        (
            {"regions": regions(HOME)},
            "eu-west-1 is the bake's own Region and has the image already",
        ),
        ({"regions": regions("cn-north-1")}, "cn-north-1 is in another partition of AWS than eu-w"),
        ({"regions": regions("us-gov-west-1")}, "us-gov-west-1 is in another partition"),
        ({"regions": regions("ap-east-1")}, "ap-east-1 is no Region that is enabled in this acco"),
        (
            {"launch_templates": [{"region": "us-east-1", "name": "web"}]},
            "distribute.launch_templates: web is in us-east-1, which gets no image",
        ),
        ({"fast_snapshot_restore": ["us-east-1a"]}, "restore: us-east-1a is in us-east-1, which"),
    ],
    ids=str,
)
def test_what_a_region_cannot_have_is_refused_before_a_launch(
    wish: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidBlueprint) as refused:
        check_regions(Distribute.model_validate(wish), HOME, (HOME, "us-east-1"))
    assert said in str(refused.value)


def test_a_launch_template_without_a_region_is_one_of_the_bake_s_own() -> None:
    wish = {"launch_templates": [{"name": "web"}, {"region": "us-east-1", "name": "web"}]}
    found = Distribute.model_validate(wish | {"regions": regions("us-east-1")})
    check_regions(found, HOME, (HOME, "us-east-1"))
    assert [t.region for t in found.templates_in(HOME, HOME)] == [None]
    assert [t.region for t in found.templates_in("us-east-1", HOME)] == ["us-east-1"]


def test_what_costs_money_is_said() -> None:
    assert costs(Distribute()) == ()
    wish = {"regions": regions("us-east-1"), "fast_snapshot_restore": ["us-east-1a"]}
    copies, restore = costs(Distribute.model_validate(wish))
    assert copies.startswith("each copy: ")
    assert "in us-east-1a by the minute, one hour at least" in restore
