"""What EC2 Image Builder has, as blueprints: recipes, components, pipelines, distribution."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kiln_cli.image_builder.around import scheduler_cron
from tests import foreign
from tests.foreign import component, image_builder, write
from tests.kiln_command import run
from tests.unit.cli.image_builder import ARN, beside, imported, recipe, refused
from tests.unit.cli.packer import said

SHOP_WEB: dict[str, Any] = {
    "kind": "blueprint",
    "name": "shop-web",
    "description": "Front end of the shop",
    "platform": "amazon-linux-2023",
    "base": {"parameter": "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"},
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


def test_a_recipe_and_its_component_become_a_blueprint(tmp_path: Path) -> None:
    found = imported(*image_builder(tmp_path))
    document = found["document"]
    update = document["steps"].pop(0)
    assert (update["name"], "dnf -y upgrade" in update["shell"]) == ("Update", True)
    assert document == SHOP_WEB
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


WIDE = [
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
]


def saved(tmp_path: Path) -> list[Path]:
    """A recipe, its pipeline, and what that names, a file each."""
    parts = f"{ARN}:123456789012"
    return [
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
            distributions=WIDE,
        ),
    ]


def test_saved_output_is_linked_by_arns_whatever_the_version(tmp_path: Path) -> None:
    found = imported(*reversed(saved(tmp_path)))
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
            f"{ARN}:aws:image/ubuntu-server-22-lts-arm64/x.x.x",
            None,
            {"parameter": "/aws/service/canonical/ubuntu/server/22.04/stable/current/arm64/hvm/"
             "ebs-gp2/ami-id"},
        ),
        (f"{ARN}:123456789012:image/Base_Linux/x.x.x", "debian-13", {"blueprint": "base-linux"}),
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
    arn = f"{ARN}:123456789012:component/part/1.0.0"
    files = [
        recipe(tmp_path, parentImage="ami-0123456789abcdef0",
               components=[{"componentArn": arn}]),
        beside(tmp_path, "component", arn=f"{arn}/1", name="part",
               supportedOsVersions=["Amazon Linux 2"], data=component()),
    ]  # fmt: skip
    found = imported(*files)
    assert found["document"]["platform"] == "amazon-linux-2"
    assert "as other names say" in said(found, "assumed", "parentImage")


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
