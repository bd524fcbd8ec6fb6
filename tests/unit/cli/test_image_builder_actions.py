"""What components do, as steps: AWSTOE's action modules on Linux and Windows."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.image_builder import ARN, imported, recipe, steps_of
from tests.unit.cli.packer import said


def test_components_that_no_file_describes_are_asked_for(tmp_path: Path) -> None:
    arns = [
        f"{ARN}:aws:component/amazon-cloudwatch-agent-linux/x.x.x",
        f"{ARN}:aws:component/simple-boot-test-linux/x.x.x",
        f"{ARN}:aws:component/update-linux/x.x.x",
        f"{ARN}:123456789012:component/own/1.0.0",
    ]
    found = imported(recipe(tmp_path, components=[{"componentArn": arn} for arn in arns]))
    assert "aws imagebuilder get-component" in said(
        found, "wanted", "amazon-cloudwatch-agent-linux"
    )
    assert said(found, "wanted", "own")
    assert "boots a clone" in said(found, "dropped", "componentArn")
    assert [step["name"] for step in found["document"]["steps"]] == ["update the system"]


LINUX = [
    ("AppendFile", {"path": "/etc/x", "content": "it's"},
     "set -eu\nprintf '%s' 'it'\"'\"'s' >>/etc/x\n"),
    ("CopyFile", {"source": "/a b", "destination": "/c", "overwrite": True},
     'set -eu\nmkdir -p -- "$(dirname -- /c)"\ncp -f -- \'/a b\' /c\n'),
    ("CopyFolder", {"source": "/a/*", "destination": "/c"},
     'set -eu\nmkdir -p -- "$(dirname -- /c)"\ncp -Rf -- /a/* /c\n'),
    ("CreateFolder", {"path": "/srv/$(id)", "owner": "www", "group": "www"},
     "set -eu\nmkdir -p -- '/srv/$(id)'\nchown -- www:www '/srv/$(id)'\n"),
    ("CreateSymlink", {"path": "/a", "target": "/b", "force": True}, "set -eu\nln -sf -- /b /a\n"),
    ("DeleteFile", {"path": "/a"}, "set -eu\nrm -f -- /a\n"),
    ("DeleteFolder", {"path": "/a", "force": True}, "set -eu\nrm -rf -- /a\n"),
    ("ExecuteBinary", {"path": "/bin/x", "arguments": ["a b", "c"]}, "exec /bin/x 'a b' c\n"),
    ("MoveFile", {"source": "/a", "destination": "/b"},
     'set -eu\nmkdir -p -- "$(dirname -- /b)"\nmv -f -- /a /b\n'),
    ("S3Download", {"source": "s3://bucket/a b", "destination": "/b"},
     "set -eu\nmkdir -p -- \"$(dirname -- /b)\"\naws s3 cp 's3://bucket/a b' /b\n"),
    ("S3Download", {"source": "s3://bucket/a/*", "destination": "/b"},
     "set -eu\naws s3 cp --recursive s3://bucket/a/ /b\n"),
    ("S3Upload", {"source": "/a", "destination": "s3://bucket/k"},
     "set -eu\naws s3 cp /a s3://bucket/k\n"),
    ("SetFileOwner", {"path": "/a", "owner": "root"}, "set -eu\nchown -- root /a\n"),
    ("SetFilePermissions", {"path": "/a", "permissions": "0600"}, "set -eu\nchmod 0600 -- /a\n"),
    ("WebDownload",
     {"source": "https://x/y", "destination": "/z", "checksum": "A" * 64, "algorithm": "SHA256"},
     'set -eu\nmkdir -p -- "$(dirname -- /z)"\ncurl -fsSL -o /z -- https://x/y\n'
     f"printf '%s  %s\\n' {'a' * 64} /z | sha256sum -c -\n"),
]  # fmt: skip


@pytest.mark.parametrize(("action", "inputs", "script"), LINUX)
def test_actions_on_linux(tmp_path: Path, action: str, inputs: dict[str, Any], script: str) -> None:
    found = steps_of(tmp_path, {"name": "it", "action": action, "inputs": [inputs]})
    assert found["document"]["steps"] == [{"name": "it", "shell": script}]
    assert found["wanted"] == []


WINDOWS = [
    ("ExecutePowerShell", {"commands": ["Get-Date", "Get-Item C:\\"]}, "Get-Date\nGet-Item C:\\\n"),
    ("CreateFolder", {"path": "C:\\it's"}, "New-Item -ItemType Directory -Force -Path 'C:\\it''s'"),
    ("DeleteFile", {"path": "C:\\a"}, "Remove-Item -Force -Path 'C:\\a'"),
    ("MoveFile", {"source": "C:\\a", "destination": "C:\\b"}, "Move-Item -Force -Path 'C:\\a'"),
    ("SetRegistry", {"path": "HKLM:\\S", "name": "n", "value": "1", "type": "DWORD"},
     "-PropertyType DWord -Value 1 -Force"),
    ("SetRegistry", {"path": "HKEY_LOCAL_MACHINE\\S", "name": "n", "value": "1"},
     "$path = 'Registry::HKEY_LOCAL_MACHINE\\S'"),
    ("S3Download", {"source": "s3://bucket/k", "destination": "C:\\k"},
     "Read-S3Object -BucketName 'bucket' -Key 'k' -File 'C:\\k'"),
    ("WebDownload", {"source": "https://x/y", "destination": "C:\\z", "checksum": "ab"},
     "if ($found -ne 'ab') { throw"),
    ("InstallMSI", {"path": "C:\\a.msi"}, "'/i', ('\"' + $path + '\"'), '/qn', '/norestart'"),
    ("ExecuteBinary", {"path": "C:\\a.exe", "arguments": ["/q"]}, "& 'C:\\a.exe' '/q'\n"),
    ("CreateFile", {"path": "C:\\a", "content": "x"}, "FromBase64String('eA==')"),
]  # fmt: skip


@pytest.mark.parametrize(("action", "inputs", "part"), WINDOWS)
def test_actions_on_windows(tmp_path: Path, action: str, inputs: dict[str, Any], part: str) -> None:
    given = inputs if action == "ExecutePowerShell" else [inputs]
    found = steps_of(
        tmp_path, {"name": "it", "action": action, "inputs": given}, platform="windows-2022"
    )
    (step,) = found["document"]["steps"]
    assert part in step["powershell"]


def test_windows_is_updated_by_a_document_of_aws(tmp_path: Path) -> None:
    found = steps_of(tmp_path, {"name": "u", "action": "UpdateOS"}, platform="windows-2019")
    (step,) = found["document"]["steps"]
    assert step["document"] == {
        "name": "AWS-InstallWindowsUpdates", "parameters": {"Action": "Install"}
    }  # fmt: skip
    assert "ExtraDocuments" in said(found, "wanted", "UpdateOS")


@pytest.mark.parametrize(
    ("step", "kind", "field", "words"),
    [
        ({"action": "Assert"}, "wanted", "Assert", "ends with another status than 0"),
        ({"action": "Wish"}, "wanted", "Wish", "nothing like it"),
        ({"action": "ExecutePowerShell"}, "dropped", "ExecutePowerShell", "does not run on Linux"),
        ({"action": "ExecuteBash"}, "wanted", "commands", "it has none"),
        ({"action": "ExecuteBash", "loop": {"forEach": ["a"]}}, "wanted", "loop", "write the loop"),
        ({"action": "ExecuteBash", "if": {}, "inputs": {}}, "wanted", "commands", "it has none"),
        ({"action": "CreateFile", "inputs": [{"path": "{{ build.x.outputs.y }}"}]}, "wanted",
         "path", "is known only while it runs"),
        ({"action": "Sleep"}, "wanted", "Sleep", "nothing like it"),
        ({"action": "S3Download", "inputs": [{"source": "http://x"}]}, "wanted", "inputs",
         "not all is known"),
    ],
)  # fmt: skip
def test_steps_that_cannot_be_carried_over_are_named(
    tmp_path: Path, step: dict[str, Any], kind: str, field: str, words: str
) -> None:
    found = steps_of(tmp_path, {"name": "it", **step})
    assert words in said(found, kind, field)
    assert "steps" not in found["document"]


def test_a_script_that_restarts_by_its_exit_code_is_named(tmp_path: Path) -> None:
    found = steps_of(tmp_path, {"action": "ExecuteBash", "inputs": {"commands": ["exit 194"]}})
    assert "write `reboot: true` as the next" in said(found, "wanted", "commands")


def test_user_data_of_a_recipe_is_the_first_step(tmp_path: Path) -> None:
    text = base64.b64encode(b"#!/bin/sh\nid\n").decode()
    extra = {"userDataOverride": text, "systemsManagerAgent": {"uninstallAfterBuild": True}}
    found = imported(recipe(tmp_path, additionalInstanceConfiguration=extra))
    assert found["document"]["steps"] == [{"name": "user data", "shell": "#!/bin/sh\nid\n"}]
    assert said(found, "dropped", "systemsManagerAgent.uninstallAfterBuild")
