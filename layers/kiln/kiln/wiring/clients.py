"""Clients of AWS, each made when a port first asks for it, once."""

from __future__ import annotations

from threading import RLock
from typing import TYPE_CHECKING, Any

from botocore.config import Config

from kiln.ports import World

if TYPE_CHECKING:
    from kiln.wiring.environment import Environment
    from kiln.wiring.session import Session

# Adaptive retries slow down together with EC2's token buckets instead of running against them.
_RETRIES = Config(
    retries={"mode": "adaptive", "max_attempts": 6}, connect_timeout=5, read_timeout=30
)


class ClientWorld(World):
    """What every port on AWS is made of; the ports are for whoever is derived from it."""

    _told: Environment
    _session: Session
    _clients: dict[str, Any]
    _making: RLock

    def __init__(self, told: Environment, session: Session) -> None:
        # A dataclass that is frozen sets its fields so.
        vars(self).update(_told=told, _session=session, _clients={}, _making=RLock())

    def _client(self, service: str) -> Any:
        """The one client of a service in the own Region."""
        with self._making:
            if service not in self._clients:
                self._clients[service] = self._abroad(service, self._here)
            return self._clients[service]

    def _abroad(self, service: str, region: str, credentials: dict[str, str] | None = None) -> Any:
        """A client in a Region, of the session's account or of that of the credentials."""
        # A session makes one client at a time (boto3's guide, "Multithreading with clients").
        with self._making:
            return self._session.client(
                service, region_name=region, config=_RETRIES, **(credentials or {})
            )

    @property
    def _here(self) -> str:
        return str(self._session.region_name)

    @property
    def _table(self) -> tuple[Any, str]:
        return self._client("dynamodb"), self._told.table
