"""From a layer's recipes to the commands that run them, and what travels with them."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import random
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiln.domain.lifecycle import LifecycleEvent, RecipeFile
from kiln.domain.recipes import (
    CURRENT,
    MOST_PARAMETERS,
    Payload,
    calls_for,
    files_call,
    fits,
    how_many,
    listed,
    packed,
    to_upload,
)
from kiln.domain.stack import Layer
from kiln.errors import InvalidBlueprint

SETUP, DEPLOY, SHUTDOWN = LifecycleEvent.SETUP, LifecycleEvent.DEPLOY, LifecycleEvent.SHUTDOWN
FILES = {"attributes.json": '{"a": "b"}', "data_bags/aws_opsworks_stack/shop.json": "{}"}
CHEF = {"runner": "chef", "source": {"type": "S3", "path": "https://s3.amazonaws.com/shop/c.zip"}}
ANSIBLE = {"runner": "ansible", "source": {"type": "GitHub", "owner": "o", "repository": "r"}}
# Public uses of the document agree that a colon is refused even inside quotes.
EXTRA_VARIABLES = re.compile(r"^$|^\w+\=[^\s|:();&]+(\s\w+\=[^\s|:();&]+)*$")


def a_layer(**keys: Any) -> Layer:
    whole: dict[str, Any] = {
        "name": "web",
        "kind": "instances",
        "platform": "ubuntu-22.04",
        "instance_type": "m7i.large",
    }
    return Layer.model_validate(whole | keys)


def decoded(parameter: list[str]) -> bytes:
    (value,) = parameter
    return base64.b64decode(value)


def unpacked(pack: bytes) -> dict[str, str]:
    """As the documents read it."""
    index, _, contents = gzip.decompress(pack).partition(b"\n\n")
    files, at = {}, 0
    for line in index.decode().splitlines():
        size, path = line.split(" ")
        files[path] = contents[at : at + int(size)].decode()
        at += int(size)
    assert at == len(contents)
    return files


def test_scripts_run_in_one_command_that_brings_the_files() -> None:
    layer = a_layer(recipes={"setup": ["echo one", "echo 'two'\n"]})
    (call,) = calls_for(layer, SETUP, Payload(FILES))
    assert how_many(layer, SETUP) == 1
    assert (call.name, call.ours, call.timeout_s) == ("run-recipes-linux", True, 3600)
    lines = decoded(call.parameters["Recipes"]).decode().split("\n")
    assert [base64.b64decode(line) for line in lines] == [b"echo one", b"echo 'two'\n"]
    assert unpacked(decoded(call.parameters["Files"])) == FILES
    assert {k: v for k, v in call.parameters.items() if k not in ("Recipes", "Files")} == {
        "Event": ["setup"],
        "Layer": ["web"],
        "Timeout": ["3600"],
    }


def test_a_windows_layer_has_the_document_of_windows() -> None:
    of_a_group = {"platform": None, "kind": "autoscaling", "group": "g", "instance_type": None}
    for keys in ({"platform": "windows-2022"}, of_a_group | {"runner": "powershell"}):
        layer = a_layer(**keys, recipes={"deploy": ["Write-Output 'hi'"]})
        assert calls_for(layer, DEPLOY, Payload(FILES))[0].name == "run-recipes-windows"


@pytest.mark.parametrize("keys", [{}, CHEF, ANSIBLE])
def test_nothing_is_sent_for_an_event_without_recipes_but_files_may_be(keys: Any) -> None:
    layer = a_layer(**keys)
    assert calls_for(layer, SETUP, Payload(FILES)) == ()
    assert how_many(layer, SETUP) == 0
    call = files_call(layer, SETUP, Payload(FILES))
    assert (call.name, call.parameters["Recipes"]) == ("run-recipes-linux", [""])
    assert unpacked(decoded(call.parameters["Files"])) == FILES


def test_shutdown_has_the_time_that_the_layer_gives_it() -> None:
    def timeout(written: str) -> int:
        layer = a_layer(shutdown_timeout=written, recipes={"shutdown": ["sync"]})
        (call,) = calls_for(layer, SHUTDOWN, Payload({}))
        assert call.parameters["Timeout"] == [str(call.timeout_s)]
        return call.timeout_s

    assert [timeout(written) for written in ("120s", "1s", "30d")] == [120, 5, 172_800]


# ------------------------------------------------------------ Chef and Ansible


def test_chef_finds_its_files_before_it_runs_its_list() -> None:
    recipes = ["nginx", "web::tune", "recipe[web::deploy]", "role[front]", "apt@1.2"]
    layer = a_layer(**CHEF, recipes={"setup": recipes})
    files, chef = calls_for(layer, SETUP, Payload(FILES))
    assert how_many(layer, SETUP) == 2
    assert (files.name, files.parameters["Recipes"]) == ("run-recipes-linux", [""])
    assert (chef.name, chef.ours) == ("AWS-ApplyChefRecipes", False)
    assert chef.parameters == {
        "SourceType": ["S3"],
        "SourceInfo": ['{"path": "https://s3.amazonaws.com/shop/c.zip"}'],
        "RunList": [
            "recipe[nginx],recipe[web::tune],recipe[web::deploy],role[front],recipe[apt@1.2]"
        ],
        "JsonAttributesContent": ['{"a":"b"}'],
        "ChefClientVersion": ["None"],
        "ChefClientArguments": [
            f"--config-option data_bag_path={CURRENT}/data_bags "
            f"--config-option node_path={CURRENT}/nodes"
        ],
        "ChefExecutionTimeout": ["3600"],
    }


@pytest.mark.parametrize(
    ("chef", "short", "long"),
    [
        ("12", "node_path", f"--config-option json_attribs={CURRENT}/attributes.json"),
        ("11", "", f"--json-attributes {CURRENT}/attributes.json"),
    ],
)
def test_attributes_that_are_too_long_are_read_from_the_file(
    chef: str, short: str, long: str
) -> None:
    layer = a_layer(**CHEF, chef=chef, recipes={"setup": ["nginx"]})
    files = {"attributes.json": json.dumps({"a": "x" * 20_000})}
    for given_files, content, said in ((FILES, '{"a":"b"}', short), (files, "", long)):
        parameters = calls_for(layer, SETUP, Payload(given_files))[1].parameters
        assert parameters["JsonAttributesContent"] == [content]
        assert said in parameters["ChefClientArguments"][0]


def test_each_playbook_is_a_command_and_is_told_where_its_files_are() -> None:
    layer = a_layer(**ANSIBLE, recipes={"deploy": ["web.yml", "db/main.yaml"]})
    files, *playbooks = calls_for(layer, DEPLOY, Payload(FILES))
    assert how_many(layer, DEPLOY) == 3
    assert files.name == "run-recipes-linux"
    assert [call.parameters["PlaybookFile"] for call in playbooks] == [
        ["web.yml"],
        ["db/main.yaml"],
    ]
    for call in playbooks:
        assert (call.name, call.ours) == ("AWS-ApplyAnsiblePlaybooks", False)
        assert json.loads(call.parameters["SourceInfo"][0]) == {"owner": "o", "repository": "r"}
        (variables,) = call.parameters["ExtraVariables"]
        assert EXTRA_VARIABLES.match(variables)
        assert dict(pair.split("=") for pair in variables.split()) == {
            "kiln_event": "deploy",
            "kiln_layer": "web",
            "kiln_attributes": f"{CURRENT}/attributes.json",
            "kiln_data_bags": f"{CURRENT}/data_bags",
        }


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(_JSON)
def test_attributes_mean_the_same_and_nothing_to_a_shell_or_to_systems_manager(value: Any) -> None:
    layer = a_layer(**CHEF, recipes={"setup": ["nginx"]})
    files = {"attributes.json": json.dumps({"given": value})}
    (content,) = calls_for(layer, SETUP, Payload(files))[1].parameters["JsonAttributesContent"]
    assert json.loads(content) == {"given": value}
    assert re.fullmatch(r'[A-Za-z0-9 ,./:=@_+\-"{}\[\]\\]*', content)
    # A backslash is part of a number and of nothing else; {{ would be a parameter's name.
    assert re.sub(r"\\u[0-9a-f]{4}", "", content).count("\\") == 0
    assert "{{" not in content


# ------------------------------------------------------------ sizes


def noise(size: int) -> str:
    """Text that does not become shorter by compression."""
    return base64.b64encode(random.Random(1).randbytes(size)).decode()


def test_what_is_too_long_has_to_lie_somewhere() -> None:
    layer = a_layer(recipes={"setup": ["echo one", "echo two"]})
    files = {"attributes.json": noise(60_000)}
    assert fits(layer, SETUP, FILES)
    assert not fits(layer, SETUP, files)
    with pytest.raises(ValueError, match="of setup on layer web are too long"):
        calls_for(layer, SETUP, Payload(files))
    upload = to_upload(layer, SETUP, files)
    assert unpacked(upload) == files | {"recipes/1": "echo one", "recipes/2": "echo two"}
    digest = hashlib.sha256(upload).hexdigest()
    (call,) = calls_for(layer, SETUP, Payload(files, "https://b.example/x?y", digest))
    assert decoded(call.parameters["FilesUrl"]) == b"https://b.example/x?y"
    assert call.parameters["FilesSha256"] == [digest]
    assert not {"Files", "Recipes"} & set(call.parameters)


def test_an_address_without_a_digest_is_no_payload() -> None:
    layer = a_layer(recipes={"setup": ["true"]})
    with pytest.raises(ValueError, match="needs the sha256"):
        calls_for(layer, SETUP, Payload(FILES, "https://b.example/x"))


def test_long_scripts_count_too_and_windows_takes_less_of_one_value() -> None:
    script = "x" * 20_000
    linux = a_layer(recipes={"setup": [script]})
    windows = a_layer(platform="windows-2022", recipes={"setup": [script]})
    assert (fits(linux, SETUP, {}), fits(windows, SETUP, {})) == (True, False)
    assert not fits(a_layer(recipes={"setup": [script, script]}), SETUP, {})


@given(
    st.lists(st.text(st.characters(blacklist_characters="\0"), min_size=1), max_size=3),
    st.dictionaries(
        st.from_regex(r"[a-z][a-z0-9._-]{0,8}(/[a-z][a-z0-9._-]{0,8})?", fullmatch=True),
        st.text(),
        max_size=5,
    ),
)
def test_whatever_fits_is_sent_whole_and_stays_within_the_limit(
    scripts: list[str], files: dict[str, str]
) -> None:
    encodable = [s for s in scripts if s.encode(errors="ignore").decode() == s]
    texts = {p: t for p, t in files.items() if t.encode(errors="ignore").decode() == t}
    layer = a_layer().model_copy(
        update={"recipes": a_layer().recipes.model_copy(update={"setup": tuple(encodable)})}
    )
    if not encodable:
        return
    assert fits(layer, SETUP, texts)
    (call,) = calls_for(layer, SETUP, Payload(texts))
    lines = decoded(call.parameters["Recipes"]).decode().split("\n")
    assert [base64.b64decode(line).decode() for line in lines] == encodable
    assert unpacked(decoded(call.parameters["Files"])) == texts if texts else True
    assert sum(len(v[0]) for v in call.parameters.values()) <= MOST_PARAMETERS + 100


@pytest.mark.parametrize("path", ["../x", "/x", "a/../b", "a//b", ".", "a b", "", "a\nb", "a/"])
def test_a_path_that_leads_elsewhere_is_no_file(path: str) -> None:
    with pytest.raises(ValueError, match="no path below"):
        packed({path: "x"})


def test_the_same_files_are_the_same_bytes() -> None:
    assert packed({"a": "1", "b": "2"}) == packed({"b": "2", "a": "1"})


# ------------------------------------------------------------ what there is


def test_recipes_are_listed_with_the_files_behind_them() -> None:
    def rows(layer: Layer) -> list[tuple[str, str, str]]:
        return [(row.event.value, row.name, row.file) for row in listed(layer)]

    chef = a_layer(
        **CHEF,
        recipes={"shutdown": ["role[off]"], "setup": ["nginx", "recipe[web::tune@2.0]"]},
    )
    assert rows(chef) == [
        ("setup", "nginx", "cookbooks/nginx/recipes/default.rb"),
        ("setup", "recipe[web::tune@2.0]", "cookbooks/web/recipes/tune.rb"),
        ("shutdown", "role[off]", "roles/off.json"),
    ]
    ansible = a_layer(**ANSIBLE, recipes={"configure": ["web.yml"]})
    assert rows(ansible) == [("configure", "web.yml", "web.yml")]
    shell = a_layer(recipes={"deploy": ["\n  echo one\necho two", {"file": "scripts/deploy.sh"}]})
    assert rows(shell) == [
        ("deploy", "echo one", ""),
        ("deploy", "scripts/deploy.sh", "scripts/deploy.sh"),
    ]


def test_a_script_that_nobody_has_read_is_refused() -> None:
    layer = a_layer(recipes={"setup": [RecipeFile(file="scripts/setup.sh")]})
    with pytest.raises(InvalidBlueprint, match="is read by the kiln command"):
        calls_for(layer, SETUP, Payload(FILES))
