"""Condition operators, wildcards and variables, as the IAM User Guide describes them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiln_local.iam.conditions import UnknownOperator, hold
from kiln_local.iam.patterns import arn_like, filled, like

KEYS: dict[str, Any] = {
    "aws:requesttag/kiln:managed": "true",
    "aws:tagkeys": ("kiln:managed", "team"),
    "ec2:metadatahttptokens": "required",
    "aws:sourceip": "10.1.2.3",
    "aws:currenttime": "2026-11-23T10:00:00Z",
    "ec2:volumesize": "20",
    "aws:principalarn": "arn:aws:iam::123456789012:role/kiln/one",
    "aws:securetransport": "true",
    "aws:username": "a*b",
}


@pytest.mark.parametrize(
    ("conditions", "holds"),
    [
        ({"StringEquals": {"aws:RequestTag/kiln:managed": "true"}}, True),
        ({"StringEquals": {"aws:requestTAG/Kiln:Managed": "true"}}, True),
        ({"StringEquals": {"aws:RequestTag/kiln:managed": True}}, True),
        ({"StringEquals": {"aws:RequestTag/other": "true"}}, False),
        ({"StringNotEquals": {"aws:RequestTag/other": "true"}}, True),
        ({"StringEqualsIfExists": {"aws:RequestTag/other": "true"}}, True),
        ({"StringEqualsIfExists": {"aws:RequestTag/kiln:managed": "no"}}, False),
        ({"StringEquals": {"ec2:MetadataHttpTokens": ["optional", "required"]}}, True),
        ({"StringNotEquals": {"ec2:MetadataHttpTokens": ["optional", "required"]}}, False),
        ({"StringEquals": {"ec2:MetadataHttpTokens": "req*"}}, False),
        ({"StringLike": {"ec2:MetadataHttpTokens": "req*"}}, True),
        ({"StringEqualsIgnoreCase": {"ec2:MetadataHttpTokens": "REQUIRED"}}, True),
        ({"Bool": {"aws:SecureTransport": "false"}}, False),
        ({"Bool": {"aws:SecureTransport": True}}, True),
        ({"NumericLessThanEquals": {"ec2:VolumeSize": "20"}}, True),
        ({"NumericLessThan": {"ec2:VolumeSize": "20"}}, False),
        ({"NumericGreaterThan": {"aws:PrincipalArn": "1"}}, False),
        ({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, True),
        ({"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, False),
        ({"DateGreaterThan": {"aws:CurrentTime": "2026-11-23T09:59:59Z"}}, True),
        ({"DateLessThan": {"aws:CurrentTime": "2026-11-23"}}, False),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/kiln/*"}}, True),
        ({"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/kiln/*"}}, False),
        ({"Null": {"aws:RequestTag/other": "true"}}, True),
        ({"Null": {"aws:RequestTag/kiln:managed": "true"}}, False),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["kiln:managed", "team"]}}, True),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}}, False),
        ({"ForAllValues:StringEquals": {"aws:Nothing": ["team"]}}, True),
        ({"ForAnyValue:StringEquals": {"aws:TagKeys": ["team"]}}, True),
        ({"ForAnyValue:StringEquals": {"aws:Nothing": ["team"]}}, False),
        ({"Bool": {"aws:SecureTransport": "true"}, "Null": {"ec2:VolumeSize": "true"}}, False),
    ],
)
def test_a_condition_holds_or_not(conditions: dict[str, Any], holds: bool) -> None:
    assert hold(conditions, KEYS) is holds


def test_an_operator_that_iam_does_not_have_is_named() -> None:
    with pytest.raises(UnknownOperator, match="StringIs"):
        hold({"StringIs": {"ec2:VolumeSize": "20"}}, KEYS)


@pytest.mark.parametrize(
    ("pattern", "arn", "matches"),
    [
        ("arn:aws:ec2:eu-west-1:1:instance/*", "arn:aws:ec2:eu-west-1:1:instance/i-1", True),
        ("arn:aws:ec2:*::image/*", "arn:aws:ec2:us-east-1::image/ami-1", True),
        ("arn:aws:ec2:*:image/*", "arn:aws:ec2:us-east-1::image/ami-1", False),
        ("arn:aws:states:r:1:execution:k:*", "arn:aws:states:r:1:execution:k:a:b", True),
        ("arn:aws:s3:::b/bakes/*", "arn:aws:s3:::b/outputs/x", False),
        ("arn:aws:s3:::b/?akes", "arn:aws:s3:::b/bakes", True),
        ("*", "anything", True),
        ("arn:aws:iam::1:role/Kiln", "arn:aws:iam::1:role/kiln", False),
    ],
)
def test_a_wildcard_stays_within_its_part_of_an_arn(pattern: str, arn: str, matches: bool) -> None:
    assert arn_like(pattern, arn) is matches


def test_a_variable_is_text_even_where_it_looks_like_a_wildcard() -> None:
    inside = filled("home/${aws:username}/*", KEYS)
    assert inside is not None
    assert like(inside, "home/a*b/x")
    assert not like(inside, "home/aXb/x")
    assert filled("${aws:nobody}", KEYS) is None
    assert filled("${aws:nobody, 'somebody'}", KEYS) == "somebody"
    assert like(str(filled("${*}", KEYS)), "*")
    assert not like(str(filled("${*}", KEYS)), "x")


@given(st.text(max_size=20), st.text(max_size=20))
def test_a_pattern_without_wildcards_is_itself_alone(pattern: str, text: str) -> None:
    plain = pattern.replace("*", "").replace("?", "")
    assert like(plain, text) is (plain == text)
    assert like(f"{plain}*", plain + text)
