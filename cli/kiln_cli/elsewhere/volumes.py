"""Root volumes of other tools' files: what a blueprint's `builder.volume` has of them."""

from __future__ import annotations

from collections.abc import Mapping

from kiln_cli.elsewhere.imported import Document
from kiln_cli.elsewhere.settings import Settings

_KINDS = ("gp2", "gp3", "io1", "io2")


def root_volume(one: Settings, names: Mapping[str, str]) -> Document:
    """A root volume by what the file calls `size_gib`, `type`, `iops`, `throughput_mib_s`,
    `kms_key`, `encrypted`, `deleted` and `snapshot`."""
    numbers = {own: one.whole(names[own]) for own in ("size_gib", "iops", "throughput_mib_s")}
    found: Document = {own: value for own, value in numbers.items() if value}
    _type(found, one, names["type"])
    key = one.text(names["kms_key"])
    one.flag(names["deleted"])
    if one.flag(names["encrypted"]) is False:
        one.drop(names["encrypted"], "Kiln encrypts every root")
    one.finish({names["snapshot"]: "the root is the base's"}, "a root volume has nothing like it")
    return found | ({"kms_key": key} if key else {})


def _type(found: Document, one: Settings, name: str) -> None:
    """The type, and what does not go with it left out. A file that names none gets Kiln's gp3."""
    kind = one.text(name)
    if kind in _KINDS:
        found["type"] = kind
    elif kind:
        one.drop(name, f"{kind[:20]!r} is none of gp2, gp3, io1, io2; it is gp3")
    if found.get("type", "gp3") != "gp3" and found.pop("throughput_mib_s", None):
        one.drop("throughput", "is only for gp3")
    if found.get("type") == "gp2" and found.pop("iops", None):
        one.drop("iops", "gp2 has what its size gives")
    if found.get("type") in ("io1", "io2") and "iops" not in found:
        one.drop(name, f"{found.pop('type')} needs iops; it is gp3")
