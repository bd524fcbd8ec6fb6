"""`Waits` on DynamoDB, in Kiln's table.

what               PK                SK
waiting token      WAIT#resource     bake#state             (expires)
one of a subject   WAITING#subject   resource#bake#state    (expires)
last look          LOOK#subject      LOOK                   (stamped: when it began, ms)
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from kiln.adapters._table import Table
from kiln.domain.waiting import WaitingToken, subject_for, subject_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from kiln.ports import Clock

# Longer than any wait: TTL is for tokens that were lost, not for those that are late.
_TOKEN_LIFE = timedelta(days=31)


class DynamoWaits:
    """`Waits` on DynamoDB."""

    def __init__(self, dynamodb: DynamoDBClient, table: str, clock: Clock) -> None:
        self._table = Table(dynamodb, table)
        self._clock = clock

    def keep(self, resource: str, token: WaitingToken) -> None:
        """Remember a waiting task."""
        expires = int((self._clock.now() + _TOKEN_LIFE).timestamp())
        key = _key(resource, token)
        self._table.put(key, token.model_dump_json(), expires={"N": str(expires)})

    def of(self, resource: str) -> tuple[WaitingToken, ...]:
        """Who waits for a resource."""
        subject = subject_for(resource)
        shared = self._table.query(f"WAITING#{subject}", f"{resource}#") if subject else ()
        # Only commands are waited for by an instance's id and alone, and nothing by an image's.
        alone = self._table.query(f"WAIT#{resource}") if subject != "images" else ()
        return tuple(WaitingToken.model_validate_json(body) for body in (*shared, *alone))

    def drop(self, resource: str, token: WaitingToken) -> None:
        """Forget a waiting task, unless it waits anew."""
        self._table.remove(_key(resource, token), token.model_dump_json())

    def all_of(self, subject: str) -> tuple[WaitingToken, ...]:
        """Who waits for anything of a subject."""
        found = self._table.query(f"WAITING#{subject}")
        return tuple(WaitingToken.model_validate_json(body) for body in found)

    def begin_look(self, subject: str, pace_s: float) -> bool:
        """One write, or none. The clocks of two machines differ by milliseconds: a look too early
        costs a call, one too late that much time."""
        now = self._clock.now().timestamp()
        return self._table.stamp(_look(subject), int(now * 1000), int((now - pace_s) * 1000))

    def end_look(self, subject: str) -> None:
        """Stamped as long ago: one write."""
        self._table.stamp(_look(subject), 0, int(self._clock.now().timestamp() * 1000))


def _look(subject: str) -> tuple[str, str]:
    return (f"LOOK#{subject}", "LOOK")


def _key(resource: str, token: WaitingToken) -> tuple[str, str]:
    subject, name = subject_of(token.wait), f"{token.wait.bake}#{token.state}"
    return (f"WAITING#{subject}", f"{resource}#{name}") if subject else (f"WAIT#{resource}", name)
