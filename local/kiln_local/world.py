"""One local AWS: everything put together, started, served, ended."""

from __future__ import annotations

import gc
import logging
import os
import shutil
import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

import boto3
from moto import mock_aws
from moto.core import DEFAULT_ACCOUNT_ID

from kiln_local import (
    alarms,
    asynchronous,
    balancing,
    balancing_calls,
    bundles,
    commands,
    copies,
    ec2,
    ec2_calls,
    economies,
    endowment,
    events,
    functions,
    group_calls,
    group_events,
    groups,
    images,
    inside,
    interpreter,
    leaks,
    lifecycle_hooks,
    makers,
    metrics,
    notices,
    parameters,
    patience,
    policies,
    public_images,
    recorder,
    refreshes,
    releases,
    retiring,
    schedules,
    ssm,
    tables,
    templates,
    throttling,
    volumes,
)
from kiln_local.clock import SimClock
from kiln_local.faults import Faults
from kiln_local.faults.connecting import Ground, connect
from kiln_local.iam import deliveries, enforcement
from kiln_local.latencies import Latencies
from kiln_local.machines import MachineRoom
from kiln_local.memory import memory
from kiln_local.own_calls import OwnCalls
from kiln_local.patches import Patches
from kiln_local.rooms import Rooms
from kiln_local.template import Resolver, expand, local_paths, pseudo_parameters, read
from kiln_local.windows.machine import Around
from kiln_local.windows.room import WindowsRoom

_log = logging.getLogger(__name__)
_CONFIG: Any = {
    "stepfunctions": {"execute_state_machine": True},
    "core": {"reset_boto3_session": True, "mock_credentials": True},
}


