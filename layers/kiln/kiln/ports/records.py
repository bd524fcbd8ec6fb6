"""What steps need to remember, in our words. Every method may raise AwsBusy or AwsRefused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from kiln.domain.bake import BakeRecord, ImageRecord
    from kiln.domain.instance import LayerInstance
    from kiln.domain.place import ImagePlace
    from kiln.domain.rollout import LayerImage, Rollout
    from kiln.domain.stack import Stack


class Records(Protocol):
    """The table: what Kiln knows."""

    def put_stack(self, stack: Stack) -> None:
        """Store a stack, replacing the one of that name."""
        ...

    def stack(self, name: str) -> Stack | None:
        """A stored stack."""
        ...

    def stack_names(self) -> tuple[str, ...]:
        """Names of all stored stacks."""
        ...

    def stacks(self) -> tuple[Stack, ...]:
        """All stored stacks."""
        ...

    def add_bake(self, record: BakeRecord) -> bool:
        """Store a new bake; False where it is there already."""
        ...

    def bake(self, bake: str) -> BakeRecord | None:
        """A bake."""
        ...

    def bakes(self, blueprint: str) -> tuple[BakeRecord, ...]:
        """A blueprint's bakes, oldest first."""
        ...

    def baked(self) -> tuple[str, ...]:
        """Names of all blueprints with a bake, stored ones or not."""
        ...

    def update_bake(self, record: BakeRecord) -> BakeRecord:
        """Write a changed bake: what is stored then. AwsBusy where somebody else has written since
        it was read."""
        ...

    def put_image(self, record: ImageRecord) -> None:
        """Store an image; the same again is harmless."""
        ...

    def image(self, image: str) -> ImageRecord | None:
        """An image that Kiln made."""
        ...

    def images(self, blueprint: str) -> tuple[ImageRecord, ...]:
        """A blueprint's images, oldest first."""
        ...

    def put_place(self, image: str, place: ImagePlace) -> None:
        """Store what has become of an image in one Region, over what was known."""
        ...

    def places(self, image: str) -> tuple[ImagePlace, ...]:
        """The Regions that an image is in or was to go to, by name."""
        ...

    def claim(self, key: str, value: str) -> str:
        """Write a value once: what is stored under the key afterwards, ours or the earlier one."""
        ...

    def claimed(self, key: str) -> str | None:
        """The value of a claim."""
        ...

    def add_rollout(self, rollout: Rollout) -> bool:
        """Store a new rollout; False where this attempt is there already."""
        ...

    def rollout(self, image: str, layer: str) -> Rollout | None:
        """The last attempt to bring an image to a layer."""
        ...

    def rollouts(self, image: str) -> tuple[Rollout, ...]:
        """An image's rollouts, of each layer the last attempt."""
        ...

    def rollouts_of(self, layer: str) -> tuple[Rollout, ...]:
        """Every attempt to bring an image to a layer, as they were asked for."""
        ...

    def update_rollout(self, rollout: Rollout) -> Rollout:
        """Write a changed rollout: what is stored then. AwsBusy where somebody else has written
        since it was read."""
        ...

    def close_rollout(self, rollout: Rollout) -> None:
        """Write a rollout that has ended. AwsBusy where somebody else has written since it was
        read."""
        ...

    def open_rollouts(self) -> tuple[Rollout, ...]:
        """The rollouts whose record says that they have not ended."""
        ...

    def note_distribution(self, image: str, execution: str) -> None:
        """Remember that an execution distributes an image again; again is harmless."""
        ...

    def drop_distribution(self, image: str, execution: str) -> None:
        """It has ended; one that is not there is passed over."""
        ...

    def open_distributions(self) -> tuple[tuple[str, str], ...]:
        """The distributions that have not ended, each as image and execution."""
        ...

    def add_instance(self, instance: LayerInstance) -> bool:
        """Store a new instance of a layer; False where it is there already."""
        ...

    def replace_instance(self, instance: LayerInstance) -> LayerInstance | None:
        """Write a changed instance: what is stored then, None where somebody else has written
        since it was read."""
        ...

    def instance(self, stack: str, instance: str) -> LayerInstance | None:
        """One instance of a stack by its own id."""
        ...

    def instances(self, stack: str) -> tuple[LayerInstance, ...]:
        """The instances of a stack."""
        ...

    def remove_instance(self, instance: LayerInstance) -> None:
        """Drop an instance's record."""
        ...

    def hold_layer(self, layer: str, rollout: str, instead_of: str | None = None) -> bool:
        """Take a layer for one rollout, from nobody or from one that is named; False while another
        has it."""
        ...

    def layer_holder(self, layer: str) -> str | None:
        """The rollout that has a layer."""
        ...

    def release_layer(self, layer: str, rollout: str) -> None:
        """Give a layer free; one that another rollout has is left alone."""
        ...

    def add_layer_image(self, taken: LayerImage) -> None:
        """Remember an image that a layer has taken; the same again is harmless."""
        ...

    def layer_images(self, layer: str) -> tuple[LayerImage, ...]:
        """The images that a layer has taken, in the order in which it did."""
        ...

    def hold_healing(self, layer: str, bake: str) -> None:
        """Keep a layer's auto healing off while a bake has adopted one of its instances."""
        ...

    def release_healing(self, layer: str, bake: str) -> None:
        """Let go of a hold; one that is not there is passed over."""
        ...

    def healing_holds(self, layer: str) -> set[str]:
        """The bakes that hold a layer's auto healing off."""
        ...
