"""What Kiln knows, in one DynamoDB table.

what               PK                SK
bake               BLUEPRINT#name    BAKE#id
image of a bake    BLUEPRINT#name    IMAGE#bake
image              IMAGE#ami         IMAGE
place of an image  IMAGE#ami         PLACE#region
rollout            IMAGE#ami         ROLLOUT#stack/layer#00000001    (its attempt)
rollout, by layer  STACK#name        ROLLOUT#layer#id                (its key)
stack              STACK#name        STACK
instance           STACK#name        INSTANCE#id
healing holds      STACK#name        HOLDS#layer            (string set)
rollout's hold     STACK#name        ROLLING#layer          (holder)
image of a layer   STACK#name        TAKEN#layer#time#rollout
names              CATALOGUE         STACK#name, BAKED#name
not ended yet      CATALOGUE         ROLLOUT#layer#id, DISTRIBUTION#ami#execution
claim              CLAIM#key         CLAIM
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from kiln.adapters._table import Table
from kiln.domain.bake import BakeRecord, ImageRecord
from kiln.domain.instance import LayerInstance
from kiln.domain.naming import blueprint_of
from kiln.domain.place import ImagePlace
from kiln.domain.rollout import LayerImage, Rollout, RolloutStatus
from kiln.domain.stack import Stack, split_layer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoRecords:
    """`Records` on DynamoDB."""

    def __init__(self, dynamodb: DynamoDBClient, table: str) -> None:
        self._table = Table(dynamodb, table)

    # ------------------------------------------------------------ stacks and instances

    def put_stack(self, stack: Stack) -> None:
        """Store a stack."""
        self._table.put((f"STACK#{stack.name}", "STACK"), stack.model_dump_json())
        self._table.put(("CATALOGUE", f"STACK#{stack.name}"), stack.name)

    def stack(self, name: str) -> Stack | None:
        """A stack."""
        body = self._table.get((f"STACK#{name}", "STACK"))
        return Stack.model_validate_json(body) if body else None

    def stack_names(self) -> tuple[str, ...]:
        """All names."""
        return tuple(self._table.query("CATALOGUE", "STACK#"))

    def stacks(self) -> tuple[Stack, ...]:
        """All stacks."""
        return tuple(stack for name in self.stack_names() if (stack := self.stack(name)))

    def add_instance(self, instance: LayerInstance) -> bool:
        """Store a new instance."""
        revision = {"N": str(instance.revision)}
        key = _instance_key(instance.stack, instance.id)
        return self._table.add(key, instance.model_dump_json(), revision=revision)

    def replace_instance(self, instance: LayerInstance) -> LayerInstance | None:
        """Write an instance's next revision."""
        new = instance.model_copy(update={"revision": instance.revision + 1})
        key = _instance_key(new.stack, new.id)
        return new if self._table.replace(key, new.model_dump_json(), new.revision) else None

    def instance(self, stack: str, instance: str) -> LayerInstance | None:
        """An instance."""
        body = self._table.get(_instance_key(stack, instance))
        return LayerInstance.model_validate_json(body) if body else None

    def instances(self, stack: str) -> tuple[LayerInstance, ...]:
        """A stack's instances."""
        found = self._table.query(f"STACK#{stack}", "INSTANCE#")
        return tuple(LayerInstance.model_validate_json(body) for body in found)

    def remove_instance(self, instance: LayerInstance) -> None:
        """Drop an instance."""
        self._table.remove(_instance_key(instance.stack, instance.id))

    def hold_layer(self, layer: str, rollout: str, instead_of: str | None = None) -> bool:
        """Take a layer for one rollout."""
        return self._table.hold(_layer_key("ROLLING", layer), rollout, instead_of)

    def layer_holder(self, layer: str) -> str | None:
        """The rollout that has a layer."""
        return self._table.holder(_layer_key("ROLLING", layer))

    def release_layer(self, layer: str, rollout: str) -> None:
        """Give a layer free."""
        self._table.free(_layer_key("ROLLING", layer), rollout)

    def add_layer_image(self, taken: LayerImage) -> None:
        """Remember an image that a layer has taken."""
        partition, name = _layer_key("TAKEN", taken.layer)
        key = partition, f"{name}#{taken.at}#{taken.rollout}"
        self._table.put(key, taken.model_dump_json())

    def layer_images(self, layer: str) -> tuple[LayerImage, ...]:
        """The images that a layer has taken."""
        partition, name = _layer_key("TAKEN", layer)
        found = self._table.query(partition, f"{name}#")
        return tuple(LayerImage.model_validate_json(body) for body in found)

    def hold_healing(self, layer: str, bake: str) -> None:
        """Hold a layer's auto healing off."""
        self._table.change_set(_layer_key("HOLDS", layer), "ADD", bake)

    def release_healing(self, layer: str, bake: str) -> None:
        """Let go of a hold."""
        self._table.change_set(_layer_key("HOLDS", layer), "DELETE", bake)

    def healing_holds(self, layer: str) -> set[str]:
        """Who holds a layer's auto healing off."""
        return self._table.read_set(_layer_key("HOLDS", layer))

    # ------------------------------------------------------------ bakes and images

    def add_bake(self, record: BakeRecord) -> bool:
        """Store a new bake, its blueprint's name first: a crash in between must not hide a bake."""
        name = blueprint_of(record.plan.bake)
        self._table.put(("CATALOGUE", f"BAKED#{name}"), name)
        key, body = _bake_key(record.plan.bake), record.model_dump_json()
        return self._table.add(key, body, revision={"N": "0"})

    def bake(self, bake: str) -> BakeRecord | None:
        """A bake; None for what is no bake id too."""
        try:
            body = self._table.get(_bake_key(bake))
        except ValueError:
            return None
        return BakeRecord.model_validate_json(body) if body else None

    def bakes(self, blueprint: str) -> tuple[BakeRecord, ...]:
        """A blueprint's bakes; their ids sort by time."""
        found = self._table.query(f"BLUEPRINT#{blueprint}", "BAKE#")
        return tuple(BakeRecord.model_validate_json(body) for body in found)

    def baked(self) -> tuple[str, ...]:
        """All names under which there are bakes."""
        return tuple(self._table.query("CATALOGUE", "BAKED#"))

    def update_bake(self, record: BakeRecord) -> BakeRecord:
        """Write a bake's next revision."""
        new = record.model_copy(update={"revision": record.revision + 1})
        self._table.overwrite(_bake_key(new.plan.bake), new.model_dump_json(), new.revision)
        return new

    def put_image(self, record: ImageRecord) -> None:
        """Store an image, first under its id: the list must not name one that cannot be read."""
        body = record.model_dump_json()
        self._table.put((f"IMAGE#{record.id}", "IMAGE"), body)
        self._table.put((f"BLUEPRINT#{record.blueprint}", f"IMAGE#{record.bake}"), body)

    def image(self, image: str) -> ImageRecord | None:
        """An image."""
        body = self._table.get((f"IMAGE#{image}", "IMAGE"))
        return ImageRecord.model_validate_json(body) if body else None

    def images(self, blueprint: str) -> tuple[ImageRecord, ...]:
        """A blueprint's images."""
        found = self._table.query(f"BLUEPRINT#{blueprint}", "IMAGE#")
        return tuple(ImageRecord.model_validate_json(body) for body in found)

    def put_place(self, image: str, place: ImagePlace) -> None:
        """Store an image's place; each Region has an item of its own, for they go side by side."""
        self._table.put((f"IMAGE#{image}", f"PLACE#{place.region}"), place.model_dump_json())

    def places(self, image: str) -> tuple[ImagePlace, ...]:
        """An image's places."""
        found = self._table.query(f"IMAGE#{image}", "PLACE#")
        return tuple(ImagePlace.model_validate_json(body) for body in found)

    # ------------------------------------------------------------ claims

    def claim(self, key: str, value: str) -> str:
        """Whose value it is: the first writer's."""
        place = (f"CLAIM#{key}", "CLAIM")
        return value if self._table.add(place, value) else self._table.get(place) or value

    def claimed(self, key: str) -> str | None:
        """A claim's value."""
        return self._table.get((f"CLAIM#{key}", "CLAIM"))

    # ------------------------------------------------------------ rollouts

    def add_rollout(self, rollout: Rollout) -> bool:
        """Store a new rollout; first where its layer finds it, so that none is hidden."""
        partition, name = _layer_key("ROLLOUT", rollout.layer)
        key = _rollout_key(rollout)
        self._table.put((partition, f"{name}#{rollout.id}"), json.dumps(key))
        self._table.put(_open_key("ROLLOUT", rollout.layer, rollout.id), json.dumps(key))
        return self._table.add(key, rollout.model_dump_json(), revision={"N": "0"})

    def rollout(self, image: str, layer: str) -> Rollout | None:
        """The last attempt."""
        found = self._table.last(f"IMAGE#{image}", f"ROLLOUT#{layer}#")
        return Rollout.model_validate_json(found[1]) if found else None

    def rollouts(self, image: str) -> tuple[Rollout, ...]:
        """The last attempts of an image; attempts of a layer sort by their numbers."""
        bodies = self._table.query(f"IMAGE#{image}", "ROLLOUT#")
        found = (Rollout.model_validate_json(body) for body in bodies)
        return tuple({rollout.layer: rollout for rollout in found}.values())

    def rollouts_of(self, layer: str) -> tuple[Rollout, ...]:
        """All attempts at a layer."""
        partition, name = _layer_key("ROLLOUT", layer)
        found = self._attempts(partition, f"{name}#")
        return tuple(sorted(found, key=lambda rollout: rollout.asked))

    def _attempts(self, partition: str, begins: str) -> Iterator[Rollout]:
        keys = map(json.loads, self._table.query(partition, begins))
        bodies = (self._table.get((image, rollout)) for image, rollout in keys)
        return (Rollout.model_validate_json(body) for body in bodies if body)

    def update_rollout(self, rollout: Rollout) -> Rollout:
        """Write a rollout's next revision."""
        new = rollout.model_copy(update={"revision": rollout.revision + 1})
        self._table.overwrite(_rollout_key(new), new.model_dump_json(), new.revision)
        return new

    def close_rollout(self, rollout: Rollout) -> None:
        """Write a rollout that has ended, and take it from the open ones."""
        self.update_rollout(rollout)
        self._table.remove(_open_key("ROLLOUT", rollout.layer, rollout.id))

    def open_rollouts(self) -> tuple[Rollout, ...]:
        """Those that are noted as open; of one that has just ended the record counts."""
        found = self._attempts("CATALOGUE", "ROLLOUT#")
        return tuple(one for one in found if one.status is RolloutStatus.RUNNING)

    def note_distribution(self, image: str, execution: str) -> None:
        """One PutItem."""
        self._table.put(_open_key("DISTRIBUTION", image, execution), json.dumps([image, execution]))

    def drop_distribution(self, image: str, execution: str) -> None:
        """One DeleteItem."""
        self._table.remove(_open_key("DISTRIBUTION", image, execution))

    def open_distributions(self) -> tuple[tuple[str, str], ...]:
        """All that are noted."""
        return tuple(map(tuple, map(json.loads, self._table.query("CATALOGUE", "DISTRIBUTION#"))))


def _bake_key(bake: str) -> tuple[str, str]:
    return f"BLUEPRINT#{blueprint_of(bake)}", f"BAKE#{bake}"


def _instance_key(stack: str, instance: str) -> tuple[str, str]:
    return f"STACK#{stack}", f"INSTANCE#{instance}"


def _layer_key(what: str, layer: str) -> tuple[str, str]:
    stack, name = split_layer(layer)
    return f"STACK#{stack}", f"{what}#{name}"


def _rollout_key(rollout: Rollout) -> tuple[str, str]:
    return f"IMAGE#{rollout.image}", f"ROLLOUT#{rollout.layer}#{rollout.attempt:08d}"


def _open_key(*parts: str) -> tuple[str, str]:
    return "CATALOGUE", "#".join(parts)
