"""What an app step may say, and what it becomes."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from kiln.domain.blueprint import blueprint_from
from kiln.domain.documents import for_step
from kiln.domain.step import Step
from kiln.errors import InvalidBlueprint
from tests.builders import a_document

SHA = "ab" * 32
GIT = {"type": "git", "repository": "https://git.example.org/shop.git", "revision": "v1.2"}
S3 = {"type": "s3", "url": "s3://shop-apps/web/shop.tar.gz"}
HTTP = {"type": "http", "url": "https://example.org/shop.zip", "sha256": SHA}


def step(source: dict[str, Any], path: str = "/srv/shop") -> dict[str, Any]:
    """A step as a file holds it."""
    return {"name": "shop", "app": {"source": source, "path": path}}


def refused(source: dict[str, Any], path: str = "/srv/shop", **overrides: Any) -> str:
    """The one line that a blueprint with such a step is refused with."""
    with pytest.raises(InvalidBlueprint) as raised:
        blueprint_from(a_document(steps=[step(source, path)], **overrides))
    assert "\n" not in str(raised.value)
    return str(raised.value)


@pytest.mark.parametrize(
    "source",
    [
        GIT,
        GIT | {"revision": "0" * 40},
        GIT | {"revision": "feature/new-1"},
        GIT | {"repository": "git@github.com:example/shop.git"},
        GIT | {"repository": "ssh://git@git.example.org:22/shop.git"},
        GIT | {"repository": "file:///srv/git/shop.git"},
        GIT | {"repository": "codecommit::eu-west-1://shop"},
        S3,
        S3 | {"version": "3HL4kqtJvjVBH40Nrjfkd"},
        S3 | {"url": "s3://shop-apps/a"},
        HTTP,
        HTTP | {"url": "http://127.0.0.1:4566/shop-apps/a.tar?x=1"},
    ],
)
def test_a_source_travels_as_a_flat_object_that_holds_what_was_said(source: dict[str, Any]) -> None:
    blueprint_from(a_document(steps=[step(source)]))
    call = for_step(Step.model_validate(step(source, "/srv/shop/")))
    assert (call.name, call.timeout_s, call.ours) == ("place-app", 3600, True)
    text = base64.b64decode(call.parameters["Source"][0]).decode()
    assert json.loads(text) == source
    assert "\\" not in text
    assert base64.b64decode(call.parameters["Path"][0]) == b"/srv/shop"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ({}, "steps.0.app.source.type: is required"),
        ({"type": "svn"}, "steps.0.app.source.type: 'svn' is not allowed; allowed: 's3', 'git'"),
        ({"type": "git", "url": "x"}, "of type git lacks repository and revision; its keys: repo"),
        (GIT | {"sha256": SHA}, "of type git has sha256; its keys: repository, revision"),
        (GIT | {"branch": "main"}, "steps.0.app.source.branch: is not a known key"),
        ({"type": "http", "url": "https://example.org/a"}, "of type http lacks sha256"),
        (HTTP | {"sha256": "abc"}, "sha256: 'abc' does not match"),
        (HTTP | {"url": "example.org/a"}, "is no address"),
        (HTTP | {"url": 'https://example.org/"a'}, "is no address"),
        (HTTP | {"url": "https://example.org/ä"}, "is no address"),
        (HTTP | {"url": "https://me:pw@example.org/a"}, "holds a credential"),
        (HTTP | {"url": "https://b.s3.amazonaws.com/a?X-Amz-Signature=1"}, "holds a credential"),
        (HTTP | {"url": "https://example.org/a?ref=1&private_token=x"}, "holds a credential"),
        (GIT | {"repository": "https://ghp_x@github.com/a/b"}, "holds a credential"),
        (GIT | {"repository": "ssh://me:pw@example.org/a"}, "holds a credential"),
        (GIT | {"repository": "--upload-pack=x"}, "is none that git reads here"),
        (GIT | {"repository": "ext::sh -c x"}, "is none that git reads here"),
        (GIT | {"repository": "/srv/git/shop"}, "write https://host/path"),
        (GIT | {"revision": "-x"}, "does not match"),
        (GIT | {"revision": "a..b"}, "is no name of a commit, tag or branch"),
        (GIT | {"revision": 7}, "must be text, not 7"),
        (S3 | {"url": "https://shop/a"}, "write s3://bucket/key"),
        (S3 | {"url": "s3://shop-apps/folder/"}, "names no object"),
        (S3 | {"url": "s3://shop-apps"}, "names no object"),
        (S3 | {"revision": "main"}, "of type s3 has revision; its keys: url, version (optional)"),
    ],
)
def test_a_wrong_source_is_one_line_that_says_what_is_allowed(
    source: dict[str, Any], said: str
) -> None:
    assert said in refused(source)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("srv/shop", "is not a plain absolute path"),
        ("/srv", "is not a plain absolute path of two names or more"),
        ("/srv/../etc/shop", "is not a plain absolute path"),
        ("/srv//shop", "is not a plain absolute path"),
        ("/srv/a b", "is not a plain absolute path"),
        ("/srv/a\nb", "is not a plain absolute path"),
        ("/tmp/shop", "is below /tmp"),
        ("/var/lib/cloud/shop", "is below /var/lib/cloud"),
        ("/etc/kiln", "is below /etc/kiln"),
    ],
)
def test_a_path_where_nothing_stays_is_refused(path: str, said: str) -> None:
    assert said in refused(GIT, path)


def test_an_app_step_is_for_linux() -> None:
    said = refused(GIT, platform="windows-2022")
    assert "step 'shop': app does not run on Windows" in said
