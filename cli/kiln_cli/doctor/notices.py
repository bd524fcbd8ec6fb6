"""Release notices: the subscriptions by which Kiln hears of new images of Amazon Linux and Windows.

Only the owner of a topic may list its subscriptions; whoever subscribed finds them among his own
(SNS API, ListSubscriptions: "a list of the requester's subscriptions"), in the topic's Region.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from kiln_cli.doctor.finding import Finding
from kiln_cli.doctor.site import Site, every

CHECK = "notices"
# As the template's mapping ReleaseTopics has them; docs/rebuilds.md says whose they are.
TOPICS = {
    "aws": (
        "arn:aws:sns:us-east-1:137112412989:amazon-linux-ami-updates",
        "arn:aws:sns:us-east-1:137112412989:amazon-linux-2-ami-updates",
        "arn:aws:sns:us-east-1:137112412989:amazon-linux-2023-ami-updates",
        "arn:aws:sns:us-east-1:801119661308:ec2-windows-ami-update",
    ),
    "aws-us-gov": ("arn:aws-us-gov:sns:us-gov-west-1:077303321853:ec2-windows-ami-update",),
}


def notices(site: Site) -> Iterator[Finding]:
    """Whether the function that follows bases is subscribed to each topic."""
    topics = TOPICS.get(site.partition, ())
    if site.parameter("ReleaseNotices") == "off" or not topics:
        every_so = site.parameter("BaseCheck") or "rate(1 hour)"
        what = f"Kiln hears of no release by a notice; it looks at {every_so}"
        yield Finding(CHECK, "ReleaseNotices", "well", what)
        return
    function = site.output("FollowBasesFunctionArn")
    heard = set(_subscribed(site, topics, function))
    for topic in topics:
        if topic not in heard:
            mend = (
                f"aws sns subscribe --region {topic.split(':')[3]} --topic-arn {topic} "
                f"--protocol lambda --notification-endpoint {function}"
            )
            what = "is not subscribed to: releases are found by the check alone"
            yield Finding(CHECK, topic, "broken", what, mend)
    if heard:
        what = f"subscribed to {len(heard)} of {len(topics)} topics of releases"
        yield Finding(CHECK, function.rpartition(":")[2], "well", what)


def _subscribed(site: Site, topics: tuple[str, ...], function: str) -> Iterator[str]:
    by_region: dict[str, set[str]] = defaultdict(set)
    for topic in topics:
        by_region[topic.split(":")[3]].add(topic)
    for region, wanted in by_region.items():
        client = site.clients("sns", region)
        for row in every(client, "sns", "list_subscriptions", "Subscriptions"):
            confirmed = row["SubscriptionArn"].startswith("arn:")
            if confirmed and row["TopicArn"] in wanted and row["Endpoint"] == function:
                yield row["TopicArn"]
