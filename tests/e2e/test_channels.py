"""From a version to production and back: three layers, each on a channel; two versions are baked
and promoted, one is taken back. One local AWS, the commands as a shell would call them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from kiln.domain.rollout import RolloutStatus
from kiln.wiring import world
from kiln_cli import local
from kiln_cli.place import make_place
from kiln_local.world import LocalAws
from tests.e2e.layers import NOTE, Layers
from tests.e2e.running import AMAZON, ROOT, SPEED
from tests.integration.local.worlds import until
from tests.kiln_command import run

pytestmark = [pytest.mark.long, pytest.mark.timeout(240)]
CHANNELS = ("dev", "staging", "prod")
FAR = "us-east-1"
POINTER = "/images/web/prod"
WEB = {
    "kind": "blueprint",
    "name": "web",
    "platform": "amazon-linux-2023",
    "base": {"parameter": f"{AMAZON}/al2023-ami-kernel-default-x86_64"},
    "distribute": {"regions": [{"region": FAR}], "channel_parameters": {"prod": POINTER}},
}
SECOND = {"name": "second", "shell": "touch /srv/second"}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Layers]:
    """A stack of three layers, each on a channel of web, which has one version."""
    layers = [
        {
            "name": channel,
            "kind": "instances",
            "platform": "amazon-linux-2023",
            "instance_type": "m7i.large",
            "count": 1,
            "recipes": {"setup": [NOTE]},
            "blueprints": [{"blueprint": "web", "channel": channel}],
        }
        for channel in CHANNELS
    ]
    folder = tmp_path_factory.mktemp("files")
    stack = folder / "shop.yaml"
    stack.write_text(yaml.safe_dump({"kind": "stack", "name": "shop", "layers": layers}))
    with LocalAws(ROOT, speed=SPEED) as aws:
        local.tell_outputs(make_place(aws.session(), "kiln", aws.outputs))
        made = Layers(aws)
        kiln("apply", stack, a_file(folder), "-m", "begin")
        yield made


def kiln(*args: object, status: int = 0) -> Any:
    """What a command prints with --json."""
    ran = run(*args, "--json")
    assert ran.status == status, ran.stderr
    return ran.json


def a_file(folder: Path, **changes: Any) -> Path:
    """The blueprint's file."""
    path = folder / "web.yaml"
    path.write_text(yaml.safe_dump(WEB | changes))
    return path


def bake(shop: Layers, target: str) -> Any:
    """Bake to the end of its rollouts, without the pauses of `kiln bake`, which are real."""
    started = kiln("bake", target, "--no-wait")["bake"]["id"]
    shop.quiet()
    return kiln("status", started)


def runs(shop: Layers) -> dict[str, list[str | None]]:
    """The images of each layer's instances."""
    shop.quiet()
    return {channel: [i.image for i in shop.members(channel)] for channel in CHANNELS}


def pointers(shop: Layers) -> list[str]:
    """What the pointer names at home and far away."""
    clients = (shop.aws.session().client("ssm", region_name=r) for r in (shop.aws.region, FAR))
    return [str(ssm.get_parameter(Name=POINTER)["Parameter"]["Value"]) for ssm in clients]


def places(image: str) -> list[str | None]:
    """An image's ids at home and far away."""
    return [place.image for place in world().records.places(image)]


def test_two_versions_go_from_channel_to_channel_and_one_comes_back(
    shop: Layers, tmp_path: Path
) -> None:
    old = the_first_goes_all_the_way(shop)
    new = the_second_follows(shop, old, a_file(tmp_path, steps=[SECOND]))
    prod_goes_back(shop, old, new)
    all_of_it_is_known(old, new)


def the_first_goes_all_the_way(shop: Layers) -> str:
    """Dev has an image at once, the others once it is promoted, one after the other."""
    first = bake(shop, "web@1")
    assert first["bake"]["version"] == 1
    assert [(r["layer"], r["status"]) for r in first["rollouts"]] == [("shop/dev", "SUCCEEDED")]
    image = str(first["image"]["id"])
    assert runs(shop) == {"dev": [image], "staging": [], "prod": []}
    refused = kiln("promote", image, "--to", "prod", status=2)
    assert refused["message"].startswith(f"{image} ({first['image']['name']}) is not in staging of")
    dry = kiln("promote", "web", "--to", "staging", "--dry-run")
    assert [(row["layer"], row["changes"]) for row in dry["layers"]] == [("shop/staging", True)]
    assert kiln("promote", "web", "--to", "staging")["image"] == image
    assert shop.rollout(image, "staging").status is RolloutStatus.SUCCEEDED
    assert kiln("promote", "web", "--to", "prod")["images"].keys() == {shop.aws.region, FAR}
    assert shop.rollout(image, "prod").status is RolloutStatus.SUCCEEDED
    assert runs(shop) == {"dev": [image], "staging": [image], "prod": [image]}
    assert pointers(shop) == places(image)
    return image


def the_second_follows(shop: Layers, old: str, file: Path) -> str:
    """A newer version comes to dev and no further, until it is promoted as well."""
    kiln("apply", file, "-m", "newer")
    second = bake(shop, "web")
    assert second["bake"]["version"] == 2
    image = str(second["image"]["id"])
    assert runs(shop) == {"dev": [image], "staging": [old], "prod": [old]}
    takes = {row["layer"]: row["takes"][0]["image"] for row in kiln("layers")}
    assert takes == {"dev": image, "staging": old, "prod": old}
    for channel in ("staging", "prod"):
        kiln("promote", "web", "--to", channel)
        assert shop.rollout(image, channel).status is RolloutStatus.SUCCEEDED
    assert runs(shop) == {"dev": [image], "staging": [image], "prod": [image]}
    assert pointers(shop) == places(image)
    return image


def prod_goes_back(shop: Layers, old: str, new: str) -> None:
    """Prod goes back, and what is added to it later runs what it runs; dev and staging stay."""
    back = kiln("promote", old, "--to", "prod")
    assert (back["back"], back["former"], back["changed"]) == (True, new, True)
    until(lambda: attempts(old) == 2)
    assert shop.rollout(old, "prod").status is RolloutStatus.SUCCEEDED
    shop.quiet()
    kiln("layers", "add", "shop/prod", "--start")
    assert runs(shop) == {"dev": [new], "staging": [new], "prod": [old, old]}
    assert pointers(shop) == places(old)
    assert not kiln("promote", old, "--to", "prod")["changed"]
    assert len(shop.told("Image Promoted")) == 7
    shop.quiet()
    assert attempts(old) == 2


def attempts(image: str) -> int:
    """How often an image was brought to prod."""
    found = world().records.rollout(image, "shop/prod")
    return found.attempt if found else 0


def all_of_it_is_known(old: str, new: str) -> None:
    """Who stored and promoted what, as the commands tell it."""
    (listed,) = kiln("blueprints")["blueprints"]
    assert listed["channels"] == {"dev": new, "staging": new, "prod": old}
    log = kiln("blueprints", "log", "web")
    assert [version["message"] for version in log["versions"]] == ["begin", "newer"]
    assert all(version["author"].startswith("arn:aws") for version in log["versions"])
    assert log["versions"][1]["difference"][0]["path"] == "steps"
    held = [(entry["image"], entry["back"]) for entry in log["channels"]["prod"]]
    assert held == [(old, False), (new, False), (old, True)]
    assert yaml.safe_load(run("blueprints", "show", "web@1").stdout) == WEB
    for command in (("blueprints",), ("blueprints", "log", "web"), ("layers",)):
        assert run(*command).status == 0
    assert "nothing has changed" in run("promote", old, "--to", "prod").stdout
