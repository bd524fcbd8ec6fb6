from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kiln.errors import InvalidBlueprint, InvalidRequest
from kiln_cli.files import (
    BlueprintFile,
    StackFile,
    read_any,
    read_blueprint,
    read_mapping,
    read_stack,
)
from tests.kiln_command import run

HEAD = "kind: blueprint\nname: web\nplatform: amazon-linux-2023\n"
BASE = "base: {image: ami-0123456789abcdef0}\n"
GOOD = HEAD + BASE

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """A blueprint file of the given text."""

    def write_text(text: str) -> Path:
        path = tmp_path / "x.yaml"
        path.write_text(text)
        return path

    return write_text


# What a user gets wrong, and the words by which the one line names the key and what is allowed.
WRONG = {
    "not YAML": ("kind: [", ("line 1", "is not YAML")),
    "two documents": (GOOD + "---\n" + GOOD, ("line 5", "second document")),
    "no mapping": ("- a\n", ("mapping", "kind: blueprint")),
    "no kind": ("name: web\n", ("kind", "blueprint, stack")),
    "another kind": ("kind: recipe\n", ("kind", "'recipe'", "blueprint, stack")),
    "unknown key": (GOOD + "stepz: []\n", ("stepz", "allowed:", "steps")),
    "unknown key inside": (GOOD + "builder: {size: 1}\n", ("builder.size", "instance_types")),
    "key given twice": (GOOD + "name: web\n", ("line 5", "'name'", "twice")),
    "unknown platform": (
        GOOD.replace("linux-2023", "linux-3"),
        ("platform", "'amazon-linux-3'", "ubuntu-24.04"),
    ),
    "bad name": (GOOD.replace("name: web", "name: Web Server"), ("name", "[a-z0-9-]")),
    "no base": (HEAD, ("base", "required")),
    "no way to a base": (HEAD + "base: {}\n", ("base", "parameter, image, lookup")),
    "two ways to a base": (
        HEAD + "base: {image: ami-0123456789abcdef0, layer: a/b}\n",
        ("base", "exactly one of", "parameter"),
    ),
    "bad image id": (HEAD + "base: {image: web}\n", ("base.image", "ami-")),
    "empty step": (GOOD + "steps: [{}]\n", ("steps.0", "name")),
    "null step": (GOOD + "steps: [~]\n", ("steps.0", "mapping")),
    "step without action": (
        GOOD + "steps: [{name: a}]\n",
        ("steps.0", "exactly one of", "shell", "reboot"),
    ),
    "step with two actions": (
        GOOD + "steps: [{name: a, shell: x, reboot: true}]\n",
        ("steps.0", "shell and reboot", "exactly one"),
    ),
    "empty script": (GOOD + "steps: [{name: a, shell: ''}]\n", ("steps.0.shell", "empty")),
    "reboot of no kind": (GOOD + "steps: [{name: a, reboot: no}]\n", ("steps.0.reboot",)),
    "steps of no list": (GOOD + "steps: {a: b}\n", ("steps", "must be a list")),
    "steps with one name": (
        GOOD + "steps: [{name: a, reboot: true}, {name: a, reboot: true}]\n",
        ("steps", "'a'", "unique"),
    ),
    "bad duration": (
        GOOD + "deadline: soon\n",
        ("deadline", "'soon'", "90s"),
    ),
    "reserved tag": (GOOD + "image: {tags: {'aws:x': y}}\n", ("image.tags", "aws:")),
    "unknown strategy": (
        GOOD + "layers: [{layer: shop/web, strategy: swap}]\n",
        ("layers.0.strategy", "'swap'", "add"),
    ),
    "missing script": (
        GOOD + "steps: [{name: a, shell: {file: gone.sh}}]\n",
        ("steps.0.shell.file", "gone.sh", "does not exist"),
    ),
    "script outside": (
        GOOD + "steps: [{name: a, shell: {file: ../../etc/passwd}}]\n",
        ("steps.0.shell.file", "leaves the blueprint's folder"),
    ),
    "script by an absolute path": (
        GOOD + "verify: {steps: [{name: a, shell: {file: /etc/passwd}}]}\n",
        ("verify.steps.0.shell.file", "leaves the blueprint's folder"),
    ),
    "script that is a folder": (
        GOOD + "steps: [{name: a, shell: {file: .}}]\n",
        ("steps.0.shell.file", "folder"),
    ),
    "script of no text": (
        GOOD + "steps: [{name: a, shell: {file: [x]}}]\n",
        ("steps.0.shell", "text"),
    ),
    "windows on linux": (GOOD + "windows: {sysprep: true}\n", ("windows", "amazon-linux-2023")),
    "powershell on linux": (
        GOOD + "steps: [{name: a, powershell: dir}]\n",
        ("'a'", "powershell", "Linux"),
    ),
}


@pytest.mark.parametrize("command", ["validate", "bake --local", "plan --local"])
@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_blueprint_is_one_line_that_names_the_key(
    what: str, command: str, write: Write
) -> None:
    text, words = WRONG[what]
    path = write(text)
    name, *options = command.split()
    ran = run(name, path, *options)
    assert (ran.status, ran.stdout) == (2, "")
    assert ran.error.startswith(f"kiln: {path}: ")
    for word in words:
        assert word in ran.error, (word, ran.error)


