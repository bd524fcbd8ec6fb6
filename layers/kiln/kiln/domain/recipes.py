"""From a layer, a lifecycle event and files to the documents that run the layer's recipes.

Files are the snapshot that recipes read: `attributes.json`, `data_bags/<bag>/<item>.json`,
`nodes/<name>.json`. They travel as one pack: lines of a size in bytes and a path, an empty line,
then all contents in a row, compressed by gzip. Shell and PowerShell scripts run in the command
that brings the files; Chef and Ansible find them below `/var/lib/kiln/current`, where a command
before has put them.
"""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kiln.domain.documents import DocumentCall, encoded, encoded_lines, for_app, source_parameters
from kiln.domain.durations import seconds
from kiln.domain.lifecycle import LifecycleEvent, Recipe, RecipeFile
from kiln.domain.platforms import PLATFORMS, Family
from kiln.errors import InvalidBlueprint

if TYPE_CHECKING:
    from kiln.domain.app import App
    from kiln.domain.stack import Layer

CURRENT = "/var/lib/kiln/current"
ATTRIBUTES = "attributes.json"
# A document is at most 64 KB with its parameters (SSM User Guide); ours takes less than 16.
MOST_PARAMETERS = 48_000
# Values reach scripts through the environment, where Windows takes 32,767 characters of each
# (Win32, "Environment Variables").
MOST_OF_ONE_ON_WINDOWS = 32_000
# The size of AWS's own document for Chef is not documented; a quarter of the 64 KB is left to it.
MOST_ATTRIBUTES = 16_000
RUN_S = 3600
# What the agent takes as timeoutSeconds; anything else is silently 3600 (SSM documents).
_SHORTEST_S, _LONGEST_S = 5, 172_800
_SCRIPTS = ("shell", "powershell")
_PATH = re.compile(r"[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*")
_TEXTS = re.compile(r'"(?:[^"\\]|\\.)*"')
_MEANINGFUL = re.compile(r"[^A-Za-z0-9 ,./:=@_+-]")

Files = Mapping[str, str]


@dataclass(frozen=True)
class Payload:
    """Files by path; with `url` and `sha256`, where the bytes of `to_upload` lie instead."""

    files: Files
    url: str | None = None
    sha256: str | None = None


@dataclass(frozen=True)
class ListedRecipe:
    """What one recipe is called and the file that holds it: in the layer's source for Chef and
    Ansible, beside the stack file for a script's own, none for a script in the stack file."""

    event: LifecycleEvent
    name: str
    file: str


# ------------------------------------------------------------ files


def packed(files: Files) -> bytes:
    """Files as the documents unpack them. Raises ValueError for a path that leads elsewhere."""
    contents = {path: files[path].encode() for path in sorted(files)}
    for path in contents:
        if not _PATH.fullmatch(path) or {".", ".."} & set(path.split("/")):
            raise ValueError(f"{path!r} is no path below a run's folder")
    index = "".join(f"{len(content)} {path}\n" for path, content in contents.items())
    return gzip.compress(index.encode() + b"\n" + b"".join(contents.values()), mtime=0)


def to_upload(layer: Layer, event: LifecycleEvent, files: Files) -> bytes:
    """What has to lie at a payload's URL: the files, and the layer's scripts as `recipes/1`,
    `recipes/2` and so on."""
    scripts = enumerate(_scripts(layer, event), 1)
    return packed({**files, **{f"recipes/{number}": script for number, script in scripts}})


def fits(layer: Layer, event: LifecycleEvent, files: Files) -> bool:
    """Whether the event's scripts and files fit into a command's parameters; else `to_upload` has
    to be put somewhere and a payload has to name its URL."""
    return _fit(layer, _carried(_scripts(layer, event), files))


def _fit(layer: Layer, parameters: dict[str, list[str]]) -> bool:
    sizes = [len(value) for values in parameters.values() for value in values]
    most_of_one = MOST_OF_ONE_ON_WINDOWS if on_windows(layer) else MOST_PARAMETERS
    return sum(sizes) <= MOST_PARAMETERS and max(sizes) <= most_of_one


def _carried(scripts: tuple[str, ...], files: Files) -> dict[str, list[str]]:
    pack = base64.b64encode(packed(files)).decode() if files else ""
    return {"Recipes": [encoded_lines(tuple(map(encoded, scripts)))], "Files": [pack]}


