"""What AWS grants, beside what MaxBakes promises."""

from __future__ import annotations

from typing import Any

import pytest

from kiln_cli.doctor.quotas import AMIS, STANDARD, concurrency, images, quota_of, vcpus
from kiln_cli.doctor.site import Used
from tests.examined import Examined, a_site, states

USED = Used({"m7i.large": ("blueprint web",)})


def quota(aws: Examined, code: str, value: float) -> None:
    """The next answer of Service Quotas."""
    asked = {"ServiceCode": "ec2", "QuotaCode": code}
    aws["service-quotas"].answer("get_service_quota", {"Quota": {"Value": value}}, asked)


def types(aws: Examined, **vcpus_of: int) -> None:
    """What EC2 says of types, by name with `_` for the dot."""
    rows = [
        {"InstanceType": name.replace("_", "."), "VCpuInfo": {"DefaultVCpus": count}}
        for name, count in vcpus_of.items()
    ]
    aws["ec2"].answer("describe_instance_types", {"InstanceTypes": rows})


def running(aws: Examined, *instances: dict[str, Any]) -> None:
    """What runs in the account."""
    aws["ec2"].answer("describe_instances", {"Reservations": [{"Instances": list(instances)}]})


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("m7i.large", STANDARD),
        ("im4gn.xlarge", STANDARD),
        ("is4gen.large", STANDARD),
        ("g5.xlarge", "L-DB2E81BA"),
        ("inf2.xlarge", "L-1945791B"),
        ("u-6tb1.metal", "L-43DA4232"),
        ("u7i-12tb.224xlarge", "L-43DA4232"),
        ("hpc7a.96xlarge", "L-F7808C92"),
        ("mac2.metal", None),
    ],
)
def test_each_family_has_its_quota(name: str, code: str | None) -> None:
    assert quota_of(name) == code


@pytest.mark.parametrize(("granted", "state"), [(1, "broken"), (5, "note"), (32, "well")])
def test_vcpus_must_do_for_the_bakes_that_may_run(granted: float, state: str) -> None:
    with a_site(USED, MaxBakes="10") as aws:
        types(aws, m7i_large=2)
        running(aws)
        quota(aws, STANDARD, granted)
        (finding,) = aws.found(vcpus)
    assert finding.state == state
    assert f"room for {int(granted // 2)} bakes at once, MaxBakes is 10" in finding.what


def test_what_runs_on_demand_is_taken_off_and_spot_is_not() -> None:
    ours = {"InstanceType": "m7i.large", "CpuOptions": {"CoreCount": 2, "ThreadsPerCore": 2}}
    with a_site(USED, MaxBakes="1") as aws:
        types(aws, m7i_large=2)
        running(
            aws, ours, ours | {"InstanceLifecycle": "spot"}, ours | {"InstanceType": "g5.xlarge"}
        )
        quota(aws, STANDARD, 5)
        (finding,) = aws.found(vcpus)
    assert finding.state == "broken"
    assert "1 of 5 vCPUs are free" in finding.what


def test_a_type_that_is_not_offered_here_names_who_wants_it() -> None:
    with a_site(Used({"m99.large": ("layer shop/web",)})) as aws:
        types(aws)
        running(aws)
        (finding,) = aws.found(vcpus)
    assert finding.state == "broken"
    assert "m99.large, which layer shop/web names, is not offered" in finding.what


@pytest.mark.parametrize(("granted", "state"), [(2, "broken"), (100, "well")])
def test_images_must_have_room(granted: float, state: str) -> None:
    with a_site() as aws:
        quota(aws, AMIS, granted)
        aws["ec2"].answer(
            "describe_images", {"Images": [{"ImageId": "ami-1"}, {"ImageId": "ami-2"}]}
        )
        (finding,) = aws.found(images)
    assert finding.state == state


@pytest.mark.parametrize(("free", "state"), [(10, "note"), (1000, "well")])
def test_a_new_account_runs_few_functions_at_once(free: int, state: str) -> None:
    limit = {"ConcurrentExecutions": free, "UnreservedConcurrentExecutions": free}
    with a_site(MaxBakes="10") as aws:
        aws["lambda"].answer("get_account_settings", {"AccountLimit": limit})
        assert states(aws.found(concurrency)) == [state]
