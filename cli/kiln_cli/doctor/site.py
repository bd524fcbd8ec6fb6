"""What checks are given: how to ask AWS, who asks where, and what is deployed there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kiln.adapters._errors import translated
from kiln.errors import AwsRefused
from kiln_cli.doctor.finding import Finding

# A client by its service, in the Region of the site or another one.
Clients = Callable[..., Any]


@dataclass(frozen=True)
class Deployment:
    """Kiln's CloudFormation stack: its name, outputs, and parameters with their values."""

    name: str
    outputs: Mapping[str, str]
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Key:
    """A key of the Key Management Service as a blueprint or the template names it, for whom, and
    the accounts that images under it are shared with."""

    name: str
    region: str
    of: str
    accounts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Used:
    """What blueprints and layers that are stored ask for: instance types, by the type who wants
    it, and keys of images."""

    types: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    keys: tuple[Key, ...] = ()


@dataclass(frozen=True)
class Site:
    """An account and Region, and Kiln in it."""

    clients: Clients
    region: str
    account: str
    partition: str
    deployment: Deployment
    used: Used = Used()

    def output(self, name: str) -> str:
        """An output of the stack. Raises AwsRefused where an older template has none."""
        found = self.deployment.outputs.get(name)
        if found is None:
            raise AwsRefused(
                *("cloudformation", "DescribeStacks", "NoOutputs"),
                f"stack {self.deployment.name} has no output {name}; deploy the template again",
            )
        return found

    def parameter(self, name: str) -> str:
        """A parameter's value, '' where the stack does not tell it."""
        return self.deployment.parameters.get(name, "")


Check = Callable[[Site], Iterator[Finding]]


def every(client: Any, service: str, method: str, key: str, **request: Any) -> Iterator[Any]:
    """The items of all pages of an operation, with AWS's errors as ours."""
    operation = client.meta.method_to_api_mapping[method]
    with translated(service, operation):
        for page in client.get_paginator(method).paginate(**request):
            yield from page.get(key, ())
