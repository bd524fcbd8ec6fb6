"""Instance-store images: what is bundled, what boots from it, and what is left in S3."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from botocore.exceptions import ClientError

from kiln_cli.opening import Opened
from kiln_cli.result import BakeResult
from tests.e2e.running import AMAZON, ROOT, bake, kiln, write

pytestmark = [pytest.mark.long, pytest.mark.timeout(120)]
EXAMPLE = ROOT / "blueprints/instance-store.yaml"
BASE: dict[str, Any] = {
    "platform": "amazon-linux-1",
    "base": {"parameter": f"{AMAZON}/amzn-ami-hvm-x86_64-s3"},
    "root_device": "instance-store",
    "builder": {"instance_types": ["m3.medium"]},
}


@pytest.fixture(scope="module")
def baked(at: Opened) -> BakeResult:
    """The example, baked."""
    return bake(EXAMPLE, at)


def stored(at: Opened, location: str) -> list[str]:
    """Names of what lies in S3 beside a manifest."""
    bucket, _, key = location.partition("/")
    found = at.place.client("s3").list_objects_v2(Bucket=bucket, Prefix=key.rpartition("/")[0])
    return [entry["Key"].rpartition("/")[2] for entry in found.get("Contents", ())]


def test_an_instance_store_image_is_bundled_registered_and_proved(
    at: Opened, baked: BakeResult
) -> None:
    assert (baked.bake.status, baked.bake.cause) == ("SUCCEEDED", None)
    assert baked.image is not None
    (found,) = at.place.client("ec2").describe_images(ImageIds=[baked.image.id])["Images"]
    assert (found["RootDeviceType"], found["State"]) == ("instance-store", "available")
    assert found.get("BlockDeviceMappings", []) == []
    assert stored(at, found["ImageLocation"]) == ["image.manifest.xml", "image.part.0"]
    assert baked.calls is not None
    assert baked.calls["ec2:RegisterImage"] == 1
    assert not baked.calls.keys() & {"ec2:CreateImage", "ec2:StopInstances"}
    assert baked.leaks == ()
    assert at.place.world.records.images("instance-store")[0].root_device == "instance-store"


def test_the_clone_of_a_bundle_is_a_machine_of_its_own(baked: BakeResult) -> None:
    identity = baked.identity
    assert identity is not None
    shared = [k for k, v in identity.builder.items() if v and identity.clone.get(k) == v]
    assert shared == []
    ran = [(c.document, c.status) for c in baked.commands]
    assert ("kiln-bundle-linux", "Success") in ran
    assert ran[-2:] == [("kiln-verify-linux", "Success"), ("kiln-run-shell", "Success")]


def test_a_bundle_that_fails_its_test_leaves_nothing_in_s3(at: Opened, tmp_path: Path) -> None:
    tests = {"steps": [{"name": "never", "shell": "exit 7"}]}
    result = bake(write(tmp_path, **BASE, name="unlucky", verify=tests), at)
    assert (result.bake.error, result.image, result.leaks) == ("VerificationFailed", None, ())
    assert result.calls is not None
    assert result.calls["ec2:DeregisterImage"] == 1
    assert result.calls["s3:DeleteObjects"] >= 1


def test_a_bundle_that_is_not_registered_leaves_nothing_in_s3(at: Opened, tmp_path: Path) -> None:
    name = "taken"
    bake(write(tmp_path, name="first", image={"name": name}), at)
    result = bake(write(tmp_path, **BASE, name="second", image={"name": name}), at)
    assert (result.bake.error, result.image, result.leaks) == ("ImageRefused", None, ())


def test_without_the_include_list_the_certificates_are_lost_and_the_image_with_them(
    tmp_path: Path,
) -> None:
    project = tmp_path / "project"
    for part in ("functions", "statemachine", "documents", "layers", "stacks", "blueprints"):
        shutil.copytree(ROOT / part, project / part)
    shutil.copy(ROOT / "template.yaml", project)
    document = project / "documents/kiln-bundle-linux.yaml"
    include = ' -i "$(joined <"$work/certificates")"'
    assert include in document.read_text()
    document.write_text(document.read_text().replace(include, ""))
    ran = kiln("bake", EXAMPLE, "--local", "--json", "--project", project, "--speed", 300)
    result = yaml.safe_load(ran.stdout)
    assert (ran.returncode, result["bake"]["error"]) == (1, "VerificationFailed")
    assert "lost: /etc/pki/shop/ca.pem" in result["bake"]["cause"]
    assert (result["image"], result["leaks"]) == (None, [])


@pytest.mark.parametrize(
    ("part", "change", "code"),
    [
        (
            "image.part.0",
            lambda body: body[:-1] + bytes([body[-1] ^ 1]),
            "digest of part image.part.0",
        ),
        ("image.part.0", None, "S3 could not read"),
        ("image.manifest.xml", lambda body: body.replace(b"digest", b"other"), "no digest"),
        ("image.manifest.xml", lambda _: b"no xml", "manifest cannot be read"),
    ],
)
def test_a_damaged_bundle_is_not_registered(
    at: Opened, baked: BakeResult, part: str, change: Any, code: str
) -> None:
    assert baked.image is not None
    ec2, s3 = at.place.client("ec2"), at.place.client("s3")
    (found,) = ec2.describe_images(ImageIds=[baked.image.id])["Images"]
    bucket, _, key = found["ImageLocation"].partition("/")
    for name in stored(at, found["ImageLocation"]):
        body = s3.get_object(Bucket=bucket, Key=f"{key.rpartition('/')[0]}/{name}")["Body"].read()
        if name == part and change is None:
            continue
        body = change(body) if name == part else body
        s3.put_object(Bucket=bucket, Key=f"damaged/{part}{code}/{name}", Body=body)
    with pytest.raises(ClientError, match=code):
        ec2.register_image(
            Name="damaged", ImageLocation=f"{bucket}/damaged/{part}{code}/image.manifest.xml"
        )


def test_an_instance_store_instance_is_not_stopped(at: Opened) -> None:
    ec2 = at.place.client("ec2")
    filters = [{"Name": "name", "Values": ["amzn-ami-hvm-*-s3"]}]
    image = ec2.describe_images(Filters=filters)["Images"][0]["ImageId"]
    run = ec2.run_instances(ImageId=image, InstanceType="m3.medium", MinCount=1, MaxCount=1)
    instance = run["Instances"][0]["InstanceId"]
    with pytest.raises(ClientError, match="UnsupportedOperation"):
        ec2.stop_instances(InstanceIds=[instance])
    ec2.terminate_instances(InstanceIds=[instance])
