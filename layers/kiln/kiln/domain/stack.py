"""Stacks and layers as OpsWorks meant them: a layer is a set of instances with one job."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol, Self

from pydantic import AfterValidator, Field, StringConstraints, ValidationError, model_validator

from kiln.domain.app import App
from kiln.domain.blueprint import Name, known_platform
from kiln.domain.durations import Duration, seconds
from kiln.domain.feed import Feed, Refresh, Strategy, check_feed
from kiln.domain.lifecycle import (
    LifecycleRecipes,
    RunnerName,
    Source,
    check_family,
    check_runner,
)
from kiln.domain.model import Model, Text, check_depth_and_text, explain
from kiln.domain.platforms import PLATFORMS, Family
from kiln.domain.scaling import LoadScaling, PlannedInstance, Scaling
from kiln.domain.volumes import MOST_VOLUMES, LayerVolume, check_apart
from kiln.errors import InvalidBlueprint

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kiln.domain.channel import Channel

_TARGET_GROUP = re.compile(
    r"^arn:aws[a-z-]*:elasticloadbalancing:[a-z0-9-]+:[0-9]{12}:"
    r"targetgroup/[A-Za-z0-9-]{1,32}/[0-9a-f]+$"
)


def _target_group(arn: str) -> str:
    if not _TARGET_GROUP.match(arn):
        raise ValueError(
            f"{arn!r} is no ARN of a target group, such as arn:aws:elasticloadbalancing:eu-west-1:"
            "111122223333:targetgroup/web/0123456789abcdef"
        )
    return arn


TargetGroup = Annotated[Text, AfterValidator(_target_group)]
LayerName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9._-]{1,48}$")]
# OpsWorks, "Using custom JSON": at most 120 KB.
MOST_JSON = 120 * 1024
# A lifecycle hook waits 7200 s without a heartbeat (Auto Scaling API, PutLifecycleHook); the
# command has to be delivered too.
LONGEST_SHUTDOWN_S = 6600


def _small(value: dict[str, Any]) -> dict[str, Any]:
    if len(json.dumps(value)) > MOST_JSON:
        raise ValueError(f"is larger than {MOST_JSON // 1024} KB")
    return value


CustomJson = Annotated[dict[str, Any], AfterValidator(_small)]


class Layer(Model):
    """One layer of a stack. `group` and `refresh` belong to kind `autoscaling`, the instance keys
    to `instances`. Deploy puts `apps` in place before its recipes run."""

    name: LayerName
    kind: Literal["instances", "autoscaling"]
    platform: Annotated[str, AfterValidator(known_platform)] | None = None
    chef: Literal["11", "12"] | None = None
    instance_type: Text | None = None
    count: Annotated[int, Field(ge=0, le=1000)] = 0
    instances: tuple[PlannedInstance, ...] = ()
    load: LoadScaling | None = None
    volumes: Annotated[tuple[LayerVolume, ...], Field(max_length=MOST_VOLUMES)] = ()
    auto_healing: bool = True
    shutdown_timeout: Duration = "120s"
    target_groups: tuple[TargetGroup, ...] = ()
    runner: RunnerName = "shell"
    source: Source | None = None
    custom_json: CustomJson = {}
    recipes: LifecycleRecipes = LifecycleRecipes()
    apps: tuple[App, ...] = ()
    blueprints: tuple[Feed, ...] = ()
    group: Text | None = None
    refresh: Refresh | None = None

    @model_validator(mode="after")
    def _keys_of_its_kind(self) -> Self:
        if self.kind == "autoscaling" and not self.group:
            raise ValueError(
                "group: is required for kind autoscaling: the Auto Scaling group's name"
            )
        other = "instances" if self.kind == "autoscaling" else "autoscaling"
        for key in _KEYS_OF[other]:
            if getattr(self, key):
                raise ValueError(f"{key}: is only for kind {other}")
        if self.kind == "instances" and not (self.platform and self.instance_type):
            raise ValueError("platform and instance_type: are required for kind instances")
        return self

    @model_validator(mode="after")
    def _a_group_can(self) -> Self:
        if self.kind == "instances":
            return self
        if seconds(self.shutdown_timeout) > LONGEST_SHUTDOWN_S:
            raise ValueError(
                f"shutdown_timeout: may be {LONGEST_SHUTDOWN_S} s at most for kind autoscaling: a "
                "group waits two hours for a command"
            )
        for feed in self.blueprints:
            check_feed(feed)
        return self

    @model_validator(mode="after")
    def _recipes_run(self) -> Self:
        if self.platform:
            check_family(self._runner(), PLATFORMS[self.platform].family)
        check_runner(self._runner(), self.source, self.recipes)
        if self.apps and self._runner() == "powershell":
            raise ValueError("apps: are for Linux; place them by recipes")
        _once("apps", "path", [app.path for app in self.apps])
        return self

    def _runner(self) -> RunnerName:
        # A Windows layer without recipes need not name the one runner that it can have.
        windows = self.platform and PLATFORMS[self.platform].family is Family.WINDOWS
        return "powershell" if windows and "runner" not in self.model_fields_set else self.runner

    @model_validator(mode="after")
    def _volumes_mount(self) -> Self:
        if self.volumes and self.platform and PLATFORMS[self.platform].family is Family.WINDOWS:
            # As in OpsWorks: its Windows instances had no volumes but the root.
            raise ValueError(f"volumes: are for Linux only; {self.platform} has its root alone")
        check_apart(self.volumes)
        return self

    @model_validator(mode="after")
    def _instances_agree(self) -> Self:
        names = [instance.hostname for instance in self.instances]
        _once("instances", "hostname", names)
        _once("blueprints", "blueprint", [feed.blueprint for feed in self.blueprints])
        for instance in self.instances:
            if (instance.scaling is Scaling.TIME) != bool(instance.hours):
                raise ValueError(
                    f"instances: {instance.hostname!r}: hours go with scaling: time, and it with "
                    "them"
                )
            if instance.scaling is Scaling.LOAD and self.load is None:
                raise ValueError(f"instances: {instance.hostname!r} has scaling: load; add load:")
        return self


_KEYS_OF = {
    "autoscaling": ("group", "refresh"),
    "instances": (
        *("instance_type", "count", "instances", "load", "volumes", "apps"),
        "target_groups",
    ),
}


def _once(key: str, what: str, names: list[str]) -> None:
    for name, times in Counter(names).items():
        if times > 1:
            raise ValueError(f"{key}: the {what} {name!r} is used twice; each must be unique")


class Stack(Model):
    """A stack: layers that know of each other."""

    kind: Literal["stack"]
    name: Name
    custom_json: CustomJson = {}
    layers: tuple[Layer, ...]

    @model_validator(mode="after")
    def _unique_names(self) -> Self:
        _once("layers", "name", [layer.name for layer in self.layers])
        _once("layers", "group", [layer.group for layer in self.layers if layer.group])
        planned = [instance for layer in self.layers for instance in layer.instances]
        _once("layers", "hostname", [instance.hostname for instance in planned])
        kinds = {layer.name: layer for layer in self.layers}
        for instance in planned:
            for name in instance.also_in:
                if name not in kinds or kinds[name].kind != "instances":
                    raise ValueError(
                        f"layers: {instance.hostname!r}: also_in: {name!r} is no layer of this "
                        "stack with instances of its own"
                    )
        return self

    @model_validator(mode="after")
    def _volumes_meet(self) -> Self:
        for layer in self.layers:
            for instance in layer.instances:
                names = (layer.name, *instance.also_in)
                volumes = [v for found in self.layers_of(names) for v in found.volumes]
                try:
                    check_apart(volumes)
                except ValueError as error:
                    raise ValueError(
                        f"layers: {instance.hostname!r} is in {', '.join(names)}: {error}"
                    ) from error
        return self

    def layer(self, name: str) -> Layer | None:
        """The layer of that name."""
        return next((layer for layer in self.layers if layer.name == name), None)

    def layers_of(self, names: tuple[str, ...]) -> tuple[Layer, ...]:
        """Those of these names, in the stack's own order."""
        return tuple(layer for layer in self.layers if layer.name in names)


