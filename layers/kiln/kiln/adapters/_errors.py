"""Where AWS's errors become ours: busy (try again later), short of capacity, or refused for
good."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    IncompleteReadError,
    MetadataRetrievalError,
    ParamValidationError,
)
from botocore.exceptions import ConnectionError as NoConnection

from kiln.errors import AwsBusy, AwsRefused, CapacityShort

if TYPE_CHECKING:
    from collections.abc import Iterator

# EC2 User Guide, "Error codes for the Amazon EC2 API"; botocore retries/standard.py lists the
# throttling codes of all services.
_BUSY = frozenset(
    {
        "RequestLimitExceeded",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
        "ProvisionedThroughputExceededException",
        "TransactionInProgressException",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "PriorRequestNotComplete",
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "LimitExceededException",
        "InternalError",
        "InternalFailure",
        "InternalServerError",
        "InternalServiceError",
        "InternalException",
        "ServiceUnavailable",
        "Unavailable",
        "RequestTimeout",
        "RequestTimeoutException",
        "InsufficientAddressCapacity",
        # CreateImage while the last snapshot of the same volume is young (15 s apart).
        "SnapshotCreationPerVolumeRateExceeded",
        "ConcurrentCreateImageNoRebootLimitExceeded",
        "PendingSnapshotLimitExceeded",
        "ConcurrentSnapshotLimitExceeded",
        # A new account still being checked: EC2 says to try again.
        "PendingVerification",
        # A profile or role made moments ago is not known everywhere yet.
        "InvalidInstanceProfile",
        # CreateTags while another call tags the same resource.
        "ConcurrentTagAccess",
        # PutParameter while another call writes the same one (Systems Manager API).
        "TooManyUpdates",
        # StartExecution above the quota of running ones, which end (Step Functions API).
        "ExecutionLimitExceeded",
    }
)
# No capacity for this type in this place; another type or place may have some.
_SHORT = frozenset(
    {
        "InsufficientInstanceCapacity",
        "InsufficientHostCapacity",
        "InsufficientReservedInstanceCapacity",
        "InsufficientCapacity",
        "InsufficientFreeAddressesInSubnet",
        "SpotMaxPriceTooLow",
    }
)
# What the way to AWS may do; botocore's standard retries count the first two as passing too.
_ON_THE_WAY = (NoConnection, HTTPClientError, IncompleteReadError, MetadataRetrievalError)


@contextmanager
def translated(service: str, operation: str) -> Iterator[None]:
    """Raise AwsBusy, CapacityShort or AwsRefused in place of what botocore raises inside."""
    try:
        yield
    except ClientError as error:
        raise _ours(service, operation, error) from error
    except ParamValidationError:
        # A request that AWS's own model forbids is a fault of ours, which no retry mends.
        raise
    except _ON_THE_WAY as error:
        raise AwsBusy(f"{service}:{operation} did not get through: {error}") from error
    except BotoCoreError as error:
        # No credentials, no Region, an expired sign-in: the same call will fail again.
        raise AwsRefused(service, operation, type(error).__name__, str(error)) from error


def _ours(service: str, operation: str, error: ClientError) -> AwsBusy | AwsRefused:
    code = error.response["Error"].get("Code", "Unknown")
    message = error.response["Error"].get("Message", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
    short = _is_short(operation, code)
    if not short and status >= 500:
        return AwsBusy(f"{service}:{operation} is busy: {code}: {message}")
    return refusal(service, operation, code, message)


def refusal(service: str, operation: str, code: str, message: str) -> AwsBusy | AwsRefused:
    """The error of ours that a code of AWS's stands for."""
    if _is_short(operation, code):
        return CapacityShort(service, operation, code, message)
    if code in _BUSY:
        return AwsBusy(f"{service}:{operation} is busy: {code}: {message}")
    return AwsRefused(service, operation, code, message)


def _is_short(operation: str, code: str) -> bool:
    # RunInstances answers Unsupported where the type is not offered in the Availability Zone.
    # EC2 answers a lack of capacity with HTTP status 500, so that the code must be asked first.
    return code in _SHORT or (code == "Unsupported" and operation == "RunInstances")


@contextmanager
def ignoring(*codes: str) -> Iterator[None]:
    """Pass over refusals that mean: it is done already."""
    try:
        yield
    except AwsRefused as error:
        if error.code not in codes:
            raise
