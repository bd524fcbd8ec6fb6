"""EC2's token buckets, on request: one set for each account and Region, a bucket for each action,
another for the instances that it touches; filled in simulated time.

EC2 answers RequestLimitExceeded with HTTP 503 where one is empty. Sizes: throttling.yaml. Every
client's request to EC2 counts, as in an account; what AWS does of its own accord does not.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moto.ec2.responses import EC2Response

from kiln_local.fastyaml import load
from kiln_local.faults import answers
from kiln_local.faults.model import Refusal
from kiln_local.patches import Patches

_TABLE = Path(__file__).with_name("throttling.yaml")
_READS = ("Describe", "Get", "List", "Search")
# What of a request makes it one for particular things, or for a page of them.
_NARROW = ("Filter.", "MaxResults", "NextToken")
Size = tuple[float, float]


@dataclass
class Bucket:
    """Holds `capacity` tokens at most and gets `refill` a second. Full at first."""

    capacity: float
    refill: float
    tokens: float
    since_s: float

    def has(self, tokens: float, now_s: float) -> bool:
        """Whether it holds so many now. One request may ask for more than it ever holds."""
        gained = (now_s - self.since_s) * self.refill
        self.tokens = min(self.capacity, self.tokens + gained)
        self.since_s = now_s
        return self.tokens >= tokens

    def take(self, tokens: float) -> None:
        """Take so many."""
        self.tokens -= tokens


@dataclass(frozen=True)
class Request:
    """A request to EC2. `narrow` is whether it asks for particular things or a page, `instances`
    how many it touches."""

    account: str
    region: str
    action: str
    narrow: bool = True
    instances: int = 0


class Buckets:
    """All buckets of one local AWS. Safe for threads. `refused` counts by action."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._sizes = Sizes()
        self._buckets: dict[tuple[str, str, str], Bucket] = {}
        self._lock = threading.Lock()
        self.refused: Counter[str] = Counter()

    def admit(self, request: Request) -> bool:
        """Take what a request costs from its buckets; False, and nothing taken, where one of them
        has less."""
        with self._lock:
            now = self._seconds()
            asked = [
                (self._bucket(request, name, size, now), tokens)
                for name, size, tokens in self._sizes.costs(request)
            ]
            # Each is looked at, so that all are filled up to now.
            enough = [bucket.has(tokens, now) for bucket, tokens in asked]
            if not all(enough):
                self.refused[f"ec2:{request.action}"] += 1
                return False
            for bucket, tokens in asked:
                bucket.take(tokens)
            return True

    def _bucket(self, request: Request, name: str, size: Size, now: float) -> Bucket:
        key = request.account, request.region, name
        if key not in self._buckets:
            self._buckets[key] = Bucket(size[0], size[1], size[0], now)
        return self._buckets[key]


class Sizes:
    """The table."""

    def __init__(self) -> None:
        table = load(_TABLE.read_text())
        self._categories: dict[str, Size] = {k: tuple(v) for k, v in table["categories"].items()}
        self._unfiltered = frozenset(table["unfiltered"])
        self._actions: dict[str, Size] = {k: tuple(v) for k, v in table["actions"].items()}
        self._resources: dict[str, Size] = {k: tuple(v) for k, v in table["resources"].items()}

    def costs(self, request: Request) -> Iterable[tuple[str, Size, float]]:
        """Bucket, its size, and the tokens that a request takes from it."""
        action = request.action
        if action in self._unfiltered and not request.narrow:
            yield f"{action} unfiltered", self._categories["unfiltered"], 1
        else:
            yield action, self.of(action), 1
        if action in self._resources and request.instances:
            yield f"{action} instances", self._resources[action], request.instances

    def of(self, action: str) -> Size:
        """Capacity and refill a second of an action's bucket of requests."""
        if action in self._actions:
            return self._actions[action]
        return self._categories["non-mutating" if action.startswith(_READS) else "mutating"]


def request_of(asked: Any) -> Request:
    """The request that moto is about to answer."""
    action = str(asked._get_action())
    given: Mapping[str, Any] = asked.querystring
    ids = [key for key in given if "Id." in key]
    narrow = bool(ids) or any(key.startswith(_NARROW) for key in given)
    count = sum(key.startswith("InstanceId.") for key in given)
    if action == "RunInstances":
        count = int((given.get("MaxCount") or ["1"])[0])
    return Request(asked.current_account, asked.region, action, narrow, count)


def connect(patches: Patches, buckets: Buckets) -> None:
    """Ask the buckets before EC2 does anything."""
    original = EC2Response.call_action

    def call_action(self: Any) -> Any:
        request = request_of(self)
        if buckets.admit(request):
            return original(self)
        said = (
            f"Request limit exceeded. Account {request.account} has been throttled on "
            f"ec2:{request.action} because it exceeded its request rate limit."
        )
        return answers.serialized("ec2", Refusal(code="RequestLimitExceeded", message=said))

    patches.set(EC2Response, "call_action", call_action)
