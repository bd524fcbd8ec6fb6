"""Parameter Store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiln.adapters._errors import translated
from kiln.errors import AwsRefused

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient


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

    def point(self, name: str, image: str) -> None:
        """Write an image's id; with this data type AWS checks that the image can be seen."""
        with translated("ssm", "PutParameter"):
            self._ssm.put_parameter(
                Name=name, Value=image, Type="String", DataType="aws:ec2:image", Overwrite=True
            )