def stack_from(document: Any) -> Stack:
    """A stack from parsed YAML or JSON. Raises InvalidBlueprint, one line that names the key."""
    if not isinstance(document, dict):
        raise InvalidBlueprint("the file is not a stack; it must be a mapping with `kind: stack`")
    try:
        check_depth_and_text(document)
        return Stack.model_validate(document)
    except ValidationError as error:
        raise InvalidBlueprint(explain(error, Stack)) from error
    except ValueError as error:
        raise InvalidBlueprint(f"the file {error}") from error


def split_layer(path: str) -> tuple[str, str]:
    """`shop/web` as stack and layer."""
    stack, _, layer = path.partition("/")
    return stack, layer


class Target(Protocol):
    """What a blueprint says of a layer that takes its images."""

    @property
    def layer(self) -> str:
        """stack/layer."""
        ...

    @property
    def strategy(self) -> Strategy:
        """How."""
        ...

    @property
    def channel(self) -> Channel | None:
        """When: as an image enters this channel."""
        ...


def takers(blueprint: str, own: Iterable[Target], stacks: Iterable[Stack]) -> dict[str, Feed]:
    """The layers, as stack/layer, that are to hear of a blueprint's images, and how each takes
    them: as its stack says, or else as the blueprint's `own` layers do."""
    found = {
        target.layer: Feed(
            blueprint=blueprint or "-", strategy=target.strategy, channel=target.channel
        )
        for target in own
    }
    for stack in stacks:
        for layer in stack.layers:
            for feed in layer.blueprints:
                if feed.blueprint == blueprint:
                    found[f"{stack.name}/{layer.name}"] = feed
    return found


def next_hostname(layer: str, taken: set[str]) -> str:
    """OpsWorks's theme `Layer_Dependent`: the layer's name and the lowest free integer, made of
    what a host's name may hold."""
    base = re.sub(r"[^a-z0-9-]+", "-", layer).strip("-") or "instance"
    return next(name for n in range(1, len(taken) + 2) if (name := f"{base}{n}") not in taken)
