"""Stacks and layers as OpsWorks meant them: a layer is a set of instances with one job."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, ValidationError, model_validator

from kiln.domain.blueprint import Name, known_platform
from kiln.domain.durations import Duration
from kiln.domain.model import Model, Text, explain
from kiln.errors import InvalidBlueprint

LayerName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9._-]{1,48}$")]
# OpsWorks: custom JSON is at most 120 KB (opsworks guide, "Using custom JSON").
Recipes = tuple[Text, ...]


class LifecycleRecipes(Model):
    """What a layer runs at each lifecycle event, in order."""

    setup: Recipes = ()
    configure: Recipes = ()
    deploy: Recipes = ()
    undeploy: Recipes = ()
    shutdown: Recipes = ()


class Layer(Model):
    """One layer of a stack. `group` belongs to kind `autoscaling`, the instance keys to
    `instances`."""

    name: LayerName
    kind: Literal["instances", "autoscaling"]
    platform: Annotated[str, AfterValidator(known_platform)] | None = None
    chef: Literal["11", "12"] | None = None
    instance_type: Text | None = None
    count: Annotated[int, Field(ge=0, le=1000)] = 0
    auto_healing: bool = True
    shutdown_timeout: Duration = "120s"
    target_groups: tuple[Text, ...] = ()
    runner: Literal["chef", "ansible", "shell", "powershell"] = "shell"
    custom_json: dict[str, Any] = {}
    recipes: LifecycleRecipes = LifecycleRecipes()
    group: Text | None = None

    @model_validator(mode="after")
    def _keys_of_its_kind(self) -> Self:
        if self.kind == "autoscaling" and not self.group:
            raise ValueError(
                "group: is required for kind autoscaling: the Auto Scaling group's name"
            )
        if self.kind == "instances" and self.group:
            raise ValueError("group: is only for kind autoscaling")
        if self.kind == "instances" and not (self.platform and self.instance_type):
            raise ValueError("platform and instance_type: are required for kind instances")
        return self


class Stack(Model):
    """A stack: layers that know of each other."""

    kind: Literal["stack"]
    name: Name
    custom_json: dict[str, Any] = {}
    layers: tuple[Layer, ...]

    @model_validator(mode="after")
    def _unique_layers(self) -> Self:
        names = [layer.name for layer in self.layers]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"layers: the name {name!r} is used twice; each must be unique")
        return self

    def layer(self, name: str) -> Layer | None:
        """The layer of that name."""
        return next((layer for layer in self.layers if layer.name == name), None)


class InstanceState(StrEnum):
    """States of a layer's instance, as OpsWorks named them."""

    REQUESTED = "requested"
    PENDING = "pending"
    BOOTING = "booting"
    RUNNING_SETUP = "running_setup"
    ONLINE = "online"
    SETUP_FAILED = "setup_failed"
    START_FAILED = "start_failed"
    SHUTTING_DOWN = "shutting_down"
    STOPPING = "stopping"
    STOPPED = "stopped"
    TERMINATED = "terminated"
    CONNECTION_LOST = "connection_lost"


class LayerInstance(Model):
    """An instance's record: its own id stays when its EC2 instance changes."""

    id: str
    stack: str
    layer: str
    hostname: str
    state: InstanceState
    ec2_id: str | None = None
    image: str | None = None


def stack_from(document: Any) -> Stack:
    """A stack from parsed YAML or JSON. Raises InvalidBlueprint, one line that names the key."""
    if not isinstance(document, dict):
        raise InvalidBlueprint("the file is not a stack; it must be a mapping with `kind: stack`")
    try:
        return Stack.model_validate(document)
    except ValidationError as error:
        raise InvalidBlueprint(explain(error, Stack)) from error


def split_layer(path: str) -> tuple[str, str]:
    """`shop/web` as stack and layer."""
    stack, _, layer = path.partition("/")
    return stack, layer


def next_hostname(layer: str, taken: set[str]) -> str:
    """OpsWorks's theme `Layer_Dependent`: the layer's name and the lowest free integer."""
    return next(name for n in range(1, len(taken) + 2) if (name := f"{layer}{n}") not in taken)
