"""Namespaces for one instance: made with unshare, entered with nsenter, gone when its first
process ends.

Facts: overlayfs in a user namespace needs the option userxattr (Linux 5.11, overlayfs.rst); as
real root the capabilities of what runs inside are cut to those that packages need, so that neither
a mount nor a device is within reach.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_SETUP = Path(__file__).with_name("enter.sh")
_CAPABILITIES = "-all,+chown,+dac_override,+fowner,+fsetid,+kill,+setgid,+setuid"
_NAMESPACES = ("--mount", "--pid", "--uts", "--ipc", "--net")
# Directories below /usr that a normal user must own to install into (host-owned ones are unmapped).
_WRITABLE = (
    *("bin", "sbin", "lib", "lib/systemd", "lib/systemd/system", "share", "share/keyrings"),
    *("share/doc", "local", "local/bin", "local/sbin", "local/lib", "local/etc", "local/share"),
)


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
    """A running instance's namespaces."""

    def __init__(self, place: Place) -> None:
        self._user = os.geteuid() != 0
        for part in _WRITABLE if self._user else ():
            (place.usr / part).mkdir(parents=True, exist_ok=True)
        self._process = _start(place, self._user)
        self._first = _only_child(self._process.pid)

    def run(
        self, argv: Sequence[str], environment: Mapping[str, str], timeout_s: float, cwd: str = "/"
    ) -> Ended:
        """Run a program inside; standard input is empty, output is bytes."""
        command = ["nsenter", f"--target={self._first}", *_NAMESPACES, "--root"]
        command += ["--user", "--preserve-credentials"] if self._user else []
        inner = ["/usr/bin/env", "-C", cwd, *argv]
        if not self._user:
            inner = [
                "/usr/bin/setpriv",
                f"--bounding-set={_CAPABILITIES}",
                "--inh-caps=-all",
                *inner,
            ]
        process = subprocess.Popen(
            [*command, *inner],
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            umask=0o022,
        )
        return _collect(process, timeout_s)

    def end(self) -> None:
        """Close the first process's input: it ends, and the kernel kills the rest."""
        if self._process.stdin:
            self._process.stdin.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _start(place: Place, user: bool) -> subprocess.Popen[bytes]:
    command = ["unshare", *_NAMESPACES, "--fork", "--kill-child=KILL"]
    command += ["--user", "--map-root-user"] if user else []
    options = ",userxattr" if user else ""
    with tempfile.TemporaryDirectory(prefix="kiln-ready-") as folder:
        ready = Path(folder) / "ready"
        os.mkfifo(ready)
        paths = [str(p) for p in (place.root, place.standins, place.usr, place.work)]
        process = subprocess.Popen(
            [*command, "sh", str(_SETUP), *paths, options, str(ready)],
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


def _collect(process: subprocess.Popen[bytes], timeout_s: float) -> Ended:
    try:
        stdout, stderr = process.communicate(timeout=timeout_s)
        return Ended(process.returncode, stdout, stderr)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        stdout, stderr = process.communicate()
        return Ended(137, stdout, stderr, timed_out=True)


class SandboxUnavailable(Exception):
    """No namespaces can be had here; the text says why."""


@cache
def why_unavailable() -> str | None:
    """Why no sandbox can be had on this machine, None where one can."""
    with tempfile.TemporaryDirectory(prefix="kiln-probe-") as folder:
        place = Place(*(Path(folder) / name for name in ("root", "usr", "work", "standins")))
        for path in (place.usr, place.work, place.standins, *(place.root / n for n in SKELETON)):
            path.mkdir(parents=True)
        for name in ("bin", "sbin", "lib", "lib64"):
            (place.root / name).symlink_to(f"usr/{name}")
        try:
            sandbox = Sandbox(place)
        except (SandboxUnavailable, OSError) as error:
            return f"no sandbox can be made here: {error}"
        ended = sandbox.run(["/bin/true"], {"PATH": "/usr/bin"}, 10)
        sandbox.end()
        return (
            None if ended.exit_code == 0 else f"nothing can be run inside: {ended.stderr.decode()}"
        )


SKELETON = (
    "usr",
    "proc",
    "dev",
    "run",
    "tmp",
    "etc",
    "var",
    "root",
    "home",
    "opt",
    "srv",
    "sys",
    "mnt",
)