def test_a_wrong_blueprint_is_one_json_object_too(write: Write) -> None:
    ran = run("bake", write(GOOD + "stepz: 1\n"), "--local", "--json")
    assert ran.status == 2
    assert ran.json == {"error": "InvalidBlueprint", "message": ran.error.removeprefix("kiln: ")}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xff\xfe\x00k", "is not UTF-8 text (byte 1 is 0xff)"),
        (b"kind: blueprint\nname: \xe9\n", "is not UTF-8 text"),
        (b"#" * (1024 * 1024 + 1), "larger than 1024 KiB"),
        (b"", "is empty"),
    ],
    ids=["UTF-16", "Latin-1", "too large", "empty"],
)
def test_a_file_that_is_no_text_is_refused(content: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(content)
    with pytest.raises(InvalidBlueprint, match=r"x\.yaml: ") as refused:
        read_any(path)
    assert words in str(refused.value)


@pytest.mark.parametrize("name", ["gone.yaml", "gone/x.yaml", "."])
def test_a_file_that_is_not_there_is_refused(name: str, tmp_path: Path) -> None:
    ran = run("validate", tmp_path / name)
    assert ran.status == 2
    assert "does not exist" in ran.error or "is a folder" in ran.error


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert read_blueprint(path).blueprint.name == "web"


def test_a_script_beside_the_blueprint_is_put_in(tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "tune.sh").write_text("echo 'tuned'\n")
    path = tmp_path / "x.yaml"
    path.write_text(
        GOOD
        + "steps: [{name: a, shell: {file: scripts/tune.sh}}]\n"
        + "verify: {steps: [{name: b, shell: {file: scripts/tune.sh}}]}\n"
    )
    found = read_blueprint(path)
    assert found.document["steps"] == [{"name": "a", "shell": "echo 'tuned'\n"}]
    assert found.document["verify"]["steps"][0]["shell"] == "echo 'tuned'\n"
    assert found.blueprint.steps[0].shell == "echo 'tuned'\n"


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    folder = tmp_path / "blueprints"
    folder.mkdir()
    (tmp_path / "key").write_text("secret")
    (folder / "key.sh").symlink_to(tmp_path / "key")
    path = folder / "x.yaml"
    path.write_text(GOOD + "steps: [{name: a, shell: {file: key.sh}}]\n")
    with pytest.raises(InvalidBlueprint, match="leaves the blueprint's folder"):
        read_any(path)


def test_a_script_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.sh").write_bytes(b"\xff")
    path = tmp_path / "x.yaml"
    path.write_text(GOOD + "steps: [{name: a, shell: {file: a.sh}}]\n")
    with pytest.raises(InvalidBlueprint, match=r"steps\.0\.shell\.file: a\.sh is not UTF-8"):
        read_any(path)


def test_a_document_is_stored_as_it_was_written(write: Write) -> None:
    found = read_any(write(GOOD))
    assert isinstance(found, BlueprintFile)
    assert found.document == {
        "kind": "blueprint",
        "name": "web",
        "platform": "amazon-linux-2023",
        "base": {"image": "ami-0123456789abcdef0"},
    }


STACK = "kind: stack\nname: shop\nlayers: [{name: web, kind: autoscaling, group: g}]\n"


def test_kind_decides_what_a_file_is(write: Write) -> None:
    assert isinstance(read_any(write(STACK)), StackFile)
    with pytest.raises(InvalidBlueprint, match="kind: is a stack"):
        read_blueprint(write(STACK))
    with pytest.raises(InvalidBlueprint, match="kind: is a blueprint"):
        read_stack(write(GOOD))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("kind: stack\nname: shop\n", ("layers", "required")),
        (STACK.replace("group: g", "count: 1"), ("group", "autoscaling")),
        (STACK.replace("autoscaling, group: g", "instances"), ("platform", "instance_type")),
        (STACK.replace("kind: autoscaling", "kind: fleet"), ("layers.0.kind", "autoscaling")),
        (STACK.replace("group: g", "group2: g"), ("layers.0.group2", "group")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_wrong_stack_is_one_line_that_names_the_key(
    text: str, words: tuple[str, ...], write: Write
) -> None:
    ran = run("validate", write(text))
    assert ran.status == 2
    assert all(word in ran.error for word in words), ran.error


def test_validate_checks_every_file(write: Write, tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("kind: stack\n")
    ran = run("validate", write(GOOD), bad, "--json")
    assert ran.status == 2
    assert [row["valid"] for row in ran.json["files"]] == [True, False]
    assert run("validate", write(GOOD)).stdout == f"{tmp_path / 'x.yaml'}: valid\n"


def test_an_option_takes_a_mapping_as_json_or_by_the_name_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "v.yaml"
    path.write_text("v: 7\n")
    assert read_mapping(str(path), "--custom-json") == read_mapping('{"v": 7}', "--custom-json")
    for wrong, said in (("{", "is not YAML"), (str(tmp_path / "no"), "does not exist")):
        with pytest.raises(InvalidRequest, match=rf"^--hours: .*{said}"):
            read_mapping(wrong, "--hours")
    path.write_text("- 7\n")
    with pytest.raises(InvalidRequest, match="is not a mapping"):
        read_mapping(str(path), "--hours")
