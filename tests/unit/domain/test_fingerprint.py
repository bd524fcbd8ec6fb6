"""What an image is made of: which key of a blueprint makes another image, and which does not."""

from __future__ import annotations

from typing import Any

import pytest

from kiln.domain.blueprint import Blueprint, blueprint_from
from kiln.domain.fingerprint import Origin, fingerprint, origins_of
from tests.builders import a_document

BOOKS = "https://s3.eu-west-1.amazonaws.com/books/web.tar.gz"
RICH: dict[str, Any] = {
    "builder": {"instance_types": ["m7i.large"], "volume": {"size_gib": 10}},
    "steps": [{"name": "tune", "shell": "echo tuned", "environment": {"A": "1"}}],
    "verify": {"steps": [{"name": "serves", "shell": "true"}]},
    "image": {"name": "web-{time}", "tags": {"team": "shop"}},
}


def mark(base: str = "ami-1", **changes: Any) -> str:
    """The fingerprint of a blueprint with some of its keys changed."""
    blueprint = blueprint_from(a_document(**RICH | changes))
    return fingerprint(base, blueprint, dict.fromkeys(origins_of(blueprint), "hash"))


@pytest.mark.parametrize(
    "change",
    [
        {"platform": "amazon-linux-2"},
        {"builder": {"volume": {"size_gib": 12}}},
        {"steps": [{"name": "tune", "shell": "echo tuned"}]},
        {"steps": [{"name": "tune", "shell": "echo else", "environment": {"A": "1"}}]},
        {"steps": RICH["steps"] + [{"name": "restart", "reboot": True}]},
        {"verify": {}},
        {"release_lock": "current"},
        {"clean": {"also_remove": ["/opt/build"]}},
        {"image": {"name": "web-{date}", "tags": {"team": "shop"}}},
        {"image": {"name": "web-{time}", "tags": {"team": "bank"}}},
    ],
)
def test_what_reaches_the_image_or_its_proof_makes_another_one(change: dict[str, Any]) -> None:
    assert mark(**change) != mark()


@pytest.mark.parametrize(
    "change",
    [
        {"description": "newer"},
        {"builder": {"instance_types": ["m6i.large"], "volume": {"size_gib": 10}}},
        {"steps": [RICH["steps"][0] | {"name": "tuned", "timeout": "5m"}]},
        {"image": RICH["image"] | {"deprecate_after": "90d"}},
        {"distribute": {"regions": [{"region": "us-east-1"}]}},
        {"layers": [{"layer": "shop/web"}]},
        {"rebuild": {"schedule": "rate(1 day)"}},
        {"on_failure": "keep"},
        {"deadline": "2h"},
    ],
)
def test_what_does_not_reach_it_makes_the_same(change: dict[str, Any]) -> None:
    assert mark(**change) == mark()


def test_another_base_is_another_image_however_it_was_found() -> None:
    assert mark("ami-2") != mark("ami-1")
    assert mark(base="ami-1") == fingerprint("ami-1", *_named(base={"parameter": "/aws/service/x"}))


def _named(**changes: Any) -> tuple[Blueprint, dict[Origin, str]]:
    blueprint = blueprint_from(a_document(**RICH | changes))
    return blueprint, dict.fromkeys(origins_of(blueprint), "hash")


def test_each_origin_counts_with_what_it_holds() -> None:
    blueprint, traces = _named()
    whole = fingerprint("ami-1", blueprint, traces)
    assert {origin.name for origin in traces} == {
        *("run-shell", "prepare-linux", "clean-linux", "verify-linux")
    }
    for origin in traces:
        assert fingerprint("ami-1", blueprint, traces | {origin: "other"}) != whole


def _app(**source: str) -> dict[str, Any]:
    return {"name": "a", "app": {"source": source, "path": "/srv/shop"}}


def _chef(**source: str) -> dict[str, Any]:
    return {"name": "c", "chef": {"source": source, "run_list": ["web"]}}


COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("step", "found"),
    [
        ({"name": "s", "script": {"s3": "s3://bucket/a.sh"}}, ("s3", "s3://bucket/a.sh")),
        ({"name": "s", "script": {"s3": "s3://bucket/a.sh", "version": "v1"}}, None),
        (_app(type="s3", url="s3://bucket/a.tar"), ("s3", "s3://bucket/a.tar")),
        (_app(type="s3", url="s3://bucket/a.tar", version="v1"), None),
        (_app(type="git", repository="https://host/a.git", revision=COMMIT), None),
        (
            _app(type="git", repository="https://host/a.git", revision="main"),
            ("unseen", "https://host/a.git main"),
        ),
        (_app(type="http", url="https://host/a.tar", sha256="0" * 64), None),
        (_chef(type="S3", path=BOOKS), ("s3", "s3://books/web.tar.gz")),
        (_chef(path="https://books.s3.amazonaws.com/a%20b/"), ("s3", "s3://books/a b/")),
        (_chef(type="GitHub", repository="r", getOptions=f"commitID:{COMMIT}"), None),
        (_chef(type="GitHub", repository="r", getOptions="branch:main"), ("unseen", "")),
        (_chef(type="HTTP", url="https://host/books.tar.gz"), ("unseen", "")),
    ],
)
def test_content_elsewhere_is_looked_at_pinned_or_never_seen(
    step: dict[str, Any], found: tuple[str, str] | None
) -> None:
    origins = origins_of(blueprint_from(a_document(steps=[step])))
    elsewhere = [o for o in origins if o.kind in ("s3", "unseen")]
    if found is None:
        assert elsewhere == []
        return
    (origin,) = elsewhere
    assert origin.kind == found[0]
    assert origin.name.startswith(found[1])
    assert step["name"] in origin.label


def test_documents_go_by_what_the_bake_runs() -> None:
    windows = {
        "platform": "windows-2022",
        "steps": [{"name": "p", "powershell": "echo x"}, {"name": "r", "reboot": True}],
    }
    names = {o.name for o in origins_of(blueprint_from(a_document(**windows)))}
    assert names == {
        *("run-powershell", "reboot-windows", "inspect-windows", "prepare-windows"),
        *("clean-windows", "seal-windows", "verify-windows"),
    }
    own = {"name": "d", "document": {"name": "Mine"}}
    store = {"platform": "amazon-linux-1", "root_device": "instance-store", "steps": [own]}
    found = origins_of(blueprint_from(a_document(**store)))
    assert {(o.kind, o.name) for o in found} >= {("own", "bundle-linux"), ("document", "Mine")}


def test_what_a_layer_makes_of_an_instance_is_never_seen() -> None:
    adopting = blueprint_from(a_document(base={"layer": "shop/web"}))
    assert any(o.kind == "unseen" and "shop/web" in o.label for o in origins_of(adopting))
