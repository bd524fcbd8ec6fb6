"""PlanBake: what is decided, and what is refused before anything is launched."""

from __future__ import annotations

from typing import Any

import pytest

from kiln.domain.bake import ImageRecord
from kiln.errors import (
    BaseImageNotFound,
    IncompatibleBase,
    InvalidBlueprint,
    KilnError,
)
from kiln.steps.plan_bake import PlanBake, merged, plan_bake
from tests.builders import BAKE, NOW, a_document, a_stack, a_type, a_version, an_image
from tests.fakes import FakeWorld


def planned(fake: FakeWorld, document: Any, execution: str = BAKE, **request: Any) -> Any:
    """Plan a blueprint under an execution's name."""
    order = PlanBake(request={"blueprint": document, **request}, execution=execution, started=NOW)
    return plan_bake(order, fake.world)


def refused(fake: FakeWorld, error: type[KilnError], **overrides: Any) -> str:
    """The text of a refusal; nothing was recorded or announced."""
    with pytest.raises(error) as found:
        planned(fake, a_document(**overrides))
    assert fake.records.bake(BAKE) is None
    assert fake.bus.events == []
    assert fake.fleet.orders == []
    return str(found.value)


def test_a_plan_is_recorded_and_announced() -> None:
    fake = FakeWorld()
    answer = planned(fake, a_document(verify={"steps": [{"name": "t", "shell": "true"}]}))
    assert (answer.bake, answer.blueprint, answer.steps, answer.tests) == (BAKE, "web", 1, 1)
    record = fake.records.bake(BAKE)
    assert record is not None
    assert record.plan.image_name == "web-20261123-101500"
    assert record.plan.instance_types == ("m7i.large", "m6i.large", "m5.large")
    assert fake.bus.types() == ["Bake Started"]


def test_planning_twice_is_planning_once() -> None:
    fake = FakeWorld()
    assert planned(fake, a_document()) == planned(fake, a_document())
    assert fake.bus.types() == ["Bake Started"]


def test_an_execution_with_a_name_of_its_own_gets_a_bake_id() -> None:
    answer = planned(FakeWorld(), a_document(), execution="by-hand")
    assert answer.bake.startswith("web-20261123-101500-")
    assert planned(FakeWorld(), a_document(), execution="by-hand").bake == answer.bake


def test_a_stored_blueprint_is_taken_by_name_and_version() -> None:
    fake = FakeWorld()
    fake.versions.add(a_version())
    fake.versions.add(a_version(2, document=a_document(description="newer")))
    assert planned(fake, "web").version == 2
    assert planned(fake, "web", execution="other", version=1).version == 1
    with pytest.raises(InvalidBlueprint, match=r"web@9 is not stored; stored: version 1 to 2"):
        planned(fake, "web", version=9)


def test_overrides_are_laid_over_the_blueprint() -> None:
    fake = FakeWorld()
    planned(fake, a_document(image={"tags": {"a": "b"}}), overrides={"image": {"name": "mine"}})
    record = fake.records.bake(BAKE)
    assert record is not None
    assert record.plan.blueprint.image.name == "mine"
    assert record.plan.blueprint.image.tags == {"a": "b"}
    assert merged({"a": {"b": 1}}, {"a": 2}) == {"a": 2}


@pytest.mark.parametrize("given", [{}, {"blueprint": 5}, {"blueprint": ""}, {"version": 1}])
def test_an_input_without_a_blueprint_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(InvalidBlueprint, match="the input needs `blueprint`"):
        plan_bake(PlanBake(request=given, execution="x", started=NOW), FakeWorld().world)


def test_keys_that_a_scheduler_adds_do_no_harm() -> None:
    assert planned(FakeWorld(), a_document(), time="12:00").bake == BAKE


def test_a_base_is_found_by_parameter_lookup_and_blueprint() -> None:
    fake = FakeWorld()
    fake.parameters.values["/aws/service/x"] = an_image().id
    assert planned(fake, a_document(base={"parameter": "/aws/service/x"})).bake == BAKE
    lookup = {"owner": "137112412989", "name": "al2023-*"}
    assert planned(FakeWorld(), a_document(base={"lookup": lookup})).bake == BAKE
    made = FakeWorld()
    made.records.put_image(_image_record())
    assert planned(made, a_document(base={"blueprint": "linux"})).bake == BAKE


def _image_record() -> ImageRecord:
    return ImageRecord(
        id=an_image().id,
        name="n",
        bake="linux-20261122-101500-9f3a",
        blueprint="linux",
        version=1,
        platform="amazon-linux-2023",
        architecture="x86_64",
        root_device="ebs",
        base="ami-0",
        region="eu-west-1",
        created=NOW,
    )


