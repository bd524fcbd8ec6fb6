"""A layer's recipes on real files: what they are given, in which order, what a failure says."""

from __future__ import annotations

import gzip
import json
import random
import string
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiln_local.machines.asking import nobody
from tests.sandbox.bakery import Bakery
from tests.sandbox.recipes import CURRENT, ROW, RUN, RUNS, URL, Layer, b64, lines, pack

HOSTILE = (
    "'\" \\ $(touch /root/run) `touch /root/run` ${HOME} $$ {{ Event }} {{ x }} ; & | * \t\n\n"
)


@pytest.fixture
def layer(bakery: Bakery) -> Iterator[Layer]:
    bakery.start(ROW)
    yield Layer(bakery)
    bakery.room.answer = nobody


def test_recipes_run_in_order_each_in_a_shell_of_its_own(layer: Layer) -> None:
    step = layer.run("echo one; x=1; cd /etc; exit 0", "echo two $x; pwd", "#!/bin/bash\necho $0")
    assert step.exit_code == 0
    assert step.stdout.splitlines() == [
        *("recipe 1 of 3", "one"),
        *("recipe 2 of 3", "two", "/"),
        *("recipe 3 of 3", f"{RUNS}/setup-1/recipes/3"),
    ]


def test_a_recipe_is_told_the_event_the_layer_and_where_its_files_are(layer: Layer) -> None:
    script = 'echo $KILN_EVENT $KILN_LAYER; cat "$KILN_ATTRIBUTES"; ls "$KILN_DATA_BAGS"; umask'
    files = {"attributes.json": '{"a": 1}\n', "data_bags/aws_opsworks_stack/shop.json": "{}"}
    step = layer.run(script, event="configure", files=files)
    assert step.stdout == 'recipe 1 of 1\nconfigure web\n{"a": 1}\naws_opsworks_stack\n0022\n'
    names = layer.run("env").stdout
    assert [line for line in sorted(names.splitlines()) if "KILN" in line] == [
        f"KILN_ATTRIBUTES={RUNS}/setup-2/attributes.json",
        f"KILN_DATA_BAGS={RUNS}/setup-2/data_bags",
        "KILN_EVENT=setup",
        "KILN_LAYER=web",
    ]
    assert "HOME=/root\n" in names


def test_every_byte_of_a_recipe_and_of_a_file_arrives(layer: Layer) -> None:
    attributes = json.dumps({"said": HOSTILE, "\u00e9": "\u2603"}, ensure_ascii=False)
    script = f"cat <<'HERE'\n{HOSTILE}HERE\ncat \"$KILN_ATTRIBUTES\""
    step = layer.run(script, files={"attributes.json": attributes, "data_bags/a/b.json": "\n\n"})
    assert step.stdout == f"recipe 1 of 1\n{HOSTILE}{attributes}"
    assert layer.sh(f"wc -c <{CURRENT}/data_bags/a/b.json; ls /root/run 2>&1") == (
        "2\nls: cannot access '/root/run': No such file or directory\n"
    )
    odd = b"# \xff\xfe\nprintf '\\303\\251'"
    assert layer.run(odd).stdout == "recipe 1 of 1\n\u00e9"


def test_sixty_kilobytes_of_files_arrive(layer: Layer) -> None:
    chance = random.Random(1)
    files = {
        f"data_bags/aws_opsworks_instance/web{number}.json": "".join(
            chance.choices(string.ascii_letters + "\n", k=6000)
        )
        for number in range(10)
    }
    assert layer.run("cat $KILN_DATA_BAGS/*/*", files=files).stdout == "recipe 1 of 1\n" + "".join(
        files.values()
    )


def test_without_recipes_the_files_are_put_in_place_and_nothing_runs(layer: Layer) -> None:
    step = layer.place({"attributes.json": "{}", "nodes/web1.json": '{"name": "web1"}'})
    assert step.stdout == f"the files of setup on layer web are at {CURRENT}\n"
    assert layer.sh(f"cat {CURRENT}/nodes/web1.json; readlink {CURRENT}") == (
        '{"name": "web1"}runs/setup-1\n'
    )


def test_what_a_recipe_may_rely_on_is_there_without_any_file(layer: Layer) -> None:
    step = layer.run("cat $KILN_ATTRIBUTES; ls -a $KILN_DATA_BAGS")
    assert step.stdout == "recipe 1 of 1\n{}\n.\n..\n"


def test_root_alone_reads_what_recipes_are_given(layer: Layer) -> None:
    layer.run("true", files={"attributes.json": "{}", "data_bags/a/b.json": "{}"})
    assert layer.sh(f"find /var/lib/kiln ! -type l -perm /077; stat -c %u {CURRENT}/") == "0\n"
    modes = f"cd {RUNS}/setup-1; stat -c %a attributes.json recipes/1 data_bags . {RUNS}"
    assert layer.sh(modes) == "600\n700\n700\n700\n700\n"


