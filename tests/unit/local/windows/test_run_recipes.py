"""A layer's recipes on a simulated Windows: what they are given, in which order, what fails."""

from __future__ import annotations

import base64
import gzip
import hashlib
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from kiln.domain.lifecycle import LifecycleEvent
from kiln.domain.recipes import Payload, calls_for, files_call, packed, to_upload
from kiln.domain.stack import Layer
from kiln_local.machines import StepRun
from kiln_local.windows.errors import ScriptError
from kiln_local.windows.machine import WindowsMachine
from kiln_local.windows.permissions import readers
from tests.unit.local.windows.simulated import a_builder, again, an_around, b64, run, send

pytestmark = pytest.mark.long

RUNS = r"C:\ProgramData\Kiln\runs"
FILES = {"attributes.json": '{"a": "\u00e9"}\n', "data_bags/aws_opsworks_stack/shop.json": "{}\n"}
HOSTILE = "'\" \\ $(Stop-Computer) `n ${env:X} $$ {{ Event }} ; & | \u2603"
URL = "https://bucket.example.org/run.gz?X-Signature=secret"


def ran(machine: WindowsMachine, event: str = "setup", **given: str) -> StepRun:
    """Run the document; every command of it has to be known."""
    done = send(machine, "kiln-run-recipes-windows", Event=event, Layer="web", **given)
    step = done.steps[0]
    assert "not run here" not in step.stdout
    return step


def recipes(*scripts: str) -> str:
    return b64("\n".join(map(b64, scripts)))


def pack(files: dict[str, str]) -> str:
    return base64.b64encode(packed(files)).decode()


def names(machine: WindowsMachine, path: str) -> list[str]:
    return sorted(child.rpartition("\\")[2] for child in machine.drive.children(path, False))


def test_recipes_run_in_order_each_in_a_process_of_its_own(machine: WindowsMachine) -> None:
    step = ran(
        machine,
        Recipes=recipes("Write-Output 'one'; $x = 1", 'Write-Output "two $x"', "exit 0"),
    )
    assert (step.exit_code, step.stderr) == (0, "")
    assert step.stdout.splitlines() == [
        *("recipe 1 of 3", "one", "recipe 2 of 3", "two ", "recipe 3 of 3"),
    ]


def test_a_recipe_is_told_the_event_the_layer_and_where_its_files_are(
    machine: WindowsMachine,
) -> None:
    script = (
        'Write-Output "$env:KILN_EVENT $env:KILN_LAYER"\n'
        "Get-Content -LiteralPath $env:KILN_ATTRIBUTES -Encoding UTF8\n"
        "(Get-ChildItem -LiteralPath $env:KILN_DATA_BAGS).Name\n"
        'Write-Output "[$env:KILN_FILES$env:KILN_RECIPES$env:KILN_FILES_URL]"'
    )
    step = ran(machine, "configure", Recipes=recipes(script), Files=pack(FILES))
    assert step.stdout.splitlines() == [
        *("recipe 1 of 1", "configure web", '{"a": "\u00e9"}', "aws_opsworks_stack", "[]"),
    ]


def test_every_byte_of_a_recipe_and_of_a_file_arrives(machine: WindowsMachine) -> None:
    noise = base64.b64encode(random.Random(1).randbytes(20_000)).decode()
    files = {"attributes.json": HOSTILE, "data_bags/a/b.json": "\n\n", "nodes/web1.json": noise}
    quoted = HOSTILE.replace("'", "''")
    step = ran(machine, Recipes=recipes(f"Write-Output '{quoted}'"), Files=pack(files))
    assert step.stdout == f"recipe 1 of 1\n{HOSTILE}\n"
    for path, text in files.items():
        where = rf"{RUNS}\setup-1\{path.replace('/', chr(92))}"
        assert machine.drive.read_bytes(where) == text.encode()


def test_without_recipes_the_files_are_put_in_place_and_nothing_runs(
    machine: WindowsMachine,
) -> None:
    step = ran(machine, Files=pack(FILES))
    assert step.stdout == f"the files of setup on layer web are at {RUNS}\\setup-1\n"
    assert machine.drive.read(r"C:\ProgramData\Kiln\current") == rf"{RUNS}\setup-1"
    assert names(machine, rf"{RUNS}\setup-1") == [
        *("attributes.json", "data_bags", "nodes", "recipes"),
    ]


