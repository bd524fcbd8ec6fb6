"""What a stack file may say, and the one line that says what it may not."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiln.domain.feed import amount_of
from kiln.domain.lifecycle import LifecycleEvent
from kiln.domain.scaling import is_hour
from kiln.domain.stack import Layer, next_hostname, stack_from
from kiln.errors import InvalidBlueprint

WEB: dict[str, Any] = {
    "name": "web",
    "kind": "instances",
    "platform": "amazon-linux-2023",
    "instance_type": "m7i.large",
}
API: dict[str, Any] = {"name": "api", "kind": "autoscaling", "group": "shop-api"}
SOURCE = {"type": "S3", "path": "https://s3.eu-west-1.amazonaws.com/shop/cookbooks.zip"}


APP = {"source": {"type": "s3", "url": "s3://shop-apps/a.tar"}, "path": "/srv/a"}


def a_layer(**keys: Any) -> Layer:
    (layer,) = stack_from({"kind": "stack", "name": "shop", "layers": [WEB | keys]}).layers
    return layer


def refused(layer: dict[str, Any]) -> str:
    with pytest.raises(InvalidBlueprint) as error:
        stack_from({"kind": "stack", "name": "shop", "layers": [layer]})
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_layer_has_recipes_of_its_runner() -> None:
    layer = a_layer(
        runner="chef", source=SOURCE, recipes={"setup": ["nginx", "recipe[web::tune]", "role[web]"]}
    )
    assert layer.recipes.of(LifecycleEvent.SETUP)[0] == "nginx"
    assert [event for event, _ in layer.recipes.all()] == [LifecycleEvent.SETUP] * 3
    assert a_layer(platform="windows-2022", recipes={"deploy": ["Write-Output 'hi'"]}).name == "web"


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"runner": "chef", "recipes": {"setup": ["nginx"]}}, "source: chef needs one whose type"),
        (
            {"runner": "ansible", "source": {"type": "Git"}, "recipes": {"setup": ["web.yml"]}},
            "one of GitHub, S3",
        ),
        ({"source": SOURCE}, "source: is only for chef and ansible, not shell"),
        ({"apps": [APP, APP]}, "apps: the path '/srv/a' is used twice"),
        ({"apps": [APP], "platform": "windows-2022"}, "apps: are for Linux"),
        ({"apps": [APP | {"path": "/tmp/a"}]}, "'/tmp/a' is below /tmp"),
        (
            {"runner": "chef", "source": SOURCE, "recipes": {"setup": ["echo hi; rm x"]}},
            "recipes.setup: 'echo hi; rm x' is not a recipe's name",
        ),
        (
            {"runner": "ansible", "source": SOURCE, "recipes": {"deploy": ["/etc/x.yml"]}},
            "recipes.deploy: '/etc/x.yml' is not a playbook's path",
        ),
        (
            {"runner": "chef", "source": SOURCE, "recipes": {"setup": [{"file": "a.sh"}]}},
            "file: a.sh is not a recipe's name",
        ),
        (
            {"runner": "chef", "source": SOURCE | {"password": "hunter2"}},
            "password must name a SecureString parameter",
        ),
        ({"runner": "powershell"}, "powershell does not run on Linux"),
        ({"platform": "windows-2022", "runner": "chef"}, "chef does not run on Windows"),
        ({"recipes": {"setup": ["x" * 40_000]}}, "longer than 36000 bytes"),
        ({"recipes": {"setup": ["a\0b"]}}, "NUL character"),
        ({"recipes": {"start": ["x"]}}, "start: is not a known key; allowed: setup, configure"),
        ({"custom_json": {"a": "x" * 130_000}}, "custom_json: is larger than 120 KB"),
        ({"refresh": {"min_healthy_percentage": 50}}, "refresh: is only for kind autoscaling"),
        ({"blueprints": [{"blueprint": "web"}] * 2}, "the blueprint 'web' is used twice"),
        ({"blueprints": [{"blueprint": "web", "batch": "0%"}]}, "batch: must be at least one"),
        ({"blueprints": [{"blueprint": "web", "batch": "lots"}]}, "neither a number of instances"),
        ({"blueprints": [{"blueprint": "web", "surge": "101%"}]}, "neither a number of instances"),
        ({"instances": [{"hostname": "web1", "scaling": "load"}]}, "add load:"),
        ({"instances": [{"hostname": "web1", "scaling": "time"}]}, "hours go with scaling: time"),
        ({"instances": [{"hostname": "web1", "hours": {"monday": [8]}}]}, "hours go with scaling"),
        (
            {"instances": [{"hostname": "w", "scaling": "time", "hours": {"monday": [24]}}]},
            "less than or equal to 23",
        ),
        ({"instances": [{"hostname": "web_1"}]}, "does not match"),
        ({"instances": [{"hostname": "web1"}] * 2}, "the hostname 'web1' is used twice"),
        (
            {"instances": [{"hostname": "web1", "also_in": ["db"]}]},
            "'db' is no layer of this",
        ),
        (
            {"load": {"up": {"alarms": ["a"] * 6}, "down": {"alarms": ["b"]}}},
            "at most 5 items",
        ),
        (
            {"load": {"up": {"alarms": ["a"], "wait": "2h"}, "down": {"alarms": ["b"]}}},
            "allowed: 1m to 100m",
        ),
        ({"target_groups": ["web"]}, "'web' is no ARN of a target group"),
        ({"volumes": [{"mount_point": "data", "size_gib": 10}]}, "does not match"),
        (
            {"platform": "windows-2022", "volumes": [{"mount_point": "/data", "size_gib": 10}]},
            "volumes: are for Linux only; windows-2022 has its root alone",
        ),
        (
            {"volumes": [{"mount_point": "/data", "size_gib": 10}] * 2},
            "volumes: /data is the mount point of two",
        ),
    ],
)
def test_what_does_not_fit_together_is_refused(keys: dict[str, Any], said: str) -> None:
    assert said in refused(WEB | keys)


def test_layers_that_share_an_instance_share_its_mount_points() -> None:
    data = {"volumes": [{"mount_point": "/data", "size_gib": 10}]}
    web = WEB | data | {"instances": [{"hostname": "web1", "also_in": ["db"]}]}
    db = WEB | {"name": "db"}
    stack_from({"kind": "stack", "name": "shop", "layers": [WEB | data, db | data]})
    stack_from({"kind": "stack", "name": "shop", "layers": [web, db]})
    with pytest.raises(InvalidBlueprint) as found:
        stack_from({"kind": "stack", "name": "shop", "layers": [web, db | data]})
    assert "'web1' is in web, db: volumes: /data is the mount point of two" in str(found.value)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"count": 2}, "count: is only for kind instances"),
        ({"volumes": [{"mount_point": "/data", "size_gib": 1}]}, "volumes: is only for kind inst"),
        ({"apps": [APP]}, "apps: is only for kind instances"),
        ({"refresh": {"checkpoint_percentages": [50, 20]}}, "must rise from one to the next"),
        (
            {"refresh": {"min_healthy_percentage": 50, "max_healthy_percentage": 160}},
            "at most 100 above",
        ),
    ],
)
def test_a_group_has_keys_of_its_own(keys: dict[str, Any], said: str) -> None:
    assert said in refused(API | keys)


def test_a_feed_says_how_a_rollout_goes_about_it() -> None:
    layer = a_layer(blueprints=[{"blueprint": "web", "batch": "50%", "alarms": ["web-5xx"]}])
    (feed,) = layer.blueprints
    assert feed.strategy == "replace"
    assert (feed.options.batch, feed.options.surge, feed.options.alarms) == ("50%", 1, ("web-5xx",))


@given(st.integers(0, 100), st.integers(0, 1000))
def test_a_percentage_of_a_layer_is_rounded_up_and_never_exceeds_it(share: int, size: int) -> None:
    found = amount_of(f"{share}%", size)
    assert found <= size
    assert (found > 0) == (share > 0 and size > 0)
    assert amount_of(size, 3) == size


def test_an_hour_is_of_the_week_in_utc() -> None:
    hours: Any = {"tuesday": (8, 9)}
    assert is_hour(hours, datetime.fromisoformat("2026-11-24T09:59:59+00:00"))
    assert is_hour(hours, datetime.fromisoformat("2026-11-24T10:30:00+01:00"))
    assert not is_hour(hours, datetime.fromisoformat("2026-11-24T10:00:00+00:00"))
    assert not is_hour(hours, datetime.fromisoformat("2026-11-25T08:00:00+00:00"))


def test_a_hostname_holds_only_what_a_host_may_be_called() -> None:
    assert next_hostname("web.front_end", set()) == "web-front-end1"
    assert next_hostname("_", {"instance1"}) == "instance2"
