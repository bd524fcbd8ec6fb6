"""Log groups of the functions: each has an end. Lambda makes a group that is gone anew, and such a
one keeps everything for ever (CloudWatch Logs API, PutRetentionPolicy: no policy, no expiry)."""

from __future__ import annotations

from collections.abc import Iterator

from kiln_cli.doctor.finding import Finding
from kiln_cli.doctor.site import Site, every

CHECK = "logs"


def logs(site: Site) -> Iterator[Finding]:
    """Groups that keep everything for ever."""
    prefix = f"/aws/lambda/{site.deployment.name}-"
    days = site.parameter("LogRetentionDays") or "30"
    groups = list(
        every(
            *(site.clients("logs"), "logs", "describe_log_groups", "logGroups"),
            logGroupNamePrefix=prefix,
        )
    )
    endless = [group["logGroupName"] for group in groups if "retentionInDays" not in group]
    for name in endless:
        mend = f"aws logs put-retention-policy --log-group-name {name} --retention-in-days {days}"
        yield Finding(CHECK, name, "note", "keeps its logs for ever", mend)
    if not endless:
        yield Finding(CHECK, f"{prefix}*", "well", f"{len(groups)} groups, all with an end")
