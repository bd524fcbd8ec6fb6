from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kiln_local import emulated
from kiln_local.asynchronous import unawaited
from kiln_local.crew import Ended
from kiln_local.emulator import Function, Kit, NoKit, answered, children_of, peak_mb


def a_function(**variables: str) -> Function:
    return Function("kiln-WakeFunction", Path("/f/wake"), "app.handler", 60, 512, variables)


def test_an_environment_has_the_functions_variables_and_nothing_of_this_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "mine")
    told = a_function(KILN_TABLE="kiln").environ(Kit(Path("/kit")))
    assert told["KILN_TABLE"] == "kiln"
    assert told["AWS_LAMBDA_FUNCTION_TIMEOUT"] == "60"
    assert "AWS_PROFILE" not in told


def test_service_models_are_those_of_the_kit() -> None:
    told = a_function(KILN_MODELS="/opt/models").environ(Kit(Path("/kit")))
    assert told["KILN_MODELS"] == "/kit/opt/deps/models"


def test_a_project_without_a_kit_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(NoKit, match="make emulator"):
        Kit.of(tmp_path)


def test_a_result_is_no_failure() -> None:
    assert answered(b'{"image": "ami-1"}', 200) == ({"image": "ami-1"}, False)
    assert answered(b"null", 200) == (None, False)


def test_an_exception_is_its_object() -> None:
    error = {"errorType": "NoCapacity", "errorMessage": "none", "stackTrace": []}
    assert answered(json.dumps(error).encode(), 200) == (error, True)


def test_a_time_out_is_told_in_a_sentence() -> None:
    error, failed = answered(b"Task timed out after 60.00 seconds", 200)
    assert (error["errorType"], failed) == ("Sandbox.Timedout", True)
    assert answered(b"gone", 500)[0]["errorType"] == "Runtime.ExitError"


def test_environments_that_nobody_waits_for_start_one_after_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Instant:
        alive = True

        def __init__(self, *_: object) -> None: ...

        def invoke(self, _: object) -> tuple[object, bool]:
            return {}, False

    slept: list[float] = []
    monkeypatch.setattr(emulated, "Environment", Instant)
    monkeypatch.setattr(emulated.time, "sleep", slept.append)
    names = ["plan", "wake", "seal", "clean"]
    functions = {name: a_function() for name in names}
    emulation = emulated.Emulated(Kit(Path("/kit")), functions, lambda _: None)
    emulation.run("plan", {})
    assert slept == []
    token = unawaited.set(True)
    for name in names:
        emulation.run(name, {})
    unawaited.reset(token)
    # The first has an idle one, the second finds nobody before it.
    assert [round(pause, 1) for pause in slept] == [0.0, 0.3, 0.6]


def test_no_environment_is_made_once_all_have_ended() -> None:
    emulation = emulated.Emulated(Kit(Path("/kit")), {"plan": a_function()}, lambda _: None)
    emulation.end()
    with pytest.raises(Ended):
        emulation.run("plan", {})


def test_memory_is_that_of_a_child_at_its_most() -> None:
    code = "import time; kept = bytearray(30_000_000); del kept; print(flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as child:
        assert child.stdout
        child.stdout.readline()
        try:
            assert child.pid in children_of(os.getpid())
            assert peak_mb(child.pid) > 30
        finally:
            child.kill()
