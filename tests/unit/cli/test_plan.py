"""`kiln plan` in words: what a layer will do with the image."""

from __future__ import annotations

from kiln.domain.stack import stack_from
from kiln_cli.commands.plan import described
from tests.builders import a_document, a_plan
from tests.fakes import FakeWorld


def test_the_plan_names_the_applications_that_a_layers_deploy_places() -> None:
    fake = FakeWorld()
    app = {"source": {"type": "s3", "url": "s3://shop-apps/a.tar"}, "path": "/srv/shop"}
    layer = {
        "name": "web",
        "kind": "instances",
        "platform": "amazon-linux-2023",
        "instance_type": "m7i.large",
        "apps": [app],
        "recipes": {"deploy": ["echo deployed"]},
    }
    fake.world.records.put_stack(stack_from({"kind": "stack", "name": "shop", "layers": [layer]}))
    plan = a_plan(a_document(layers=[{"layer": "shop/web", "strategy": "add"}]))
    (found,) = described(plan, fake.world)["layers"]
    assert (found["apps"], found["recipes"]) == (["/srv/shop"], {"deploy": ["echo deployed"]})
