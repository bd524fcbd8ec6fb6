"""What is in an image, in one local AWS: kept, announced, and compared with the image before."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

from kiln.domain.packages import load_manifest
from kiln_cli.contents import compare
from kiln_cli.opening import Opened
from tests.e2e.running import bake, write
from tests.integration.local.worlds import open_queue

pytestmark = pytest.mark.long

LISTENER = "contents-listener"


def listen(at: Opened) -> str:
    """A queue that gets what Kiln's bus announces."""
    events = at.place.client("events")
    url, arn = open_queue(at.place.client("sqs"), LISTENER)
    bus = at.place.outputs["BusName"]
    pattern = json.dumps({"detail-type": ["Image Available"]})
    events.put_rule(Name=LISTENER, EventBusName=bus, EventPattern=pattern)
    target = {"Id": "1", "Arn": arn}
    events.put_targets(Rule=LISTENER, EventBusName=bus, Targets=[target])
    return url


def announced(at: Opened, queue: str) -> dict[str, Any]:
    """The detail of the next event."""
    (message,) = at.place.client("sqs").receive_message(QueueUrl=queue)["Messages"]
    detail: dict[str, Any] = json.loads(message["Body"])["detail"]
    return detail


def baked(at: Opened, folder: Path, **changes: Any) -> str:
    """Bake; the image."""
    result = bake(write(folder, **changes), at)
    assert result.succeeded, result
    assert result.image is not None
    return result.image.id


def test_two_bakes_differ_by_what_their_steps_installed(at: Opened, tmp_path: Path) -> None:
    queue = listen(at)
    install = {"name": "install", "shell": "dnf -y install nginx redis"}
    change = {"name": "install", "shell": "dnf -y install nginx && rpm -e --nodeps curl"}
    first = baked(at, tmp_path, steps=[install])
    assert announced(at, queue)["images"] == {"eu-west-1": first}
    second = baked(at, tmp_path, steps=[change])
    detail, record = announced(at, queue), at.place.world.records.image(second)
    assert record is not None
    assert detail["manifest"] == record.manifest == f"images/{second}/packages.json"
    assert detail["sbom"] == record.sbom == f"images/{second}/sbom.cdx.json"
    found = compare(first, second, at.place.world)
    assert found.rows() == [
        ("removed", "rpm", "curl", "noarch", "1.0-1", ""),
        ("removed", "rpm", "redis", "noarch", "1.0-1", ""),
    ]
    assert record.contents is not None
    assert (record.contents.previous, record.contents.packages) == (
        first,
        len(found.after.manifest.packages),
    )
    assert (record.contents.added, record.contents.removed, record.contents.changed) == (0, 2, 0)
    the_bill_names_what_the_manifest_names(at, second)


def the_bill_names_what_the_manifest_names(at: Opened, image: str) -> None:
    objects = at.place.world.objects
    body, bill = (objects.read(f"images/{image}/{n}") for n in ("packages.json", "sbom.cdx.json"))
    assert body is not None
    assert bill is not None
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(bill.decode()) is None
    purls = {PackageURL.from_string(c["purl"]) for c in json.loads(bill)["components"]}
    packages = load_manifest(body).packages
    assert {(p.name, p.version) for p in purls} == {(p.name, p.version) for p in packages}
    assert {(p.type, p.namespace) for p in purls} == {("rpm", "amzn")}


def test_a_list_without_its_end_fails_the_bake(at: Opened, tmp_path: Path) -> None:
    name = "kiln-prepare-linux"
    ssm = at.place.client("ssm")
    content = ssm.get_document(Name=name, DocumentFormat="JSON")["Content"]
    cut = content.replace("printf 'end", "printf 'no end")
    assert cut != content
    told = ssm.update_document(
        Name=name, Content=cut, DocumentFormat="JSON", DocumentVersion="$LATEST"
    )
    newest = told["DocumentDescription"]["DocumentVersion"]
    ssm.update_document_default_version(Name=name, DocumentVersion=newest)
    try:
        result = bake(write(tmp_path, name="cut"), at)
    finally:
        ssm.update_document_default_version(Name=name, DocumentVersion="1")
    assert result.bake.error == "StepFailed"
    assert "is cut off: its last line does not say that it ends" in (result.bake.cause or "")
    assert result.leaks == ()
    assert at.place.world.records.images("cut") == ()