# ------------------------------------------------------------ failures


def test_the_first_recipe_that_fails_ends_the_run_and_is_named(layer: Layer) -> None:
    step = layer.run("echo one", "echo no >&2; exit 7", "echo three", event="deploy")
    assert (step.exit_code, step.status) == (7, "Failed")
    assert step.stdout == "recipe 1 of 3\none\nrecipe 2 of 3\n"
    assert step.stderr == "no\nrecipe 2 of 3 of deploy on layer web failed: it exited 7\n"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (194, "asked for a reboot by exit code 194, which a recipe may not"),
        (168, "exited 168, which would count as success and is reported as 1"),
    ],
)
def test_an_exit_code_that_the_agent_would_act_upon_is_a_failure(
    layer: Layer, code: int, said: str
) -> None:
    step = layer.run("echo once", f"exit {code}", "echo never")
    assert (step.exit_code, step.status) == (1, "Failed")
    assert step.stdout == "recipe 1 of 3\nonce\nrecipe 2 of 3\n"
    assert step.stderr == f"recipe 2 of 3 of setup on layer web failed: it {said}\n"
    assert layer.bakery.reboots == 0


def test_a_recipe_whose_interpreter_is_missing_is_named(layer: Layer) -> None:
    step = layer.run("#!/usr/bin/nothing\n")
    assert step.exit_code in (126, 127)
    assert "recipe 1 of 1 of setup on layer web failed" in step.stderr


def test_a_recipe_that_leaves_a_service_behind_does_not_keep_the_next_from_running(
    layer: Layer,
) -> None:
    layer.run("setsid sleep 300 >/dev/null 2>&1 &")
    assert layer.run("echo next").stdout == "recipe 1 of 1\nnext\n"


@pytest.mark.parametrize(
    "path",
    [
        *("../evil", "/etc/evil", "a/../../evil", "a/./b", "a//b", "a/", "..", ".", ""),
        *("a b", "a;b", "$(touch evil)", "a\\b", "\u00e9"),
    ],
)
def test_a_path_that_is_not_plainly_below_the_folder_is_refused(layer: Layer, path: str) -> None:
    layer.place({"attributes.json": "1"})
    step = layer.run("echo ran", files={"attributes.json": "2", path: "x"}, event="deploy")
    assert (step.exit_code, step.stdout) == (1, "")
    assert f"refused: '{path}' is no path below the run's folder" in step.stderr
    assert layer.sh(f"cat {CURRENT}/attributes.json; ls -A {RUNS} {RUNS}/setup-1") == (
        f"1{RUNS}:\nsetup-1\n\n{RUNS}/setup-1:\nattributes.json\ndata_bags\nnodes\nrecipes\n"
    )
    assert layer.sh("find / -xdev -name evil -not -path '/proc/*'") == ""