@pytest.mark.parametrize(
    ("base", "said"),
    [
        ({"image": "ami-0000000000000dead"}, "base.image: ami-0000000000000dead does not exist"),
        ({"parameter": "/nope"}, "base.parameter: /nope does not exist"),
        ({"lookup": {"owner": "1", "name": "x*"}}, "base.lookup: no image of 1 is named 'x*'"),
        ({"blueprint": "linux"}, "base.blueprint: linux has no image yet; bake it first"),
    ],
)
def test_a_base_that_does_not_exist_is_refused(base: dict[str, Any], said: str) -> None:
    assert said in refused(FakeWorld(), BaseImageNotFound, base=base)


def test_a_parameter_that_names_no_image_is_told_with_its_value() -> None:
    fake = FakeWorld()
    fake.parameters.values["/images/base"] = "ami-0000000000000dead"
    said = refused(fake, BaseImageNotFound, base={"parameter": "/images/base"})
    assert said.startswith(
        "base.parameter: /images/base is ami-0000000000000dead, which does not exist in this Region"
    )


def test_a_type_that_does_not_fit_or_exist_is_refused() -> None:
    fake = FakeWorld()
    fake.fleet.known["m7g.large"] = a_type("m7g.large", architectures=("arm64",))
    said = refused(fake, IncompatibleBase, builder={"instance_types": ["m7i.large", "m7g.large"]})
    assert "m7g.large runs arm64" in said
    assert said.endswith("; types that run it: m7i.large, m6i.large, m5.large")
    said = refused(fake, InvalidBlueprint, builder={"instance_types": ["m99.huge"]})
    assert "builder.instance_types: m99.huge is not an instance type" in said
    fake.fleet.known = {"m7g.large": fake.fleet.known["m7g.large"]}
    assert "builder.instance_types: none of m7i.large, " in refused(fake, IncompatibleBase)


def test_a_type_of_a_layer_that_does_not_run_the_image_is_refused() -> None:
    fake = FakeWorld()
    fake.records.put_stack(a_stack())
    fake.fleet.known["m7i.large"] = a_type(boot_modes=("legacy-bios",))
    fake.images.add(an_image(boot_mode="uefi"))
    builder = {"instance_types": ["m6i.large"]}
    layers = [{"layer": "shop/web", "strategy": "add"}]
    said = refused(fake, IncompatibleBase, layers=layers, builder=builder)
    assert said.startswith("layers: shop/web: m7i.large boots by legacy-bios, the base by uefi (")
    told = [{"layer": "shop/web", "strategy": "none"}]
    planned(fake, a_document(layers=told, builder=builder))


def test_a_plan_holds_each_type_beside_the_image() -> None:
    fake = FakeWorld()
    fake.records.put_stack(a_stack())
    layers = [{"layer": "shop/web", "strategy": "add"}]
    planned(fake, a_document(layers=layers, builder={"instance_types": ["m6i.large"]}))
    record = fake.records.bake(BAKE)
    assert record is not None
    assert [(row.used_by, row.type, row.misfits) for row in record.plan.fits] == [
        ("builder.instance_types", "m6i.large", ()),
        ("layers: shop/web", "m7i.large", ()),
    ]


def test_a_deprecated_base_is_found_where_the_blueprint_takes_one() -> None:
    fake = FakeWorld()
    old = an_image(id="ami-00000000000000001", name="old-1", deprecated_at="2020-01-01T00:00:00Z")
    fake.images.add(old, owner="099720109477")
    base = {"lookup": {"owner": "099720109477", "name": "old-*"}}
    with pytest.raises(BaseImageNotFound, match=r"not deprecated; see base\.allow_deprecated"):
        planned(fake, a_document(base=base))
    planned(fake, a_document(base=base | {"allow_deprecated": True}))
    record = fake.records.bake(BAKE)
    assert record is not None
    assert record.plan.base.id == old.id


def test_an_instance_store_base_is_refused() -> None:
    fake = FakeWorld()
    fake.images.add(an_image(root_device_type="instance-store"))
    assert "use root_device: instance-store" in refused(fake, IncompatibleBase)


def test_an_instance_store_image_takes_types_that_boot_it() -> None:
    fake = FakeWorld()
    fake.fleet.known["m3.medium"] = a_type("m3.medium", root_devices=("ebs", "instance-store"))
    planned(fake, a_document(root_device="instance-store"))
    record = fake.records.bake(BAKE)
    assert record is not None
    assert record.plan.instance_types == ("m3.medium",)
    builder = {"instance_types": ["m7i.large"]}
    said = refused(FakeWorld(), IncompatibleBase, root_device="instance-store", builder=builder)
    assert "m7i.large boots from ebs, the image's root is instance-store" in said


def test_a_chef_version_that_opsworks_never_ran_is_refused() -> None:
    said = refused(FakeWorld(), InvalidBlueprint, chef="12")
    assert "chef: OpsWorks never ran Chef 12 on amazon-linux-2023; allowed: none" in said
