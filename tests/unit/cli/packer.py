"""Imports of Packer's templates, and small templates to import."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kiln.domain.blueprint import blueprint_from
from tests.foreign import write
from tests.kiln_command import Ran, run

AMI = "ami-0123456789abcdef0"


def imported(*args: object) -> dict[str, Any]:
    """The only blueprint of an import, and its notes; it is valid."""
    ran = run("import", "packer", *args, "--json")
    assert ran.status == 0, ran.stderr
    (found,) = ran.json["blueprints"]
    blueprint_from(found["document"])
    return dict(found)


def refused(*args: object) -> str:
    ran: Ran = run("import", "packer", *args)
    assert (ran.status, ran.stdout) == (2, "")
    return ran.error


def said(found: dict[str, Any], kind: str, field: str) -> str:
    """All that is said of a field."""
    return "; ".join(row["reason"] for row in found[kind] if row["field"] == field)


def json_of(folder: Path, provisioners: list[Any] | None = None, **source: Any) -> Path:
    """A small JSON template whose builder has these settings."""
    builder = {"type": "amazon-ebs", "ami_name": "debian-12-web", "source_ami": AMI} | source
    builder = {key: value for key, value in builder.items() if value is not None}
    document = {"builders": [builder], "provisioners": provisioners or []}
    return write(folder, "small.json", document)


def hcl_of(folder: Path, head: str = "", source: str = "", build: str = "") -> Path:
    """A small HCL2 template with some more in each of its parts."""
    text = (
        f'{head}\nsource "amazon-ebs" "web" {{\n  ami_name = "debian-12-web"\n'
        f'  source_ami = "{AMI}"\n{source}\n}}\n'
        f'build {{\n  sources = ["source.amazon-ebs.web"]\n{build}\n}}\n'
    )
    return write(folder, "small.pkr.hcl", text)
