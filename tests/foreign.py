"""Files of other tools as their users have them, below files_of_others/: two templates of Packer's,
what Image Builder prints, a component's document, a CloudFormation template."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

FILES = Path(__file__).parent / "files_of_others"
UBUNTU = "ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-*"
CANONICAL = "099720109477"
PACKER_JSON: dict[str, Any] = json.loads((FILES / "web.json").read_text())
PACKER_HCL = (FILES / "al2023.pkr.hcl").read_text()
COMPONENT = (FILES / "component.yaml").read_text()
RECIPE: dict[str, Any] = json.loads((FILES / "recipe.json").read_text())
TEMPLATE = (FILES / "template.yaml").read_text()


def write(folder: Path, name: str, content: Any) -> Path:
    """A file: text as it is, anything else as JSON."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def packer_json(folder: Path, **changes: Any) -> Path:
    """The JSON template with the files that it names beside it."""
    write(folder, "files/shop.conf", "server { listen 80; }\n")
    write(folder, "scripts/tune.sh", "#!/bin/bash\nset -eu\necho tuned > /etc/shop-tuned\n")
    return write(folder, "web.json", PACKER_JSON | changes)


def packer_hcl(folder: Path, *lines: str) -> Path:
    """The HCL2 template, with lines at its end."""
    return write(folder, "al2023.pkr.hcl", PACKER_HCL + "\n".join(lines))


def image_builder(folder: Path) -> list[Path]:
    """A recipe as it was saved, and its component's document."""
    return [
        write(folder, "recipe.json", RECIPE),
        write(folder, "component.yaml", COMPONENT),
    ]


def component(*steps: dict[str, Any], phase: str = "build", **more: Any) -> str:
    """A component's document of these steps."""
    phases = [{"name": phase, "steps": list(steps)}]
    return yaml.safe_dump({"name": "part", "schemaVersion": "1.0", "phases": phases} | more)
