"""Taking turns, in the same table as everything else.

what                        PK     SK
those that have their turn  TURNS  TURNS      (running: how many; turn:name: whose it is)
one that stands in line     LINE   time#bake
the next time to begin      TURNS  BEGINS     (next: ms)

One item has all turns, so that one conditional write sees to both rules: nobody has the
blueprint's, and fewer than so many have one. The number goes up and down with them in the same
write.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kiln.adapters._table import Table
from kiln.domain.naming import blueprint_of
from kiln.domain.turns import Line, Turn

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from kiln.ports import Clock

_TURNS = ("TURNS", "TURNS")
_BEGINS = ("TURNS", "BEGINS")
_OF = "turn:"


class DynamoTurns:
    """`Turns` on DynamoDB."""

    def __init__(self, dynamodb: DynamoDBClient, table: str, clock: Clock) -> None:
        self._table = Table(dynamodb, table)
        self._clock = clock

    def line(self) -> Line:
        """Everybody. Who takes a turn meanwhile is read twice rather than not at all."""
        waiting = [Turn.model_validate_json(body) for body in self._table.query("LINE")]
        running = self._running()
        having = {turn.bake for turn in running}
        return Line(
            running=running, waiting=tuple(turn for turn in waiting if turn.bake not in having)
        )

    def _running(self) -> tuple[Turn, ...]:
        found = self._table.attributes(_TURNS)
        turns = (value["M"] for name, value in found.items() if name.startswith(_OF))
        return tuple(
            Turn.model_validate({key: value["S"] for key, value in turn.items()}) for turn in turns
        )

    def stand(self, turn: Turn) -> None:
        """Stand in line."""
        self._table.put(_place(turn), turn.model_dump_json())

    def leave(self, turn: Turn) -> None:
        """Leave the line."""
        self._table.remove(_place(turn))

    def take(self, turn: Turn, most: int) -> bool:
        """Take a turn: one write, or none."""
        value = {key: {"S": text} for key, text in turn.model_dump().items()}
        return self._table.change_if(
            _TURNS,
            "SET #turn = :turn ADD #running :one",
            "attribute_not_exists(#turn) AND (attribute_not_exists(#running) OR #running < :most)",
            {":turn": {"M": value}, ":one": {"N": "1"}, ":most": {"N": str(most)}},
            _names(turn.blueprint),
        )

    def free(self, bake: str) -> None:
        """Give a turn back."""
        values: dict[str, Any] = {":bake": {"S": bake}, ":one": {"N": "-1"}}
        change = "REMOVE #turn ADD #running :one"
        names = _names(blueprint_of(bake))
        self._table.change_if(_TURNS, change, "#turn.bake = :bake", values, names)

    def next_begin(self, every_s: float, at_once: int) -> float:
        """One write in a crowd, two after a while without any."""
        every = int(every_s * 1000)
        while True:
            now = int(self._clock.now().timestamp() * 1000)
            # Who begins at once has booked a time that has passed.
            floor = now - (at_once - 1) * every
            booked = self._table.advance(_BEGINS, every, floor)
            if booked is not None:
                return (booked - now) / 1000
            if self._table.stamp(_BEGINS, floor + every, floor):
                return (floor - now) / 1000


def _names(blueprint: str) -> dict[str, str]:
    return {"#turn": f"{_OF}{blueprint}", "#running": "running"}


def _place(turn: Turn) -> tuple[str, str]:
    return "LINE", "#".join(turn.place)
