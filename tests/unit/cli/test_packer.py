"""Packer's templates as blueprints: what becomes of each feature, and what is said of the rest."""

from __future__ import annotations

from pathlib import Path

from tests.foreign import CANONICAL, UBUNTU, packer_hcl, packer_json, write
from tests.kiln_command import run
from tests.unit.cli.packer import hcl_of, imported, said


def test_a_json_template_becomes_a_blueprint(tmp_path: Path) -> None:
    found = imported(packer_json(tmp_path))
    assert found["document"] == {
        "kind": "blueprint",
        "name": "web",
        "description": "Front end of the shop",
        "platform": "ubuntu-22.04",
        "base": {"lookup": {"owner": CANONICAL, "name": UBUNTU}},
        "builder": {
            "instance_types": ["m6i.large"],
            "volume": {"size_gib": 20, "type": "gp3"},
        },
        "steps": [
            {
                "name": "shell",
                "shell": "#!/bin/sh -e\napt-get update\nsudo apt-get -y install nginx\n",
                "environment": {"DEBIAN_FRONTEND": "noninteractive"},
            },
            {
                "name": "write /tmp/shop.conf",
                "shell": 'set -eu\nmkdir -p -- "$(dirname -- /tmp/shop.conf)"\n'
                "cat >/tmp/shop.conf <<'KILN_END_OF_FILE'\nserver { listen 80; }\n"
                "KILN_END_OF_FILE\n",
            },
            {
                "name": "tune.sh",
                "shell": "#!/bin/bash\nset -eu\necho tuned > /etc/shop-tuned\n",
                "timeout": "330s",
            },
            {"name": "restart", "reboot": True},
            {"name": "shell-2", "shell": "#!/bin/sh -e\necho 1.4 > /etc/shop-version\n"},
        ],
        "image": {"name": "shop-web {date}-{time}", "tags": {"team": "shop"}},
        "distribute": {"regions": [{"region": "us-east-1"}]},
    }


def test_what_a_json_template_has_more_is_named_with_its_place(tmp_path: Path) -> None:
    found = imported(packer_json(tmp_path))
    dropped = {(row["object"], row["field"]) for row in found["dropped"]}
    assert dropped == {
        ("builders.0 (amazon-ebs)", "access_key"),
        ("builders.0 (amazon-ebs)", "ssh_username"),
        ("builders.0 (amazon-ebs)", "subnet_id"),
        ("builders.0 (amazon-ebs)", "launch_block_device_mappings.1"),
        ("builders.1 (docker)", "docker"),
        ("provisioners.0 (shell)", "execute_command"),
        ("post-processors.0 (manifest)", "manifest"),
        ("post-processors.1 (shell-local)", "shell-local"),
    }
    assert {row["field"] for row in found["wanted"]} == {
        "environment_vars.DB_PASSWORD",
        "tags.Base",
        "ansible",
    }
    assert "that must be eu-west-1" in said(found, "assumed", "region")
    assert "as root, where Packer ran them as ubuntu" in said(found, "assumed", "steps")
    assert "Systems Manager: no key" in said(found, "dropped", "ssh_username")
    assert 'playbook: "site.yml"' in said(found, "wanted", "ansible")


def test_no_secret_is_ever_written(tmp_path: Path) -> None:
    ran = run("import", "packer", packer_json(tmp_path), "--var", "db_password=of-the-command")
    assert ran.status == 0
    for secret in ("hunter2", "of-the-command"):
        assert secret not in ran.stdout + ran.stderr


def test_an_hcl2_template_becomes_a_blueprint(tmp_path: Path) -> None:
    found = imported(packer_hcl(tmp_path))
    assert found["document"] == {
        "kind": "blueprint",
        "name": "web",
        "platform": "amazon-linux-2023",
        "base": {"lookup": {"owner": "137112412989", "name": "al2023-ami-2023.*-x86_64"}},
        "builder": {
            "instance_types": ["m7i.large"],
            "volume": {"size_gib": 16, "iops": 4000, "throughput_mib_s": 250, "type": "gp3"},
        },
        "steps": [
            {
                "name": "shell",
                "shell": "#!/bin/sh -e\ndnf -y install nginx\n"
                'echo web "$WORKERS" > /etc/shop-workers\n',
                "environment": {"WORKERS": "4"},
            },
            {
                "name": "write /etc/shop.conf",
                "shell": 'set -eu\nmkdir -p -- "$(dirname -- /etc/shop.conf)"\n'
                "cat >/etc/shop.conf <<'KILN_END_OF_FILE'\nlisten 80;\nKILN_END_OF_FILE\n",
            },
            {
                "name": "shell-2",
                "shell": "#!/bin/bash -eu\ncat >/etc/shop-region <<X\nEU-WEST-1\nX\n\n",
            },
        ],
        "image": {
            "name": "shop-web-{date}-{time}",
            "tags": {"team": "shop", "service": "web"},
        },
    }
    assert found["wanted"] == []


def test_files_of_one_template_are_read_together_and_values_come_last(tmp_path: Path) -> None:
    files = [
        write(tmp_path, "z.pkr.hcl", 'variable "size" { default = 8 }\n'),
        write(tmp_path, "prod.pkrvars.hcl", "size = 30\n"),
        hcl_of(
            tmp_path,
            source='launch_block_device_mappings {\n device_name = "/dev/xvda"\n'
            " volume_size = var.size\n}",
        ),
    ]
    assert imported(*files)["document"]["builder"]["volume"] == {"size_gib": 30}
    given = imported(*files, "--var", "size=40")["document"]
    assert given["builder"]["volume"] == {"size_gib": 40}


def test_each_amazon_builder_becomes_a_blueprint_of_its_own(tmp_path: Path) -> None:
    path = hcl_of(
        tmp_path,
        head='source "amazon-instance" "old" {\n  ami_name = "amzn2-old"\n}\n'
        'source "docker" "x" {\n}\n',
        build='source "amazon-instance.old" {\n  instance_type = "m5d.large"\n}\n'
        'source "docker.x" {\n}\n'
        'provisioner "shell" {\n  inline = ["echo ${source.name}"]\n}\n'
        'provisioner "shell" {\n  only = ["amazon-instance.old"]\n  inline = ["old"]\n}\n'
        'provisioner "shell" {\n  except = ["amazon-instance.old"]\n  inline = ["new"]\n'
        '  override = { web = { inline = ["newer"] } }\n}\n',
    )
    ran = run("import", "packer", path, "-o", tmp_path / "out", "--json")
    web, old = (row["document"] for row in ran.json["blueprints"])
    assert [step["shell"].splitlines()[1] for step in web["steps"]] == ["echo web", "newer"]
    assert [step["shell"].splitlines()[1] for step in old["steps"]] == ["echo old", "old"]
    assert (old["root_device"], old["platform"]) == ("instance-store", "amazon-linux-2")
    assert old["builder"]["instance_types"] == ["m5d.large"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["old.yaml", "web.yaml"]
    first = ran.json["blueprints"][0]
    assert said(first, "dropped", "docker") == "Kiln makes images of EC2 alone"
    valid = run("validate", *(tmp_path / "out").iterdir())
    assert valid.status == 0, valid.stderr
