"""Namespaces for one instance: made with unshare, entered with nsenter, gone when its first
process ends.

Facts: overlayfs in a user namespace needs the option userxattr (Linux 5.11, overlayfs.rst). The
capabilities of what runs inside are cut to those that packages need, so that neither a mount nor a
device is within reach; the host's root is no part of the namespace at all (pivot_root(2)).
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from kiln_local.machines.starting import run, start
from kiln_local.machines.working import Limit, communicate

_SETUP = Path(__file__).with_name("enter.sh")
_CAPABILITIES = "-all,+chown,+dac_override,+fowner,+fsetid,+kill,+setgid,+setuid"
_NAMESPACES = ("--mount", "--pid", "--uts", "--ipc", "--net")
_SEARCH = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/bin:/sbin:/bin"
_TOOLS = ("unshare", "nsenter", "setpriv", "mount", "pivot_root")
# Directories below /usr that a normal user must own to install into (host-owned ones are unmapped).
_WRITABLE = (
    *("bin", "sbin", "lib", "lib/systemd", "lib/systemd/system", "share", "share/keyrings"),
    *("share/doc", "share/man", "share/man/man1", "share/man/man5", "share/man/man8", "share/info"),
    *("share/bash-completion", "share/bash-completion/completions", "share/locale", "libexec"),
    *("lib/tmpfiles.d", "lib/sysusers.d", "lib/sysctl.d", "lib/modules-load.d", "include", "src"),
    *("local", "local/bin", "local/sbin", "local/lib", "local/etc", "local/share", "local/src"),
)
# After a time-out the agent reads no more output; a process that left the group may still hold it.
_LAST_OUTPUT_S = 0.2


@cache
def in_user_namespace() -> bool:
    """Whether instances need a user namespace of their own: for a normal user, and for a root who
    may not mount, as in many containers."""
    if os.geteuid() != 0:
        return True
    if shutil.which("unshare", path=_SEARCH) is None:
        return False
    tried = run(["unshare", "--mount", "true"])
    return tried.returncode != 0


def as_owner(command: list[str]) -> None:
    """Run a command that may read and remove whatever an instance has made, modes regardless."""
    inside = ["unshare", "--user", "--map-root-user"] if in_user_namespace() else []
    run([*inside, *command], check=True)


def remove(folder: Path) -> None:
    """Remove a folder with whatever an instance has made in it; one that is gone is fine."""
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        as_owner(["rm", "-rf", str(folder)])


@dataclass(frozen=True)
class Place:
    """Where an instance lives: its root, its changes to /usr, overlayfs's work directory."""

    root: Path
    usr: Path
    work: Path
    standins: Path


@dataclass(frozen=True)
class Ended:
    """How a process ended. `timed_out` ones were killed with their whole process group."""

    exit_code: int
    stdout: bytes
    stderr: bytes
    timed_out: bool = False


class Sandbox:
    """A running instance's namespaces; `first` is its first process, `disks` what enter.sh reads of
    its volumes."""

    def __init__(self, place: Place, disks: str = "") -> None:
        self._user = in_user_namespace()
        self._work = place.work
        for part in _WRITABLE if self._user else ():
            (place.usr / part).mkdir(parents=True, exist_ok=True)
        self._process = _start(place, self._user, disks)
        self.first = _only_child(self._process.pid)

    def run(
        self, argv: Sequence[str], environment: Mapping[str, str], limit: Limit, cwd: str = "/"
    ) -> Ended:
        """Run a program inside; standard input is empty, output is bytes."""
        command = ["nsenter", f"--target={self.first}", *_NAMESPACES, "--root"]
        command += ["--user", "--preserve-credentials"] if self._user else []
        command += ["/usr/bin/setpriv", f"--bounding-set={_CAPABILITIES}", "--inh-caps=-all"]
        process = start(
            [*command, "/usr/bin/env", "-C", cwd, *argv],
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            umask=0o022,
        )
        return _collect(process, limit)

    def end(self) -> None:
        """Close the first process's input: it ends, and the kernel kills the rest."""
        if self._process.stdin:
            self._process.stdin.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stderr:
            self._process.stderr.close()
        # overlayfs makes a folder here that nobody may read; it is to be removable with the rest.
        inner = self._work / "work"
        if self._user and inner.exists():
            inner.chmod(0o700)


