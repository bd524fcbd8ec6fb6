"""Who asks, and where: what everything else needs.

Codes: STS API, "Common errors" (ExpiredToken, InvalidClientTokenId, SignatureDoesNotMatch); the
names that end in Error are botocore's own exceptions for what it finds on this machine. A Region
that is not enabled answers InvalidClientTokenId (IAM User Guide, "Managing AWS STS in an AWS
Region").
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kiln.adapters._errors import translated
from kiln.errors import AwsBusy, AwsRefused
from kiln_cli.doctor.finding import Finding

CHECK = "credentials"
_EXPIRED = ("the credentials have expired", "aws sso login")
_NONE = ("no credentials were found", "aws configure")
_TROUBLE = {
    "NoCredentialsError": _NONE,
    "PartialCredentialsError": ("half of the credentials is missing", "aws configure"),
    "CredentialRetrievalError": ("the credentials could not be had", "aws configure list"),
    "ProfileNotFound": ("the profile does not exist", "aws configure list-profiles"),
    "NoRegionError": ("no Region is set", "export AWS_DEFAULT_REGION=eu-west-1"),
    "InvalidRegionError": ("the Region's name is none", "export AWS_DEFAULT_REGION=eu-west-1"),
    "ExpiredToken": _EXPIRED,
    "ExpiredTokenException": _EXPIRED,
    "UnauthorizedSSOTokenError": _EXPIRED,
    "SSOTokenLoadError": _EXPIRED,
    "TokenRetrievalError": _EXPIRED,
    "InvalidClientTokenId": (
        "AWS does not know the access key, or the Region is not enabled in the account",
        "aws sts get-caller-identity --region us-east-1",
    ),
    "SignatureDoesNotMatch": (
        "the secret key does not belong to the access key, or this machine's clock is wrong",
        "aws configure",
    ),
}


@dataclass(frozen=True)
class Caller:
    """Who asks."""

    arn: str
    account: str

    @property
    def partition(self) -> str:
        """aws, aws-cn, aws-us-gov."""
        return self.arn.split(":")[1]


def identify(sts: Callable[[], Any], profile: str = "") -> tuple[Caller | None, Finding]:
    """Who asks, None where nobody can. `sts` makes the client, which fails where there is no
    Region."""
    try:
        with translated("sts", "GetCallerIdentity"):
            told = sts().get_caller_identity()
    except AwsRefused as error:
        return None, _refused(error, profile)
    except AwsBusy as error:
        what = f"AWS cannot be reached: {error}; is the Region right, and a network there?"
        regions = "aws ec2 describe-regions --region us-east-1"
        return None, Finding(CHECK, "aws", "broken", what, regions)
    except ValueError as error:  # an endpoint that is no URL
        mend = "unset AWS_ENDPOINT_URL"
        return None, Finding(CHECK, "endpoint", "broken", str(error), mend)
    caller = Caller(told["Arn"], told["Account"])
    what = f"you are {caller.arn} in account {caller.account}"
    return caller, Finding(CHECK, caller.account, "well", what)


def _refused(error: AwsRefused, profile: str) -> Finding:
    what, mend = _TROUBLE.get(error.code, ("AWS refuses who asks", "aws configure list"))
    if profile and mend in ("aws sso login", "aws configure"):
        mend = f"{mend} --profile {profile}"
    return Finding(CHECK, error.code, "broken", f"{what} ({error.message})", mend)


def region(ec2: Any, name: str) -> Finding:
    """Whether the Region is enabled (EC2 API, DescribeRegions: OptInStatus)."""
    with translated("ec2", "DescribeRegions"):
        found = ec2.describe_regions(RegionNames=[name], AllRegions=True)["Regions"]
    status = found[0].get("OptInStatus", "") if found else "unknown"
    if status in ("opt-in-not-required", "opted-in"):
        return Finding("region", name, "well", f"{name} is enabled")
    mend = f"aws account enable-region --region-name {name}"
    return Finding("region", name, "broken", f"{name} is {status} in this account", mend)
