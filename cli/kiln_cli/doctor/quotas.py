"""What AWS grants the account, beside what MaxBakes promises.

Codes and families: AWS General Reference, "Amazon EC2 endpoints and quotas" and EC2 instance type
quotas ("Running On-Demand ... instances", of which Standard is 5 vCPUs in a new account and all
others 0; L-B665C33B, AMIs: 50,000, disabled and pending ones too). What counts against the vCPUs is
what runs on demand; pending, stopping and stopped instances do not (EC2 User Guide, "On-Demand
Instance quotas"). Lambda: "New AWS accounts have reduced concurrency" (Lambda Developer Guide,
"Lambda quotas"; ten have been seen), L-B99A9384.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from kiln.adapters._errors import translated
from kiln_cli.doctor.finding import Finding
from kiln_cli.doctor.site import Site, every

CHECK = "quotas"
STANDARD = "L-1216C47A"
AMIS = "L-B665C33B"
CONCURRENCY = "L-B99A9384"
# The letters that an instance type begins with, by the quota that counts its vCPUs.
_FAMILIES = {
    STANDARD: ("a", "c", "d", "h", "i", "im", "is", "m", "r", "t", "z"),
    "L-DB2E81BA": ("g", "gr", "vt"),
    "L-417A185B": ("p",),
    "L-7295265B": ("x",),
    "L-74FC7D96": ("f",),
    "L-1945791B": ("inf",),
    "L-2C3B7624": ("trn",),
    "L-6E869C2A": ("dl",),
    "L-43DA4232": ("u", "u-"),
    "L-F7808C92": ("hpc",),
}
_QUOTA_OF = {letters: code for code, family in _FAMILIES.items() for letters in family}
# What a bake has at work at once: the function of its state, and the one that events wake.
_FUNCTIONS_A_BAKE = 2


def quota_of(instance_type: str) -> str | None:
    """The code of the quota that counts a type's vCPUs; None for one that none counts (Mac)."""
    letters = re.match(r"[a-z]+-?", instance_type)
    return _QUOTA_OF.get(letters[0]) if letters else None


def vcpus(site: Site) -> Iterator[Finding]:
    """For each quota that types in use count against: how many bakes it leaves room for."""
    ec2, most = site.clients("ec2"), _most_bakes(site)
    wanted = list(site.used.types)
    found = {
        row["InstanceType"]: row["VCpuInfo"]["DefaultVCpus"]
        for row in every(
            *(ec2, "ec2", "describe_instance_types", "InstanceTypes"),
            Filters=[{"Name": "instance-type", "Values": wanted}],
        )
    }
    for name in wanted:
        if name not in found:
            whose = ", ".join(site.used.types[name])
            what = f"{name}, which {whose} names, is not offered in {site.region}"
            mend = f"aws ec2 describe-instance-type-offerings --region {site.region}"
            yield Finding(CHECK, name, "broken", what, mend)
    running = _running(ec2)
    for code, largest in _largest(found).items():
        granted = _granted(site, code)
        free = max(0.0, granted - running[code])
        seen = f"{free:g} of {granted:g} vCPUs are free"
        yield _room(code, int(free // largest), most, running[code] + most * largest, seen)


def _largest(types: Mapping[str, int]) -> dict[str, int]:
    """By quota: the vCPUs of the largest of the types that it counts."""
    largest: dict[str, int] = {}
    for name, count in types.items():
        if code := quota_of(name):
            largest[code] = max(count, largest.get(code, 0))
    return largest


def _running(ec2: Any) -> dict[str, int]:
    """vCPUs that run on demand, by quota."""
    running: dict[str, int] = defaultdict(int)
    states = [{"Name": "instance-state-name", "Values": ["running"]}]
    for reservation in every(ec2, "ec2", "describe_instances", "Reservations", Filters=states):
        for instance in reservation["Instances"]:
            code = quota_of(instance["InstanceType"])
            options = instance.get("CpuOptions", {})
            if code and instance.get("InstanceLifecycle") is None:
                running[code] += options.get("CoreCount", 1) * options.get("ThreadsPerCore", 1)
    return running


def _granted(site: Site, code: str) -> float:
    with translated("servicequotas", "GetServiceQuota"):
        answer = site.clients("service-quotas").get_service_quota(ServiceCode="ec2", QuotaCode=code)
    return float(answer["Quota"]["Value"])


def _room(code: str, bakes: int, most: int, needed: float, seen: str) -> Finding:
    what = f"{seen}: room for {bakes} bakes at once, MaxBakes is {most}"
    mend = _more("ec2", code, f"{needed:g}")
    if not bakes:
        return Finding(CHECK, code, "broken", f"{what}; every launch will be refused", mend)
    if bakes < most:
        what += "; those beyond fail at their launch. Ask for more, or lower MaxBakes"
        return Finding(CHECK, code, "note", what, mend)
    return Finding(CHECK, code, "well", what)


def _more(service: str, code: str, value: str) -> str:
    return (
        f"aws service-quotas request-service-quota-increase --service-code {service} "
        f"--quota-code {code} --desired-value {value}"
    )


def _most_bakes(site: Site) -> int:
    return int(site.parameter("MaxBakes") or 10)


def images(site: Site) -> Iterator[Finding]:
    """How many images the account has of those that it may have."""
    granted = int(_granted(site, AMIS))
    owned = every(
        *(site.clients("ec2"), "ec2", "describe_images", "Images"),
        Owners=["self"],
        IncludeDisabled=True,
    )
    count = sum(1 for _ in owned)
    what = f"{count} of {granted} images"
    if count >= granted:
        why = f"{what}: no image can be made any more; see lifecycle in docs/life-cycle.md"
        yield Finding(CHECK, AMIS, "broken", why, "kiln prune --dry-run")
    elif count > granted * 0.9:
        yield Finding(CHECK, AMIS, "note", f"{what}: nearly all", "kiln prune --dry-run")
    else:
        yield Finding(CHECK, AMIS, "well", what)


def concurrency(site: Site) -> Iterator[Finding]:
    """How many functions may run at once (Lambda API, GetAccountSettings). Too few delay a bake and
    fail none (docs/scale.md)."""
    with translated("lambda", "GetAccountSettings"):
        limit = site.clients("lambda").get_account_settings()["AccountLimit"]
    free = limit["UnreservedConcurrentExecutions"]
    most = _most_bakes(site)
    what = f"{free} functions may run at once"
    if free < most * _FUNCTIONS_A_BAKE:
        why = f"{what}, {most} bakes want {most * _FUNCTIONS_A_BAKE}: a crowd of bakes goes slowly"
        yield Finding(CHECK, CONCURRENCY, "note", why, _more("lambda", CONCURRENCY, "1000"))
    else:
        yield Finding(CHECK, CONCURRENCY, "well", what)
