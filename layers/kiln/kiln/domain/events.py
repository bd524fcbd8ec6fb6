"""The events that Kiln announces on its bus. Fields are only ever added."""

from __future__ import annotations

from typing import Any, Literal

from kiln.domain.channel import Channel
from kiln.domain.model import Model

SOURCE = "kiln"


class _Event(Model):
    @property
    def detail_type(self) -> str:
        """EventBridge's detail-type."""
        return _DETAIL_TYPES[type(self).__name__]

    def detail(self) -> dict[str, Any]:
        """EventBridge's detail, JSON-ready."""
        return self.model_dump(mode="json")


class BakeStarted(_Event):
    """A bake has passed its checks and begins to launch."""

    bake: str
    blueprint: str
    version: int
    base: str


class LayerStrategy(Model):
    """A layer that is to take the image, and how: at once, or when it enters `channel`."""

    layer: str
    strategy: Literal["add", "replace", "canary", "none"]
    channel: Channel | None = None


class ImageAvailable(_Event):
    """An image is available and verified, and its record is complete. `images` names it in every
    Region where it is distributed, `missing` the Regions where that failed, with the reason."""

    bake: str
    blueprint: str
    version: int
    images: dict[str, str]
    name: str
    base: str
    release: str
    platform: str
    architecture: str
    root_device: str
    manifest: str
    sbom: str = ""
    layers: tuple[LayerStrategy, ...]
    missing: dict[str, str] = {}


class ImageDistributed(_Event):
    """An image that was announced before has been distributed again: where it is now, and where it
    still is not."""

    bake: str
    blueprint: str
    version: int
    image: str
    images: dict[str, str]
    missing: dict[str, str] = {}


class ImagePromoted(_Event):
    """An image has entered a channel of its blueprint, as the `promotion`-th; one that is announced
    enters `dev`. `former` is the image that was there, `source` the channel that it came from;
    `back` says that the channel went back to it; `by` is who promoted it, empty for what was
    announced."""

    bake: str
    blueprint: str
    version: int
    channel: Channel
    promotion: int
    image: str
    images: dict[str, str]
    name: str
    platform: str
    architecture: str
    layers: tuple[LayerStrategy, ...]
    former: str = ""
    source: str = ""
    back: bool = False
    by: str = ""


class ImageRetired(_Event):
    """An image was taken out of use in one Region by its blueprint's rules, or put back since
    something uses it. `here` is its id in that Region, `image` where it was baked."""

    bake: str
    blueprint: str
    version: int
    image: str
    region: str
    here: str
    became: Literal["deprecated", "disabled", "enabled", "deleted"]
    why: tuple[str, ...]


class BakeFailed(_Event):
    """A bake has failed and what it made is removed."""

    bake: str
    blueprint: str
    error: str
    cause: str
    state: str


class BlueprintPaused(_Event):
    """Bakes of a blueprint that nobody asked for have failed in a row, the last with `error`; no
    more are made until one succeeds, a new version is applied or somebody resumes."""

    blueprint: str
    version: int
    bakes: tuple[str, ...]
    error: str
    reason: str


class RolloutChanged(_Event):
    """A rollout has started or ended; the detail-type says which."""

    rollout: str
    image: str
    layer: str
    status: Literal["Started", "Succeeded", "Failed", "Rolled Back"]
    cause: str = ""

    @property
    def detail_type(self) -> str:
        """`Rollout Started`, `Rollout Succeeded`, ..."""
        return f"Rollout {self.status}"


class InstanceStateChange(_Event):
    """A layer's instance has changed state: the shape that OpsWorks sent, key for key."""

    initiated_by: Literal["user", "auto-scaling", "auto-healing"] | None = None
    hostname: str
    stack_id: str
    layer_ids: tuple[str, ...]
    instance_id: str
    ec2_instance_id: str | None
    status: str

    def detail(self) -> dict[str, Any]:
        """OpsWorks's keys are kebab-case except initiated_by, which is there only where it is
        known."""
        found = self.model_dump(mode="json", exclude_none=True)
        return {k if k == "initiated_by" else k.replace("_", "-"): v for k, v in found.items()}


class _OpsWorksEvent(_Event):
    def detail(self) -> dict[str, Any]:
        """OpsWorks's keys are kebab-case; one is there only where it is known."""
        found = self.model_dump(mode="json", exclude_none=True)
        return {key.replace("_", "-"): value for key, value in found.items()}


class CommandStateChange(_OpsWorksEvent):
    """A deployment has ended on one instance: the shape that OpsWorks sent, key for key."""

    command_id: str
    instance_id: str
    type: str
    status: Literal["successful", "failed", "skipped"]


class DeploymentStateChange(_OpsWorksEvent):
    """A deployment has begun or ended: the shape that OpsWorks sent, key for key. `duration` is in
    seconds, and there only when it has ended."""

    duration: int | None = None
    stack_id: str
    instance_ids: tuple[str, ...]
    deployment_id: str
    command: str
    status: Literal["running", "successful", "failed"]


class RolloutApproved(_Event):
    """Somebody has approved a rollout that waited for it."""

    rollout: str
    image: str
    layer: str
    by: str


class Alert(_OpsWorksEvent):
    """Something that only a user can mend: the shape that OpsWorks sent, key for key. OpsWorks had
    the type InstanceStop; AutoHealing is an instance that is healed no more."""

    stack_id: str
    instance_id: str
    type: Literal["AutoHealing"]
    message: str


_DETAIL_TYPES = {
    "BakeStarted": "Bake Started",
    "ImageAvailable": "Image Available",
    "ImageDistributed": "Image Distributed",
    "ImagePromoted": "Image Promoted",
    "ImageRetired": "Image Retired",
    "BakeFailed": "Bake Failed",
    "BlueprintPaused": "Blueprint Paused",
    "InstanceStateChange": "Instance State Change",
    "CommandStateChange": "Command State Change",
    "DeploymentStateChange": "Deployment State Change",
    "RolloutApproved": "Rollout Approved",
    "Alert": "Alert",
}
Event = (
    BakeStarted
    | ImageAvailable
    | ImageDistributed
    | ImagePromoted
    | ImageRetired
    | BakeFailed
    | BlueprintPaused
    | RolloutChanged
    | RolloutApproved
    | InstanceStateChange
    | CommandStateChange
    | DeploymentStateChange
    | Alert
)
