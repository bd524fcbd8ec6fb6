"""What the template tells every function, from its environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiln.domain.model import Lenient
from kiln.ports import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kiln.ports import Machine

_PREFIX = "KILN_"


class Environment(Lenient):
    """What the template tells every function. The aliases are the variables' names."""

    table: str
    bucket: str
    bundles: str = ""
    account: str = ""
    bus: str
    document_prefix: str
    subnets: str = ""
    security_group: str = ""
    instance_profile: str = ""
    bake_state_machine: str = ""
    rollout_state_machine: str = ""
    instance_state_machine: str = ""
    configure_state_machine: str = ""
    distribution_state_machine: str = ""
    distribution_role: str = ""
    schedule_group: str = ""
    schedule_role: str = ""
    dead_letters: str = ""
    release_topics: str = ""
    max_bakes: int = 10
    # The folder of botocore's models, cut down; none where botocore is to read its own.
    models: str = ""

    @classmethod
    def read(cls, variables: Mapping[str, str]) -> Environment:
        """From `KILN_TABLE` and so on; a missing one fails the cold start and is named."""
        return cls.model_validate(
            {
                key[len(_PREFIX) :].lower(): value
                for key, value in variables.items()
                if key.startswith(_PREFIX)
            }
        )

    @property
    def machines(self) -> dict[Machine, str]:
        """The ARNs of the state machines that a step may start."""
        return {
            "bake": self.bake_state_machine,
            "rollout": self.rollout_state_machine,
            "instance": self.instance_state_machine,
            "configure": self.configure_state_machine,
            "distribution": self.distribution_state_machine,
        }

    def settings(self, region: str) -> Settings:
        """What a step is told of it."""
        return Settings(
            region=region,
            account=self.account,
            subnets=_listed(self.subnets),
            deployment=self.document_prefix,
            distribution_role=self.distribution_role,
            release_topics=_listed(self.release_topics),
            max_bakes=self.max_bakes,
        )


def _listed(names: str) -> tuple[str, ...]:
    return tuple(name for name in names.split(",") if name)
