"""The role that the template makes for builders: what its parameters add, and nothing without."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kiln_local.template import Made, Resolver, read

ROOT = Path(__file__).parents[2]
SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:windows/*"
PSEUDO = {"AWS::Partition": "aws", "AWS::Region": "eu-west-1", "AWS::AccountId": "123456789012"}


def allowed(**parameters: str) -> dict[str, Any]:
    """What the builder's role allows: action -> resources."""
    template = read(ROOT / "template.yaml")
    resolver = Resolver(template, parameters, PSEUDO)
    for name in ("Bucket", "BundlesBucket"):
        resolver.known[name] = Made(name.lower(), Arn=f"arn:aws:s3:::{name.lower()}")
    role = resolver.value(template["Resources"]["BuilderRole"]["Properties"])
    statements = [s for p in role["Policies"] for s in p["PolicyDocument"]["Statement"]]
    return {str(statement["Action"]): statement["Resource"] for statement in statements}


def test_a_builder_reads_no_secret_unless_the_template_is_told_which() -> None:
    assert "secretsmanager:GetSecretValue" not in allowed()
    assert allowed(PasswordSecret=SECRET)["secretsmanager:GetSecretValue"] == SECRET


def test_a_builder_reads_applications_from_a_bucket_that_is_named() -> None:
    reading = "['s3:GetObject', 's3:GetObjectVersion']"
    assert allowed()[reading] == ["arn:aws:s3:::bucket/apps/*"]
    assert allowed(ScriptBuckets="ours")[reading][1:] == ["arn:aws:s3:::ours/*"]


def test_an_instance_may_write_nothing_but_what_its_commands_print_and_its_bundles() -> None:
    given = allowed(PasswordSecret=SECRET, ScriptBuckets="ours")
    writing = {action for action in given if "Put" in action or "Delete" in action}
    assert writing == {"s3:PutObject", "['s3:PutObject', 's3:PutObjectAcl']"}
    printed = ["arn:aws:s3:::bucket/bakes/*", "arn:aws:s3:::bucket/outputs/*"]
    assert given["s3:PutObject"] == printed
    assert given["['s3:PutObject', 's3:PutObjectAcl']"] == "arn:aws:s3:::bundlesbucket/bundles/*"
