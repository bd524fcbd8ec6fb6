"""The template reader: includes, conditions, references, and what it will not pass over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kiln_local.makers import MAKERS, Stack, make_all
from kiln_local.template import Made, Resolver, TemplateError, read, references

ROOT = Path(__file__).parents[3]
TEMPLATE: dict[str, Any] = {
    "Parameters": {"Name": {"Default": ""}, "Size": {"Default": 3}},
    "Conditions": {
        "Named": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Name"}, ""]}]},
        "Both": {"Fn::And": [{"Condition": "Named"}, {"Fn::Equals": ["a", "a"]}]},
        "Either": {"Fn::Or": [{"Condition": "Named"}, {"Fn::Equals": ["a", "b"]}]},
    },
}


def a_resolver(**parameters: str) -> Resolver:
    """A resolver of the small template, with one resource made."""
    resolver = Resolver(TEMPLATE, parameters, {"AWS::Region": "eu-west-1"})
    resolver.known["Table"] = Made("kiln-Table", Arn="arn:table")
    return resolver


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ({"Ref": "Table"}, "kiln-Table"),
        ({"Ref": "AWS::Region"}, "eu-west-1"),
        ({"Fn::GetAtt": ["Table", "Arn"]}, "arn:table"),
        ({"Fn::GetAtt": "Table.Arn"}, "arn:table"),
        ({"Fn::Sub": "${AWS::Region}/${Table.Arn}/${Size}"}, "eu-west-1/arn:table/3"),
        ({"Fn::Sub": ["${X}-${Table}", {"X": {"Ref": "Size"}}]}, "3-kiln-Table"),
        ({"Fn::If": ["Named", 1, 2]}, 2),
        ({"Fn::If": ["Both", 1, 2]}, 2),
        ({"Fn::If": ["Either", 1, 2]}, 2),
        ({"Fn::Join": [",", ["a", {"Ref": "Size"}]]}, "a,3"),
        ({"Fn::Select": [1, {"Fn::Split": [",", "a,b"]}]}, "b"),
        ({"a": {"Ref": "AWS::NoValue"}, "b": [{"Ref": "AWS::NoValue"}, 1]}, {"b": [1]}),
    ],
)
def test_a_reference_is_resolved(part: Any, expected: Any) -> None:
    assert a_resolver().value(part) == expected


def test_a_condition_follows_its_parameter() -> None:
    assert a_resolver(Name="x").value({"Fn::If": ["Both", 1, 2]}) == 1
    assert a_resolver(Name="x").condition("Either")


def test_a_parameter_that_is_not_declared_is_refused() -> None:
    with pytest.raises(TemplateError, match="Nope is no parameter; known: Name, Size"):
        a_resolver(Nope="x")


def test_a_reference_to_what_was_not_made_is_refused() -> None:
    with pytest.raises(TemplateError, match="Bucket is referred to and not made"):
        a_resolver().value({"Ref": "Bucket"})
    with pytest.raises(TemplateError, match="Table has no attribute Colour"):
        a_resolver().value({"Fn::GetAtt": "Table.Colour"})


def a_stack() -> Stack:
    """A stack that makes nothing."""
    import boto3

    return Stack(boto3.Session(region_name="eu-west-1"), "123456789012", {}, ROOT)


def test_a_type_that_cannot_be_made_is_an_error_and_not_a_gap() -> None:
    template = {"Resources": {"Cluster": {"Type": "AWS::EKS::Cluster"}}}
    with pytest.raises(TemplateError, match="Cluster: the local AWS cannot make a AWS::EKS::Clus"):
        make_all(template, a_resolver(), a_stack())


def test_a_circle_of_references_is_named() -> None:
    circle = {
        "A": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": {"Ref": "B"}}},
        "B": {"Type": "AWS::Logs::LogGroup", "DependsOn": "A"},
    }
    with pytest.raises(TemplateError, match="in a circle: A, B"):
        make_all({"Resources": circle}, a_resolver(), a_stack())


def test_references_are_found_wherever_they_stand() -> None:
    part = {"a": [{"Ref": "A"}, {"Fn::GetAtt": ["B", "Arn"]}], "b": {"Fn::Sub": "${C.Arn}${D}"}}
    assert references(part) == {"A", "B", "C", "D"}


def test_every_type_of_the_template_has_a_maker_or_is_sams() -> None:
    types = {resource["Type"] for resource in read(ROOT / "template.yaml")["Resources"].values()}
    assert {kind for kind in types if "Serverless" not in kind} <= MAKERS.keys()


def test_documents_are_included_where_they_are_named() -> None:
    template = read(ROOT / "template.yaml")
    content = template["Resources"]["CleanLinuxDocument"]["Properties"]["Content"]
    assert content["schemaVersion"] == "2.2"
