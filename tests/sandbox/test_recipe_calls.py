"""The commands that a layer's recipes become, run as they are sent."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from typing import Any

import pytest

from kiln.domain.documents import DocumentCall
from kiln.domain.lifecycle import LifecycleEvent
from kiln.domain.recipes import Payload, calls_for, files_call, to_upload
from kiln.domain.stack import Layer as StackLayer
from kiln_local.machines.asking import nobody
from tests.sandbox.bakery import Bakery
from tests.sandbox.recipes import CURRENT, ROW, Layer

FILES = {"attributes.json": '{"a": "\u00e9"}\n', "data_bags/aws_opsworks_stack/shop.json": "{}\n"}
SETUP = LifecycleEvent.SETUP


@pytest.fixture
def layer(bakery: Bakery) -> Iterator[Layer]:
    bakery.start(ROW)
    yield Layer(bakery)
    bakery.room.answer = nobody


def a_layer(**keys: Any) -> StackLayer:
    whole = {"name": "web", "kind": "instances", "platform": "ubuntu-22.04"}
    return StackLayer.model_validate(whole | {"instance_type": "m7i.large"} | keys)


def ran(layer: Layer, call: DocumentCall) -> str:
    assert call.name == "run-recipes-linux"
    step = layer.send(**{name: value for name, (value,) in call.parameters.items()})
    assert step.exit_code == 0, step
    return step.stdout


def test_a_layers_scripts_run_with_its_files(layer: Layer) -> None:
    made = a_layer(recipes={"setup": ["cat $KILN_ATTRIBUTES", "cat $KILN_DATA_BAGS/*/*"]})
    (call,) = calls_for(made, SETUP, Payload(FILES))
    assert ran(layer, call) == 'recipe 1 of 2\n{"a": "\u00e9"}\nrecipe 2 of 2\n{}\n'


def test_a_layers_scripts_run_from_an_address_where_they_are_too_long(layer: Layer) -> None:
    noise = random.Random(1).randbytes(60_000).hex()
    made = a_layer(recipes={"setup": ["wc -c <$KILN_ATTRIBUTES", f": {noise[:35_000]}"]})
    upload = to_upload(made, SETUP, {"attributes.json": noise})
    layer.serve(upload)
    there = Payload({}, "https://b.example/x?y=z", hashlib.sha256(upload).hexdigest())
    (call,) = calls_for(made, SETUP, there)
    assert ran(layer, call) == "recipe 1 of 2\n120000\nrecipe 2 of 2\n"


def test_what_chef_reads_is_put_in_place_first(layer: Layer) -> None:
    source = {"type": "S3", "path": "https://s3.amazonaws.com/shop/cookbooks.zip"}
    made = a_layer(runner="chef", source=source, recipes={"setup": ["nginx"]})
    files, chef = calls_for(made, SETUP, Payload(FILES))
    assert files == files_call(made, SETUP, Payload(FILES))
    assert ran(layer, files) == f"the files of setup on layer web are at {CURRENT}\n"
    places = [w for w in chef.parameters["ChefClientArguments"][0].split() if "=" in w]
    for place in places:
        assert layer.sh(f"test -d {place.partition('=')[2]} && echo there") == "there\n"
