"""What EC2 Image Builder has, as blueprints: recipes, components, pipelines, distribution."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from kiln.domain.blueprint import blueprint_from
from kiln_cli.image_builder.around import scheduler_cron
from tests import foreign
from tests.foreign import component, image_builder, write
from tests.kiln_command import run
from tests.unit.cli.test_packer import said

_ARN = "arn:aws:imagebuilder:eu-west-1"


def imported(*args: object) -> dict[str, Any]:
    """The only blueprint of an import, and its notes; it is valid."""
    ran = run("import", "image-builder", *args, "--json")
    assert ran.status == 0, ran.stderr
    (found,) = ran.json["blueprints"]
    blueprint_from(found["document"])
    return dict(found)


def refused(*args: object) -> str:
    ran = run("import", "image-builder", *args)
    assert (ran.status, ran.stdout) == (2, "")
    return ran.error


def steps_of(folder: Path, *steps: dict[str, Any], platform: str = "debian-12") -> dict[str, Any]:
    """The import of a component with these steps."""
    path = write(folder, "part.yaml", component(*steps))
    return imported(path, "--platform", platform)


def recipe(folder: Path, **said_more: Any) -> Path:
    """A saved recipe with other settings."""
    document = {"imageRecipe": foreign.RECIPE["imageRecipe"] | {"components": []} | said_more}
    return write(folder, "recipe.json", document)


def beside(folder: Path, kind: str, **settings: Any) -> Path:
    return write(folder, f"{kind}.json", {kind: settings})


def test_a_recipe_and_its_component_become_a_blueprint(tmp_path: Path) -> None:
    found = imported(*image_builder(tmp_path))
    document = found["document"]
    update = document["steps"].pop(0)
    assert (update["name"], "dnf -y upgrade" in update["shell"]) == ("Update", True)
    assert document == {
        "kind": "blueprint",
        "name": "shop-web",
        "description": "Front end of the shop",
        "platform": "amazon-linux-2023",
        "base": {
            "parameter": "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
        },
        "builder": {"volume": {"size_gib": 20, "type": "gp3"}},
        "steps": [
            {
                "name": "Install",
                "shell": "#!/bin/bash\ncd /tmp\ndnf -y install nginx\nmkdir -p /srv/shop\n",
                "timeout": "600s",
            },
            {
                "name": "Page",
                "shell": 'set -eu\nmkdir -p -- "$(dirname -- /srv/shop/index.html)"\n'
                "cat >/srv/shop/index.html <<'KILN_END_OF_FILE'\n<h1>it's \"fresh\"</h1>\n"
                "KILN_END_OF_FILE\nchown -- root /srv/shop/index.html\n"
                "chmod 0644 -- /srv/shop/index.html\n",
            },
            {"name": "Reboot", "reboot": True},
            {"name": "restart", "reboot": True},
        ],
        "verify": {
            "steps": [
                {
                    "name": "Installed",
                    "shell": "#!/bin/bash\ncd /tmp\ngrep -q fresh /srv/shop/index.html\n",
                },
                {"name": "Enabled", "shell": "#!/bin/bash\ncd /tmp\ntest -d /etc\n"},
            ]
        },
        "image": {"tags": {"team": "shop"}},
    }
    assert "on a clone of the image" in said(found, "assumed", "phases.validate")


def test_a_template_of_cloudformation_becomes_a_blueprint(tmp_path: Path) -> None:
    found = imported(write(tmp_path, "template.yaml", foreign.TEMPLATE))
    name = "/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id"
    assert found["document"] == {
        "kind": "blueprint",
        "name": "base",
        "platform": "ubuntu-24.04",
        "base": {"parameter": name},
        "builder": {
            "instance_types": ["m7i.large"],
            "volume": {"size_gib": 30, "type": "gp3", "kms_key": "alias/images"},
        },
        "steps": [
            {"name": "Hello", "shell": "#!/bin/bash\necho m7i.large ${HOME} ${Secret}\n"},
            {"name": "restart", "reboot": True},
        ],
        "image": {"name": "base-{date}-{time}", "tags": {"Team": "shop"}},
        "distribute": {
            "regions": [{"region": "us-east-1", "kms_key": "alias/images-us"}],
            "launch_templates": [{"id": "lt-0123456789abcdef0", "default": True}],
            "parameter": "/images/base",
            "accounts": ["210987654321"],
        },
        "rebuild": {
            "pause_after": 5,
            "schedule": "cron(0 4 ? * mon *)",
            "when": "always",
        },
        "lifecycle": {"deprecate": {"after": "90d"}, "delete": {"after": "180d", "keep_last": 3}},
        "on_failure": "keep",
    }
    assert "InstanceProfile says it" in said(found, "dropped", "instanceProfileName")
    assert "hunter2" not in str(found)
    assert "parameter Secret is a secret" in said(found, "wanted", "data")


def test_a_parameter_of_a_template_may_be_given(tmp_path: Path) -> None:
    path = write(tmp_path, "template.yaml", foreign.TEMPLATE)
    document = imported(path, "--var", "Type=m6i.large")["document"]
    assert document["builder"]["instance_types"] == ["m6i.large"]


def test_saved_output_is_linked_by_arns_whatever_the_version(tmp_path: Path) -> None:
    parts = f"{_ARN}:123456789012"
    files = [
        recipe(tmp_path),
        beside(
            tmp_path,
            "imagePipeline",
            name="p",
            imageRecipeArn=f"{parts}:image-recipe/shop-web/1.0.1",
            infrastructureConfigurationArn=f"{parts}:infrastructure-configuration/small",
            distributionConfigurationArn=f"{parts}:distribution-configuration/wide",
            schedule={"scheduleExpression": "cron(0 4 ? * sun *)", "timezone": "Europe/Berlin"},
            imageScanningConfiguration={"imageScanningEnabled": True},
        ),
        beside(
            tmp_path,
            "infrastructureConfiguration",
            arn=f"{parts}:infrastructure-configuration/small",
            name="small",
            instanceTypes=["t3.small", "no type"],
            keyPair="mine",
        ),
        beside(
            tmp_path,
            "distributionConfiguration",
            arn=f"{parts}:distribution-configuration/wide",
            name="wide",
            distributions=[
                {"region": "eu-west-1", "amiDistributionConfiguration": {"kmsKeyId": "alias/eu"}},
                {
                    "region": "eu-north-1",
                    "amiDistributionConfiguration": {
                        "kmsKeyId": "alias/north",
                        "targetAccountIds": ["210987654321"],
                        "launchPermission": {"userGroups": ["all"]},
                    },
                    "licenseConfigurationArns": ["arn"],
                },
            ],
        ),
    ]
    found = imported(*reversed(files))
    document = found["document"]
    assert document["builder"]["instance_types"] == ["t3.small"]
    assert document["builder"]["volume"]["kms_key"] == "alias/eu"
    assert document["distribute"] == {
        "regions": [{"region": "eu-north-1", "kms_key": "alias/north"}],
        "accounts": ["210987654321"],
        "copyable": True,
    }
    assert document["rebuild"]["time_zone"] == "Europe/Berlin"
    for field in (
        "keyPair",
        "imageScanningConfiguration",
        "userGroups",
        "licenseConfigurationArns",
    ):
        assert said(found, "dropped", field), field
    assert "it was copied to them" in said(found, "assumed", "targetAccountIds")


@pytest.mark.parametrize(
    ("parent", "platform", "base"),
    [
        ("ami-0123456789abcdef0", "debian-13", {"image": "ami-0123456789abcdef0"}),
        ("ssm:/own/base:3", "debian-13", {"parameter": "/own/base"}),
        (
            f"{_ARN}:aws:image/ubuntu-server-22-lts-arm64/x.x.x",
            None,
            {"parameter": "/aws/service/canonical/ubuntu/server/22.04/stable/current/arm64/hvm/"
             "ebs-gp2/ami-id"},
        ),
        (f"{_ARN}:123456789012:image/Base_Linux/x.x.x", "debian-13", {"blueprint": "base-linux"}),
        ("aws-marketplace-product", "debian-13",
         {"parameter": "/aws/service/debian/release/13/latest/amd64"}),
    ],
)  # fmt: skip
def test_parent_images(
    tmp_path: Path, parent: str, platform: str | None, base: dict[str, Any]
) -> None:
    path = recipe(tmp_path, parentImage=parent)
    more = ["--platform", platform] if platform else []
    assert imported(path, *more)["document"]["base"] == base
    if platform:
        assert "the platform cannot be told from its parent image" in refused(path)


def test_a_platform_is_told_by_the_system_of_a_component(tmp_path: Path) -> None:
    arn = f"{_ARN}:123456789012:component/part/1.0.0"
    files = [
        recipe(tmp_path, parentImage="ami-0123456789abcdef0",
               components=[{"componentArn": arn}]),
        beside(tmp_path, "component", arn=f"{arn}/1", name="part",
               supportedOsVersions=["Amazon Linux 2"], data=component()),
    ]  # fmt: skip
    found = imported(*files)
    assert found["document"]["platform"] == "amazon-linux-2"
    assert "as other names say" in said(found, "assumed", "parentImage")


def test_components_that_no_file_describes_are_asked_for(tmp_path: Path) -> None:
    arns = [
        f"{_ARN}:aws:component/amazon-cloudwatch-agent-linux/x.x.x",
        f"{_ARN}:aws:component/simple-boot-test-linux/x.x.x",
        f"{_ARN}:aws:component/update-linux/x.x.x",
        f"{_ARN}:123456789012:component/own/1.0.0",
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


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("cron(0 4 * * *)", "cron(0 4 * * ? *)"),
        ("cron(0 4 * * mon)", "cron(0 4 ? * mon *)"),
        ("cron(0 4 1 * * *)", "cron(0 4 1 * ? *)"),
        ("cron(0 4 ? * 2 *)", "cron(0 4 ? * 2 *)"),
        ("rate(1 day)", "rate(1 day)"),
        ("cron(1)", "cron(1)"),
    ],
)
def test_schedules_get_the_form_of_the_scheduler(text: str, made: str) -> None:
    assert scheduler_cron(text) == made


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty; it needs what `aws imagebuilder get-image-recipe` prints"),
        ("[]", "is no mapping"),
        ("a: 1", "holds nothing of Image Builder's"),
        ("Resources: {A: {Type: AWS::S3::Bucket}}", "a template without resources of Image"),
        ("imagePipeline: {name: a}", "no file holds a recipe or a component"),
        ("imageRecipe: [1]", "imageRecipe: must be a mapping"),
        ("imageRecipe: {type: DOCKER}", "Kiln makes machine images, no containers"),
        ("component: {name: a, data: 'x: ['}", "component a: data: "),
        ("component: {name: a, data: 'x: 1'}", "component a: data: is no document with phases"),
        ("a: !Unknown x", "the tag !Unknown is not allowed"),
        ("phases: []\nphases: []", "line 2, column 1: the key 'phases' is given twice"),
    ],
)
def test_what_is_not_image_builders_is_refused_in_one_line(
    tmp_path: Path, text: str, words: str
) -> None:
    assert words in refused(write(tmp_path, "x.yaml", text))


def test_several_recipes_want_a_folder(tmp_path: Path) -> None:
    other = dict(foreign.RECIPE["imageRecipe"]) | {"name": "other", "arn": "x"}
    files = [*image_builder(tmp_path), write(tmp_path, "b.json", {"imageRecipe": other})]
    error = run("import", "image-builder", *files).error
    assert "there are several blueprints: shop-web, other; name a folder with -o" in error
    ran = run("import", "image-builder", *files, "-o", tmp_path / "out")
    assert ran.status == 0
    assert run("validate", *(tmp_path / "out").iterdir()).status == 0
