"""Packer's provisioners as steps: what runs, and what is said of what does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.foreign import write
from tests.unit.cli.packer import hcl_of, imported, json_of, said

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


def test_an_hcl2_template_reads_files_from_beside_it_alone(tmp_path: Path) -> None:
    write(tmp_path, "secret", "hunter2")
    write(tmp_path, "t/a.sh", "echo a\n")
    lines = '["${file("${path.root}/a.sh")}", file("../secret"), "x%{ if true }y%{ endif }"]'
    path = hcl_of(
        tmp_path / "t",
        build=f'provisioner "shell" {{\n  inline = {lines}\n}}\n'
        'provisioner "shell" {\n  script = "${path.root}/a.sh"\n}\n',
    )
    found = imported(path)
    first, second = found["document"]["steps"]
    assert first["shell"] == (
        '#!/bin/sh -e\necho a\n\n${file("../secret")}\nx%{ if true }y%{ endif }\n'
    )
    assert second == {"name": "a.sh", "shell": "echo a\n"}
    assert "../secret is not beside the template or below" in said(found, "wanted", "inline")
    assert "hunter2" not in str(found)


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
        ("chef-solo", {"run_list": ["recipe[nginx]"], "json": {"a": 1, "password": "hunter2"}},
         'run_list: ["recipe[nginx]"], attributes: {"a": 1, "password": "***"}', "wanted"),
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
