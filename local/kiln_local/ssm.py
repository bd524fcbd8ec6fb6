"""Systems Manager: agents, Run Command and public parameters, where moto answers Success without
doing anything."""

from __future__ import annotations

import json
import re
from typing import Any

from moto.core.responses import ActionResult
from moto.ssm.exceptions import SSMException
from moto.ssm.models import ParameterDict
from moto.ssm.responses import SimpleSystemManagerResponse

from kiln_local import nodes, parameters
from kiln_local.commands import Invocation, RunCommand, SentCommand, got, listed
from kiln_local.ec2 import Ec2
from kiln_local.fastyaml import load
from kiln_local.machines.steps import NOT_HERE
from kiln_local.patches import Patches

_LARGEST = 64 * 1024
_SENT = (
    *("DocumentName", "InstanceIds", "Parameters", "Comment", "TimeoutSeconds"),
    *("OutputS3BucketName", "OutputS3KeyPrefix"),
)
_SHELL = {
    "schemaVersion": "2.2",
    "parameters": {
        "commands": {"type": "StringList"},
        "workingDirectory": {"type": "String", "default": ""},
        "executionTimeout": {"type": "String", "default": "3600"},
    },
    "mainSteps": [
        {
            "action": "aws:runShellScript",
            "name": "runShellScript",
            "inputs": {
                "runCommand": "{{ commands }}",
                "workingDirectory": "{{ workingDirectory }}",
                "timeoutSeconds": "{{ executionTimeout }}",
            },
        }
    ],
}


def _not_here(what: str) -> dict[str, Any]:
    step = {"action": f"{NOT_HERE}{what}", "name": "run", "inputs": {}}
    return {"schemaVersion": "2.2", "parameters": None, "mainSteps": [step]}


# AWS's own documents. Those that need Chef or Ansible are known, and recorded as not run.
PUBLIC_DOCUMENTS: dict[str, dict[str, Any]] = {
    "AWS-RunShellScript": _SHELL,
    "AWS-ApplyChefRecipes": _not_here("Chef recipes"),
    "AWS-ApplyAnsiblePlaybooks": _not_here("Ansible playbooks"),
    "AWS-RunPowerShellScript": _not_here("PowerShell"),
}


def connect(patches: Patches, ec2: Ec2, commands: RunCommand) -> None:
    """Patch moto's Systems Manager."""
    for name, method in _methods(ec2, commands).items():
        patches.set(SimpleSystemManagerResponse, name, method)
    # moto's own public parameters name images that do not exist here.
    patches.set(ParameterDict, "_check_loading_status", lambda *_: None)
    parameters.connect(patches, ec2)


def _methods(ec2: Ec2, commands: RunCommand) -> dict[str, Any]:
    """Replacements for moto's methods, each with this world bound to it."""

    def bound(method: Any) -> Any:
        return lambda response: ActionResult(method(response, ec2, commands))

    methods = (
        send_command,
        list_commands,
        list_command_invocations,
        get_command_invocation,
        describe_instance_information,
    )
    return {method.__name__: bound(method) for method in methods}


def send_command(response: Any, ec2: Ec2, commands: RunCommand) -> dict[str, Any]:
    """SendCommand."""
    request = {name: value for name in _SENT if (value := response._get_param(name)) is not None}
    document = _document(response.ssm_backend, request["DocumentName"])
    _check(request, document, ec2)
    return {"Command": commands.send(request, document).described()}


def list_commands(response: Any, _: Ec2, commands: RunCommand) -> dict[str, Any]:
    """ListCommands, newest first."""
    wanted, instance = response._get_param("CommandId"), response._get_param("InstanceId")
    filters = _command_filters(response)
    found = [
        command.described()
        for command in reversed(list(commands.commands.values()))
        if wanted in (None, command.id) and (instance is None or instance in command.invocations)
        if filters.items() <= command.described().items()
    ]
    return {"Commands": found[: int(response._get_param("MaxResults") or 50)]}


def _command_filters(response: Any) -> dict[str, str]:
    filters = {f["key"]: f["value"] for f in response._get_param("Filters") or ()}
    for key in filters.keys() - {"Status", "DocumentName"}:
        raise SSMException("InvalidFilterKey", f"The local AWS does not filter commands by {key}.")
    return filters