# ------------------------------------------------------------ calls


def how_many(layer: Layer, event: LifecycleEvent) -> int:
    """How many commands an event is, whatever its files: `calls_for` makes as many."""
    apps, recipes = len(_apps(layer, event)), len(layer.recipes.of(event))
    if not recipes:
        return apps
    return apps + {"chef": 2, "ansible": 1 + recipes}.get(layer.runner, 1)


def calls_for(layer: Layer, event: LifecycleEvent, payload: Payload) -> tuple[DocumentCall, ...]:
    """The commands of an event in order, applications first, none where the layer has nothing for
    it. Raises ValueError where the payload needs a URL, InvalidBlueprint for a script not read."""
    apps = tuple(for_app(app, RUN_S) for app in _apps(layer, event))
    recipes = layer.recipes.of(event)
    if not recipes:
        return apps
    if layer.runner == "chef":
        return *apps, files_call(layer, event, payload), _chef(layer, event, payload)
    if layer.runner == "ansible":
        playbooks = (_ansible(layer, event, str(playbook)) for playbook in recipes)
        return *apps, files_call(layer, event, payload), *playbooks
    return *apps, _run(layer, event, payload, _scripts(layer, event))


def _apps(layer: Layer, event: LifecycleEvent) -> tuple[App, ...]:
    return layer.apps if event is LifecycleEvent.DEPLOY else ()


def files_call(layer: Layer, event: LifecycleEvent, payload: Payload) -> DocumentCall:
    """The command that puts an event's files in place and runs nothing. What lies at its URL must
    then be the files alone (`packed`), which for Chef and Ansible is what `to_upload` gives."""
    return _run(layer, event, payload, ())


def _run(
    layer: Layer, event: LifecycleEvent, payload: Payload, scripts: tuple[str, ...]
) -> DocumentCall:
    timeout = _timeout(layer, event)
    parameters = {
        "Event": [event.value],
        "Layer": [layer.name],
        **_given(layer, event, payload, scripts),
        "Timeout": [str(timeout)],
    }
    system = "windows" if on_windows(layer) else "linux"
    return DocumentCall(f"run-recipes-{system}", parameters, timeout)


def _given(
    layer: Layer, event: LifecycleEvent, payload: Payload, scripts: tuple[str, ...]
) -> dict[str, list[str]]:
    if payload.url:
        if not payload.sha256:
            raise ValueError("a payload with a url needs the sha256 of what lies there")
        return {"FilesUrl": [encoded(payload.url)], "FilesSha256": [payload.sha256]}
    carried = _carried(scripts, payload.files)
    if not _fit(layer, carried):
        raise ValueError(
            f"recipes and files of {event.value} on layer {layer.name} are too long for a "
            "command's parameters; put to_upload() somewhere and give its url"
        )
    return carried


def _scripts(layer: Layer, event: LifecycleEvent) -> tuple[str, ...]:
    """The texts of an event's scripts; none of Chef and Ansible."""
    if layer.runner not in _SCRIPTS:
        return ()
    return tuple(_text(layer, event, recipe) for recipe in layer.recipes.of(event))


def _text(layer: Layer, event: LifecycleEvent, recipe: Recipe) -> str:
    if isinstance(recipe, RecipeFile):
        raise InvalidBlueprint(
            f"layer {layer.name!r}: recipes.{event.value}: {recipe.file} is read by the kiln "
            "command; send the script's text instead"
        )
    return recipe


def on_windows(layer: Layer) -> bool:
    """Whether a layer's instances run Windows."""
    if layer.platform:
        return PLATFORMS[layer.platform].family is Family.WINDOWS
    return layer.runner == "powershell"


def _timeout(layer: Layer, event: LifecycleEvent) -> int:
    if event is not LifecycleEvent.SHUTDOWN:
        return RUN_S
    return min(max(seconds(layer.shutdown_timeout), _SHORTEST_S), _LONGEST_S)


# ------------------------------------------------------------ Chef and Ansible


