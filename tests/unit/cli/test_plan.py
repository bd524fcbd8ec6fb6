"""`kiln plan` in words: what a layer will do with the image."""

from __future__ import annotations

import pytest

from kiln.domain.stack import stack_from
from kiln.steps._hooks import put_hooks
from kiln_cli.commands.plan import _print, described
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


def test_the_plan_lists_the_recipes_of_every_layer_that_takes_the_image_with_their_files() -> None:
    fake = FakeWorld()
    source = {"type": "Git", "repository": "https://host/books.git", "getOptions": "branch:main"}
    web = {
        "name": "web",
        "kind": "instances",
        "platform": "amazon-linux-2023",
        "instance_type": "m7i.large",
        "runner": "chef",
        "source": source | {"privateSSHKey": "{{ssm-secure:key}}"},
        "recipes": {"deploy": ["web"], "setup": ["base::users", "web::tune"]},
        "blueprints": [{"blueprint": "web", "strategy": "canary"}],
    }
    script = web | {"name": "script", "runner": "shell", "source": None}
    script |= {"recipes": {"configure": ["\necho peers\n"]}, "blueprints": []}
    stack = {"kind": "stack", "name": "shop", "layers": [web, script]}
    fake.world.records.put_stack(stack_from(stack))
    plan = a_plan(a_document(layers=[{"layer": "shop/script", "strategy": "add"}]))
    by_blueprint, by_stack = described(plan, fake.world)["layers"]
    assert (by_blueprint["layer"], by_blueprint["strategy"]) == ("shop/script", "add")
    assert by_blueprint["listed"] == [{"event": "configure", "recipe": "echo peers", "file": ""}]
    assert (by_stack["layer"], by_stack["strategy"]) == ("shop/web", "canary")
    assert [(r["event"], r["recipe"], r["file"]) for r in by_stack["listed"]] == [
        ("setup", "base::users", "cookbooks/base/recipes/users.rb"),
        ("setup", "web::tune", "cookbooks/web/recipes/tune.rb"),
        ("deploy", "web", "cookbooks/web/recipes/default.rb"),
    ]
    # What may be a secret's name stays in the stack file.
    assert by_stack["source"] == source


def test_the_plan_names_the_hooks_that_a_group_does_not_have() -> None:
    fake = FakeWorld()
    fake.groups.a_group("shop-api", "lt-1")
    layer = {"name": "api", "kind": "autoscaling", "group": "shop-api"}
    layers = [layer | {"recipes": {"setup": ["true"]}}]
    stack = stack_from({"kind": "stack", "name": "shop", "layers": layers})
    fake.world.records.put_stack(stack)
    plan = a_plan(a_document(layers=[{"layer": "shop/api", "strategy": "replace"}]))
    (found,) = described(plan, fake.world)["layers"]
    assert found["group"] == "shop-api"
    assert found["missing_hooks"] == ["kiln-launch", "kiln-terminate"]
    put_hooks(stack, None, fake.world)
    assert described(plan, fake.world)["layers"][0]["missing_hooks"] == []


def test_the_plan_says_where_an_image_goes_and_what_of_it_costs_money(
    capsys: pytest.CaptureFixture[str],
) -> None:
    wish = {
        "regions": [{"region": "us-east-1"}],
        "parameter": "/images/web",
        "launch_templates": [{"region": "us-east-1", "name": "web", "default": True}],
        "fast_snapshot_restore": ["us-east-1a"],
    }
    plan = described(a_plan(a_document(distribute=wish)), FakeWorld().world)
    assert plan["distribute"]["regions"] == [{"region": "us-east-1", "kms_key": None}]
    assert len(plan["costs"]) == 2
    _print(plan)
    printed = capsys.readouterr().out
    for words in ("us-east-1, encrypted with the AWS managed key", "by the minute, one hour at"):
        assert words in printed
    assert "web in us-east-1, its default version" in printed
