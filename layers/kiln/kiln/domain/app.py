"""An application's revision: where it comes from and where it goes.

Nothing here may hold a credential. A blueprint is stored and read by many; whatever may fetch the
source is the machine's own: its role, its SSH key, its git credential helper.
"""

from __future__ import annotations

import json
import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, StringConstraints, model_validator

from kiln.domain.model import Model

# What a source of each type must have, and what it may have besides.
SOURCE_KEYS = {
    "s3": (("url",), ("version",)),
    "git": (("repository", "revision"), ()),
    "http": (("url", "sha256"), ()),
}
_S3 = re.compile(
    r"^s3://[a-z0-9.-]{3,63}/[A-Za-z0-9]([A-Za-z0-9!_.*()/@:+=,~%-]*[A-Za-z0-9!_.*()@:+=,~%-])?$"
)
_HTTP = re.compile(
    r"^https?://[A-Za-z0-9.:\[\]-]+/[A-Za-z0-9!#$%&()*+,./:;=?@\[\]_~-]*$",
)
_REPOSITORY = re.compile(
    r"^((https|ssh|file)://|codecommit(::[a-z0-9-]+)?://|[A-Za-z0-9._-]+@[A-Za-z0-9.-]+:)"
    r"[A-Za-z0-9._~/:@+%-]+$"
)
# scheme://user:password@host, or a user alone where that is a token: https://ghp_...@github.com
_CREDENTIAL = re.compile(r"^(https?://[^/]*@|[a-z]+://[^/@]*:[^/@]*@)")
# What presigned addresses and tokens in a query are called.
_SIGNED = re.compile(
    r"[?&](x-amz-(signature|credential|security-token)|signature|sig|(access_|private_)?token"
    r"|password|api_?key)=",
    re.IGNORECASE,
)
# The builder's own places: the clean-up empties them, or the system lives there.
_NOT_BELOW = (
    *("/dev", "/proc", "/run", "/sys", "/tmp", "/boot"),
    *("/var/log", "/var/run", "/var/tmp", "/var/lib/amazon", "/var/lib/cloud", "/var/lib/kiln"),
    *("/etc/kiln", "/etc/ssh", "/etc/ssl", "/etc/pki"),
)


def _place(path: str) -> str:
    parts = path.removesuffix("/").split("/")[1:]
    if not re.match(r"^(/[A-Za-z0-9._+@-]+){2,}/?$", path) or {".", ".."} & set(parts):
        raise ValueError(
            f"{path!r} is not a plain absolute path of two names or more, such as /srv/shop; "
            "allowed: letters, digits and . _ + @ -"
        )
    plain = path.removesuffix("/")
    for place in _NOT_BELOW:
        if f"{plain}/".startswith(f"{place}/"):
            raise ValueError(f"{path!r} is below {place}, where no application stays in an image")
    return plain


Place = Annotated[str, AfterValidator(_place)]


class AppSource(Model):
    """A revision of an S3, Git or HTTP source; which keys it has goes by its type."""

    type: Literal["s3", "git", "http"]
    url: str | None = None
    version: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,1024}$")] | None = None
    repository: str | None = None
    revision: (
        Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/+-]{0,199}$")] | None
    ) = None
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = None

    @model_validator(mode="after")
    def _keys_of_its_type(self) -> Self:
        needed, allowed = SOURCE_KEYS[self.type]
        given = [name for name in self.model_fields_set - {"type"} if getattr(self, name)]
        missing = [name for name in needed if name not in given]
        alien = sorted(name for name in given if name not in (*needed, *allowed))
        if missing or alien:
            said = f"lacks {' and '.join(missing)}" if missing else f"has {' and '.join(alien)}"
            keys = [*needed, *(f"{name} (optional)" for name in allowed)]
            raise ValueError(f"a source of type {self.type} {said}; its keys: {', '.join(keys)}")
        self._check_address()
        return self

    def _check_address(self) -> None:
        address = self.repository or self.url or ""
        if _CREDENTIAL.match(address) or _SIGNED.search(address):
            raise ValueError(
                "the address holds a credential; leave it out and let the machine's own role, SSH "
                "key or git credential helper do it"
            )
        if self.type == "s3" and not _S3.match(address):
            raise ValueError(f"url: {address!r} names no object; write s3://bucket/key")
        if self.type == "http" and not _HTTP.match(address):
            raise ValueError(f"url: {address!r} is no address; write https://host/path")
        if self.type == "git" and not _REPOSITORY.match(address):
            raise ValueError(
                f"repository: {address!r} is none that git reads here; write https://host/path, "
                "ssh://host/path, user@host:path, codecommit::region://name or file:///path"
            )
        if self.revision and (".." in self.revision or self.revision.endswith((".lock", "/"))):
            raise ValueError(f"revision: {self.revision!r} is no name of a commit, tag or branch")

    def as_json(self) -> str:
        """One flat object of texts without quotes or backslashes, as the document reads it."""
        return json.dumps(self.model_dump(exclude_none=True), sort_keys=True)


class App(Model):
    """A revision of an application put in place."""

    source: AppSource
    path: Place
