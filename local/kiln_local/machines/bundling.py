"""What a bundle needs of whoever keeps an instance: its changes to /usr, which it cannot tell from
the host's itself, and a tree made of a tar."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

from kiln_local.machines.asking import Answer, Answering
from kiln_local.machines.distros import DISTROS
from kiln_local.machines.sandbox import Place, in_user_namespace
from kiln_local.machines.starting import run

# ec2-ami-tools, constants.rb, FILE_FILTER: what ec2-bundle-vol leaves out unless it is told to
# include it.
FILTER = (
    *("*/#*#", "*/.#*", "*.sw", "*.swo", "*.swp", "*~", "*.pem", "*.priv", "*id_rsa*", "*id_dsa*"),
    *("*.gpg", "*.jks", "*/.ssh/authorized_keys", "*/.bash_history"),
)
# Made anew by the tool, because it excludes them whole.
_MOUNT_POINTS = ("mnt", "proc", "sys", "dev", "run", "media", "usr")


def with_usr(place: Place, answer: Answering) -> Answering:
    """An answerer that also knows the word `usr`: whether to filter, and what to include."""

    def asked(words: Sequence[str], sent: bytes | None) -> Answer:
        if words[0] != "usr":
            return answer(words, sent)
        included = frozenset(words[2].split()) if len(words) > 2 else frozenset()
        return Answer(0, "", usr_changes(place, bool(words[1]), included))

    return asked


def usr_changes(place: Place, filtered: bool, included: frozenset[str]) -> bytes:
    """A tar of an instance's changes to /usr; removed files are there as overlayfs marks them."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as tar:
        for parent, folders, files in os.walk(place.usr):
            for name in sorted((*folders, *files)):
                path = Path(parent) / name
                inside = str(PurePosixPath("/usr") / path.relative_to(place.usr).as_posix())
                if filtered and inside not in included and _is_filtered(inside):
                    continue
                tar.add(path, inside.removeprefix("/usr/"), recursive=False)
    return target.getvalue()


def _is_filtered(path: str) -> bool:
    return any(fnmatch(path, pattern) for pattern in FILTER)


def unpack(tar: bytes, folder: Path) -> None:
    """Unpack with owners, modes and attributes; devices as overlayfs uses them included."""
    inside = ["unshare", "--user", "--map-root-user"] if in_user_namespace() else []
    command = ["tar", "-x", "-p", "--numeric-owner", "--xattrs", "--xattrs-include=*", "-C"]
    run([*inside, *command, str(folder)], tar, check=True)


def make_mount_points(root: Path) -> None:
    """The empty folders that the tool makes in an image."""
    for name in _MOUNT_POINTS:
        (root / name).mkdir(exist_ok=True)


def platform_in(root: Path) -> str:
    """The platform of a root, by its os-release as a boot would see it."""
    found = dict(
        line.split("=", 1) for line in (root / "etc/os-release").read_text().splitlines() if line
    )
    name, version = (found.get(key, "").strip('"') for key in ("ID", "VERSION_ID"))
    known = (p for p, d in DISTROS.items() if (d.id, d.version) == (name, version))
    return next(known)
