"""The queue of dead letters: events that nobody could take."""

from __future__ import annotations

from collections.abc import Iterator

from kiln.adapters._errors import translated
from kiln_cli.doctor.finding import Finding
from kiln_cli.doctor.site import Site

CHECK = "dead-letters"
# SQS API, GetQueueAttributes: those that wait, and those that somebody looks at just now.
_COUNTS = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")


def letters(site: Site) -> Iterator[Finding]:
    """Whether the queue is empty."""
    url = site.output("DeadLettersUrl")
    with translated("sqs", "GetQueueAttributes"):
        told = site.clients("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=list(_COUNTS))
    count = sum(int(told.get("Attributes", {}).get(name, 0)) for name in _COUNTS)
    name = url.rpartition("/")[2]
    if count:
        what = f"{count} events could not be delivered; `kiln dlq list` says which and why"
        yield Finding(CHECK, name, "broken", what, "kiln dlq replay")
    else:
        yield Finding(CHECK, name, "well", "no dead letters")
