"""Packer's amazon builders: bases, volumes, names, Regions and sharing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.foreign import write
from tests.unit.cli.packer import AMI, imported, json_of, refused, said

NEWEST = "/aws/service/debian/release/12/latest/"


@pytest.mark.parametrize(
    ("source", "base", "known"),
    [
        ({"source_ami": AMI}, {"image": AMI}, True),
        ({"source_ami": f"resolve:ssm:{NEWEST}amd64"}, {"parameter": f"{NEWEST}amd64"}, True),
        ({"source_ami": "{{user `nope`}}"}, {"parameter": f"{NEWEST}amd64"}, False),
        ({"instance_type": "m7g.large"}, {"parameter": f"{NEWEST}arm64"}, False),
        (
            {
                "source_ami_filter": {
                    "filters": {"name": ["debian-12-*", "x"]},
                    "owners": ["1", "2"],
                }
            },
            {"lookup": {"owner": "1", "name": "debian-12-*"}},
            True,
        ),
        (
            {
                "source_ami_filter": {
                    "filters": {"name": "debian-12-*"},
                    "owners": "self",
                    "include_deprecated": "true",
                }
            },
            {"lookup": {"owner": "self", "name": "debian-12-*"}, "allow_deprecated": True},
            True,
        ),
        (
            {"source_ami_filter": {"filters": {"tag:Name": "x"}, "owners": ["self"]}},
            {"parameter": f"{NEWEST}amd64"},
            False,
        ),
    ],
)
def test_bases(tmp_path: Path, source: dict[str, Any], base: dict[str, Any], known: bool) -> None:
    found = imported(json_of(tmp_path, **{"source_ami": None} | source))
    assert found["document"]["base"] == base
    newest = "newest public image of debian-12" in said(found, "wanted", "source_ami")
    assert newest == (not known)


def test_a_parameter_that_is_looked_up_is_the_base(tmp_path: Path) -> None:
    name = "/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id"
    path = write(
        tmp_path,
        "p.pkr.hcl",
        f'data "amazon-parameterstore" "u" {{\n  name = "{name}"\n}}\n'
        'source "amazon-ebs" "x" {\n  source_ami = data.amazon-parameterstore.u.value\n}\n',
    )
    document = imported(path)["document"]
    assert (document["base"], document["platform"]) == ({"parameter": name}, "ubuntu-24.04")


def test_a_platform_that_no_name_tells_is_asked_for(tmp_path: Path) -> None:
    path = json_of(tmp_path, ami_name="web")
    assert "builders.0 (amazon-ebs): the platform cannot be told; name it" in refused(path)
    found = imported(path, "--platform", "rhel-9")
    assert found["document"]["platform"] == "rhel-9"
    assert "--platform: beos is none of" in refused(path, "--platform", "beos")


@pytest.mark.parametrize(
    ("settings", "keys"),
    [
        ({"ami_users": ["123456789012"]}, {}),
        ({"ami_users": ["123456789012", "x"], "kms_key_id": "alias/own"},
         {"accounts": ["123456789012"]}),
        ({"ami_users": ["123456789012"], "snapshot_users": ["123456789012"],
          "encrypt_boot": True, "kms_key_id": "alias/own"},
         {"accounts": ["123456789012"], "copyable": True}),
        ({"ami_regions": ["us-east-1"], "region": "eu-west-1",
          "region_kms_key_ids": {"us-east-1": "alias/us", "eu-west-1": "alias/eu"},
          "ami_org_arns": ["arn:aws:organizations::123456789012:organization/o-abcdefghij"]},
         {"regions": [{"region": "us-east-1", "kms_key": "alias/us"}],
          "organizations": ["arn:aws:organizations::123456789012:organization/o-abcdefghij"]}),
        ({"ami_regions": ["nowhere", "us-east-1"]}, {"regions": [{"region": "us-east-1"}]}),
        ({"ami_groups": ["all"]}, {}),
    ],
)  # fmt: skip
def test_regions_keys_and_sharing(
    tmp_path: Path, settings: dict[str, Any], keys: dict[str, Any]
) -> None:
    found = imported(json_of(tmp_path, **settings))
    assert found["document"].get("distribute", {}) == keys


def test_sharing_without_a_key_says_what_to_write(tmp_path: Path) -> None:
    found = imported(json_of(tmp_path, ami_users=["123456789012"]))
    wants = said(found, "wanted", "ami_users")
    assert "write a key of your own" in wants
    assert 'distribute: {accounts: ["123456789012"]}' in wants


@pytest.mark.parametrize(
    ("device", "volume"),
    [
        ({"volume_type": "io2", "iops": 3000}, {"iops": 3000, "type": "io2"}),
        ({"volume_type": "io1"}, None),
        ({"volume_type": "standard", "volume_size": 9}, {"size_gib": 9}),
        ({"volume_type": "gp2", "iops": 3000, "volume_size": 9}, {"size_gib": 9, "type": "gp2"}),
        ({"volume_size": "large"}, None),
        ({"kms_key_id": "alias/x", "encrypted": "false"}, {"kms_key": "alias/x"}),
        ({"volume_size": 99_999}, None),
    ],
)  # fmt: skip
def test_root_volumes(
    tmp_path: Path, device: dict[str, Any], volume: dict[str, Any] | None
) -> None:
    mapping = {"device_name": "/dev/xvda"} | device
    found = imported(json_of(tmp_path, launch_block_device_mappings=[mapping]))
    assert found["document"].get("builder", {}).get("volume") == volume


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("web", "web-{date}-{time}"),
        ("web-{{timestamp}}", "web-{date}-{time}"),
        ('web-{{isotime "2006-01-02"}}', "web-{date}"),
        ('web-{{isotime "2006-01-02-1504"}}', "web-{date}-{time}"),
        ("we:b {{uuid}}", "we-b {date}-{time}"),
        ("w" * 200, "w" * 100 + "{date}-{time}"),
        ("web-{{user `nope`}}", None),
    ],
)
def test_names_of_images(tmp_path: Path, name: str, made: str | None) -> None:
    found = imported(
        json_of(tmp_path, ami_name=f"{name}", source_ami=None), "--platform", "debian-12"
    )
    assert found["document"].get("image", {}).get("name") == made
