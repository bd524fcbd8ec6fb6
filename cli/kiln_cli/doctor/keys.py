"""Keys of the Key Management Service: the template's own, and those of images.

What a key's policy must say: docs/security.md for KmsKeyArn; for images the default statement that
leaves the account to IAM, because Kiln's roles have the permission (KMS Developer Guide, "Default
key policy"), and for each account that an image is shared with that account or a grant to it (EC2
User Guide, "Allow organizations and OUs to use a KMS key", "Share encrypted snapshots"). Conditions
of a statement are not weighed here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

from kiln.adapters._errors import translated
from kiln.errors import AwsRefused
from kiln_cli.doctor.finding import Finding
from kiln_cli.doctor.site import Key, Site, every

CHECK = "keys"
_GRANTED = (
    "DescribeKey CreateGrant Decrypt ReEncryptFrom ReEncryptTo GenerateDataKeyWithoutPlaintext"
)


def keys(site: Site) -> Iterator[Finding]:
    """Every key that the template or a stored blueprint names."""
    own = site.parameter("KmsKeyArn")
    if own:
        yield from _own(site, Key(own, own.split(":")[3], "KmsKeyArn"))
    for key in site.used.keys:
        yield from _of_images(site, key)
    if not own and not site.used.keys:
        what = "no key of your own is named: AWS's keys encrypt everything"
        yield Finding(CHECK, "none", "well", what)


def _own(site: Site, key: Key) -> Iterator[Finding]:
    client = site.clients("kms", key.region)
    trouble, found = _usable(client, key)
    if trouble or found is None:
        yield from trouble
        return
    statements = _policy(client, found["KeyId"])
    wanted = {
        "who uses table, bucket, queue, topic and functions": ("AWS", "*", "kms:GenerateDataKey"),
        "CloudWatch Logs": ("Service", f"logs.{site.region}.amazonaws.com", "kms:Encrypt"),
        "EventBridge": ("Service", "events.amazonaws.com", "kms:GenerateDataKey"),
        "CloudWatch's alarms": ("Service", "cloudwatch.amazonaws.com", "kms:GenerateDataKey"),
    }
    lacking = [who for who, (kind, name, action) in wanted.items()
               if not any(_allows(one, kind, name, action) for one in statements)]  # fmt: skip
    if lacking:
        what = (
            f"its policy does not let in {', '.join(lacking)}; docs/security.md has the statements"
        )
        yield Finding(CHECK, key.name, "broken", what, _put(key))
    else:
        yield Finding(CHECK, key.name, "well", f"the key of {key.of} is enabled and open to Kiln")


def _of_images(site: Site, key: Key) -> Iterator[Finding]:
    client = site.clients("kms", key.region)
    trouble, found = _usable(client, key)
    if trouble or found is None:
        yield from trouble
        return
    if found["KeyManager"] == "AWS":
        if key.accounts:
            what = f"is AWS's key, and {key.of} shares its images: nobody else can use them"
            mend = f"aws kms create-key --region {key.region}"
            yield Finding(CHECK, key.name, "broken", what, mend)
        return
    statements = _policy(client, found["KeyId"])
    root = f"arn:{site.partition}:iam::{site.account}:root"
    if not any(_names_account(one, site.account, root, "kms:CreateGrant") for one in statements):
        what = f"its policy leaves nothing to IAM of {site.account}: Kiln's roles cannot use it"
        yield Finding(CHECK, key.name, "broken", what, _put(key))
        return
    shut_out = list(_shut_out(site, client, found, key, statements))
    yield from shut_out
    if not shut_out:
        yield Finding(CHECK, key.name, "well", f"the key of {key.of} in {key.region} can be used")


def _shut_out(
    site: Site, client: Any, found: Any, key: Key, statements: list[Any]
) -> Iterator[Finding]:
    """Accounts that get images and not the key."""
    left = [
        account
        for account in key.accounts
        if not any(
            _names_account(one, account, f"arn:{site.partition}:iam::{account}:root", "kms:Decrypt")
            for one in statements
        )
    ]
    if not left:
        return
    grants = [grant.get("GranteePrincipal", "") for grant in _grants(client, found["Arn"])]
    for account in left:
        if not any(f":{account}:" in grantee for grantee in grants):
            what = f"{key.of} shares images with {account}, which may not use the key"
            mend = (
                f"aws kms create-grant --region {key.region} --key-id {found['Arn']} "
                f"--grantee-principal arn:{site.partition}:iam::{account}:root "
                f"--operations {_GRANTED}"
            )
            yield Finding(CHECK, key.name, "broken", what, mend)


def _grants(client: Any, arn: str) -> Iterator[Any]:
    return every(client, "kms", "list_grants", "Grants", KeyId=arn)


def _usable(client: Any, key: Key) -> tuple[list[Finding], Any]:
    """What is wrong with the key itself, and its description."""
    try:
        with translated("kms", "DescribeKey"):
            found = client.describe_key(KeyId=key.name)["KeyMetadata"]
    except AwsRefused as error:
        if error.code != "NotFoundException":
            raise
        what = f"the key that {key.of} names does not exist in {key.region}"
        mend = f"aws kms list-aliases --region {key.region}"
        return [Finding(CHECK, key.name, "broken", what, mend)], None
    state = found["KeyState"]
    if state == "Enabled":
        return [], found
    mend = f"aws kms enable-key --region {key.region} --key-id {found['KeyId']}"
    if state == "PendingDeletion":
        mend = (
            f"aws kms cancel-key-deletion --region {key.region} --key-id {found['KeyId']} && {mend}"
        )
    what = f"the key that {key.of} names is {state}"
    return [Finding(CHECK, key.name, "broken", what, mend)], None


def _policy(client: Any, key: str) -> list[Any]:
    with translated("kms", "GetKeyPolicy"):
        text = client.get_key_policy(KeyId=key, PolicyName="default")["Policy"]
    statements = json.loads(text).get("Statement", [])
    return statements if isinstance(statements, list) else [statements]


def _put(key: Key) -> str:
    return (
        f"aws kms put-key-policy --region {key.region} --key-id {key.name} --policy-name default "
        "--policy file://policy.json"
    )


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or ())


def _allows(statement: Any, kind: str, name: str, action: str) -> bool:
    if statement.get("Effect") != "Allow" or not _covers(statement, action):
        return False
    principal = statement.get("Principal")
    named = _listed(principal.get(kind)) if isinstance(principal, dict) else _listed(principal)
    return name in named or "*" in named


def _covers(statement: Any, action: str) -> bool:
    wanted = action.lower()
    return any(fnmatchcase(wanted, one.lower()) for one in _listed(statement.get("Action")))


def _names_account(statement: Any, account: str, root: str, action: str) -> bool:
    """Whether a statement lets in an account, or somebody of it."""
    if _allows(statement, "AWS", root, action) or _allows(statement, "AWS", account, action):
        return True
    principal = statement.get("Principal")
    if statement.get("Effect") != "Allow" or not isinstance(principal, dict):
        return False
    someone = any(f"::{account}:" in one for one in _listed(principal.get("AWS")))
    return someone and _covers(statement, action)
