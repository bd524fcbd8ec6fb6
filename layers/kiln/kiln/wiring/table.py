"""The ports that keep what they know in Kiln's table, made when a step first asks for one."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from kiln.wiring.clients import ClientWorld

if TYPE_CHECKING:
    from kiln.ports import (
        Channels,
        Deployments,
        Follows,
        LoadSteps,
        Pauses,
        Records,
        Rounds,
        Turns,
        Versions,
        Waits,
        Workshop,
    )


class TableWorld(ClientWorld):
    """The ports of a table."""

    @cached_property
    def rounds(self) -> Rounds:
        from kiln.adapters.rounds import DynamoRounds

        return DynamoRounds(*self._table)

    @cached_property
    def deployments(self) -> Deployments:
        from kiln.adapters.deployments import DynamoDeployments

        return DynamoDeployments(*self._table)

    @cached_property
    def load_steps(self) -> LoadSteps:
        from kiln.adapters.load_steps import DynamoLoadSteps

        return DynamoLoadSteps(*self._table)

    @cached_property
    def follows(self) -> Follows:
        from kiln.adapters.follows import DynamoFollows

        return DynamoFollows(*self._table)

    @cached_property
    def turns(self) -> Turns:
        from kiln.adapters.turns import DynamoTurns

        return DynamoTurns(*self._table, self.clock)

    @cached_property
    def pauses(self) -> Pauses:
        from kiln.adapters.pauses import DynamoPauses

        return DynamoPauses(*self._table)

    @cached_property
    def versions(self) -> Versions:
        from kiln.adapters.versions import DynamoVersions

        return DynamoVersions(*self._table)

    @cached_property
    def channels(self) -> Channels:
        from kiln.adapters.channels import DynamoChannels

        return DynamoChannels(*self._table)

    @cached_property
    def workshop(self) -> Workshop:
        from kiln.adapters.workshop import DynamoWorkshop

        return DynamoWorkshop(*self._table)

    @cached_property
    def records(self) -> Records:
        from kiln.adapters.records import DynamoRecords

        return DynamoRecords(*self._table)

    @cached_property
    def waits(self) -> Waits:
        from kiln.adapters.waits import DynamoWaits

        return DynamoWaits(*self._table, self.clock)