def _chef(layer: Layer, event: LifecycleEvent, payload: Payload) -> DocumentCall:
    timeout = _timeout(layer, event)
    attributes = _harmless(payload.files.get(ATTRIBUTES, "{}"))
    short = len(attributes) <= MOST_ATTRIBUTES
    names = (_chef_name(str(recipe)) for recipe in layer.recipes.of(event))
    parameters = {
        **source_parameters(layer.source or {}),
        "RunList": [",".join(names)],
        "JsonAttributesContent": [attributes if short else ""],
        # None: use the client that the image has, so that no licence is accepted for the user.
        "ChefClientVersion": ["None"],
        "ChefClientArguments": [_chef_arguments(layer, short)],
        "ChefExecutionTimeout": [str(timeout)],
    }
    return DocumentCall("AWS-ApplyChefRecipes", parameters, timeout, ours=False)


def _chef_arguments(layer: Layer, short: bool) -> str:
    """Where the client finds what was put in place. `--config-option` came with Chef 12.12
    (chef/chef, "First pass on --config-option handling", June 2016) and is applied after all other
    options; data bags in files are nothing that OpsWorks's Chef 11 had."""
    if layer.chef == "11":
        return "" if short else f"--json-attributes {CURRENT}/{ATTRIBUTES}"
    options = {"data_bag_path": "data_bags", "node_path": "nodes"}
    if not short:
        options["json_attribs"] = ATTRIBUTES
    return " ".join(f"--config-option {name}={CURRENT}/{at}" for name, at in options.items())


def _chef_name(recipe: str) -> str:
    """`nginx` as `recipe[nginx]`, as a run list of AWS-ApplyChefRecipes wants it."""
    if recipe.startswith("role["):
        return recipe
    return f"recipe[{recipe.removeprefix('recipe[').removesuffix(']')}]"


def _harmless(document: str) -> str:
    """The same JSON with every character of its texts that may mean something to a shell or to
    Systems Manager written as a number: AWS's document pastes it into its script."""
    plain = json.dumps(json.loads(document), separators=(",", ":"))
    return _TEXTS.sub(lambda found: _numbered(json.loads(found[0])), plain)


def _numbered(text: str) -> str:
    units = text.encode("utf-16-be", errors="surrogatepass")
    letters = (chr(units[at] << 8 | units[at + 1]) for at in range(0, len(units), 2))
    shown = (f"\\u{ord(c):04x}" if _MEANINGFUL.match(c) else c for c in letters)
    return f'"{"".join(shown)}"'


def _ansible(layer: Layer, event: LifecycleEvent, playbook: str) -> DocumentCall:
    timeout = _timeout(layer, event)
    # The document takes pairs without colons, quotes and blanks in them (its allowedPattern).
    variables = {
        "kiln_event": event.value,
        "kiln_layer": layer.name,
        "kiln_attributes": f"{CURRENT}/{ATTRIBUTES}",
        "kiln_data_bags": f"{CURRENT}/data_bags",
    }
    parameters = {
        **source_parameters(layer.source or {}),
        "InstallDependencies": ["True"],
        "PlaybookFile": [playbook],
        "ExtraVariables": [" ".join(f"{name}={value}" for name, value in variables.items())],
        "TimeoutSeconds": [str(timeout)],
    }
    return DocumentCall("AWS-ApplyAnsiblePlaybooks", parameters, timeout, ours=False)


# ------------------------------------------------------------ what there is


def listed(layer: Layer) -> tuple[ListedRecipe, ...]:
    """What a layer runs, event by event in their order, and the file behind each recipe."""
    return tuple(_listed(layer, event, recipe) for event, recipe in layer.recipes.all())


def _listed(layer: Layer, event: LifecycleEvent, recipe: Recipe) -> ListedRecipe:
    if isinstance(recipe, RecipeFile):
        return ListedRecipe(event, recipe.file, recipe.file)
    if layer.runner == "chef":
        return ListedRecipe(event, recipe, _chef_file(_chef_name(recipe)))
    if layer.runner == "ansible":
        return ListedRecipe(event, recipe, recipe)
    first = next((line.strip() for line in recipe.splitlines() if line.strip()), "")
    return ListedRecipe(event, first, "")


def _chef_file(name: str) -> str:
    """`recipe[web::tune@1.2]` as `cookbooks/web/recipes/tune.rb`; a role is a file of its own."""
    kind, _, inner = name.removesuffix("]").partition("[")
    if kind == "role":
        return f"roles/{inner}.json"
    cookbook, _, recipe = inner.partition("@")[0].partition("::")
    return f"cookbooks/{cookbook}/recipes/{recipe or 'default'}.rb"
