"""What must hold of a notice of SNS before anybody looks at its signature."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiln.domain.notice import NoNotice, notice_from
from tests.notices import NOTICES, TOPICS, event, text_of

PEM = "/SimpleNotificationService-433026a4050d206028891664da859041.pem"


def a_record(name: str = "amazon_linux", **changes: Any) -> dict[str, Any]:
    """The record of a file in events/, its notice changed."""
    record: dict[str, Any] = event(name)["Records"][0]
    sns = {key: value for key, value in (record["Sns"] | changes).items() if value != "-"}
    return record | {"Sns": sns}


@pytest.mark.parametrize("name", NOTICES)
def test_what_is_signed_is_what_sns_signs(name: str) -> None:
    record = a_record(name)
    assert notice_from(record, TOPICS).signed == text_of(record["Sns"])


def test_a_notice_without_a_subject_is_signed_without_one() -> None:
    """In Lambda's event the key is null."""
    told = notice_from(a_record(Subject=None, Message="1", MessageId="2", Timestamp="3"), TOPICS)
    assert told.signed.decode() == (
        f"Message\n1\nMessageId\n2\nTimestamp\n3\nTopicArn\n{TOPICS[0]}\nType\nNotification\n"
    )
    assert notice_from(a_record(Subject="-"), TOPICS).subject is None


@pytest.mark.parametrize(
    ("name", "release"),
    [
        ("amazon_linux", "2017.09.1.20171103"),
        ("windows", "2018.01.05"),
        ("amazon_linux_2023", "2023.8.20250818"),
        ("garbage", "unknown"),
    ],
)
def test_the_release_is_told_where_it_can_be_made_out(name: str, release: str) -> None:
    assert notice_from(a_record(name), TOPICS).release == release


@given(st.text() | st.recursive(st.none() | st.text(), st.lists).map(str))
def test_no_message_at_all_keeps_kiln_from_looking(message: str) -> None:
    assert notice_from(a_record(Message=message, Subject=message), TOPICS).release


def test_a_message_too_deep_to_be_read_is_a_notice_all_the_same() -> None:
    deep = notice_from(a_record(Message="[" * 100_000), TOPICS)
    assert deep.release == "2017.09.1.20171103"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"TopicArn": "arn:aws:sns:us-east-1:666666666666:amazon-linux-ami-updates"}, "is not one"),
        ({"TopicArn": TOPICS[1]}, "by the subscription"),
        ({"Type": "SubscriptionConfirmation"}, "not Notification"),
        ({"SignatureVersion": "3"}, "version '3' is not known"),
        ({"Signature": "not Base64!"}, "is not Base64"),
        ({"Signature": ""}, "is empty"),
        ({"Signature": "-"}, "no notice of SNS: Signature: is required"),
        ({"Message": {"v1": {}}}, "no notice of SNS: Message: must be text"),
    ],
)
def test_what_is_no_notice_of_a_topic_of_ours_is_refused(
    changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(NoNotice, match=said):
        notice_from(a_record(**changes), TOPICS)


@pytest.mark.parametrize(
    "address",
    [
        f"http://sns.us-east-1.amazonaws.com{PEM}",
        f"https://sns.us-west-2.amazonaws.com{PEM}",
        # The bucket `sns` of S3, once a real way around other people's checks.
        f"https://sns.s3-us-west-2.amazonaws.com{PEM}",
        f"https://sns.us-east-1.amazonaws.com.evil.example{PEM}",
        f"https://sns.us-east-1.amazonaws.com@evil.example{PEM}",
        f"https://evil.example/sns.us-east-1.amazonaws.com{PEM}",
        f"https://sns.us-east-1.amazonaws.com:8443{PEM}",
        f"https://sns.us-east-1.amazonaws.com{PEM}?x=1",
        f"https://sns.us-east-1.amazonaws.com{PEM}#x",
        "https://sns.us-east-1.amazonaws.com/other.pem",
        f"https://sns.us-east-1.amazonaws.com/../..{PEM}",
        f"https://sns.us-east-1.amazonaws.com.cn{PEM}",
        "https://[",
        "",
    ],
)
def test_a_certificate_that_is_not_snss_own_is_not_fetched(address: str) -> None:
    with pytest.raises(NoNotice, match="not SNS's"):
        notice_from(a_record(SigningCertUrl=address), TOPICS)


def test_each_partition_has_its_own_addresses() -> None:
    topic = "arn:aws-cn:sns:cn-north-1:123456789012:releases"
    address = f"https://sns.cn-north-1.amazonaws.com.cn{PEM}"
    record = a_record(TopicArn=topic, SigningCertUrl=address)
    record["EventSubscriptionArn"] = f"{topic}:1"
    assert notice_from(record, (topic,)).topic == topic


@pytest.mark.parametrize("record", [{}, {"Sns": None}, {"Sns": []}, {"Sns": "x"}])
def test_a_record_of_another_kind_is_refused(record: dict[str, Any]) -> None:
    with pytest.raises(NoNotice, match="no notice of SNS"):
        notice_from(record, TOPICS)
