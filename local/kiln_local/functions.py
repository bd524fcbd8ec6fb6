"""Lambda functions in process: each handler is loaded once from its folder and called in the
caller's thread."""

from __future__ import annotations

import importlib.util
import io
import json
import os
import sys
import threading
import traceback
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kiln_local.lives import Died, Life, life, obituary
from kiln_local.patches import Patches
from kiln_local.recorder import caller

Answer = tuple[Any, bool]
# A function's folder, its time limit in seconds, and the invocation itself.
Around = Callable[[str, float, Callable[[], Answer]], Answer]


class Context:
    """What Lambda hands to a handler."""

    def __init__(self, name: str, arn: str, lived: Life, memory_mb: int) -> None:
        self.function_name = name
        self.function_version = "$LATEST"
        self.invoked_function_arn = arn
        self.memory_limit_in_mb = memory_mb
        self.aws_request_id = lived.request
        self.log_group_name = f"/aws/lambda/{name}"
        self.log_stream_name = "local"
        self._life = lived

    def get_remaining_time_in_millis(self) -> int:
        """The time limit without what the function has waited; its own work does not count."""
        return int(self._life.left_s() * 1000)


class Output(io.TextIOBase):
    """Standard output that keeps what functions print apart: on AWS it goes to CloudWatch Logs."""

    def __init__(self, real: Any, heard: Callable[[str], None] = lambda _: None) -> None:
        self._real = real
        self._heard = heard
        self.lines: list[str] = []

    def write(self, text: str) -> int:
        """To the log where a function prints, else to the real output."""
        if caller.get() is None:
            return int(self._real.write(text))
        self.lines.append(text)
        self._heard(text)
        return len(text)

    def flush(self) -> None:
        """The real output's."""
        self._real.flush()


class Functions:
    """The functions of the template, by physical name."""

    def __init__(
        self, project: Path, specifications: dict[str, dict[str, Any]], region: str
    ) -> None:
        self._project = project
        self.specifications = specifications
        self._region = region
        self._handlers: dict[str, Callable[[Any, Any], Any]] = {}
        self._lock = threading.Lock()
        self._environment = self._merged_environment()
        self.around: Around = lambda _folder, _limit, run: run()
        # Calls a function: here, or wherever else it runs.
        self.run: Callable[[str, Any], Answer] = self._run

    def _merged_environment(self) -> dict[str, str]:
        """One process, one environment: functions that disagree on a variable cannot run
        together."""
        merged = {
            "AWS_REGION": self._region,
            "AWS_DEFAULT_REGION": self._region,
            "AWS_LAMBDA_FUNCTION_NAME": "local",
            "POWERTOOLS_DEV": "0",
            "POWERTOOLS_TRACE_DISABLED": "1",
        }
        for name, specification in self.specifications.items():
            for key, value in specification.get("Environment", {}).get("Variables", {}).items():
                if merged.setdefault(key, value) != value:
                    raise ValueError(
                        f"{name}: {key} differs between functions, which share a process here"
                    )
        # Where the layer is before it is built.
        layer = str(self._project / "layers" / "deps" / "models")
        return {k: v.replace("/opt/models", layer) for k, v in merged.items()}

    def enter(self, patches: Patches, heard: Callable[[str], None]) -> None:
        """Set the environment and the import path, keep what is printed, forget an older world."""
        os.environ.update(self._environment)
        patches.set(sys, "stdout", Output(sys.stdout, heard))
        package = str(self._project / "layers" / "kiln")
        if package not in sys.path:
            sys.path.insert(0, package)
        from kiln import wiring

        wiring.world.cache_clear()

    def names(self) -> list[str]:
        """Physical names."""
        return list(self.specifications)

    def folder(self, name: str) -> str:
        """The folder of a function, which is its name everywhere else; "" for another's."""
        specification = self.specifications.get(name)
        return Path(specification["Path"]).name if specification else ""

    def invoke(self, name: str, event: Any) -> Answer:
        """Call a function; its result, or AWS's error object and True."""
        limit_s = float(self.specifications[name].get("Timeout", 3))
        return self.around(self.folder(name), limit_s, lambda: self.run(name, event))

    def _run(self, name: str, event: Any) -> Answer:
        told = self.specifications[name]
        # Lambda's own where the template says nothing: 3 s and 128 MB.
        limit_s, memory_mb = float(told.get("Timeout", 3)), int(told.get("MemorySize", 128))
        lived = Life(self.folder(name), limit_s, str(uuid.uuid4()))
        tokens = caller.set(lived.function), life.set(lived)
        try:
            result = self._handler(name)(event, Context(name, name, lived, memory_mb))
            lived.check()
            return json.loads(json.dumps(result)), False
        except Died:
            return obituary(lived.ended, limit_s, lived.request), True
        except Exception as error:  # noqa: BLE001 - Lambda reports whatever a handler raises
            if lived.ended:
                return obituary(lived.ended, limit_s, lived.request), True
            return _error_object(error), True
        finally:
            caller.reset(tokens[0])
            life.reset(tokens[1])

    def _handler(self, name: str) -> Callable[[Any, Any], Any]:
        with self._lock:
            if name not in self._handlers:
                self._handlers[name] = self._load(name)
            return self._handlers[name]

    def _load(self, name: str) -> Callable[[Any, Any], Any]:
        specification = self.specifications[name]
        module_name, _, attribute = specification["Handler"].rpartition(".")
        path = self._project / specification["Path"] / f"{module_name}.py"
        spec = importlib.util.spec_from_file_location(f"kiln_function_{path.parent.name}", path)
        if spec is None or spec.loader is None:
            raise ImportError(f"{path} cannot be loaded")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        handler: Callable[[Any, Any], Any] = getattr(module, attribute)
        return handler


def _error_object(error: Exception) -> dict[str, Any]:
    """What Lambda answers for an exception (Lambda Developer Guide, "Function errors in
    Python")."""
    return {
        "errorMessage": str(error),
        "errorType": type(error).__name__,
        "requestId": str(uuid.uuid4()),
        "stackTrace": traceback.format_tb(error.__traceback__),
    }


def connect(patches: Patches, functions: Functions, later: Callable[[str, Any], None]) -> None:
    """Let moto's Lambda run them; `later` takes an asynchronous invocation."""
    from moto.awslambda.models import LambdaBackend

    def invoke(self: Any, function_name: str, qualifier: Any, body: Any, *headers: Any) -> bytes:
        asked, answered = headers
        found = self.get_function(function_name, qualifier)
        event = json.loads(body) if body else {}
        if asked.get("X-Amz-Invocation-Type") == "Event":
            later(found.function_name, event)
            return b""
        result, failed = functions.invoke(found.function_name, event)
        if failed:
            answered["x-amz-function-error"] = "Unhandled"
        payload = json.dumps(result).encode()
        answered["Content-Length"] = str(len(payload))
        return payload

    patches.set(LambdaBackend, "invoke", invoke)
