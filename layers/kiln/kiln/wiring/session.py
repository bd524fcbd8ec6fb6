"""What a world needs of a session: boto3's has it, and so has botocore's own, which a function
loads sooner. No function uses boto3's resources or transfers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from botocore.loaders import Loader
from botocore.session import get_session

if TYPE_CHECKING:
    from collections.abc import Callable


class Session(Protocol):
    """Credentials and a Region, and the clients that are made of them; as `boto3.Session`."""

    @property
    def region_name(self) -> str | None:
        """The Region of clients that are not told another."""
        ...

    @property
    def client(self) -> Callable[..., Any]:
        """Makes a client of a service."""
        ...

    def get_partition_for_region(self, region_name: str) -> str:
        """`aws`, `aws-cn`, `aws-us-gov`..."""
        ...


class CoreSession:
    """`Session` by botocore alone, of the environment's credentials and Region. With `models` it
    knows the services in that folder and no other (`tools/models.py` writes it)."""

    def __init__(self, models: str = "") -> None:
        self._core = get_session()
        if models:
            loader = Loader([models], include_default_search_paths=False)
            self._core.register_component("data_loader", loader)

    @property
    def region_name(self) -> str | None:
        region: str | None = self._core.get_config_variable("region")
        return region

    def client(self, service_name: str, **options: Any) -> Any:
        return self._core.create_client(service_name, **options)

    def get_partition_for_region(self, region_name: str) -> str:
        return str(self._core.get_partition_for_region(region_name))