def test_what_a_recipe_may_rely_on_is_there_without_any_file(machine: WindowsMachine) -> None:
    script = "Get-Content -LiteralPath $env:KILN_ATTRIBUTES; Test-Path $env:KILN_DATA_BAGS"
    assert ran(machine, Recipes=recipes(script)).stdout == "recipe 1 of 1\n{}\nTrue\n"


def test_system_and_the_administrators_alone_read_what_recipes_are_given(
    machine: WindowsMachine,
) -> None:
    ran(machine, Files=pack(FILES))
    found = readers(again(machine), rf"{RUNS}\setup-1\attributes.json")
    assert found == ["S-1-5-18", "S-1-5-32-544"]
    assert readers(again(machine), r"C:\ProgramData\Kiln\release") is None


# ------------------------------------------------------------ failures


@pytest.mark.parametrize(
    ("script", "code", "said"),
    [
        ("exit 7", 7, "exited 7"),
        ("throw 'no'", 1, "exited 1"),
        ("exit 3010", 1, "asked for a reboot by exit code 3010, which a recipe may not"),
        ("exit 168", 1, "exited 168, which would count as success and is reported as 1"),
    ],
)
def test_the_first_recipe_that_fails_ends_the_run_and_is_named(
    machine: WindowsMachine, script: str, code: int, said: str
) -> None:
    scripts = recipes("Write-Output 'one'", script, "Write-Output 'three'")
    step = ran(machine, "deploy", Recipes=scripts)
    assert (step.exit_code, step.status) == (code, "Failed")
    assert step.stdout == "recipe 1 of 3\none\nrecipe 2 of 3\n"
    last = step.stderr.splitlines()[-1]
    assert last == f"recipe 2 of 3 of deploy on layer web failed: it {said}"


def hostile(index: str, contents: str = "x") -> str:
    return base64.b64encode(gzip.compress(f"{index}\n{contents}".encode(), mtime=0)).decode()


@pytest.mark.parametrize(
    ("files", "said"),
    [
        *(
            (hostile(f"1 {path}\n"), f"refused: '{path}' is no path below the run's folder")
            for path in (
                *("../evil", "/etc/evil", "a/../../evil", "a//b", "a/", "..", ".", "", "a b"),
                *("C:/evil", "a\\b", "a:b", "con", "a/NUL.json", "a./b", "dot.", "\u00e9", "$x"),
            )
        ),
        (b64("no gzip"), "the pack is broken: it is no gzip"),
        (hostile("2 a\n"), "it is not as long as it says"),
        (hostile("1 a\n", "xx"), "it is not as long as it says"),
        (hostile("4x a\n"), "'4x' is no size"),
        (hostile("1 a", ""), "its list of files has no end"),
        (hostile("1 a\n1 A\n", "xx"), "'A' comes twice"),
        (hostile("1 a\n1 a/b\n", "xx"), "'a/b' is below a file"),
    ],
)
def test_a_hostile_or_broken_pack_is_refused_whole(
    machine: WindowsMachine, files: str, said: str
) -> None:
    ran(machine, Files=pack(FILES))
    step = ran(machine, "deploy", Recipes=recipes("Write-Output 'ran'"), Files=files)
    assert (step.exit_code, step.stdout) == (1, "")
    assert said in step.stderr
    assert names(machine, RUNS) == ["setup-1"]
    assert machine.drive.read(r"C:\ProgramData\Kiln\current") == rf"{RUNS}\setup-1"
    assert list((machine.root / "C").rglob("*evil*")) == []


# ------------------------------------------------------------ an address


def test_files_that_are_too_long_for_a_parameter_come_from_an_address(tmp_path: Path) -> None:
    layer = a_layer(recipes={"setup": ["Get-Content -Raw $env:KILN_ATTRIBUTES", "'two'"]})
    upload = to_upload(layer, LifecycleEvent.SETUP, {"attributes.json": "far"})
    asked: list[str] = []

    def fetch(url: str) -> bytes:
        asked.append(url)
        return upload

    machine = a_builder(tmp_path / "m", around=an_around(fetch=fetch))
    there = Payload({}, URL, hashlib.sha256(upload).hexdigest())
    (call,) = calls_for(layer, LifecycleEvent.SETUP, there)
    step = ran(machine, **sent(call.parameters))
    assert (step.stdout, asked) == ("recipe 1 of 2\nfar\nrecipe 2 of 2\ntwo\n", [URL])


