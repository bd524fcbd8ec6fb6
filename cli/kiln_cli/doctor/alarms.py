"""Kiln's alarms: are they there, quiet, and does anybody hear them?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kiln_cli.doctor.finding import Finding
from kiln_cli.doctor.site import Site, every

CHECK = "alarms"
# As the template names them, after the stack's own name; each has a page in docs/runbooks/.
NAMES = ("failed-bakes", "slow-bakes", "rolled-back", "dead-letters", "leaks")
# SNS API, ListSubscriptionsByTopic: what stands in place of an ARN.
_UNHEARD = ("PendingConfirmation", "Deleted")


def alarms(site: Site) -> Iterator[Finding]:
    """Each alarm by its state."""
    client, prefix = site.clients("cloudwatch"), f"{site.deployment.name}-"
    wanted = [prefix + name for name in NAMES]
    rows = every(client, "cloudwatch", "describe_alarms", "MetricAlarms", AlarmNames=wanted)
    found = {row["AlarmName"]: row for row in rows}
    quiet = 0
    for name in wanted:
        trouble = _trouble(name, found.get(name))
        quiet += trouble is None
        if trouble:
            yield trouble
    if quiet:
        yield Finding(CHECK, prefix + "*", "well", f"{quiet} of {len(wanted)} alarms are quiet")


def _trouble(name: str, alarm: Any) -> Finding | None:
    page = f"docs/runbooks/{next(known for known in NAMES if name.endswith(known))}.md"
    if alarm is None:
        return Finding(CHECK, name, "broken", f"the alarm {name} is gone", "make deploy")
    if alarm["StateValue"] == "ALARM":
        reason = " ".join(alarm.get("StateReason", "").split())[:200]
        history = f"aws cloudwatch describe-alarm-history --alarm-name {name}"
        return Finding(CHECK, name, "broken", f"rings: {reason}; see {page}", history)
    if not alarm.get("ActionsEnabled", True):
        mend = f"aws cloudwatch enable-alarm-actions --alarm-names {name}"
        return Finding(CHECK, name, "note", "is told not to tell anybody", mend)
    return None


def listeners(site: Site) -> Iterator[Finding]:
    """Whether anybody has subscribed to the topic of the alarms, and said so."""
    topic = site.output("AlarmTopicArn")
    sns = site.clients("sns", topic.split(":")[3])
    rows = every(sns, "sns", "list_subscriptions_by_topic", "Subscriptions", TopicArn=topic)
    heard = [row for row in rows if row["SubscriptionArn"] not in _UNHEARD]
    name = topic.rpartition(":")[2]
    if heard:
        yield Finding(CHECK, name, "well", f"{len(heard)} hear the alarms")
        return
    mend = (
        f"aws sns subscribe --region {topic.split(':')[3]} --topic-arn {topic} "
        "--protocol email --notification-endpoint YOU@EXAMPLE.COM"
    )
    what = "nobody hears the alarms: nobody has subscribed to their topic and confirmed it"
    yield Finding(CHECK, name, "note", what, mend)
