"""RefreshGroup: the next turn of a rollout to an Auto Scaling group, or of its way back, and what
to wait for then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kiln.domain.failure import Failure
from kiln.domain.feed import Refresh
from kiln.domain.group import configuration
from kiln.domain.model import Model
from kiln.domain.naming import client_token
from kiln.domain.refreshing import (
    LONGEST_S,
    Finished,
    Follow,
    MakeVersion,
    Missed,
    RefreshFacts,
    RefreshOrder,
    Restore,
    StartRefresh,
    Turn,
    longest_s,
    next_turn,
    order,
    order_back,
    turn_back,
)
from kiln.domain.waiting import InstanceRefresh
from kiln.errors import AwsRefused, RolloutFailed
from kiln.ports import VersionOrder, World
from kiln.steps._groups import group_of
from kiln.steps._holding_up import why_held
from kiln.steps._rollouts import check_open, goes_back, layer_of_rollout, rollout_of

if TYPE_CHECKING:
    from kiln.domain.rollout import GroupRollout, Rollout

# More than any way has; each turn but the last changes something.
_MOST_TURNS = 8


class RefreshGroup(Model):
    """The rollout, by image and layer; `back` on its way back after a failure."""

    image: str
    layer: str
    back: bool = False
    failure: Failure | None = None


class GroupRefreshed(Model):
    """What to wait for before the next turn; nothing, where the rollout is over."""

    wait: InstanceRefresh | None


def refresh_group(request: RefreshGroup, world: World) -> GroupRefreshed:
    """Decide and act until there is something to wait for. Raises RolloutFailed, AwsBusy."""
    if request.back:
        _begin_back(request, world)
    for _ in range(_MOST_TURNS):
        rollout = rollout_of(request.image, request.layer, world)
        check_open(rollout)
        if rollout.group is None:
            # It failed before it had looked at the group: nothing was changed.
            return GroupRefreshed(wait=None)
        turn = _turn(rollout.group, request.back, world)
        if isinstance(turn, Finished):
            return GroupRefreshed(wait=None)
        if isinstance(turn, Follow):
            return GroupRefreshed(wait=_wait(rollout, turn.refresh, request.back, world))
        if isinstance(turn, Restore):
            _restore(rollout.group, world)
            return GroupRefreshed(wait=None)
        _act(turn, rollout, rollout.group, request.back, world)
    raise RolloutFailed(f"the rollout of {request.image} to {request.layer} goes round in circles")


def _begin_back(request: RefreshGroup, world: World) -> None:
    """Note the way back, and what was made on the way there and never written down: the function
    that made it died before it could."""
    rollout = rollout_of(request.image, request.layer, world)
    check_open(rollout)
    state = rollout.group
    if rollout.back_since or state is None:
        return
    made, refresh = state.made, state.refresh
    if made is None:
        made = world.groups.labelled(state.template, _label(rollout))
    if made is not None and refresh is None:
        refresh = _active(state, made, world)
    rollout = rollout.model_copy(
        update={"group": state.model_copy(update={"made": made, "refresh": refresh})}
    )
    goes_back(rollout, request.failure, world)


def _turn(state: GroupRollout, back: bool, world: World) -> Turn:
    there = _known(state, state.refresh, world)
    if not back:
        return next_turn(state, there)
    return turn_back(state, there, _known(state, state.back, world))


def _known(state: GroupRollout, refresh: str | None, world: World) -> RefreshFacts | None:
    if not refresh:
        return None
    # One that was started a moment ago may not be told of yet.
    pending = RefreshFacts(id=refresh, status="Pending")
    return world.groups.refresh(state.group, refresh) or pending


def _act(turn: Turn, rollout: Rollout, state: GroupRollout, back: bool, world: World) -> None:
    if isinstance(turn, Missed):
        raise RolloutFailed(turn.why + why_held(rollout, state, world))
    if isinstance(turn, MakeVersion):
        _note(rollout, world, made=_version(rollout, state, world))
    elif isinstance(turn, StartRefresh):
        started = _started(_order(rollout, state, back, world), state, back, world)
        _note(rollout, world, **({"back": started} if back else {"refresh": started}))
    elif not world.groups.roll_back(state.group):
        world.groups.cancel(state.group)


def _note(rollout: Rollout, world: World, **changes: Any) -> None:
    group = rollout.group.model_copy(update=changes) if rollout.group else None
    world.records.update_rollout(rollout.model_copy(update={"group": group}))


def _version(rollout: Rollout, state: GroupRollout, world: World) -> int:
    """The version with the image: the one that the group has, or a new one."""
    former = world.groups.version(state.template, str(state.former))
    if former and former.image == rollout.image:
        return former.number
    made = VersionOrder(
        template=state.template,
        source=state.former,
        image=rollout.image,
        label=_label(rollout),
        token=client_token(rollout.id, state.template),
    )
    try:
        return world.groups.add_version(made)
    except AwsRefused as error:
        raise RolloutFailed(
            f"launch template {state.template} of Auto Scaling group {state.group} got no version "
            f"with {rollout.image}: {error}"
        ) from error


def _label(rollout: Rollout) -> str:
    """By which the version of a rollout is found again."""
    return f"kiln {rollout.id}"


def _order(rollout: Rollout, state: GroupRollout, back: bool, world: World) -> RefreshOrder:
    layer = layer_of_rollout(rollout, world)
    group = group_of(rollout.layer, layer, world)
    wish = layer.refresh or Refresh()
    number = state.former if back else state.made
    wanted = configuration(state.template, str(number), group.policy)
    return order_back(state, wish, wanted) if back else order(rollout, state, wish, wanted)


def _started(wish: RefreshOrder, state: GroupRollout, back: bool, world: World) -> str:
    """Start a refresh, or find the one that an attempt before this one started."""
    under_way = _active(state, state.former if back else state.made, world)
    if under_way:
        return under_way
    try:
        return world.groups.start_refresh(wish)
    except AwsRefused as error:
        # A request whose answer was lost is sent again by the client itself, and then is in the way
        # of what it has started.
        under_way = _active(state, state.former if back else state.made, world)
        if error.code == "InstanceRefreshInProgress" and under_way:
            return under_way
        raise RolloutFailed(_why_refused(error, state)) from error


def _active(state: GroupRollout, number: int | None, world: World) -> str | None:
    """The refresh to a version that is under way, younger than the one that is written down."""
    for known in world.groups.refreshes(state.group):
        if known.id == state.refresh:
            # All that follow are older.
            return None
        if (known.template, known.version) == (state.template, str(number)) and known.is_active:
            return known.id
    return None


def _why_refused(error: AwsRefused, state: GroupRollout) -> str:
    if error.code == "InstanceRefreshInProgress":
        return (
            f"Auto Scaling group {state.group} is being refreshed by somebody else; wait for the "
            "end of that, or cancel it, and roll out again"
        )
    return f"the instance refresh of Auto Scaling group {state.group} was refused: {error}"


def _wait(rollout: Rollout, refresh: str, back: bool, world: World) -> InstanceRefresh:
    state = rollout.group
    longest = LONGEST_S
    if state and not back:
        longest = longest_s(_order(rollout, state, back, world))
    return InstanceRefresh(
        kind="instance-refresh",
        bake=rollout.id,
        since=world.clock.now().isoformat(),
        timeout_s=longest,
        group=state.group if state else "",
        refresh=refresh,
        stack=rollout.layer.partition("/")[0],
        back=back,
    )


def _restore(state: GroupRollout, world: World) -> None:
    """The group's setting and the template as they were: the setting first, for a version that is
    in use must not be deleted."""
    group = world.groups.describe(state.group)
    if group and group.templates:
        now = group.template
        if (now.id, now.version) != (state.template, state.setting):
            world.groups.set_launch(
                state.group, configuration(state.template, state.setting, group.policy)
            )
    if state.made is not None and state.made != state.former:
        world.groups.delete_version(state.template, state.made)
