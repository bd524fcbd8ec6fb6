"""Bakes and rollouts while they run: what to show of them now, as lines or as a picture that
changes (screen.py). Looking changes nothing, and whoever stops looking stops nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from kiln.domain.naming import blueprint_of
from kiln.domain.rollout import Rollout, RolloutStatus
from kiln.domain.stack import split_layer
from kiln_cli import gathering, history, timing
from kiln_cli.baking import ROLLOUT_STARTS_WITHIN, takers_of
from kiln_cli.outputs import Document, Outputs
from kiln_cli.place import Place

_RUNS = ("RUNNING", "WAITING")


@dataclass(frozen=True)
class BakeView:
    """A bake as it stands: its state and what that waits for, seconds, and what its steps have said
    so far."""

    bake: str
    status: str
    state: str
    waits_for: str
    elapsed_s: float
    expected_s: float | None
    documents: tuple[Document, ...] = ()
    cause: str = ""
    # Layers that are to take its image and have not begun to.
    awaited: frozenset[str] = frozenset()

    @property
    def runs(self) -> bool:
        """Whether more is to come."""
        return self.status in _RUNS or bool(self.awaited)

    @property
    def part(self) -> float:
        """How much of the expected time has passed, 0 to 1."""
        return min(1.0, self.elapsed_s / self.expected_s) if self.expected_s else 0.0

    @property
    def why(self) -> str:
        """What it waits for, or why it failed."""
        return self.cause or self.waits_for

    def lines(self) -> Iterator[str]:
        """All that its steps have said, each line with who said it."""
        for document in self.documents:
            for said in document.said:
                text = f"{said.stdout}\n{said.stderr}"
                yield from (f"{document.label} | {line}" for line in text.splitlines() if line)


@dataclass(frozen=True)
class RolloutView:
    """A rollout as it stands, with its layer's instances by state."""

    rollout: str
    layer: str
    image: str
    status: str
    way_back: bool
    states: dict[str, int]
    cause: str = ""

    @property
    def runs(self) -> bool:
        """Whether more is to come."""
        return self.status == RolloutStatus.RUNNING.value

    @property
    def instances(self) -> str:
        """`2 online, 1 booting`."""
        return ", ".join(f"{count} {state}" for state, count in sorted(self.states.items()))


@dataclass(frozen=True)
class View:
    """Everything that is watched."""

    bakes: tuple[BakeView, ...] = ()
    rollouts: tuple[RolloutView, ...] = ()

    @property
    def runs(self) -> bool:
        """Whether anything does."""
        return any(b.runs for b in self.bakes) or any(r.runs for r in self.rollouts)

    @property
    def signature(self) -> str:
        """Another one when something has begun or ended."""
        running = (r.rollout for r in self.rollouts if r.runs)
        return " ".join(sorted((*(b.bake for b in self.bakes if b.runs), *running)))

    @property
    def failed(self) -> bool:
        """Whether anything has ended badly."""
        found = {b.status for b in self.bakes} | {r.status for r in self.rollouts}
        return bool(found & {"FAILED", "TIMED_OUT", "ABORTED"})


