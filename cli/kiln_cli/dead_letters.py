"""`kiln dlq`: events that nobody could take, read from the queue of dead letters and sent again.

Three services write there, each in its own shape: a rule of EventBridge and a schedule of
EventBridge Scheduler the event with message attributes (EventBridge User Guide, "Using dead-letter
queues"; Scheduler User Guide, "Configuring a schedule's dead-letter queue"), Lambda a record
around it (Lambda Developer Guide, "Capturing records of Lambda asynchronous invocations").
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from kiln.adapters._errors import translated
from kiln.errors import InvalidRequest
from kiln_cli.place import Place

# As long as one look at a queue of the usual size takes, in seconds: until then nobody else sees
# what this command has read.
_OURS = 60
_MOST = 10


@dataclass(frozen=True)
class DeadLetter:
    """An event that was not taken: `target` is the ARN of the function or state machine, None
    where the letter does not say; `payload` is what the target was to get."""

    id: str
    receipt: str
    sent: datetime
    target: str | None
    payload: Any
    error: str
    cause: str

    @property
    def about(self) -> str:
        """What kind of event it is, as far as it says."""
        if isinstance(self.payload, dict):
            for key in ("detail-type", "blueprint", "trigger"):
                if isinstance(self.payload.get(key), str):
                    return str(self.payload[key])
        return "-"

    def as_json(self) -> dict[str, Any]:
        """JSON-ready."""
        shown = {key: value for key, value in vars(self).items() if key != "receipt"}
        return shown | {"sent": self.sent.isoformat()}


def letter_from(message: Any) -> DeadLetter:
    """A letter from a message of SQS (ReceiveMessage)."""
    attributes = {
        name: str(found.get("StringValue", ""))
        for name, found in message.get("MessageAttributes", {}).items()
    }
    body = _parsed(message["Body"])
    record = body if isinstance(body, dict) and "requestPayload" in body else None
    target, payload, error, cause = _of_lambda(record) if record else _of_rule(attributes, body)
    return DeadLetter(
        id=message["MessageId"],
        receipt=message["ReceiptHandle"],
        sent=datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC),
        target=target,
        payload=payload,
        error=error,
        cause=cause,
    )


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _of_rule(attributes: dict[str, str], body: Any) -> tuple[str | None, Any, str, str]:
    return (
        attributes.get("TARGET_ARN"),
        body,
        attributes.get("ERROR_CODE", "Unknown"),
        attributes.get("ERROR_MESSAGE", ""),
    )


def _of_lambda(record: dict[str, Any]) -> tuple[str | None, Any, str, str]:
    context, response = record.get("requestContext", {}), record.get("responsePayload")
    told = response if isinstance(response, dict) else {}
    # The ARN of a version, which is to be the newest one by now.
    target = str(context.get("functionArn", "")).removesuffix(":$LATEST")
    return (
        target or None,
        record["requestPayload"],
        str(told.get("errorType") or context.get("condition", "Unknown")),
        str(told.get("errorMessage", "")),
    )


def letters(place: Place) -> list[DeadLetter]:
    """Everything that waits in the queue, oldest first. What is read is nobody else's for a
    minute; `put_back` ends that."""
    queue, url = place.client("sqs"), _url(place)
    found: dict[str, DeadLetter] = {}
    while messages := _receive(queue, url):
        read = [letter_from(message) for message in messages]
        if all(letter.id in found for letter in read):
            break
        found |= {letter.id: letter for letter in read}
    return sorted(found.values(), key=lambda letter: letter.sent)


def _url(place: Place) -> str:
    return place.outputs["DeadLettersUrl"]


def _receive(queue: Any, url: str) -> list[Any]:
    # Long polling asks every server of the queue (SQS Developer Guide, "Short and long polling").
    with translated("sqs", "ReceiveMessage"):
        answer = queue.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=_MOST,
            VisibilityTimeout=_OURS,
            WaitTimeSeconds=1,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["SentTimestamp"],
        )
    return list(answer.get("Messages", ()))


def put_back(found: Iterable[DeadLetter], place: Place) -> None:
    """Let others see letters again that were only looked at."""
    queue, url = place.client("sqs"), _url(place)
    for letter in found:
        with translated("sqs", "ChangeMessageVisibility"):
            queue.change_message_visibility(
                QueueUrl=url, ReceiptHandle=letter.receipt, VisibilityTimeout=0
            )


def chosen(found: list[DeadLetter], ids: tuple[str, ...]) -> list[DeadLetter]:
    """The letters that were named, all of them where none was. InvalidRequest for an unknown id
    and for a letter that names no target of ours."""
    known = {letter.id: letter for letter in found}
    for name in ids:
        if name not in known:
            raise InvalidRequest(
                f"{name}: is no letter of the queue; there are: {', '.join(known) or 'none'}"
            )
    wanted = [known[name] for name in ids] if ids else found
    for letter in wanted if ids else ():
        if not _can_go(letter):
            raise InvalidRequest(
                f"{letter.id}: does not say which function or state machine it was for; look at "
                "it with `kiln dlq list --json` and delete it"
            )
    return [letter for letter in wanted if _can_go(letter)]


def _can_go(letter: DeadLetter) -> bool:
    return letter.target is not None and letter.target.split(":")[2] in ("lambda", "states")


def replay(wanted: Iterable[DeadLetter], place: Place) -> Iterator[DeadLetter]:
    """Send letters to their targets again, one after the other, and delete each once its target
    has taken it. Everything of Kiln that is told something twice does it once."""
    queue, url = place.client("sqs"), _url(place)
    for letter in wanted:
        _send(letter, place)
        with translated("sqs", "DeleteMessage"):
            queue.delete_message(QueueUrl=url, ReceiptHandle=letter.receipt)
        yield letter


def _send(letter: DeadLetter, place: Place) -> None:
    text = json.dumps(letter.payload)
    target = str(letter.target)
    if target.split(":")[2] == "lambda":
        with translated("lambda", "Invoke"):
            place.client("lambda").invoke(
                FunctionName=target, InvocationType="Event", Payload=text.encode()
            )
        return
    with translated("states", "StartExecution"):
        place.client("stepfunctions").start_execution(stateMachineArn=target, input=text)