def a_layer(**keys: Any) -> Layer:
    whole = {"name": "web", "kind": "instances", "platform": "windows-2022"}
    return Layer.model_validate(whole | {"instance_type": "m7i.large"} | keys)


def sent(parameters: dict[str, list[str]]) -> dict[str, str]:
    given = {name: value for name, (value,) in parameters.items()}
    return {name: value for name, value in given.items() if name not in ("Event", "Layer")}


def test_the_commands_of_a_layer_run_as_they_are_sent(machine: WindowsMachine) -> None:
    layer = a_layer(recipes={"setup": ["Write-Output 'hi'"]})
    (call,) = calls_for(layer, LifecycleEvent.SETUP, Payload(FILES))
    assert ran(machine, **sent(call.parameters)).stdout == "recipe 1 of 1\nhi\n"
    call = files_call(layer, LifecycleEvent.SETUP, Payload(FILES))
    assert ran(machine, **sent(call.parameters)).exit_code == 0


@pytest.mark.parametrize(
    ("url", "digest", "said"),
    [
        (URL, "0" * 64, "what was fetched has the sha256"),
        ("http://example.org/x", "", "is not one of https"),
        ("file:///C:/x", "", "is not one of https"),
        ("https://a/ b", "", "is not one of https"),
        (
            "https://gone.example/x?secret",
            *("0" * 64, "could not be fetched from https://gone.example/x\n"),
        ),
    ],
)
def test_an_address_that_does_not_hold_what_was_meant_is_refused(
    tmp_path: Path, url: str, digest: str, said: str
) -> None:
    def fetch(asked: str) -> bytes:
        if "gone" in asked:
            raise ScriptError("404 secret")
        return b"x"

    machine = a_builder(tmp_path / "m", around=an_around(fetch=fetch))
    step = ran(machine, FilesUrl=b64(url), FilesSha256=digest)
    assert (step.exit_code, step.stdout) == (1, "")
    assert said in step.stderr
    assert "secret" not in step.stderr
    assert names(machine, RUNS) == []


# ------------------------------------------------------------ runs


def test_the_last_five_runs_are_kept(machine: WindowsMachine) -> None:
    for name in ("new-abc", "my-notes"):
        run(machine, f"New-Item {RUNS}\\{name} -ItemType Directory -Force")
    for event in ("setup", "deploy", "configure", "configure", "undeploy", "configure", "shutdown"):
        ran(machine, event, Recipes=recipes("exit 0"))
    assert names(machine, RUNS) == [
        *("configure-3", "configure-4", "configure-6", "my-notes", "shutdown-7", "undeploy-5"),
    ]
    assert machine.drive.read(r"C:\ProgramData\Kiln\current") == rf"{RUNS}\shutdown-7"


def test_runs_wait_for_each_other_and_a_run_that_fails_holds_nobody_up(
    machine: WindowsMachine,
) -> None:
    with ThreadPoolExecutor(1) as other:
        ran(machine, Recipes=recipes("exit 1"))
        scripts = recipes("Write-Output 'next'")
        step = other.submit(ran, again(machine), Recipes=scripts).result(timeout=30)
        assert step.stdout == "recipe 1 of 1\nnext\n"
        run(machine, "[void](New-Object Threading.Mutex $false, 'Global\\KilnRecipes').WaitOne()")
        waits = other.submit(ran, again(machine), Recipes=scripts)
        with pytest.raises(TimeoutError):
            waits.result(timeout=0.5)
        machine.let_go()
        assert waits.result(timeout=30).exit_code == 0


def test_nothing_of_it_is_in_an_image(machine: WindowsMachine) -> None:
    ran(machine, Files=pack(FILES))
    done = send(machine, "kiln-clean-windows", Bake="b-1", Blueprint="b")
    assert f"removed {RUNS}\n" in done.steps[0].stdout
    assert not machine.drive.exists(RUNS)
    assert not machine.drive.exists(r"C:\ProgramData\Kiln\current")
