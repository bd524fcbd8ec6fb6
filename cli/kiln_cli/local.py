"""The local AWS for the commands: the only module that imports kiln_local."""

from __future__ import annotations

import gc
import json
import logging
import os
import signal
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kiln.errors import InvalidRequest, Refused
from kiln_cli.baking import Pace
from kiln_cli.files import read_text
from kiln_cli.history import Execution
from kiln_cli.opening import Opened
from kiln_cli.place import Place, make_place
from kiln_cli.printing import progress
from kiln_cli.result import CommandOutcome, FaultOutcome, StepOutcome
from kiln_cli.yaml12 import read_yaml

if TYPE_CHECKING:
    from kiln_local.faults import Fault
    from kiln_local.world import LocalAws

_REAL_PAUSE = 0.05


class LocalLedger:
    """What the local AWS has seen."""

    def __init__(self, aws: LocalAws) -> None:
        self._aws = aws
        self._zero = aws.clock.now() - timedelta(seconds=aws.clock.seconds())

    def calls(self, began: datetime) -> dict[str, int] | None:
        """Every call of a function or state machine since then."""
        return self._aws.recorder.count(max(0.0, self._seconds(began) - 1.0))

    def commands(self, bake: str, sent: Iterable[dict[str, Any]]) -> list[CommandOutcome]:  # noqa: ARG002
        """Every document that ran on an instance of the bake, in the order of their ends."""
        rows = list(self._aws.recorder.commands)
        return [_command(row) for row in rows if row["owner"] == bake]

    def aws_s(self, bake: str, execution: Execution) -> float | None:
        """Simulated seconds in which the bake waited for AWS."""
        if execution.ended is None:
            return None
        span = self._seconds(execution.began), self._seconds(execution.ended)
        return round(self._aws.recorder.busy_s(bake, *span), 3)

    def leaks(self, bake: str, images: set[str], kept: bool) -> list[dict[str, str]]:
        """By tag, in the local AWS's own books."""
        return self._aws.leaks(bake, None, kept, images)

    def faults(self) -> tuple[FaultOutcome, ...]:
        """The faults on request, with what they have done since the local AWS began."""
        return tuple(FaultOutcome.model_validate(row) for row in self._aws.faults.report())

    def throttled(self) -> dict[str, int] | None:
        """How often EC2's buckets have refused what; None where they are not applied."""
        return dict(sorted(self._aws.buckets.refused.items())) if self._aws.throttles else None

    def _seconds(self, moment: datetime) -> float:
        return (moment - self._zero).total_seconds()


def _command(row: dict[str, Any]) -> CommandOutcome:
    steps = (StepOutcome(name=s["name"], exit_code=s["exit_code"]) for s in row["steps"])
    return CommandOutcome(
        document=row["document"],
        instance=row["instance"],
        status=row["status"],
        ran=row["ran"],
        steps=tuple(steps),
        why_not=None if row["ran"] else row["why_not"] or "no step ran",
    )


@dataclass(frozen=True)
class Trouble:
    """What goes wrong on request: a file of faults, and EC2's token buckets."""

    faults: Path | None = None
    throttle: bool = False


def _read_faults(path: Path, root: Path) -> tuple[Fault, ...]:
    """The faults of a file. Raises InvalidRequest that begins with the path."""
    from kiln_local.faults import faults_from

    try:
        document = read_yaml(read_text(path), "it needs a list of faults")
        return faults_from(document, root)
    except Refused as error:
        raise InvalidRequest(f"{path}: {error}") from error


