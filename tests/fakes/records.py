"""What Kiln knows, in dictionaries."""

from __future__ import annotations

from kiln.domain.bake import BakeRecord, ImageRecord
from kiln.domain.instance import LayerInstance
from kiln.domain.naming import blueprint_of
from kiln.domain.place import ImagePlace
from kiln.domain.rollout import LayerImage, Rollout, RolloutStatus
from kiln.domain.stack import Stack, split_layer
from kiln.errors import AwsBusy


class FakeRecords:
    """What Kiln knows, in dictionaries."""

    def __init__(self) -> None:
        self._stacks: dict[str, Stack] = {}
        self._bakes: dict[str, BakeRecord] = {}
        self._images: dict[str, ImageRecord] = {}
        self._places: dict[tuple[str, str], ImagePlace] = {}
        self._claims: dict[str, str] = {}
        self._rollouts: dict[tuple[str, str, int], Rollout] = {}
        self._instances: dict[tuple[str, str], LayerInstance] = {}
        self._distributions: set[tuple[str, str]] = set()
        self._holds: dict[str, set[str]] = {}
        self._holders: dict[str, str] = {}
        self._taken: dict[tuple[str, str, str], LayerImage] = {}

    def put_stack(self, stack: Stack) -> None:
        self._stacks[stack.name] = stack

    def stack(self, name: str) -> Stack | None:
        return self._stacks.get(name)

    def stack_names(self) -> tuple[str, ...]:
        return tuple(sorted(self._stacks))

    def stacks(self) -> tuple[Stack, ...]:
        return tuple(self._stacks[name] for name in sorted(self._stacks))

    def add_bake(self, record: BakeRecord) -> bool:
        new = record.plan.bake not in self._bakes
        self._bakes.setdefault(record.plan.bake, record)
        return new

    def bake(self, bake: str) -> BakeRecord | None:
        return self._bakes.get(bake)

    def baked(self) -> tuple[str, ...]:
        return tuple(sorted({blueprint_of(bake) for bake in self._bakes}))

    def bakes(self, blueprint: str) -> tuple[BakeRecord, ...]:
        names = sorted(name for name in self._bakes if blueprint_of(name) == blueprint)
        return tuple(self._bakes[name] for name in names)

    def update_bake(self, record: BakeRecord) -> BakeRecord:
        if self._bakes[record.plan.bake].revision != record.revision:
            raise AwsBusy(f"the record of bake {record.plan.bake} changed while it was read")
        new = record.model_copy(update={"revision": record.revision + 1})
        self._bakes[record.plan.bake] = new
        return new

    def put_image(self, record: ImageRecord) -> None:
        self._images[record.id] = record

    def image(self, image: str) -> ImageRecord | None:
        return self._images.get(image)

    def images(self, blueprint: str) -> tuple[ImageRecord, ...]:
        found = (image for image in self._images.values() if image.blueprint == blueprint)
        return tuple(sorted(found, key=lambda image: image.bake))

    def put_place(self, image: str, place: ImagePlace) -> None:
        self._places[image, place.region] = place

    def places(self, image: str) -> tuple[ImagePlace, ...]:
        found = (place for (name, _), place in self._places.items() if name == image)
        return tuple(sorted(found, key=lambda place: place.region))

    def claim(self, key: str, value: str) -> str:
        return self._claims.setdefault(key, value)

    def claimed(self, key: str) -> str | None:
        return self._claims.get(key)

    def add_rollout(self, rollout: Rollout) -> bool:
        key = rollout.image, rollout.layer, rollout.attempt
        new = key not in self._rollouts
        self._rollouts.setdefault(key, rollout)
        return new

    def rollout(self, image: str, layer: str) -> Rollout | None:
        return next((r for r in self.rollouts(image) if r.layer == layer), None)

    def rollouts(self, image: str) -> tuple[Rollout, ...]:
        found = (self._rollouts[key] for key in sorted(self._rollouts) if key[0] == image)
        return tuple({rollout.layer: rollout for rollout in found}.values())

    def rollouts_of(self, layer: str) -> tuple[Rollout, ...]:
        found = (rollout for rollout in self._rollouts.values() if rollout.layer == layer)
        return tuple(sorted(found, key=lambda rollout: rollout.asked))

    def update_rollout(self, rollout: Rollout) -> Rollout:
        key = rollout.image, rollout.layer, rollout.attempt
        if self._rollouts[key].revision != rollout.revision:
            raise AwsBusy(f"the record of rollout {rollout.id} changed while it was read")
        new = rollout.model_copy(update={"revision": rollout.revision + 1})
        self._rollouts[key] = new
        return new

    def close_rollout(self, rollout: Rollout) -> None:
        self.update_rollout(rollout)

    def open_rollouts(self) -> tuple[Rollout, ...]:
        found = (self._rollouts[key] for key in sorted(self._rollouts))
        return tuple(rollout for rollout in found if rollout.status is RolloutStatus.RUNNING)

    def note_distribution(self, image: str, execution: str) -> None:
        self._distributions.add((image, execution))

    def drop_distribution(self, image: str, execution: str) -> None:
        self._distributions.discard((image, execution))

    def open_distributions(self) -> tuple[tuple[str, str], ...]:
        return tuple(sorted(self._distributions))

    def add_instance(self, instance: LayerInstance) -> bool:
        new = (instance.stack, instance.id) not in self._instances
        self._instances.setdefault((instance.stack, instance.id), instance)
        return new

    def replace_instance(self, instance: LayerInstance) -> LayerInstance | None:
        known = self._instances.get((instance.stack, instance.id))
        if known is None or known.revision != instance.revision:
            return None
        new = instance.model_copy(update={"revision": instance.revision + 1})
        self._instances[instance.stack, instance.id] = new
        return new

    def instance(self, stack: str, instance: str) -> LayerInstance | None:
        return self._instances.get((stack, instance))

    def instances(self, stack: str) -> tuple[LayerInstance, ...]:
        found = (entry for (name, _), entry in self._instances.items() if name == stack)
        return tuple(sorted(found, key=lambda entry: entry.id))

    def remove_instance(self, instance: LayerInstance) -> None:
        self._instances.pop((instance.stack, instance.id), None)

    def hold_layer(self, layer: str, rollout: str, instead_of: str | None = None) -> bool:
        if self._holders.get(layer, rollout) not in (rollout, instead_of):
            return False
        self._holders[layer] = rollout
        return True

    def layer_holder(self, layer: str) -> str | None:
        return self._holders.get(layer)

    def release_layer(self, layer: str, rollout: str) -> None:
        if self._holders.get(layer) == rollout:
            del self._holders[layer]

    def add_layer_image(self, taken: LayerImage) -> None:
        self._taken[taken.layer, taken.at, taken.rollout] = taken

    def layer_images(self, layer: str) -> tuple[LayerImage, ...]:
        return tuple(self._taken[key] for key in sorted(self._taken) if key[0] == layer)

    def hold_healing(self, layer: str, bake: str) -> None:
        self._holds.setdefault(layer, set()).add(bake)

    def release_healing(self, layer: str, bake: str) -> None:
        self._holds.get(layer, set()).discard(bake)

    def healing_holds(self, layer: str) -> set[str]:
        split_layer(layer)
        return set(self._holds.get(layer, set()))
