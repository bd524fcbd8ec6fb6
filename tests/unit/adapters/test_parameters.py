"""What is asked of Parameter Store."""

from __future__ import annotations

import pytest

from kiln.adapters.parameters import SsmParameters
from kiln.errors import AwsBusy, AwsRefused
from tests.stubs import scripted


@pytest.mark.parametrize("code", ["ParameterNotFound", "ParameterVersionNotFound"])
def test_a_parameter_that_is_not_there_is_none(code: str) -> None:
    with scripted("ssm") as ssm:
        ssm.refuse("get_parameter", code)
        assert SsmParameters(ssm.client).read("/images/web") is None


def test_a_parameter_that_may_not_be_read_is_an_error() -> None:
    with scripted("ssm") as ssm:
        ssm.refuse("get_parameter", "AccessDeniedException")
        with pytest.raises(AwsRefused):
            SsmParameters(ssm.client).read("/images/web")


def test_a_pointer_has_the_data_type_that_aws_checks() -> None:
    request = {
        "Name": "/images/web",
        "Value": "ami-1",
        "Type": "String",
        "DataType": "aws:ec2:image",
        "Overwrite": True,
    }
    with scripted("ssm") as ssm:
        ssm.answer("put_parameter", {"Version": 1}, request)
        ssm.refuse("put_parameter", "TooManyUpdates")
        SsmParameters(ssm.client).point("/images/web", "ami-1")
        with pytest.raises(AwsBusy):
            SsmParameters(ssm.client).point("/images/web", "ami-1")
