"""PlanBake: layers that take the image, and layers whose instance is adopted."""

from __future__ import annotations

from typing import Any

import pytest

from kiln.errors import (
    BaseImageNotFound,
    IncompatibleBase,
    InvalidBlueprint,
    KilnError,
)
from tests.builders import BAKE, a_document, a_stack, a_type, an_image
from tests.fakes import FakeWorld
from tests.unit.steps.test_planning import planned, refused


def _with_stack() -> FakeWorld:
    fake = FakeWorld()
    fake.records.put_stack(a_stack())
    return fake


@pytest.mark.parametrize(
    ("target", "error", "said"),
    [
        ({"layer": "shop/nope"}, InvalidBlueprint, "shop/nope is not a layer of an applied stack"),
        ({"layer": "shop/app", "strategy": "add"}, InvalidBlueprint, "shop/app is ubuntu-18.04"),
        ({"layer": "shop/api", "strategy": "add"}, InvalidBlueprint, "shop/api: strategy add is"),
        ({"layer": "shop/api", "strategy": "replace"}, InvalidBlueprint, "shop-api does not exist"),
    ],
)
def test_a_layer_that_cannot_take_the_image_is_refused(
    target: dict[str, str], error: type[KilnError], said: str
) -> None:
    assert said in refused(_with_stack(), error, layers=[target])


def test_layers_that_can_take_the_image_are_planned() -> None:
    targets = [{"layer": "shop/web", "strategy": "add"}, {"layer": "shop/app"}]
    assert planned(_with_stack(), a_document(layers=targets)).bake == BAKE


def test_the_types_of_a_group_are_compared_with_the_image() -> None:
    fake = _with_stack()
    fake.groups.a_group("shop-api", "lt-1")
    targets = [{"layer": "shop/api", "strategy": "replace"}]
    planned(fake, a_document(layers=targets))
    record = fake.records.bake(BAKE)
    assert record
    row = record.plan.fits[-1]
    assert (row.type, row.used_by, row.misfits) == ("m7i.large", "layers: shop/api", ())
    fake = _with_stack()
    fake.groups.a_group("shop-api", "lt-1")
    fake.groups.a_template("lt-1", kind="m7g.large")
    fake.fleet.known["m7g.large"] = a_type("m7g.large", architectures=("arm64",))
    assert "layers: shop/api: m7g.large runs arm64" in refused(
        fake, IncompatibleBase, layers=targets
    )


def _adopting(**overrides: Any) -> dict[str, Any]:
    return a_document(platform="ubuntu-18.04", base={"layer": "shop/app"}, **overrides)


def _with_ubuntu() -> FakeWorld:
    fake = _with_stack()
    path = "/aws/service/canonical/ubuntu/server/18.04/stable/current/amd64/hvm/ebs-gp2/ami-id"
    fake.parameters.values[path] = an_image().id
    return fake


def test_a_new_instance_of_a_layer_is_adopted() -> None:
    fake = _with_ubuntu()
    planned(fake, _adopting(chef="12"))
    record = fake.records.bake(BAKE)
    assert record is not None
    assert record.plan.adoption is not None
    assert record.plan.adoption.hostname == "app1"
    assert record.plan.adoption.chef == "12"
    assert record.plan.instance_types == ("m6i.large",)


def test_a_layer_of_another_platform_is_not_adopted() -> None:
    with pytest.raises(InvalidBlueprint, match="is not the platform of layer shop/app"):
        planned(_with_ubuntu(), a_document(base={"layer": "shop/app"}))


def test_a_layer_whose_platform_has_no_public_image_is_not_adopted() -> None:
    with pytest.raises(BaseImageNotFound, match=r"no public image of ubuntu-18\.04"):
        planned(_with_stack(), _adopting())


def test_a_red_hat_layer_is_found_by_owner_and_name() -> None:
    fake = FakeWorld()
    layer = {"name": "db", "kind": "instances", "platform": "rhel-9", "instance_type": "m7i.large"}
    fake.records.put_stack(a_stack(layers=[layer]))
    fake.images.add(an_image(name="RHEL-9.6.0_HVM-2025-x86_64-0-Hourly2"), "309956199498")
    planned(fake, a_document(platform="rhel-9", base={"layer": "shop/db"}))