class LocalAws:
    """A context manager. Only one can run in a process at a time: moto's backends are global.

    `speed` may be Steady; `throttle` has EC2's token buckets applied; `faults.use(...)` takes a
    list of faults, also between two bakes.
    """

    def __init__(
        self,
        project: Path,
        *,
        speed: float = 100.0,
        region: str = "eu-west-1",
        parameters: dict[str, str] | None = None,
        throttle: bool = False,
    ) -> None:
        self.project = project
        self.region = region
        self.account = DEFAULT_ACCOUNT_ID
        self._speed = speed
        self._parameters = parameters or {}
        self.throttles = throttle
        self._patches = Patches()
        self._server: Any = None

    def __enter__(self) -> LocalAws:
        self._home = Path(tempfile.mkdtemp(prefix="kiln-local-", dir=memory()))
        self._environ = dict(os.environ)
        self._mock = mock_aws(config=_CONFIG)
        self._mock.start()
        os.environ["AWS_DEFAULT_REGION"] = self.region
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _start(self) -> None:
        self.clock = SimClock(self._speed)
        self.recorder = recorder.install(recorder.Recorder(self.clock))
        self.faults = Faults(self.clock)
        self.buckets = throttling.Buckets(self.clock.seconds)
        self.iam = enforcement.install(self.account, self.region, self.clock.now)
        latencies = Latencies()
        self._own = OwnCalls(self.session())
        key = bundles.Ec2Key()
        self.room = self._rooms(key)
        self._events = events.AwsEvents(self.clock, latencies, self.account, self.region)
        self.ec2 = ec2.Ec2(
            self.clock, latencies, self.recorder, self.room, self._events, self._backend("ec2")
        )
        self.agents = self.ec2.agents
        self.copies = copies.Copies(self.ec2)
        self.balancing = balancing.Balancing(self.ec2, self._backend("elbv2"))
        self.alarms = alarms.Alarms(self.clock, self._events, self._backend("cloudwatch"))
        self._add_groups()
        self.notices = notices.Notices(self.clock, latencies, self._events)
        self.releases = releases.Releases(self.ec2, self._backend("ssm"))
        self.ec2.read_bundle = lambda location: bundles.read_bundle(location, key, self._own.read)
        self._run_command = commands.RunCommand(self.ec2, self._own.store)
        self._schedules = schedules.Schedules(
            self.clock, self._events, self._backend("events"), self._backend("scheduler")
        )
        self._connect()
        self.endowment = endowment.endow(self._patches, self.ec2.backend, self.account)
        public_images.load_public(self.ec2)
        parameters.load_public(self._backend("ssm"), self.ec2)
        self._make()
        self._go_wrong()
        # What is made by now stays to the end. To look through it again and again for what nobody
        # needs any more took a tenth of the processor time of a bake.
        gc.freeze()
        gc.enable()

    def _rooms(self, key: bundles.Ec2Key) -> Rooms:
        # What a document works takes real time where time is steady, and so has its time limit.
        linux = MachineRoom(self._home, 1.0 if self.clock.steady else self._speed)
        asked = inside.Inside(self._own.client, key.certificate, self.iam.signed_in_vain)
        linux.answer = asked.answer
        around = Around(self.clock.now, self.clock.sleep, self._own.client, asked.fetch)
        windows = WindowsRoom(self._home, around, self._powered_off)
        return Rooms(linux, windows)

    def _add_groups(self) -> None:
        told = group_events.GroupEvents(self.clock, self._events)
        backend = self._backend("autoscaling")
        self.templates = templates.Templates(self._parameter)
        self.groups = groups.Groups(
            self.ec2,
            self.balancing,
            self.templates,
            told,
            lifecycle_hooks.Hooks(self.clock, told, backend),
            backend,
        )
        self.refreshes = refreshes.Refreshes(self.groups, self.alarms)

    def _parameter(self, name: str) -> str | None:
        found = self._backend("ssm").get_parameter(name)
        return str(found.value) if found else None

    def _connect(self) -> None:
        clock = self.clock
        self.metrics = metrics.watch(clock, self._backend)
        patience.connect(self._patches, clock)
        economies.connect(self._patches)
        policies.connect(self._patches)
        tables.connect(self._patches)
        events.connect(self._patches, self._events)
        schedules.connect(self._patches, self._schedules)
        ec2_calls.connect(self._patches, self.ec2)
        volumes.connect(self._patches, self.ec2)
        balancing_calls.connect(self._patches, self.balancing)
        alarms.connect(self._patches, self.alarms)
        templates.connect(self._patches, self.templates)
        group_calls.connect(self._patches, self.groups, self.refreshes)
        images.connect(self._patches, self.ec2)
        copies.connect(self._patches, self.copies, self.ec2)
        notices.connect(self._patches, self.notices)
        retiring.connect(self._patches, self.ec2)
        ssm.connect(self._patches, self.ec2, self._run_command)
        self.executions = interpreter.connect(self._patches, clock, self.region, self._changed)
        self._events.backend = self._backend("events")
        self._events.start_execution = self._own.start_execution
        self._events.send_message = asynchronous.sender(self._own.client)

    def _changed(self, execution: Any) -> None:
        """Step Functions tells of an execution that begins or ends."""
        self._events.execution_changed(execution)
        self.metrics.execution(execution)

    def _make(self) -> None:
        raw = read(self.project / "template.yaml")
        template = expand(raw, self.region)
        pseudo = pseudo_parameters(makers.STACK, self.region, self.account)
        resolver = Resolver(template, self._parameters, pseudo)
        stack = makers.Stack(self.session(), self.account, local_paths(raw), self.project)
        makers.make_all(template, resolver, stack)
        self.outputs = resolver.outputs(template)
        self.parameters = resolver.parameters
        self.resources = resolver.known
        self.functions = functions.Functions(self.project, stack.functions, self.region)
        self.functions.enter(self._patches, self.metrics.printed)
        self.metrics.begin()
        allowed = deliveries.connect(self.iam, stack, self._events)
        send = self._events.send_message
        self._events.lambdas = asynchronous.Asynchronous(
            self.clock, self.functions, stack.arn, send, stack.on_failure, allowed.reports
        )
        functions.connect(self._patches, self.functions, self._events.lambdas.later)

    def _go_wrong(self) -> None:
        """From now on, when the template's resources are made, things may go wrong."""
        ground = Ground(self.functions, self._events, self.ec2, self.executions)
        connect(self._patches, self.faults, ground)
        if self.throttles:
            throttling.connect(self._patches, self.buckets)

    # ------------------------------------------------------------ for others

    def session(self) -> boto3.Session:
        """A session of a client outside."""
        return boto3.Session(
            aws_access_key_id="local", aws_secret_access_key="local", region_name=self.region
        )

    def sent(self, detail_type: str) -> list[dict[str, Any]]:
        """The events of one type that AWS itself has sent, oldest first."""
        return [event for event in list(self._events.sent) if event["detail-type"] == detail_type]

    def leaks(
        self, bake: str, image: str | None, kept: bool = False, copies: Collection[str] = ()
    ) -> list[dict[str, str]]:
        """What an ended bake left behind in any Region; its image and its copies stay."""
        good = {*copies, *([image] if image else ())}
        found = leaks.everywhere(self._backend("ec2"), bake, good, kept)
        return found + leaks.parts(self._backend("ec2"), self._parts(bake), good)

    def _parts(self, bake: str) -> list[str]:
        bucket = self.resources["BundlesBucket"].ref
        return [f"{bucket}/{key}" for key in self._own.keys(bucket, f"bundles/{bake}/")]

    def serve(self, port: int) -> str:
        """Serve everything on 127.0.0.1; the endpoint. OSError for a port that is taken."""
        from kiln_local.server import Server

        self._server = Server(port, self.recorder)
        return str(self._server.endpoint)

    # ------------------------------------------------------------ inside

    def _backend(self, service: str) -> Any:
        from moto.backends import get_backend

        return get_backend(service)[self.account][self.region]

    def _powered_off(self, instance: str) -> None:
        self.ec2.stop(self.ec2.backend.get_instance(instance))

    def _join(self) -> None:
        left = self.clock.join()
        if left:
            _log.warning("threads of a local AWS that has ended still run: %s", ", ".join(left))

    def __exit__(self, *_: object) -> None:
        if self._server:
            self._server.stop()
        if hasattr(self, "clock"):
            self.clock.end()
        recorder.remove()
        enforcement.remove()
        if hasattr(self, "room"):
            self.room.close()
        if hasattr(self, "clock"):
            self._join()
        gc.unfreeze()
        self._patches.undo()
        self._mock.stop()
        os.environ.clear()
        os.environ.update(self._environ)
        shutil.rmtree(self._home, ignore_errors=True)
