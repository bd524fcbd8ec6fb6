"""With whom an image is shared, as far as EC2 and Kiln allow it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from kiln_cli.elsewhere.imported import Document
from kiln_cli.elsewhere.settings import Settings

_ACCOUNT = re.compile(r"^\d{12}$", re.ASCII)
_OWN_KEY = (
    "EC2 shares nothing that is encrypted with the AWS managed key, and Kiln encrypts every root: "
    "write a key of your own as kms_key of builder.volume and of each of distribute.regions, then "
    "distribute: {{{}}}"
)


@dataclass(frozen=True)
class Sharing:
    """Accounts, ARNs of organizations and of organizational units; `copyable` are the accounts that
    may copy the snapshots."""

    accounts: list[str]
    organizations: list[str]
    units: list[str]
    copyable: list[str]


def check_sharing(
    sharing: Sharing, settings: Settings, key: str, around: tuple[Document, list[Any]]
) -> Document:
    """What of it a blueprint says; `around` are its builder and Regions, with their keys. What EC2
    would refuse is told under `key`."""
    builder, regions = around
    accounts = list(dict.fromkeys(one for one in sharing.accounts if _ACCOUNT.match(one)))
    for one in sharing.accounts:
        if not _ACCOUNT.match(one):
            settings.drop(key, f"{one[:40]!r} is no account's id of twelve digits")
    found: Document = {
        "accounts": accounts,
        "organizations": list(dict.fromkeys(sharing.organizations)),
        "organizational_units": list(dict.fromkeys(sharing.units)),
    }
    found = {name: value for name, value in found.items() if value}
    volume = builder.get("volume", {})
    keys = [volume.get("kms_key"), *(region.get("kms_key") for region in regions)]
    if found and not all(one and "alias/aws/" not in one for one in keys):
        settings.want(key, _OWN_KEY.format(", ".join(_said(*one) for one in found.items())))
        return {}
    if sharing.copyable and found.get("accounts"):
        found["copyable"] = True
        others = set(sharing.copyable) - set(accounts)
        if others or set(accounts) - set(sharing.copyable):
            settings.assume(
                "snapshot_users", "copyable: every account that may launch it may copy it"
            )
    return found


def _said(name: str, values: list[str]) -> str:
    shown = ", ".join(f'"{value}"' for value in values[:10])
    return f"{name}: [{shown}{', ...' if len(values) > 10 else ''}]"
