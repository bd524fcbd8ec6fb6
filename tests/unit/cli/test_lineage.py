"""`kiln images`: what an image was made from, what was made from it, and where it runs."""

from __future__ import annotations

from typing import Any

import pytest

from kiln.domain.instance import InstanceState, LayerInstance
from kiln.domain.uses import Use
from kiln_cli import place as places
from kiln_cli.lineage import Lineage
from tests.builders import a_stack
from tests.kiln_command import run
from tests.unit.steps.pruning import FAR, HOME, Album, copy_of


class Family(Album):
    """A base, an image made from it, and one made from that; the middle one runs somewhere."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__({})
        self.base = self.add(100, blueprint="base", id="ami-00000001")
        self.middle = self.add(50, FAR, base=self.base)
        self.child = self.add(10, blueprint="shop", base=self.middle, id="ami-00000003")
        use = Use(kind="instance", name="i-1", image=self.middle, detail="running")
        self.uses().known.append(use)
        far = Use(kind="launch-template", name="lt-1", image=copy_of(self.middle))
        self.uses(FAR).known.append(far)
        self.fake.records.put_stack(a_stack())
        entry = LayerInstance(
            id="1",
            stack="shop",
            layers=("web",),
            hostname="web1",
            state=InstanceState.ONLINE,
            ec2_id="i-1",
        )
        self.fake.records.add_instance(entry)
        monkeypatch.setattr(places, "account", lambda _: self)

    @property
    def world(self) -> Any:
        return self.fake.world


@pytest.fixture
def family(monkeypatch: pytest.MonkeyPatch) -> Family:
    return Family(monkeypatch)


def test_the_chain_of_bases_goes_up_to_the_public_image(family: Family) -> None:
    (child,) = Lineage(family.world).of(family.child)
    chain = [(row["image"], row["blueprint"], row["name"]) for row in child["made_from"]]
    assert [image for image, _, _ in chain] == [family.middle, family.base, "ami-0000000000000ba5e"]
    assert chain[0][1] == "web"
    assert chain[2][1:] == (None, "al2023-ami")


def test_what_was_made_from_an_image_is_told_and_where_it_runs_in_each_region(
    family: Family,
) -> None:
    (middle,) = run("images", "web", "--json").json["images"]
    assert [row["image"] for row in middle["made"]] == [family.child]
    (here,), (far,) = middle["runs"][HOME], middle["runs"][FAR]
    assert (here["kind"], here["name"]) == ("instance", "i-1")
    assert (here["layer"], here["hostname"], here["detail"]) == ("shop/web", "web1", "running")
    assert (far["kind"], far["name"]) == ("launch-template", "lt-1")
    assert [row["label"] for row in middle["kept_for"][HOME]] == [
        f"image {family.child} (made from it)"
    ]


def test_aws_is_asked_once_a_region_and_not_at_all_for_the_plain_list(family: Family) -> None:
    assert run("images").status == 0
    assert family.uses().asked == family.uses(FAR).asked == []
    run("images", "--json")
    assert (len(family.uses().asked), len(family.uses(FAR).asked)) == (1, 1)


def test_an_image_is_shown_by_its_id_in_any_region(family: Family) -> None:
    ran = run("images", "show", copy_of(family.middle))
    assert ran.status == 0
    assert ran.stdout.splitlines()[0] == f"image    {family.middle} web-20261004-101500-0000"
    assert "         runs instance i-1 (running) web1 of shop/web" in ran.stdout
    assert f"from     {family.base} base@1, bake" in ran.stdout
    assert "ami-0000000000000ba5e al2023-ami (not made by Kiln)" in ran.stdout
    assert f"made     {family.child} shop@1, bake" in ran.stdout
    unknown = run("images", "show", "ami-00000009")
    assert (unknown.status, "is no image that Kiln has made here" in unknown.error) == (2, True)


def test_what_was_deleted_everywhere_is_listed_when_asked_for_and_keeps_its_place_in_the_chain(
    family: Family,
) -> None:
    record = family.fake.records.image(family.base)
    assert record is not None
    gone = record.model_copy(update={"retired": family.fake.clock.now()})
    family.fake.records.put_image(gone)
    assert family.base not in run("images").stdout
    assert family.base in run("images", "--all").stdout
    (child,) = Lineage(family.world).of(family.child)
    assert family.base in [row["image"] for row in child["made_from"]]
