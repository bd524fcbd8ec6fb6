"""Packer's templates as blueprints: what becomes of each feature, and what is said of the rest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kiln.domain.blueprint import blueprint_from
from tests import foreign
from tests.foreign import CANONICAL, UBUNTU, packer_hcl, packer_json, write
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


NEWEST = "/aws/service/debian/release/12/latest/"


@pytest.mark.parametrize(
    ("source", "base", "known"),
    [
        ({"source_ami": AMI}, {"image": AMI}, True),
        ({"source_ami": f"resolve:ssm:{NEWEST}amd64"}, {"parameter": f"{NEWEST}amd64"}, True),
        ({"source_ami": "{{user `nope`}}"}, {"parameter": f"{NEWEST}amd64"}, False),
        ({"instance_type": "m7g.large"}, {"parameter": f"{NEWEST}arm64"}, False),
        (
            {
                "source_ami_filter": {
                    "filters": {"name": ["debian-12-*", "x"]},
                    "owners": ["1", "2"],
                }
            },
            {"lookup": {"owner": "1", "name": "debian-12-*"}},
            True,
        ),
        (
            {
                "source_ami_filter": {
                    "filters": {"name": "debian-12-*"},
                    "owners": "self",
                    "include_deprecated": "true",
                }
            },
            {"lookup": {"owner": "self", "name": "debian-12-*"}, "allow_deprecated": True},
            True,
        ),
        (
            {"source_ami_filter": {"filters": {"tag:Name": "x"}, "owners": ["self"]}},
            {"parameter": f"{NEWEST}amd64"},
            False,
        ),
    ],
)
def test_bases(tmp_path: Path, source: dict[str, Any], base: dict[str, Any], known: bool) -> None:
    found = imported(json_of(tmp_path, **{"source_ami": None} | source))
    assert found["document"]["base"] == base
    newest = "newest public image of debian-12" in said(found, "wanted", "source_ami")
    assert newest == (not known)


def test_a_parameter_that_is_looked_up_is_the_base(tmp_path: Path) -> None:
    name = "/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id"
    path = write(
        tmp_path,
        "p.pkr.hcl",
        f'data "amazon-parameterstore" "u" {{\n  name = "{name}"\n}}\n'
        'source "amazon-ebs" "x" {\n  source_ami = data.amazon-parameterstore.u.value\n}\n',
    )
    document = imported(path)["document"]
    assert (document["base"], document["platform"]) == ({"parameter": name}, "ubuntu-24.04")


def test_a_platform_that_no_name_tells_is_asked_for(tmp_path: Path) -> None:
    path = json_of(tmp_path, ami_name="web")
    assert "builders.0 (amazon-ebs): the platform cannot be told; name it" in refused(path)
    found = imported(path, "--platform", "rhel-9")
    assert found["document"]["platform"] == "rhel-9"
    assert "--platform: beos is none of" in refused(path, "--platform", "beos")


@pytest.mark.parametrize(
    ("settings", "keys"),
    [
        ({"ami_users": ["123456789012"]}, {}),
        ({"ami_users": ["123456789012", "x"], "kms_key_id": "alias/own"},
         {"accounts": ["123456789012"]}),
        ({"ami_users": ["123456789012"], "snapshot_users": ["123456789012"],
          "encrypt_boot": True, "kms_key_id": "alias/own"},
         {"accounts": ["123456789012"], "copyable": True}),
        ({"ami_regions": ["us-east-1"], "region": "eu-west-1",
          "region_kms_key_ids": {"us-east-1": "alias/us", "eu-west-1": "alias/eu"},
          "ami_org_arns": ["arn:aws:organizations::123456789012:organization/o-abcdefghij"]},
         {"regions": [{"region": "us-east-1", "kms_key": "alias/us"}],
          "organizations": ["arn:aws:organizations::123456789012:organization/o-abcdefghij"]}),
        ({"ami_regions": ["nowhere", "us-east-1"]}, {"regions": [{"region": "us-east-1"}]}),
        ({"ami_groups": ["all"]}, {}),
    ],
)  # fmt: skip
def test_regions_keys_and_sharing(
    tmp_path: Path, settings: dict[str, Any], keys: dict[str, Any]
) -> None:
    found = imported(json_of(tmp_path, **settings))
    assert found["document"].get("distribute", {}) == keys


def test_sharing_without_a_key_says_what_to_write(tmp_path: Path) -> None:
    found = imported(json_of(tmp_path, ami_users=["123456789012"]))
    wants = said(found, "wanted", "ami_users")
    assert "write a key of your own" in wants
    assert 'distribute: {accounts: ["123456789012"]}' in wants


@pytest.mark.parametrize(
    ("device", "volume"),
    [
        ({"volume_type": "io2", "iops": 3000}, {"iops": 3000, "type": "io2"}),
        ({"volume_type": "io1"}, None),
        ({"volume_type": "standard", "volume_size": 9}, {"size_gib": 9}),
        ({"volume_type": "gp2", "iops": 3000, "volume_size": 9}, {"size_gib": 9, "type": "gp2"}),
        ({"volume_size": "large"}, None),
        ({"kms_key_id": "alias/x", "encrypted": "false"}, {"kms_key": "alias/x"}),
        ({"volume_size": 99_999}, None),
    ],
)  # fmt: skip
def test_root_volumes(
    tmp_path: Path, device: dict[str, Any], volume: dict[str, Any] | None
) -> None:
    mapping = {"device_name": "/dev/xvda"} | device
    found = imported(json_of(tmp_path, launch_block_device_mappings=[mapping]))
    assert found["document"].get("builder", {}).get("volume") == volume


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("web", "web-{date}-{time}"),
        ("web-{{timestamp}}", "web-{date}-{time}"),
        ('web-{{isotime "2006-01-02"}}', "web-{date}"),
        ('web-{{isotime "2006-01-02-1504"}}', "web-{date}-{time}"),
        ("we:b {{uuid}}", "we-b {date}-{time}"),
        ("w" * 200, "w" * 100 + "{date}-{time}"),
        ("web-{{user `nope`}}", None),
    ],
)
def test_names_of_images(tmp_path: Path, name: str, made: str | None) -> None:
    found = imported(
        json_of(tmp_path, ami_name=f"{name}", source_ami=None), "--platform", "debian-12"
    )
    assert found["document"].get("image", {}).get("name") == made


WINDOWS = {
    "ami_name": "win2022-web",
    "source_ami": None,
    "communicator": "winrm",
    "winrm_username": "Administrator",
    "user_data_file": "winrm.txt",
}


def test_windows_runs_powershell_batch_files_and_restarts(tmp_path: Path) -> None:
    write(tmp_path, "files/a b.txt", "x'\n")
    found = imported(
        json_of(
            tmp_path,
            [
                {"type": "powershell", "inline": ["Get-Date"], "elevated_user": "SYSTEM"},
                {"type": "windows-shell", "inline": ["ver"]},
                {"type": "windows-restart", "restart_timeout": "15m"},
                {"type": "file", "source": "files/a b.txt", "destination": "C:\\shop\\"},
                {"type": "shell", "inline": ["true"]},
            ],
            **WINDOWS,
        )
    )
    document = found["document"]
    assert document["platform"] == "windows-2022"
    first, second, third, fourth = document["steps"]
    assert first == {"name": "powershell", "powershell": "Get-Date\n"}
    assert "& cmd.exe /d /c $file\n" in second["powershell"]
    assert third == {"name": "restart", "reboot": True, "timeout": "900s"}
    assert "$path = 'C:\\shop\\/a b.txt'" in fourth["powershell"]
    assert "eCcK" in fourth["powershell"]
    assert said(found, "dropped", "shell") == "does not run on Windows"
    assert "it needs no WinRM" in said(found, "dropped", "user_data_file")


def test_scripts_are_read_from_beside_the_template_and_from_nowhere_else(tmp_path: Path) -> None:
    write(tmp_path, "secret", "hunter2")
    write(tmp_path, "t/large.sh", "#" * 40_000)
    (tmp_path / "t/link").symlink_to(tmp_path / "secret")
    (tmp_path / "t/latin.sh").write_bytes(b"echo \xe4\n")
    names = ["../secret", "link", "/etc/passwd", "large.sh", "latin.sh", "gone.sh", "."]
    found = imported(
        json_of(
            tmp_path / "t",
            [
                {"type": "shell", "scripts": names},
                {"type": "file", "source": "../secret", "destination": "/etc/x"},
            ],
        )
    )
    assert found["document"]["steps"] == [{"name": "gone.sh", "shell": {"file": "gone.sh"}}]
    assert "hunter2" not in str(found)
    wants = said(found, "wanted", "script")
    assert "../secret is not beside" in wants
    assert "link is not beside" in wants
    assert "large.sh is larger than" in wants
    assert "latin.sh is no UTF-8" in wants
    assert "gone.sh is not there; put it beside" in wants
    assert ". is a folder" in wants


def test_a_file_that_is_no_text_is_written_from_base64(tmp_path: Path) -> None:
    (tmp_path / "logo.bin").write_bytes(bytes(range(256)))
    found = imported(
        json_of(tmp_path, [{"type": "file", "source": "logo.bin", "destination": "/srv/it's"}])
    )
    (step,) = found["document"]["steps"]
    assert step["shell"].startswith("set -eu\nmkdir -p -- \"$(dirname -- '/srv/it'\"'\"'s')\"\n")
    assert "base64 -d >'/srv/it'\"'\"'s' <<'KILN_END_OF_FILE'\nAAECAwQ" in step["shell"]


@pytest.mark.parametrize(
    ("kind", "settings", "advice", "note"),
    [
        ("ansible-local", {"playbook_file": "a.yml"}, 'playbook: "a.yml"', "wanted"),
        ("chef-solo", {"run_list": ["recipe[nginx]"], "json": {"a": 1}},
         'run_list: ["recipe[nginx]"], attributes: {"a": 1}', "wanted"),
        ("chef-client", {}, "put the cookbooks into S3 or Git", "wanted"),
        ("breakpoint", {}, "on_failure: keep", "dropped"),
        ("shell-local", {"command": "make"}, "put it before `kiln bake`", "dropped"),
        ("puppet-masterless", {}, "Kiln runs no puppet-masterless", "wanted"),
        ("windows-update", {}, "AWS-InstallWindowsUpdates", "wanted"),
        ("of-somebody", {}, "Kiln runs no of-somebody", "wanted"),
    ],
)  # fmt: skip
def test_provisioners_without_a_step_say_what_to_write(
    tmp_path: Path, kind: str, settings: dict[str, Any], advice: str, note: str
) -> None:
    found = imported(json_of(tmp_path, [{"type": kind, **settings}]))
    assert advice in said(found, note, kind)
    assert "steps" not in found["document"]


def test_user_data_that_is_a_script_is_the_first_step(tmp_path: Path) -> None:
    shell = [{"type": "shell", "inline": ["true"]}]
    found = imported(json_of(tmp_path, shell, user_data="#!/bin/bash\nid\n"))
    assert [step["name"] for step in found["document"]["steps"]] == ["user data", "shell"]
    found = imported(json_of(tmp_path, shell, user_data="#cloud-config\n{}"))
    assert len(found["document"]["steps"]) == 1
    assert "write what it does as the first step" in said(found, "dropped", "user_data")


def test_what_is_not_known_stays_in_a_script_and_is_named_with_its_line(tmp_path: Path) -> None:
    path = hcl_of(
        tmp_path,
        head='variable "api_token" { sensitive = true }\nlocals { loop = local.loop }\n',
        build='provisioner "shell" {\n  inline = ["use ${var.api_token} ${var.gone} ${local.loop} '
        '${timestamp()} {{ .Vars }}"]\n  environment_vars = ["A=${var.gone}", "API_KEY=x"]\n}\n',
    )
    found = imported(path)
    (step,) = found["document"]["steps"]
    assert step["shell"].splitlines()[1] == (
        "use ${var.api_token} ${var.gone} ${local.loop} FILL_IN_THE_TIME {{ .Vars }}"
    )
    assert "environment" not in step
    wants = said(found, "wanted", "inline")
    for words in ("var.api_token is sensitive", "variable gone has no value; give it with --var",
                  "local.loop depends on too much, or on itself", "the time of a bake",
                  "{{.Vars}} is known only while"):  # fmt: skip
        assert words in wants
    assert "no value" in said(found, "wanted", "environment_vars.A")
    assert "may be a secret by its name" in said(found, "wanted", "environment_vars.API_KEY")
    assert {row["object"] for row in found["wanted"]} == {"provisioner shell (line 11)"}


def test_dynamic_blocks_and_what_packer_alone_knows_are_named(tmp_path: Path) -> None:
    found = imported(
        hcl_of(
            tmp_path,
            source='dynamic "tag" {\n  for_each = var.x\n  content {\n  key = "a"\n }\n}\n'
            "skip_create_ami = packer.version\n nothing_like_this = 1\n spot_price = 0",
        )
    )
    assert "a dynamic block (line 5)" in said(found, "wanted", "tag")
    assert said(found, "dropped", "nothing_like_this") == "Kiln has nothing like it"
    assert "on demand" in said(found, "dropped", "spot_price")


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("x.json", "{", "is not JSON"),
        ("x.json", "[]", "holds no builders"),
        ("x.json", '{"builders": []}', "builders: is empty"),
        ("x.json", '{"builders": {}}', "builders: must be a list"),
        ("x.json", '{"builders": [{}]}', "builders.0: must be a mapping with a type"),
        ("x.json", '{"builders": [], "builder": 1}', "builder: is no key"),
        ("x.json", '{"builders": [{"type": "docker"}]}', "only docker; Kiln makes images of EC2"),
        ("x.json", '{"builders": [{"type": "a"}], "variables": 1}', "variables: must be a mapping"),
        ("x.json", '{"builders": [{"type": "a"}], "post-processors": [1]}', "post-processors.0"),
        ("x.pkr.json", '{"source": {}}', "is HCL2 written as JSON"),
        ("x.pkr.hcl", "source {", "line 1, column 9: is not HCL2: it ends too soon"),
        ("x.pkr.hcl", 'a = "', "is not HCL2"),
        ("x.pkr.hcl", "resource \"x\" {\n}", "line 1: 'resource' is no block of a template"),
        ("x.pkr.hcl", "a = 1", "holds no source"),
        ("x.pkr.hcl", 'build {\n  sources = ["amazon-ebs.x"]\n}', "'amazon-ebs.x', which no file"),
        ("x.pkr.hcl", 'variable "a" {\n}\nvariable "a" {\n}', "line 3: variable a is there"),
        ("x.pkr.hcl", 'source "a" "a" {\n  b = 1\n  b = 2\n}', "line 3: 'b' is given twice"),
        ("x.pkr.hcl", 'source "a" "a" {\n  b = 1\n  b {\n}\n}', "line 3: 'b' is given twice"),
    ],
)  # fmt: skip
def test_what_is_no_template_is_refused_in_one_line(
    tmp_path: Path, name: str, text: str, words: str
) -> None:
    path = write(tmp_path, name, text)
    error = refused(path)
    assert words in error
    assert error.startswith(f"kiln: {path}: ") or "no builder is" in error


def test_files_that_do_not_go_together_are_refused(tmp_path: Path) -> None:
    one, other = packer_json(tmp_path), write(tmp_path, "b.json", foreign.PACKER_JSON)
    assert "a JSON template is one file" in refused(one, other)
    assert "is JSON beside HCL2" in refused(one, packer_hcl(tmp_path))
    assert "--var: 'x' is not of the form" in refused(one, "--var", "x")


def test_the_file_reads_as_it_was_made_and_begins_with_what_is_to_be_done(tmp_path: Path) -> None:
    ran = run("import", "packer", packer_json(tmp_path), "-o", tmp_path / "web.yaml")
    assert (ran.status, ran.stdout) == (0, "")
    lines = (tmp_path / "web.yaml").read_text().splitlines()
    assert lines[0] == "# yaml-language-server: $schema=../schemas/blueprint.json"
    assert lines[2] == "# Imported from Packer's builders.0 (amazon-ebs) of web."
    assert lines[3].startswith("# To fill in: ")
    assert "web: to fill in: " in ran.stderr
    assert "    sudo apt-get -y install nginx" in lines
    again = run("import", "packer", tmp_path / "web.json", "-o", tmp_path / "web.yaml")
    assert "--force writes over it" in again.error
