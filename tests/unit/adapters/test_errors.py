"""Which of AWS's errors is busy, short of capacity, or final."""

from __future__ import annotations

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from kiln.adapters._errors import ignoring, translated
from kiln.errors import AwsBusy, AwsRefused, CapacityShort


def raised(code: str, status: int = 400) -> Exception:
    """What a call that AWS answers with this code raises here."""
    answer = {
        "Error": {"Code": code, "Message": "words of AWS"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    with pytest.raises((AwsBusy, AwsRefused)) as found, translated("ec2", "RunInstances"):
        raise ClientError(answer, "RunInstances")  # type: ignore[arg-type]
    return found.value


@pytest.mark.parametrize("code", ["RequestLimitExceeded", "ThrottlingException", "InternalError"])
def test_throttling_and_faults_of_aws_are_tried_again(code: str) -> None:
    """Codes: EC2 API reference, "Error codes"; botocore's standard retries."""
    assert isinstance(raised(code), AwsBusy)
    assert isinstance(raised("Anything", 503), AwsBusy)


@pytest.mark.parametrize("code", ["InsufficientInstanceCapacity", "Unsupported"])
def test_a_lack_of_capacity_is_told_apart(code: str) -> None:
    """Codes: EC2 API reference, "Error codes"."""
    assert isinstance(raised(code), CapacityShort)


def test_the_rest_is_final_and_keeps_awss_words() -> None:
    error = raised("UnauthorizedOperation", 403)
    assert isinstance(error, AwsRefused)
    assert (error.service, error.operation, error.code) == (
        "ec2",
        "RunInstances",
        "UnauthorizedOperation",
    )
    assert "words of AWS" in str(error)


def test_a_call_that_does_not_get_through_is_tried_again() -> None:
    with pytest.raises(AwsBusy, match="did not get through"), translated("ec2", "RunInstances"):
        raise EndpointConnectionError(endpoint_url="https://ec2.invalid")


@pytest.mark.parametrize(
    "error",
    [
        ReadTimeoutError(endpoint_url="https://ec2.invalid"),
        ResponseStreamingError(error="cut off"),
    ],
)
def test_an_answer_that_does_not_arrive_whole_is_tried_again(error: BotoCoreError) -> None:
    with pytest.raises(AwsBusy), translated("s3", "GetObject"):
        raise error


@pytest.mark.parametrize("error", [NoCredentialsError(), NoRegionError()])
def test_a_call_that_cannot_even_be_signed_is_final(error: BotoCoreError) -> None:
    """Trying again finds no credentials either; their lack must not look like a busy AWS."""
    with pytest.raises(AwsRefused) as found, translated("ec2", "DescribeImages"):
        raise error
    assert found.value.code == type(error).__name__


def test_unsupported_is_about_a_place_only_where_something_is_launched() -> None:
    """RunInstances says Unsupported of a type that the Availability Zone does not offer."""
    with pytest.raises(AwsRefused) as found, translated("ec2", "CreateImage"):
        raise ClientError({"Error": {"Code": "Unsupported", "Message": ""}}, "CreateImage")
    assert not isinstance(found.value, CapacityShort)


def test_a_request_that_awss_model_forbids_is_a_fault_of_ours() -> None:
    with pytest.raises(ParamValidationError), translated("ssm", "SendCommand"):
        raise ParamValidationError(report="no")


def test_what_is_done_already_is_passed_over() -> None:
    gone = AwsRefused("ec2", "DeleteVolume", "InvalidVolume.NotFound", "")
    with ignoring("InvalidVolume.NotFound"):
        raise gone
    with pytest.raises(AwsRefused), ignoring("Other"):
        raise gone
