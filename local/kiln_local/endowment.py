"""What an account has before anybody deploys anything: quotas, a default VPC that leads to the
internet, AWS's own policy for instances.

A default VPC has an internet gateway and a main route table that leads to it (VPC User Guide,
"Default VPC components"). Quotas: AWS General Reference, "Amazon EC2 endpoints and quotas"; Lambda
Developer Guide, "Lambda quotas": the default of 1,000, of which `lambda_concurrency` may be
another. The vCPUs are those of an account that has been used for a while, not a new one's 5.
"""

from __future__ import annotations

import json
from typing import Any

from moto.awslambda.responses import LambdaResponse
from moto.awslambda.urls import url_paths
from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy
from moto.servicequotas.exceptions import NoSuchResource
from moto.servicequotas.models import ServiceQuotasBackend

from kiln_local.iam import simulator
from kiln_local.iam.facts import backend
from kiln_local.patches import Patches

_NAMES = {
    "L-1216C47A": "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances",
    "L-DB2E81BA": "Running On-Demand G and VT instances",
    "L-417A185B": "Running On-Demand P instances",
    "L-7295265B": "Running On-Demand X instances",
    "L-74FC7D96": "Running On-Demand F instances",
    "L-1945791B": "Running On-Demand Inf instances",
    "L-2C3B7624": "Running On-Demand Trn instances",
    "L-6E869C2A": "Running On-Demand DL instances",
    "L-43DA4232": "Running On-Demand High Memory instances",
    "L-F7808C92": "Running On-Demand HPC instances",
    "L-B665C33B": "AMIs",
}

_CORE = "AmazonSSMManagedInstanceCore"


class Endowment:
    """The quotas of one local AWS, the same in every Region; whoever tests may change them."""

    def __init__(self) -> None:
        self.ec2 = dict.fromkeys(_NAMES, 256.0) | {"L-B665C33B": 50_000.0}
        self.lambda_concurrency = 1000

    def quota(self, service: str, code: str, region: str) -> dict[str, Any]:
        """A quota as Service Quotas tells it (Service Quotas API, ServiceQuota)."""
        if service != "ec2" or code not in self.ec2:
            raise NoSuchResource
        return {
            "ServiceCode": service,
            "ServiceName": "Amazon Elastic Compute Cloud (Amazon EC2)",
            "QuotaArn": f"arn:aws:servicequotas:{region}:123456789012:{service}/{code}",
            "QuotaCode": code,
            "QuotaName": _NAMES[code],
            "Value": self.ec2[code],
            "Unit": "None",
            "Adjustable": True,
            "GlobalQuota": False,
        }


def endow(patches: Patches, ec2: Any, account: str) -> Endowment:
    """Give an account, and the Region of moto's EC2, what they have from the beginning."""
    endowment = Endowment()
    _tell(patches, endowment)
    simulator.connect(patches)
    _lead_out(ec2)
    _know_policies(backend("iam", account, "aws"))
    return endowment


def _tell(patches: Patches, endowment: Endowment) -> None:
    """Let Service Quotas and Lambda tell of it."""

    def get_service_quota(
        self: ServiceQuotasBackend, service_code: str, quota_code: str
    ) -> dict[str, Any]:
        return endowment.quota(service_code, quota_code, self.region_name)

    def get_account_settings(_: LambdaResponse) -> str:
        most = endowment.lambda_concurrency
        limit = {
            "TotalCodeSize": 80530636800,
            "CodeSizeUnzipped": 262144000,
            "CodeSizeZipped": 52428800,
            "ConcurrentExecutions": most,
            "UnreservedConcurrentExecutions": most,
        }
        usage = {"TotalCodeSize": 0, "FunctionCount": 0}
        return json.dumps({"AccountLimit": limit, "AccountUsage": usage})

    patches.set(ServiceQuotasBackend, "get_service_quota", get_service_quota)
    # moto has no address for it; one that is there and not patched is not implemented, as before.
    path = r"{0}/(?P<api_version>[^/]+)/account-settings/?$"
    url_paths.setdefault(path, LambdaResponse.dispatch)
    patches.set(LambdaResponse, "get_account_settings", get_account_settings)


def _lead_out(ec2: Any) -> None:
    """Give the default VPC of moto's EC2 its internet gateway and the route to it."""
    vpc = ec2.get_default_vpc()
    gateway = ec2.create_internet_gateway()
    ec2.attach_internet_gateway(gateway.id, vpc.id)
    (main,) = ec2.describe_route_tables(filters={"vpc-id": [vpc.id], "association.main": ["true"]})
    ec2.create_route(main.id, "0.0.0.0/0", gateway_id=gateway.id)


def _know_policies(iam: Any) -> None:
    """Let moto's IAM know the policy that agents need. All of AWS's would take a second to read."""
    found = f'"{_CORE}":'
    at = aws_managed_policies_data.index(found) + len(found)
    data, _ = json.JSONDecoder().raw_decode(aws_managed_policies_data, at)
    policy = AWSManagedPolicy.from_data(_CORE, iam.account_id, iam.region_name, data)
    iam.managed_policies[policy.arn] = policy