@contextmanager
def _local_aws(root: Path, speed: float, trouble: Trouble) -> Iterator[LocalAws]:
    """A local AWS that knows nothing of the user's account: no endpoint, profile or key of it."""
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ |= {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    # moto logs every state that fails; the result says it better.
    for name in ("moto", "werkzeug"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    # Until the local AWS is ready, which collects again: what is loaded until then stays.
    gc.disable()
    try:
        # Before the seconds that the start takes.
        faults = _read_faults(trouble.faults, root) if trouble.faults else ()
        # Only now: moto makes clients of its own when it is imported.
        from kiln_local.world import LocalAws

        with LocalAws(root, speed=speed, throttle=trouble.throttle) as aws:
            aws.faults.use(faults)
            yield aws
    finally:
        gc.enable()
        os.environ.clear()
        os.environ |= before


@contextmanager
def _ending_by_signal(ended: Callable[..., Any], *numbers: signal.Signals) -> Iterator[None]:
    """What a signal does within the block."""
    before = {number: signal.signal(number, ended) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def local_place(root: Path, speed: float, trouble: Trouble = Trouble()) -> Iterator[Opened]:
    """A fresh local AWS with the whole template in it; it ends with the block."""
    # A terminated command removes the machines' files as an interrupted one does.
    interrupted = _ending_by_signal(signal.default_int_handler, signal.SIGTERM)
    with interrupted, _local_aws(root, speed, trouble) as aws:
        place = make_place(aws.session(), "kiln", aws.outputs, aws.parameters)
        tell_outputs(place)
        yield Opened(place, LocalLedger(aws), _pace(aws))


def _pace(aws: LocalAws) -> Pace:
    # The pauses are real: the command must not take the processor from the machines.
    return Pace(aws.clock.sleep, lambda: repeat(_REAL_PAUSE * aws.clock.speed))


class ToldToEnd:
    """SIGINT and SIGTERM within the block, to be waited for.

    A signal may reach any thread, and one that sleeps on a lock is not woken by it: what Python
    writes to its wake-up descriptor, in whichever thread, is read here.
    """

    def __enter__(self) -> ToldToEnd:
        self._told, self._tells = socket.socketpair()
        self._tells.setblocking(False)
        self._within = ExitStack()
        self._within.enter_context(self._told)
        self._within.enter_context(self._tells)
        before = signal.set_wakeup_fd(self._tells.fileno())
        self._within.callback(signal.set_wakeup_fd, before)
        nothing = _ending_by_signal(lambda *_: None, signal.SIGINT, signal.SIGTERM)
        self._within.enter_context(nothing)
        return self

    def wait(self) -> None:
        """Until one of the two has come."""
        self._told.recv(1)

    def __exit__(self, *_: object) -> None:
        self._within.close()


class Served:
    """A local AWS on a port of 127.0.0.1."""

    def __init__(self, aws: LocalAws, port: int, ended: ToldToEnd) -> None:
        self.place = make_place(aws.session(), "kiln", aws.outputs, aws.parameters)
        tell_outputs(self.place)
        self.endpoint = aws.serve(port)
        self._ended = ended

    def wait(self) -> None:
        """Until SIGINT or SIGTERM."""
        self._ended.wait()


def tell_outputs(place: Place) -> None:
    """Let CloudFormation tell outputs and parameters: that is how a client finds the table and the
    rest."""
    outputs = {name: {"Value": value} for name, value in place.outputs.items()}
    declared = {name: {"Type": "String"} for name in place.parameters}
    template = {"Parameters": declared, "Resources": {}, "Outputs": outputs}
    place.client("cloudformation").create_stack(
        StackName=place.stack_name,
        TemplateBody=json.dumps(template),
        Parameters=[
            {"ParameterKey": name, "ParameterValue": value}
            for name, value in place.parameters.items()
        ],
    )


@contextmanager
def served(
    root: Path, speed: float, port: int, trouble: Trouble = Trouble(), emulator: bool = False
) -> Iterator[Served]:
    """A local AWS that other processes can use; with `emulator` its functions run under AWS's.
    Raises OSError for a port that cannot be had, InvalidRequest for what the emulator cannot."""
    _check_free(port)
    with ToldToEnd() as ended, _local_aws(root, speed, trouble) as aws, ExitStack() as within:
        aws.faults.told = lambda fault, at: progress(f"fault at {at.at_s:.0f} s: {fault}")
        local = Served(aws, port, ended)
        if emulator:
            within.enter_context(_emulated(aws, local.endpoint))
        yield local
        for row in aws.faults.report():
            if not row["fired"]:
                progress(f"fault that never acted: {row['fault']} (seen {row['seen']} times)")


@contextmanager
def _emulated(aws: LocalAws, endpoint: str) -> Iterator[None]:
    from kiln_local.emulated import RealTimeOnly, emulated
    from kiln_local.emulator import NoKit

    try:
        with emulated(aws, endpoint):
            yield
    except (NoKit, RealTimeOnly) as error:
        raise InvalidRequest(str(error)) from error


def _check_free(port: int) -> None:
    # Before the seconds that the start takes; `serve` looks once more.
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))


def port_problem(port: int, error: OSError) -> str:
    """Why a port cannot be had, for its user."""
    reason = error.strerror or str(error)
    return f"port {port} of 127.0.0.1 cannot be had ({reason}); choose another with --port"
