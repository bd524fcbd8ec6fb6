"""Parameter Store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kiln.adapters._errors import translated
from kiln.errors import AwsRefused

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mypy_boto3_ssm import SSMClient


# Systems Manager API, GetParameters: Names has at most ten members.
_AT_ONCE = 10


class SsmParameters:
    """`Parameters` on Systems Manager."""

    def __init__(self, ssm: SSMClient) -> None:
        self._ssm = ssm

    def read(self, name: str) -> str | None:
        """A parameter's value."""
        try:
            with translated("ssm", "GetParameter"):
                return self._ssm.get_parameter(Name=name)["Parameter"]["Value"]
        except AwsRefused as error:
            if error.code in ("ParameterNotFound", "ParameterVersionNotFound"):
                return None
            raise

    def read_all(self, names: Iterable[str]) -> dict[str, str]:
        """The values of parameters, ten a call."""
        wanted = sorted(set(names))
        found: dict[str, str] = {}
        for start in range(0, len(wanted), _AT_ONCE):
            found |= self._values(wanted[start : start + _AT_ONCE])
        return found

    def _values(self, names: list[str]) -> dict[str, str]:
        """At most ten. One that no parameter can be called fails the whole call: it is looked for
        by halves, and is not there."""
        try:
            with translated("ssm", "GetParameters"):
                answer = self._ssm.get_parameters(Names=names)
        except AwsRefused as error:
            if error.code != "ValidationException":
                raise
            if len(names) == 1:
                return {}
            half = len(names) // 2
            return self._values(names[:half]) | self._values(names[half:])
        return {p["Name"]: p["Value"] for p in answer["Parameters"]}

    def point(self, name: str, image: str) -> None:
        """Write an image's id; with this data type AWS checks that the image can be seen."""
        with translated("ssm", "PutParameter"):
            self._ssm.put_parameter(
                Name=name, Value=image, Type="String", DataType="aws:ec2:image", Overwrite=True
            )


# DescribeParameters answers fifty at a time (Systems Manager API).
_MOST_ROWS = 50


class SsmPointers:
    """The parameters of one Region that name images."""

    def __init__(self, ssm: SSMClient) -> None:
        self._ssm = ssm
        self._parameters = SsmParameters(ssm)

    def every(self) -> dict[str, str]:
        """All of data type aws:ec2:image, by name."""
        wanted: Any = [{"Key": "DataType", "Values": ["aws:ec2:image"]}]
        with translated("ssm", "DescribeParameters"):
            answer = self._ssm.get_paginator("describe_parameters").paginate(
                ParameterFilters=wanted, PaginationConfig={"PageSize": _MOST_ROWS}
            )
            names = [row["Name"] for page in answer for row in page["Parameters"]]
        return self.values(names)

    def values(self, names: Iterable[str]) -> dict[str, str]:
        """The values of parameters, by the names asked for; `name:3` and `name:label` are a version
        of one. Those that are not there are left out, and so are those of other owners: no image of
        ours is named by them."""
        own = [name for name in sorted(set(names)) if not name.startswith(("/aws/", "arn:"))]
        found = self._parameters.read_all(name for name in own if ":" not in name)
        for name in own:
            # What is answered bears the name alone: two versions of one could not be told apart.
            for value in self._parameters.read_all([name]).values() if ":" in name else ():
                found[name] = value
        return found
