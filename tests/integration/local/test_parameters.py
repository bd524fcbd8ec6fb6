"""Parameter Store while several read and write."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.ssm import models

from kiln_local import parameters
from kiln_local.patches import Patches


def test_a_parameter_is_not_read_before_it_has_a_version(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Any] = []
    readers: list[threading.Thread] = []

    def look() -> None:
        ssm = models.ssm_backends["123456789012"]["eu-west-1"]
        read.append(ssm.get_parameter("/new"))

    class Slow(models.Parameter):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            # Its name is there, and its first version not yet.
            readers.append(threading.Thread(target=look))
            readers[-1].start()
            readers[-1].join(timeout=0.1)
            super().__init__(*args, **kwargs)

    monkeypatch.setattr(models, "Parameter", Slow)
    patches = Patches()
    elsewhere: Any = SimpleNamespace(backend=SimpleNamespace(account_id="", region_name=""))
    with mock_aws():
        parameters.connect(patches, elsewhere)
        try:
            client = boto3.client("ssm", region_name="eu-west-1")
            client.put_parameter(Name="/new", Value="x", Type="String")
            for reader in readers:
                reader.join()
        finally:
            patches.undo()
    assert [found.value for found in read] == ["x"]
