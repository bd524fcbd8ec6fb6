"""Functions as Lambda runs them: each execution environment a process of its own, under AWS's
Runtime Interface Emulator with AWS's Python runtime and the project's layers, built for this
machine.

`tools/emulator.sh` makes the kit, in `.emulator` of the project. The share of a processor that a
function's memory buys it has where the kit knows where to make control groups. What the emulator
has not: freezing between invocations, and X-Ray.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kiln_local.shares import Share

_INVOKE = "/2015-03-31/functions/function/invocations"
_READY_WITHIN_S = 20.0
_END_WITHIN_S = 3.0
# The emulator's own answers are late, not lost: the function's time limit ends them.
_MARGIN_S = 30.0


class NoKit(FileNotFoundError):
    """The project has no kit."""


@dataclass(frozen=True)
class Kit:
    """Where the parts are, and where control groups are made, if functions are to have no more of a
    processor than their memory buys."""

    folder: Path
    shares: Path | None = None

    @classmethod
    def of(cls, project: Path) -> Kit:
        """That of a project. Raises NoKit."""
        folder = project / ".emulator"
        if not (folder / "bin" / "aws-lambda-rie").exists():
            raise NoKit(f"{folder} is not there: run `make emulator` in {project}")
        return cls(folder)

    @property
    def emulator(self) -> Path:
        """AWS's program."""
        return self.folder / "bin" / "aws-lambda-rie"

    @property
    def python(self) -> Path:
        """Python 3.13."""
        return self.folder / "bin" / "python3.13"

    @property
    def path(self) -> str:
        """What Lambda has on its path behind the function: layers, then its own (Lambda Developer
        Guide, "Search path for Python")."""
        layers = [self.folder / "opt" / layer / "python" for layer in ("kiln", "deps")]
        return os.pathsep.join(str(part) for part in (*layers, self.folder / "runtime"))

    @property
    def models(self) -> Path:
        """The service models of the layer, which the template expects below /opt."""
        return self.folder / "opt" / "deps" / "models"


@dataclass(frozen=True)
class Function:
    """What an execution environment is made of; `variables` are the template's and Lambda's."""

    name: str
    folder: Path
    handler: str
    limit_s: float
    memory_mb: int
    variables: Mapping[str, str]

    def environ(self, kit: Kit) -> dict[str, str]:
        """The environment of its processes: nothing of this process's own."""
        models = str(kit.models)
        told = {k: v.replace("/opt/models", models) for k, v in self.variables.items()}
        return told | {
            "HOME": "/tmp",
            "LANG": "en_US.UTF-8",
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "PYTHONPATH": kit.path,
            "LAMBDA_TASK_ROOT": str(self.folder),
            "AWS_LAMBDA_FUNCTION_NAME": self.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_TIMEOUT": f"{self.limit_s:.0f}",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self.memory_mb),
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{self.name}",
        }


class Environment:
    """One execution environment. The first invocation begins its runtime; one runs at a time.

    `heard` is told each line that function and emulator print.
    """

    def __init__(self, function: Function, kit: Kit, heard: Callable[[str], object]) -> None:
        self._limit_s = function.limit_s
        self._share = Share(function.memory_mb, kit.shares) if kit.shares else None
        self._port, runtime = free_ports(2)
        command = [
            *(str(kit.emulator), "--log-level", "info"),
            *("--runtime-interface-emulator-address", f"127.0.0.1:{self._port}"),
            *("--runtime-api-address", f"127.0.0.1:{runtime}"),
            *(str(kit.python), "-m", "awslambdaric", function.handler),
        ]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=function.environ(kit),
            cwd=function.folder,
            start_new_session=True,
        )
        if self._share:
            self._share.take(self._process.pid)
        self._reader = threading.Thread(target=self._read, args=(heard,), daemon=True)
        self._reader.start()
        self._await_port()

    def _read(self, heard: Callable[[str], object]) -> None:
        for line in self._process.stdout or ():
            heard(line)

    def _await_port(self) -> None:
        deadline = time.monotonic() + _READY_WITHIN_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self._port), timeout=1).close()
            except OSError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    self.end()
                    raise
                time.sleep(0.002)
            else:
                return

    def invoke(self, event: Any) -> tuple[Any, bool]:
        """A function's result, or Lambda's error object and True."""
        connection = http.client.HTTPConnection(
            "127.0.0.1", self._port, timeout=self._limit_s + _MARGIN_S
        )
        try:
            connection.request("POST", _INVOKE, json.dumps(event))
            answer = connection.getresponse()
            found = answered(answer.read(), answer.status)
            if self._share:
                self._share.limit()
            return found
        except (OSError, http.client.HTTPException) as error:
            return {"errorType": "Runtime.ExitError", "errorMessage": str(error)}, True
        finally:
            connection.close()

    @property
    def peak_mb(self) -> float:
        """The most memory that its runtime has had, without the emulator's own."""
        (runtime,) = children_of(self._process.pid)
        return peak_mb(runtime)

    @property
    def alive(self) -> bool:
        """Whether its process runs."""
        return self._process.poll() is None

    def end(self) -> None:
        """End its processes: the emulator ends its runtime, and a runtime without one ends."""
        self._process.terminate()
        try:
            self._process.wait(timeout=_END_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(timeout=5)
        if self._share:
            self._share.end()


def answered(body: bytes, status: int) -> tuple[Any, bool]:
    """What the emulator's answer means. It tells a time-out in a plain sentence, an exception by
    its object."""
    text = body.decode(errors="replace")
    try:
        found = json.loads(text)
    except ValueError:
        kind = "Sandbox.Timedout" if "timed out" in text else "Runtime.ExitError"
        return {"errorType": kind, "errorMessage": text}, True
    failed = status >= 400 or (
        isinstance(found, dict) and {"errorType", "errorMessage"} <= set(found)
    )
    return found, failed


def children_of(process: int) -> list[int]:
    """Those that it has started (proc(5), children)."""
    told = Path(f"/proc/{process}/task").glob("*/children")
    return [int(one) for children in told for one in children.read_text().split()]


def peak_mb(process: int) -> float:
    """The most memory that it has had (proc(5), VmHWM)."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:"))


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody has at the moment."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()
