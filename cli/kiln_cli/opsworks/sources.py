"""OpsWorks's source of custom cookbooks as the source that AWS-ApplyChefRecipes takes."""

from __future__ import annotations

import re

from kiln_cli.opsworks.export import Object
from kiln_cli.opsworks.layers import Document
from kiln_cli.opsworks.notes import Notes

_COMMIT = re.compile(r"[0-9a-f]{40}")
_SECRETS = {
    "SshKey": "privateSSHKey",
    "Password": "password",
    "Username": "username",
}
_GIT = "Git"


def source_of(stack: Object, notes: tuple[Notes, str]) -> Document | None:
    """The source, None where there is none that can be fetched. No secret is ever carried."""
    kept, about = notes
    found = stack.get("CustomCookbooksSource") or {}
    used = stack.get("UseCustomCookbooks")
    given = {name: value for name, value in found.items() if value}
    if not given:
        if used:
            kept.drop(about, "UseCustomCookbooks", "the stack names no source of cookbooks")
        return None
    document = _document(given)
    why = f"{given.get('Type')!r} with {given.get('Url')!r} is no source that Kiln can fetch"
    if used is False:
        document, why = None, "UseCustomCookbooks was off"
    for name in given:
        if document is None:
            kept.drop(about, f"CustomCookbooksSource.{name}", why)
        elif name in _SECRETS:
            kept.drop(about, f"CustomCookbooksSource.{name}", _secret(name, document))
        elif name == "Revision" and document["type"] != _GIT:
            reason = f"a source of type {document['type']} has no revisions"
            kept.drop(about, "CustomCookbooksSource.Revision", reason)
    return document


def _document(found: Object) -> Document | None:
    kind, url = found.get("Type"), found.get("Url")
    if not url:
        return None
    if kind == "s3":
        return {"type": "S3", "path": url}
    if kind == "archive":
        return {"type": "HTTP", "url": url}
    if kind != "git":
        return None
    document: Document = {"type": _GIT, "repository": url}
    revision = found.get("Revision")
    if revision:
        # AWS-ApplyChefRecipes, SourceInfo, getOptions: `branch:name` or `commitID:hash`.
        what = "commitID" if _COMMIT.fullmatch(revision) else "branch"
        document["getOptions"] = f"{what}:{revision}"
    return document


def _secret(name: str, document: Document) -> str:
    if document["type"] == "S3":
        return "S3 is read by the instance profile"
    if document["type"] == "HTTP" and name == "SshKey":
        return "a source of type HTTP takes no key"
    return (
        "a stack file holds no secret: put it into a SecureString parameter and name it as "
        f"{_SECRETS[name]}: '{{{{ssm-secure:name}}}}' under source"
    )