def list_command_invocations(response: Any, _: Ec2, commands: RunCommand) -> dict[str, Any]:
    """ListCommandInvocations, newest first."""
    wanted, instance = response._get_param("CommandId"), response._get_param("InstanceId")
    details = bool(response._get_param("Details"))
    found = [
        listed(command, invocation, details)
        for command in reversed(list(commands.commands.values()))
        for invocation in command.invocations.values()
        if wanted in (None, command.id) and instance in (None, invocation.instance)
        if invocation.delivered
    ]
    return {"CommandInvocations": found}


def get_command_invocation(response: Any, _: Ec2, commands: RunCommand) -> dict[str, Any]:
    """GetCommandInvocation, of one step or of all."""
    ids = response._get_param("CommandId"), response._get_param("InstanceId")
    command, invocation = _invocation(commands, *ids)
    plugin = response._get_param("PluginName")
    steps = invocation.run.steps if invocation.run else ()
    step = next((step for step in steps if step.name == plugin), None)
    if plugin and step is None:
        raise SSMException("InvalidPluginName", f"The plugin name {plugin} isn't valid.")
    return got(command, invocation, step)


def describe_instance_information(response: Any, ec2: Ec2, _: RunCommand) -> dict[str, Any]:
    """DescribeInstanceInformation."""
    return nodes.described(response, ec2)


def _document(backend: Any, name: str) -> dict[str, Any]:
    short = name.rpartition("/")[2]
    if short in PUBLIC_DOCUMENTS:
        return PUBLIC_DOCUMENTS[short]
    if short not in backend._documents:
        raise SSMException("InvalidDocument", f"document {name} does not exist.")
    content = backend._documents[short].get_default_version().content
    return dict(load(content))


def _check(request: dict[str, Any], document: dict[str, Any], ec2: Ec2) -> None:
    instances = request.get("InstanceIds") or []
    offline = [instance for instance in instances if not ec2.agents.online(instance)]
    if not instances or offline:
        raise SSMException(
            "InvalidInstanceId", f"Instances {offline} not in a valid state for account"
        )
    if len(request.get("Comment", "")) > 100:
        raise SSMException("ValidationException", "Comment is longer than 100 characters")
    given = request.get("Parameters", {})
    size = len(json.dumps(document)) + sum(len(v) for values in given.values() for v in values)
    if size > _LARGEST:
        raise SSMException(
            "MaxDocumentSizeExceeded", "The document with its parameters is over 64 KB."
        )
    if "parameters" in document and document["parameters"] is None:
        # A document that is not run here takes whatever it is given.
        return
    declared = document.get("parameters", {})
    for name, spec in declared.items():
        if name not in given and "default" not in spec:
            raise SSMException("InvalidParameters", f"Parameter {name} is required.")
    for name, values in given.items():
        if name not in declared:
            raise SSMException(
                "InvalidParameters", f"Parameter {name} is not declared by the document."
            )
        for value in values:
            _check_value(name, declared[name], value)


def _check_value(name: str, spec: dict[str, Any], value: str) -> None:
    pattern, allowed = spec.get("allowedPattern"), spec.get("allowedValues")
    # An unanchored search, as the service does it.
    if pattern and not re.search(pattern, value):
        raise SSMException("InvalidParameters", f"Parameter {name} does not match {pattern}.")
    if allowed and value not in [str(word) for word in allowed]:
        raise SSMException("InvalidParameters", f"Parameter {name} is not one of {allowed}.")
    if len(value) > int(spec.get("maxChars", 1 << 30)) or len(value) < int(spec.get("minChars", 0)):
        raise SSMException("InvalidParameters", f"Parameter {name} is too long or too short.")


def _invocation(
    commands: RunCommand, command_id: str, instance: str
) -> tuple[SentCommand, Invocation]:
    command = commands.commands.get(command_id)
    invocation = command.invocations.get(instance) if command else None
    if command is None or invocation is None or not invocation.delivered:
        raise SSMException(
            "InvocationDoesNotExist", "The command ID and instance ID don't match any invocation."
        )
    return command, invocation