@pytest.mark.parametrize(
    ("packed", "said"),
    [
        (b"no gzip", "it is no gzip"),
        (pack({"a": "text"})[:-9], "it is no gzip"),
        (b"5 a\n\ntext", "it is not as long as it says"),
        (b"3 a\n\ntext", "it is not as long as it says"),
        (b"4x a\n\ntext", "'4x' is no size"),
        (b"4 a", "its list of files has no end"),
        (b"4 a\n4 a\n\ntexttext", "'a' comes twice"),
        (b"4 a\n4 a/b\n\ntexttext", "'a/b' is below a file"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_broken_pack_is_refused_whole(layer: Layer, packed: bytes, said: str) -> None:
    data = packed if said == "it is no gzip" else gzip.compress(packed)
    step = layer.send(Recipes=lines("echo ran"), Files=b64(data))
    assert (step.exit_code, step.stdout) == (1, "")
    assert said in step.stderr
    assert layer.sh(f"ls -A /var/lib/kiln {RUNS}") == f"/var/lib/kiln:\nruns\n\n{RUNS}:\n"


# ------------------------------------------------------------ an address


def test_files_that_are_too_long_for_a_parameter_come_from_an_address(layer: Layer) -> None:
    step = layer.fetch(pack({"attributes.json": "far", "recipes/1": "echo 1", "recipes/2": "#"}))
    assert step.stdout == "recipe 1 of 2\n1\nrecipe 2 of 2\n"
    assert layer.sh(f"cat {CURRENT}/attributes.json") == "far"


def test_an_address_is_read_by_wget_where_there_is_no_curl(layer: Layer) -> None:
    packed = pack({"attributes.json": "far"})
    (layer.bakery.room.root(layer.instance) / "srv/far").write_bytes(packed)
    layer.sh("rm $(command -v curl)")
    layer.program(
        "/usr/bin/wget", 'cat >/srv/asked; printf "%s " "$@" >/srv/words; cp /srv/far "$3"'
    )
    assert layer.fetch(packed).exit_code == 0
    assert layer.sh(f"cat {CURRENT}/attributes.json /srv/asked") == f"far{URL}\n"
    # The address is among no program's arguments, where any user could see it.
    assert layer.sh("cat /srv/words").startswith("-q -O /var/lib/kiln/runs/.new.")
    assert "secret" not in layer.sh("cat /srv/words")


def test_an_address_is_read_by_python_where_there_is_neither(layer: Layer) -> None:
    packed = pack({"attributes.json": "far"})
    (layer.bakery.room.root(layer.instance) / "srv/far").write_bytes(packed)
    layer.sh("rm $(command -v curl) $(command -v wget)")
    layer.program(
        "/usr/bin/python3", 'cat >/srv/code; echo "$ADDRESS $*" >/srv/asked; cat /srv/far'
    )
    assert layer.fetch(packed).exit_code == 0
    assert layer.sh(f"cat {CURRENT}/attributes.json /srv/asked") == f"far{URL} -\n"


def test_the_python_of_the_document_copies_every_byte(tmp_path: Path) -> None:
    code = RUN["mainSteps"][0]["inputs"]["runCommand"][0].partition("<<'FETCH'\n")[2]
    (tmp_path / "far").write_bytes(bytes(range(256)) * 999)
    done = subprocess.run(
        [sys.executable, "-"],
        input=code.partition("\nFETCH\n")[0].encode(),
        env={"ADDRESS": (tmp_path / "far").as_uri()},
        capture_output=True,
        check=True,
    )
    assert done.stdout == bytes(range(256)) * 999


def test_what_was_fetched_must_be_what_was_meant(layer: Layer) -> None:
    step = layer.fetch(pack({"attributes.json": "far"}), sha256="0" * 64)
    assert (step.exit_code, step.stdout) == (1, "")
    assert "what was fetched has the sha256" in step.stderr
    assert layer.sh(f"ls -A {RUNS}") == ""


@pytest.mark.parametrize(
    "url",
    [
        *("http://example.org/x", "file:///etc/shadow", "https://", "-x", "ftp://a/b"),
        *('https://a/"\nurl = "file:///etc/shadow', "https://a/ b", "https://a/\\"),
    ],
)
def test_an_address_that_is_not_one_of_https_is_refused(layer: Layer, url: str) -> None:
    step = layer.fetch(pack({}), url=url)
    assert (step.exit_code, step.stdout) == (1, "")
    assert "the address of the files is" in step.stderr


def test_an_address_that_cannot_be_read_is_named_without_its_signature(layer: Layer) -> None:
    step = layer.send(FilesUrl=b64(URL), FilesSha256="0" * 64)
    assert "could not be fetched from https://bucket.example.org/run.gz\n" in step.stderr
    assert "secret" not in step.stderr


# ------------------------------------------------------------ runs


def test_the_last_five_runs_are_kept(layer: Layer) -> None:
    for event in ("setup", "deploy", "configure", "configure", "undeploy", "configure", "shutdown"):
        layer.run("true", event=event)
    kept = "configure-3\nconfigure-4\nconfigure-6\nshutdown-7\nundeploy-5\n"
    assert layer.sh(f"ls -A {RUNS}; readlink {CURRENT}") == f"{kept}runs/shutdown-7\n"


def test_numbers_go_on_past_nine_and_what_is_not_a_run_is_left_alone(layer: Layer) -> None:
    layer.sh(f"mkdir -p {RUNS}/setup-9 {RUNS}/my-notes {RUNS}/.new.abcdef; touch {RUNS}/a-99")
    layer.run("true")
    layer.run("true")
    assert layer.sh(f"ls -A {RUNS}") == "a-99\nmy-notes\nsetup-10\nsetup-11\nsetup-9\n"


def test_a_run_that_fails_is_kept_as_it_was_to_be_looked_at(layer: Layer) -> None:
    layer.run("exit 3", files={"attributes.json": "why"})
    assert layer.sh(f"cat {CURRENT}/attributes.json {CURRENT}/recipes/1") == "whyexit 3"


def test_nothing_of_it_is_in_an_image(layer: Layer) -> None:
    layer.run("true", files={"attributes.json": '{"password": "x"}'})
    bakery = layer.bakery
    assert bakery.prepare(ROW).status == "Success"
    assert bakery.clean(ROW).status == "Success"
    assert layer.sh("ls -d /var/lib/kiln 2>/dev/null") == ""
    bakery.make_image("after-recipes")
    assert bakery.verify(ROW, "after-recipes").leftovers == []


def test_a_clone_that_still_has_runs_is_found_out(layer: Layer) -> None:
    bakery = layer.bakery
    for run in (bakery.prepare(ROW), bakery.clean(ROW)):
        assert run.status == "Success"
    layer.run("true")
    bakery.make_image("with-runs")
    assert "/var/lib/kiln" in " ".join(bakery.verify(ROW, "with-runs").leftovers)