def _start(place: Place, user: bool, disks: str) -> subprocess.Popen[bytes]:
    command = ["unshare", *_NAMESPACES, "--fork", "--kill-child=KILL"]
    command += ["--user", "--map-root-user"] if user else []
    options = ",userxattr" if user else ""
    with tempfile.TemporaryDirectory(prefix="kiln-ready-") as folder:
        ready = Path(folder) / "ready"
        os.mkfifo(ready)
        paths = [str(p) for p in (place.root, place.standins, place.usr, place.work)]
        process = start(
            [*command, "sh", str(_SETUP), *paths, options, str(ready), disks],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        _await_ready(process, ready)
    return process


def _await_ready(process: subprocess.Popen[bytes], ready: Path) -> None:
    # Non-blocking, so that a set-up that fails before it writes does not hang the reader.
    pipe = os.open(ready, os.O_RDONLY | os.O_NONBLOCK)
    try:
        while process.poll() is None:
            if _readable(pipe, 0.02) and os.read(pipe, 16):
                return
    finally:
        os.close(pipe)
    reason = process.stderr.read().decode(errors="replace").strip() if process.stderr else ""
    raise SandboxUnavailable(reason or f"unshare ended with {process.returncode}")


def _readable(descriptor: int, timeout_s: float) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    found = poll.poll(timeout_s * 1000)
    if found and not found[0][1] & select.POLLIN:
        # POLLHUP before any writer has opened the pipe: come back later, but not at once.
        time.sleep(0.002)
        return False
    return bool(found)


def _only_child(parent: int) -> int:
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return int(children[0])


def _collect(process: subprocess.Popen[bytes], limit: Limit) -> Ended:
    try:
        stdout, stderr = communicate(process, limit)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return Ended(137, *_last_output(process), timed_out=True)
    # A process that a signal ended has no exit status: -1, as Go says it.
    return Ended(max(process.returncode, -1), stdout, stderr)


def _last_output(process: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    try:
        return process.communicate(timeout=_LAST_OUTPUT_S)
    except subprocess.TimeoutExpired as error:
        process.wait()
        for pipe in (process.stdout, process.stderr):
            if pipe:
                pipe.close()
        return error.output or b"", error.stderr or b""


class SandboxUnavailable(Exception):
    """No namespaces can be had here; the text says why."""


@cache
def why_unavailable(home: Path) -> str | None:
    """Why no sandbox can be had for instances that live below a folder, None where one can."""
    missing = [tool for tool in _TOOLS if shutil.which(tool, path=_SEARCH) is None]
    if missing:
        return f"no sandbox can be made here: {', '.join(missing)} (of util-linux) not found"
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="probe-", dir=home) as folder:
        place = Place(*(Path(folder) / name for name in ("root", "usr", "work", "standins")))
        make_skeleton(place)
        place.standins.mkdir()
        # A script of the instance's own: some file systems let nothing be executed.
        script = place.root / "run/probe"
        script.write_text("#!/bin/sh\nexit 0\n")
        script.chmod(0o755)
        try:
            sandbox = Sandbox(place)
        except (SandboxUnavailable, OSError) as error:
            return f"no sandbox can be made here: {error}"
        ended = sandbox.run(["/run/probe"], {"PATH": "/usr/bin"}, Limit.of(10, 1))
        sandbox.end()
    if ended.exit_code:
        return f"nothing can be run inside a sandbox here: {ended.stderr.decode().strip()}"
    return None


def make_skeleton(place: Place) -> None:
    """The folders and links that every root has."""
    for path in (place.usr, place.work, *(place.root / name for name in _SKELETON)):
        path.mkdir(parents=True, exist_ok=True)
    for name in ("bin", "sbin", "lib", "lib64"):
        (place.root / name).symlink_to(f"usr/{name}")


_SKELETON = (
    *("usr", "proc", "dev", "run", "tmp", "etc", "var", "root", "home", "opt", "srv", "sys"),
    *("mnt", "media", "boot"),
)
