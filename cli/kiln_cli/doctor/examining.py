"""One examination: credentials first, then the Region, the stack, and all that hangs on them. A
check that AWS refuses costs the others nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import boto3

from kiln.errors import AwsBusy, AwsRefused
from kiln_cli.doctor import credentials, stack, using
from kiln_cli.doctor.alarms import alarms, listeners
from kiln_cli.doctor.finding import Finding, unknown
from kiln_cli.doctor.keys import keys
from kiln_cli.doctor.letters import letters
from kiln_cli.doctor.logs import logs
from kiln_cli.doctor.network import network
from kiln_cli.doctor.notices import notices
from kiln_cli.doctor.profile import profile
from kiln_cli.doctor.quotas import concurrency, images, vcpus
from kiln_cli.doctor.site import Check, Deployment, Site, Used
from kiln_cli.place import FIRST_CALL, make_place

# What needs no stack, by name; then what does.
WITHOUT: tuple[tuple[str, Check], ...] = (
    ("quotas", vcpus),
    ("quotas", images),
    ("quotas", concurrency),
)
WITHIN: tuple[tuple[str, Check], ...] = (
    ("network", network),
    ("profile", profile),
    ("keys", keys),
    ("notices", notices),
    ("dead-letters", letters),
    ("alarms", alarms),
    ("alarms", listeners),
    ("logs", logs),
)


def examine(open_session: Callable[[], boto3.Session], name: str, own: str) -> Iterator[Finding]:
    """All findings about an account and Kiln's stack `name` in it, as they come; `own` is the
    version of this command. `open_session` fails where the profile does not exist."""
    opened: list[boto3.Session] = []

    def sts() -> Any:
        opened.append(open_session())
        return opened[0].client("sts", config=FIRST_CALL)

    caller, finding = credentials.identify(sts, os.environ.get("AWS_PROFILE", ""))
    yield finding
    if caller is None:
        return
    session = opened[0]
    clients = clients_of(session)
    region = session.client("sts").meta.region_name
    yield from _safely("region", lambda: iter([credentials.region(clients("ec2"), region)]))
    site = Site(clients, region, caller.account, caller.partition, Deployment(name, {}))
    deployed: list[Deployment] = []
    yield from _safely("stack", lambda: _stack(clients, name, own, deployed))
    if deployed:
        site = replace(site, deployment=deployed[0])
    yield from _about(site, session, bool(deployed))


def clients_of(session: boto3.Session) -> Callable[..., Any]:
    """Clients of a session, each made once."""
    made: dict[tuple[str, str | None], Any] = {}

    def client(service: str, region: str | None = None) -> Any:
        if (service, region) not in made:
            made[service, region] = session.client(service, region_name=region)  # type: ignore[call-overload]
        return made[service, region]

    return client


def _stack(
    clients: Callable[..., Any], name: str, own: str, deployed: list[Deployment]
) -> Iterator[Finding]:
    deployment, finding = stack.look(clients("cloudformation"), name)
    yield finding
    if deployment:
        deployed.append(deployment)
        yield from stack.version(deployment, own)
        yield from stack.parameters(deployment.parameters)


def _about(site: Site, session: boto3.Session, deployed: bool) -> Iterator[Finding]:
    known: list[Used] = [using.usual()]
    if deployed:
        yield from _safely("blueprints", lambda: _used(site, session, known))
    site = replace(site, used=known[-1])
    for name, check in (*WITHOUT, *(WITHIN if deployed else ())):
        yield from _safely(name, lambda check=check: check(site))  # type: ignore[misc]


def _used(site: Site, session: boto3.Session, known: list[Used]) -> Iterator[Finding]:
    deployment = site.deployment
    if all(name in deployment.outputs for name in stack.NEEDED):
        outputs, given = dict(deployment.outputs), dict(deployment.parameters)
        world = make_place(session, deployment.name, outputs, given).world
        known.append(using.used(world, site.region))
    return iter(())


def _safely(name: str, check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    try:
        yield from check()
    except (AwsRefused, AwsBusy) as error:
        yield unknown(name, error)
