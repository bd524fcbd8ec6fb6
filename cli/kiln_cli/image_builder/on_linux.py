"""Action modules as shell scripts. No text of a document is part of a command but in quotes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable

from kiln_cli.elsewhere.beside import LARGEST_CONTENT
from kiln_cli.elsewhere.settings import Settings
from kiln_cli.elsewhere.steps import file_script

quoted = shlex.quote
_OWNER = re.compile(r"^[A-Za-z0-9._-]+$")
_MODE = re.compile(r"^0?[0-7]{3,4}$")
_S3 = re.compile(r"^s3://[a-z0-9.-]{3,63}/.+$")
_HEAD = "set -eu\n"


def _path(settings: Settings, key: str = "path") -> str | None:
    found = settings.text(key)
    return quoted(found) if found and "\0" not in found else None


def _paths(settings: Settings) -> tuple[str, str] | None:
    source, destination = settings.text("source"), _path(settings, "destination")
    settings.flag("overwrite")
    if not source or not destination:
        return None
    # `*` at the end is all that is in a folder, and stays outside of the quotes.
    every = source.endswith("*")
    return quoted(source[:-1] if every else source) + ("*" if every else ""), destination


def _owned(settings: Settings, path: str) -> str:
    """What sets owner, group and permissions, where they are given."""
    owner, group = settings.text("owner") or "", settings.text("group") or ""
    mode = settings.text("permissions")
    lines = ""
    if owner or group:
        who = f"{owner}:{group}" if group else owner
        good = all(_OWNER.match(one) for one in (owner, group) if one)
        lines += f"chown -- {quoted(who)} {path}\n" if good else ""
        if not good:
            settings.drop("owner", f"{who[:60]!r} is no user's or group's name")
    if mode and _MODE.match(mode):
        lines += f"chmod {mode} -- {path}\n"
    elif mode:
        settings.drop("permissions", f"{mode[:20]!r} is no octal number")
    return lines


def _create_file(settings: Settings) -> str | None:
    path, content = settings.text("path"), settings.text("content") or ""
    settings.flag("overwrite")
    settings.take("encoding")
    if not path or "\0" in path or len(content.encode()) > LARGEST_CONTENT:
        return None
    return file_script(path, content.encode()) + _owned(settings, quoted(path))


def _append_file(settings: Settings) -> str | None:
    path, content = _path(settings), settings.text("content") or ""
    settings.take("encoding")
    if not path:
        return None
    return f"{_HEAD}printf '%s' {quoted(content)} >>{path}\n{_owned(settings, path)}"


def _create_folder(settings: Settings) -> str | None:
    path = _path(settings)
    settings.flag("overwrite")
    return f"{_HEAD}mkdir -p -- {path}\n{_owned(settings, path)}" if path else None


def _delete(flags: str) -> Callable[[Settings], str | None]:
    def made(settings: Settings) -> str | None:
        path = _path(settings)
        settings.flag("force")
        return f"{_HEAD}rm {flags} -- {path}\n" if path else None

    return made


def _two(command: str) -> Callable[[Settings], str | None]:
    def made(settings: Settings) -> str | None:
        paths = _paths(settings)
        if not paths:
            return None
        source, destination = paths
        folder = f'mkdir -p -- "$(dirname -- {destination})"\n'
        return f"{_HEAD}{folder}{command} -- {source} {destination}\n"

    return made


def _symlink(settings: Settings) -> str | None:
    path, target = _path(settings), _path(settings, "target")
    force = "f" if settings.flag("force") else ""
    return f"{_HEAD}ln -s{force} -- {target} {path}\n" if path and target else None


def _set_owner(settings: Settings) -> str | None:
    path = _path(settings)
    lines = _owned(settings, path) if path else ""
    return f"{_HEAD}{lines}" if lines else None


def _execute(settings: Settings) -> str | None:
    path, arguments = _path(settings), settings.texts("arguments")
    return f"exec {' '.join([path, *map(quoted, arguments)])}\n" if path else None


def _download(settings: Settings) -> str | None:
    source, destination = settings.text("source") or "", _path(settings, "destination")
    settings.flag("overwrite")
    if not _S3.match(source) or not destination:
        return None
    settings.drop_if("expectedBucketOwner", "the builder's profile says which buckets it may read")
    settings.assume("source", "the aws command must be there, and the profile allow it")
    folder = f'mkdir -p -- "$(dirname -- {destination})"\n'
    if source.endswith("*"):
        return f"{_HEAD}aws s3 cp --recursive {quoted(source[:-1])} {destination}\n"
    return f"{_HEAD}{folder}aws s3 cp {quoted(source)} {destination}\n"


def _upload(settings: Settings) -> str | None:
    source, destination = settings.text("source"), settings.text("destination") or ""
    recurse = "--recursive " if settings.flag("recurse") else ""
    if not source or not _S3.match(destination):
        return None
    settings.drop_if("expectedBucketOwner", "the builder's profile says which buckets it may write")
    settings.assume("destination", "the builder's profile must be allowed to write there")
    return f"{_HEAD}aws s3 cp {recurse}{quoted(source.removesuffix('*'))} {quoted(destination)}\n"


_SUMS = {"MD5": "md5sum", "SHA1": "sha1sum", "SHA256": "sha256sum", "SHA512": "sha512sum"}


def _web(settings: Settings) -> str | None:
    source, destination = settings.text("source") or "", _path(settings, "destination")
    settings.flag("overwrite")
    if not re.match(r"^https?://", source) or not destination:
        return None
    if settings.flag("ignoreCertificateErrors"):
        settings.drop("ignoreCertificateErrors", "a certificate that is wrong fails the step")
    checksum = settings.text("checksum")
    program = _SUMS.get((settings.text("algorithm") or "SHA256").upper().replace("-", ""))
    lines = f'mkdir -p -- "$(dirname -- {destination})"\n'
    lines += f"curl -fsSL -o {destination} -- {quoted(source)}\n"
    if checksum and program and re.fullmatch(r"[0-9A-Fa-f]{32,128}", checksum):
        lines += f"printf '%s  %s\\n' {checksum.lower()} {destination} | {program} -c -\n"
    elif checksum:
        settings.want("checksum", "is none that can be checked here")
    return f"{_HEAD}{lines}"


ACTIONS: dict[str, Callable[[Settings], str | None]] = {
    "AppendFile": _append_file,
    "CopyFile": _two("cp -f"),
    "CopyFolder": _two("cp -Rf"),
    "CreateFile": _create_file,
    "CreateFolder": _create_folder,
    "CreateSymlink": _symlink,
    "DeleteFile": _delete("-f"),
    "DeleteFolder": _delete("-rf"),
    "ExecuteBinary": _execute,
    "MoveFile": _two("mv -f"),
    "MoveFolder": _two("mv -f"),
    "S3Download": _download,
    "S3Upload": _upload,
    "SetFileOwner": _set_owner,
    "SetFolderOwner": _set_owner,
    "SetFilePermissions": _set_owner,
    "SetFolderPermissions": _set_owner,
    "WebDownload": _web,
}
