"""What a blueprint says of its builder: instance types, subnets, the root volume."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from kiln.domain.model import Model, Text


class Volume(Model):
    """The builder's root volume. Limits of gp3: EBS User Guide, "General Purpose SSD volumes"."""

    size_gib: Annotated[int, Field(ge=1, le=16_384)] | None = None
    type: Literal["gp3", "gp2", "io1", "io2"] = "gp3"
    iops: Annotated[int, Field(ge=100, le=256_000)] | None = None
    throughput_mib_s: Annotated[int, Field(ge=125, le=2_000)] | None = None
    kms_key: Text | None = None

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        # EC2 API, EbsBlockDevice, Iops and Throughput.
        if self.type in ("io1", "io2") and self.iops is None:
            raise ValueError(f"iops: is required for type {self.type}")
        if self.type == "gp2" and self.iops is not None:
            raise ValueError("iops: is only for gp3, io1 and io2; gp2 has what its size gives")
        if self.type != "gp3" and self.throughput_mib_s is not None:
            raise ValueError(f"throughput_mib_s: is only for gp3, not {self.type}")
        return self


class Builder(Model):
    """The temporary instance. An empty list stands for the template's default."""

    instance_types: tuple[
        Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+\.[a-z0-9-]+$")], ...
    ] = ()
    subnets: tuple[Annotated[str, StringConstraints(pattern=r"^subnet-[0-9a-f]{8,17}$")], ...] = ()
    volume: Volume = Volume()
