"""Service models that are cut down: a client of each asks no more of it than is there."""

from __future__ import annotations

import pytest
from botocore.loaders import Loader
from botocore.session import Session

from tools.models import TARGET, called


@pytest.mark.parametrize("service", sorted(called()))
def test_a_client_can_be_made_of_a_model_that_is_cut_down(service: str) -> None:
    session = Session()
    session.register_component("data_loader", Loader([str(TARGET), Loader.BUILTIN_DATA_PATH]))
    client = session.create_client(service, region_name="eu-west-1")
    loaded = session.get_component("data_loader").load_service_model(service, "service-2")
    assert set(loaded["operations"]) == called()[service]
    # Asked for where a call's endpoint is looked for, first of all S3's.
    assert all(told.name for told in client.meta.service_model.client_context_parameters)