@dataclass
class Watch:
    """Looks again and again at the bakes that are named, else at all that run; each time also at
    the rollouts that run, and at those that it has seen run."""

    place: Place
    named: tuple[str, ...] = ()
    # Whether what steps say is asked for too.
    listens: bool = True
    _bakes: dict[str, BakeView] = field(default_factory=dict)
    _rollouts: dict[str, Rollout] = field(default_factory=dict)
    _outputs: dict[str, Outputs] = field(default_factory=dict)
    _guesses: dict[str, timing.Estimate | None] = field(default_factory=dict)

    def look(self) -> View:
        """Everything as it stands now. AwsBusy, AwsRefused."""
        for bake in self._wanted():
            seen = self._bakes.get(bake)
            if seen is None or seen.runs:
                self._bakes[bake] = self._bake(bake)
        return View(tuple(self._bakes.values()), tuple(self._look_at_rollouts()))

    def _wanted(self) -> list[str]:
        if self.named:
            return list(self.named)
        records = self.place.world.records
        names = {*self.place.world.versions.names(), *records.baked()}
        found = [r for name in names for r in records.bakes(name) if r.status.value in _RUNS]
        running = [r.plan.bake for r in sorted(found, key=lambda record: record.plan.started)]
        return list(dict.fromkeys((*self._bakes, *running)))

    def _bake(self, bake: str) -> BakeView:
        world, ended = self.place.world, gathering.look_up(self.place, bake)
        spans = history.spans(ended.events, ended.execution)
        state = next((s.name for s in spans if s.exited_s is None), "")
        waits = timing.WAITS.get(state, ("kiln", ""))
        standing = waits[0] == "turn" and gathering.waiting_for(bake, world.turns.line(), world)
        outputs = self._outputs.setdefault(bake, Outputs(self.place, ended.record))
        return BakeView(
            bake=bake,
            status=ended.execution.status,
            state=state,
            waits_for=standing or waits[1],
            elapsed_s=gathering.elapsed(ended.execution, world),
            expected_s=self._expected(bake),
            documents=outputs.of(ended.events) if self.listens else (),
            cause=_reason(ended.execution),
            awaited=self._awaited(ended),
        )

    def _expected(self, bake: str) -> float | None:
        """By the blueprint's last bakes, as they were at the first look."""
        if bake not in self._guesses:
            records = self.place.world.records
            self._guesses[bake] = timing.estimate(records.bakes(blueprint_of(bake)))
        guess = self._guesses[bake]
        return guess.seconds if guess else None

    def _awaited(self, ended: gathering.Ended) -> frozenset[str]:
        """Seconds after its bake an image is rolled out; minutes after it, no more."""
        record, over = ended.record, ended.execution.ended
        if record is None or record.image is None or over is None:
            return frozenset()
        world = self.place.world
        if (world.clock.now() - over).total_seconds() > ROLLOUT_STARTS_WITHIN:
            return frozenset()
        begun = {rollout.layer for rollout in world.records.rollouts(record.image)}
        return frozenset(takers_of(record.plan, record.image, world) - begun)

    def _look_at_rollouts(self) -> Iterator[RolloutView]:
        records = self.place.world.records
        found = [*records.open_rollouts(), *self._of_named()]
        for rollout in found:
            if not self.named or rollout.bake in self.named:
                self._rollouts[rollout.id] = rollout
        for known in self._rollouts.values():
            now = records.rollout(known.image, known.layer) or known
            stack, layer = split_layer(now.layer)
            members = (i for i in records.instances(stack) if layer in i.layers)
            yield RolloutView(
                rollout=now.id,
                layer=now.layer,
                image=now.image,
                status=now.status.value,
                way_back=now.back_since is not None,
                states=dict(Counter(member.state.value for member in members)),
                cause=now.cause or "",
            )

    def _of_named(self) -> Iterator[Rollout]:
        """Those of the bakes that are named, ended ones too."""
        records = self.place.world.records
        for bake in self.named:
            record = records.bake(bake)
            if record and record.image:
                yield from records.rollouts(record.image)


def _reason(execution: history.Execution) -> str:
    return f"{execution.error}: {execution.cause or 'no cause given'}" if execution.error else ""


class Lines:
    """What has changed since the last look, a line for each: for logs, and terminals that can no
    more."""

    def __init__(self) -> None:
        self._told: dict[str, str] = {}
        self._said: Counter[str] = Counter()

    def of(self, view: View) -> Iterator[str]:
        """The new lines."""
        for bake in view.bakes:
            yield from self._new_output(bake)
            where = f"{bake.status} {bake.state if bake.runs else ''}".strip()
            yield from self._changed(bake.bake, where, (bake.why, timing.minutes(bake.elapsed_s)))
        for rollout in view.rollouts:
            where = f"{rollout.status}{' on its way back' if rollout.way_back else ''}"
            told = (rollout.cause, rollout.instances)
            yield from self._changed(rollout.rollout, f"{rollout.layer} {where}", told)

    def _new_output(self, bake: BakeView) -> Iterator[str]:
        lines = list(bake.lines())
        yield from (f"{bake.bake}: {line}" for line in lines[self._said[bake.bake] :])
        self._said[bake.bake] = len(lines)

    def _changed(self, name: str, where: str, more: Iterable[str]) -> Iterator[str]:
        if self._told.get(name) != where:
            self._told[name] = where
            extra = "; ".join(part for part in more if part)
            yield f"{name}: {where}" + (f" ({extra})" if extra else "")
