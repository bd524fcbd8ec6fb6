"""Service models that are cut down: a client of each asks no more of it than is there."""

from __future__ import annotations

import json

import pytest
from botocore import xform_name
from botocore.loaders import Loader
from botocore.session import Session

from kiln.wiring.session import CoreSession
from tools.models import TARGET, called

PLACES = ("eu-west-1", "us-east-1", "us-gov-west-1", "cn-north-1", "eu-isoe-west-1")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("service", sorted(called()))
def test_a_client_of_them_is_that_of_the_whole_ones(service: str, place: str) -> None:
    """In every partition the same endpoint, the same pages, the same retries."""
    cut = CoreSession(str(TARGET)).client(service, region_name=place)
    session = Session()
    session.register_component("data_loader", Loader([Loader.BUILTIN_DATA_PATH]))
    whole = session.create_client(service, region_name=place)
    assert cut.meta.endpoint_url == whole.meta.endpoint_url
    assert cut.meta.partition == whole.meta.partition
    assert cut.meta.config.retries == whole.meta.config.retries
    for name in called()[service]:
        method = xform_name(name)
        assert cut.can_paginate(method) == whole.can_paginate(method)


@pytest.mark.parametrize("service", sorted(called()))
def test_the_rules_for_endpoints_are_whole(service: str) -> None:
    cut, whole = (
        Loader([place], include_default_search_paths=False)
        for place in (str(TARGET), Loader.BUILTIN_DATA_PATH)
    )
    found, known = (one.load_service_model(service, "endpoint-rule-set-1") for one in (cut, whole))
    # Not as ordered as they were.
    assert json.dumps(found, sort_keys=True) == json.dumps(known, sort_keys=True)


@pytest.mark.parametrize("place", PLACES)
def test_regions_are_of_the_same_partitions(place: str) -> None:
    whole = Session().get_partition_for_region(place)
    assert CoreSession(str(TARGET)).get_partition_for_region(place) == whole


@pytest.mark.parametrize("service", sorted(called()))
def test_a_client_can_be_made_of_a_model_that_is_cut_down(service: str) -> None:
    session = Session()
    session.register_component("data_loader", Loader([str(TARGET), Loader.BUILTIN_DATA_PATH]))
    client = session.create_client(service, region_name="eu-west-1")
    loaded = session.get_component("data_loader").load_service_model(service, "service-2")
    assert set(loaded["operations"]) == called()[service]
    # Asked for where a call's endpoint is looked for, first of all S3's.
    assert all(told.name for told in client.meta.service_model.client_context_parameters)
