"""Blueprints in a local AWS that follow their bases: what the tests of triggers share."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from kiln.domain.bake import BakeRecord, BakeStatus, ImageRecord
from kiln.ports import World as Kiln
from kiln.wiring import world
from kiln_local.world import LocalAws
from tests.builders import a_version
from tests.e2e.running import AMAZON

AL2023 = f"{AMAZON}/al2023-ami-kernel-default-x86_64"
FUNCTION = "kiln-FollowBasesFunction"


@dataclass
class Followers:
    """Blueprints with an image each, as if it had been baked long ago: the record is all that
    following asks of it."""

    aws: LocalAws

    @property
    def kiln(self) -> Kiln:
        """What Kiln's own functions see."""
        return world()

    def client(self, service: str) -> Any:
        """A client outside."""
        return self.aws.session().client(service)  # type: ignore[call-overload]

    def public(self, parameter: str) -> str:
        """The image that a public parameter names."""
        return str(self.client("ssm").get_parameter(Name=parameter)["Parameter"]["Value"])

    def add(self, name: str, base: dict[str, Any], platform: str = "amazon-linux-2023") -> str:
        """A blueprint without steps, and its image of the base as it is; the image's id."""
        document = {"kind": "blueprint", "name": name, "platform": platform, "base": base}
        types = {"builder": {"instance_types": ["m7i.large"]}}
        self.kiln.versions.add(a_version(blueprint=name, document=document | types))
        return self.image(name, self.current(base), platform)

    def image(self, name: str, base: str, platform: str = "amazon-linux-2023") -> str:
        """An image of a blueprint, made of a base image; its id."""
        record = ImageRecord(
            id=f"ami-{name.encode().hex():0>17.17}",
            name=name,
            bake=f"{name}-20260101-000000-0000",
            blueprint=name,
            version=1,
            platform=platform,
            architecture="x86_64",
            root_device="ebs",
            base=base,
            region=self.aws.region,
            created=self.aws.clock.now(),
        )
        self.kiln.records.put_image(record)
        return record.id

    def current(self, base: dict[str, Any]) -> str:
        """The image that a base stands for now."""
        if "parameter" in base:
            return self.public(base["parameter"])
        return self.kiln.records.images(base["blueprint"])[-1].id

    def invoke(self, event: dict[str, Any]) -> dict[str, Any]:
        """What FollowBases answers to an event."""
        result, failed = self.aws.functions.invoke(FUNCTION, event)
        assert not failed, result
        return dict(result)

    def runs(self) -> list[dict[str, Any]]:
        """The inputs of all bakes that were started."""
        client, machine = self.client("stepfunctions"), self.aws.outputs["BakeStateMachineArn"]
        runs = client.list_executions(stateMachineArn=machine)["executions"]
        arns = [run["executionArn"] for run in runs]
        told = (client.describe_execution(executionArn=arn)["input"] for arn in arns)
        return sorted(map(json.loads, told), key=json.dumps)

    def bakes(self, *names: str) -> list[BakeRecord]:
        """The records of bakes."""
        return [bake for name in names for bake in self.kiln.records.bakes(name)]

    def done(self, *names: str) -> bool:
        """Whether a bake of each of these has succeeded; one that failed is told at once."""
        bakes = self.bakes(*names)
        for bake in bakes:
            assert bake.status is not BakeStatus.FAILED, f"{bake.plan.bake}: {bake.cause}"
        return len(bakes) == len(names) and all(b.status is BakeStatus.SUCCEEDED for b in bakes)
