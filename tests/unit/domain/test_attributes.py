"""What recipes are told of their stack."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiln.domain.attributes import Address, Snapshot, attributes, custom_json, merged
from kiln.domain.data_bags import data_bags, files
from kiln.domain.deployment import Deployment
from kiln.domain.instance import InstanceState, LayerInstance
from kiln.domain.lifecycle import LifecycleEvent
from kiln.domain.stack import stack_from
from kiln.errors import InvalidBlueprint
from tests.builders import NOW

S = InstanceState
SOURCE = {"type": "Git", "repository": "git@host:x.git", "privateSSHKey": "{{ssm-secure:key}}"}


def an_instance(name: str, *layers: str, state: InstanceState = S.ONLINE) -> LayerInstance:
    return LayerInstance(
        id=f"id-{name}",
        stack="shop",
        layers=layers or ("web",),
        hostname=name,
        state=state,
        ec2_id=f"i-{name}",
        image="ami-1",
        instance_type="m7i.large",
    )


def a_deployment(custom_json: dict[str, Any]) -> Deployment:
    return Deployment(
        id="0d1e",
        stack="shop",
        command="deploy",
        instances=("i",),
        by="arn:aws:iam::123456789012:user/ada",
        at=NOW.isoformat(),
        custom_json=custom_json,
    )


ADDRESS = Address(
    private_ip="10.0.0.1",
    private_dns="ip-10",
    public_ip="54.0.0.1",
    public_dns="ec2-54",
    zone="eu-west-1a",
)


def a_snapshot(*instances: LayerInstance, **given: Any) -> Snapshot:
    layer = {"kind": "instances", "platform": "amazon-linux-2023", "instance_type": "m7i.large"}
    stack = {
        "kind": "stack",
        "name": "shop",
        "custom_json": given.pop("stack_json", {}),
        "layers": [
            layer
            | {
                "name": "web",
                "runner": "chef",
                "source": SOURCE,
                "recipes": {"setup": ["nginx"]},
                "custom_json": given.pop("web_json", {}),
            },
            layer | {"name": "db", "custom_json": given.pop("db_json", {})},
        ],
    }
    target = given.pop("target", None) or instances[0]
    if "custom_json" in given:
        given["deployment"] = a_deployment(given.pop("custom_json"))
    known: dict[str, Any] = {
        "stack": stack_from(stack),
        "instances": instances,
        "addresses": {"i-web1": ADDRESS},
        "region": "eu-west-1",
        "target": target,
        "event": LifecycleEvent.SETUP,
        "command": "c-1",
        "sent_at": NOW,
    }
    return Snapshot(**(known | given))


def test_the_attributes_have_opsworkss_keys() -> None:
    """opsworks guide, "Stack Configuration and Deployment Attributes"."""
    found = attributes(a_snapshot(an_instance("web1"), an_instance("db1", "db")))
    opsworks = found["opsworks"]
    assert opsworks["activity"] == "setup"
    assert opsworks["sent_at"] == int(NOW.timestamp())
    assert opsworks["instance"]["hostname"] == "web1"
    assert opsworks["instance"]["layers"] == ["web"]
    assert opsworks["instance"]["private_ip"] == "10.0.0.1"
    web1 = opsworks["layers"]["web"]["instances"]["web1"]
    assert (web1["status"], web1["private_ip"], web1["ip"]) == ("online", "10.0.0.1", "54.0.0.1")
    assert web1["availability_zone"] == "eu-west-1a"
    assert list(opsworks["layers"]["db"]["instances"]) == ["db1"]
    assert found["recipes"] == ["nginx"]
    assert set(found) >= {"opsworks", "opsworks_custom_cookbooks", "recipes", "ssh_users", "deploy"}


def test_peers_are_online_and_the_target_sees_itself() -> None:
    states = [S.ONLINE, S.STOPPED, S.RUNNING_SETUP, S.CONNECTION_LOST]
    all_of_them = [an_instance(f"web{n}", state=state) for n, state in enumerate(states)]
    setting_up = all_of_them[2]
    snapshot = a_snapshot(*all_of_them, target=setting_up)
    assert list(attributes(snapshot)["opsworks"]["layers"]["web"]["instances"]) == ["web0"]
    bags = data_bags(snapshot)
    assert set(bags["aws_opsworks_instance"]) == {"web0", "web2"}
    selves = [name for name, item in bags["aws_opsworks_instance"].items() if item["self"]]
    assert selves == ["web2"]


def test_the_data_bags_have_an_item_per_object() -> None:
    """opsworks guide, "Data Bag Reference"."""
    bags = data_bags(a_snapshot(an_instance("web1", "web", "db")))
    assert bags["aws_opsworks_instance"]["web1"]["layer_ids"] == ["web", "db"]
    assert bags["aws_opsworks_layer"]["db"]["shortname"] == "db"
    assert bags["aws_opsworks_stack"]["shop"]["name"] == "shop"
    assert bags["aws_opsworks_command"]["command"]["type"] == "setup"
    assert bags["aws_opsworks_app"] == {}
    assert all(item["id"] == name for items in bags.values() for name, item in items.items())


def test_no_secret_and_no_source_travels() -> None:
    text = "".join(files(a_snapshot(an_instance("web1"))).values())
    assert "ssm-secure" not in text
    assert "git@host" not in text


def test_the_deployment_wins_over_the_layer_and_it_over_the_stack() -> None:
    snapshot = a_snapshot(
        an_instance("web1", "db", "web"),
        stack_json={"a": 1, "b": {"x": 1, "y": 1}, "l": [1, 2]},
        web_json={"a": 2, "b": {"y": 2}, "c": 2},
        db_json={"a": 3, "l": [3]},
        custom_json={"c": 4},
    )
    # Of the instance's layers the later one in the stack's order wins.
    assert custom_json(snapshot) == {"a": 3, "b": {"x": 1, "y": 2}, "l": [3], "c": 4}
    assert attributes(snapshot)["b"] == {"x": 1, "y": 2}


def test_recipes_know_the_deployment_that_they_run_for_and_who_asked() -> None:
    by_hand = a_snapshot(an_instance("web1"), custom_json={"c": 4})
    assert attributes(by_hand)["opsworks"]["deployment"] == "0d1e"
    command = data_bags(by_hand)["aws_opsworks_command"]["command"]
    assert command["args"] == {"c": 4}
    assert command["iam_user_arn"] == "arn:aws:iam::123456789012:user/ada"
    by_itself = a_snapshot(an_instance("web1"))
    assert attributes(by_itself)["opsworks"]["deployment"] is None
    assert data_bags(by_itself)["aws_opsworks_command"]["command"]["iam_user_arn"] is None


def test_custom_json_may_change_what_the_stack_says_of_itself() -> None:
    json_of = {"opsworks": {"ruby_version": "2.3"}}
    found = attributes(a_snapshot(an_instance("web1"), stack_json=json_of))
    assert found["opsworks"]["ruby_version"] == "2.3"
    assert found["opsworks"]["activity"] == "setup"


def test_custom_json_above_its_limit_is_refused() -> None:
    half = {"a": "x" * 70_000}
    with pytest.raises(InvalidBlueprint, match="larger than 120 KB together"):
        custom_json(
            a_snapshot(an_instance("web1"), stack_json=half, custom_json={"b": "x" * 70_000})
        )


def test_files_are_json_under_paths_of_their_own() -> None:
    found = files(a_snapshot(an_instance("web1"), an_instance("db1", "db")))
    assert {"attributes.json", "nodes/web1.json", "nodes/db1.json"} <= set(found)
    assert "data_bags/aws_opsworks_instance/db1.json" in found
    assert all(json.loads(text) for text in found.values())
    assert json.loads(found["nodes/db1.json"])["automatic"]["roles"] == ["db"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)
MAPPING = st.dictionaries(st.text(max_size=3), JSON, max_size=4)


@given(MAPPING, MAPPING, MAPPING)
def test_merging_keeps_every_key_and_what_comes_later_wins(a: Any, b: Any, c: Any) -> None:
    found = merged((a, b, c))
    assert set(found) == set(a) | set(b) | set(c)
    for key, value in c.items():
        if not isinstance(value, dict):
            assert found[key] == value
    assert merged((merged((a, b)), c)) == found
    assert merged((found, found)) == found
