"""The commands that a layer's recipes become against the documents and against SendCommand."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import botocore.session
import pytest
import yaml
from botocore.validate import ParamValidator

from kiln.domain.documents import DocumentCall
from kiln.domain.lifecycle import LifecycleEvent
from kiln.domain.recipes import MOST_PARAMETERS, Payload, calls_for, files_call
from kiln.domain.stack import Layer
from kiln_local.ssm import PUBLIC_DOCUMENTS

DOCUMENTS: dict[str, dict[str, Any]] = {
    path.stem.removeprefix("kiln-"): yaml.safe_load(path.read_text())
    for path in Path(__file__).parents[2].glob("documents/kiln-run-recipes-*.yaml")
}
SEND = botocore.session.get_session().get_service_model("ssm").operation_model("SendCommand")
# What AWS's documents take (SSM User Guide, "Creating associations that run Chef recipes" and
# "... Ansible playbooks"; ChefExecutionTimeout from public uses of the document).
CHEF = {
    *("SourceType", "SourceInfo", "RunList", "JsonAttributesSources", "JsonAttributesContent"),
    *("ChefClientVersion", "ChefClientArguments", "WhyRun", "ComplianceSeverity"),
    *("ComplianceType", "ComplianceReportBucket", "ChefExecutionTimeout"),
}
ANSIBLE = {
    *("SourceType", "SourceInfo", "InstallDependencies", "PlaybookFile", "ExtraVariables"),
    *("Check", "Verbose", "TimeoutSeconds"),
}
LAYERS: dict[str, dict[str, Any]] = {
    "shell": {"recipes": {event.value: ["echo '$(x)'"] for event in LifecycleEvent}},
    "powershell": {
        "platform": "windows-2022",
        "runner": "powershell",
        "recipes": {event.value: ['Write-Output "x"'] for event in LifecycleEvent},
    },
    "chef": {
        "runner": "chef",
        "source": {"type": "Git", "repository": "https://example.org/cookbooks.git"},
        "recipes": {event.value: ["web", "web::tune"] for event in LifecycleEvent},
    },
    "ansible": {
        "runner": "ansible",
        "source": {"type": "GitHub", "owner": "o", "repository": "r"},
        "recipes": {event.value: ["a.yml", "b.yml"] for event in LifecycleEvent},
    },
}
PAYLOADS = {
    "nothing": Payload({}),
    "files": Payload({"attributes.json": '{"a": "{{ x }}"}'}),
    "an address": Payload({}, "https://b.example/x?y=z", "0" * 64),
}


def a_layer(runner: str) -> Layer:
    whole = {"name": "web", "kind": "instances", "platform": "ubuntu-22.04"}
    return Layer.model_validate(whole | {"instance_type": "m7i.large"} | LAYERS[runner])


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
@pytest.mark.parametrize("event", LifecycleEvent)
@pytest.mark.parametrize("runner", LAYERS)
def test_every_command_is_one_that_its_document_takes(
    runner: str, event: LifecycleEvent, payload: Payload
) -> None:
    layer = a_layer(runner)
    for call in (*calls_for(layer, event, payload), files_call(layer, event, payload)):
        _check_request(call)
        if call.ours:
            _check_ours(call)
        else:
            assert call.name in PUBLIC_DOCUMENTS
            assert set(call.parameters) <= (CHEF if "Chef" in call.name else ANSIBLE)


def _check_request(call: DocumentCall) -> None:
    request = {
        "DocumentName": call.name,
        "InstanceIds": ["i-0123456789abcdef0"],
        "Parameters": call.parameters,
        "TimeoutSeconds": call.timeout_s,
    }
    assert ParamValidator().validate(request, SEND.input_shape).generate_report() == ""


def _check_ours(call: DocumentCall) -> None:
    declared = DOCUMENTS[call.name]["parameters"]
    assert {name for name, spec in declared.items() if "default" not in spec} <= set(
        call.parameters
    )
    for name, values in call.parameters.items():
        for value in values:
            if "allowedValues" in declared[name]:
                assert value in declared[name]["allowedValues"]
            else:
                assert re.search(declared[name]["allowedPattern"], value)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_with_the_longest_parameters_is_within_the_limit(name: str) -> None:
    # A document is at most 64 KB with its parameters; an address with its token is about 2 KB.
    assert len(json.dumps(DOCUMENTS[name])) + MOST_PARAMETERS + 3000 < 64 * 1024
