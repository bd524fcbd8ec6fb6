"""Files of other tools as their users have them: two templates of Packer's, what Image Builder
prints, a component's document, a CloudFormation template."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

UBUNTU = "ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-*"
CANONICAL = "099720109477"

PACKER_JSON: dict[str, Any] = {
    "_comment": "the shop's front end",
    "variables": {
        "aws_access_key": "{{env `AWS_ACCESS_KEY_ID`}}",
        "region": "eu-west-1",
        "app_version": "1.4",
        "db_password": "hunter2-hunter2",
        "nowhere": None,
    },
    "sensitive-variables": ["db_password"],
    "builders": [
        {
            "type": "amazon-ebs",
            "access_key": "{{user `aws_access_key`}}",
            "region": "{{user `region`}}",
            "source_ami_filter": {
                "filters": {
                    "virtualization-type": "hvm",
                    "name": UBUNTU,
                    "root-device-type": "ebs",
                },
                "owners": [CANONICAL],
                "most_recent": True,
            },
            "instance_type": "m6i.large",
            "ssh_username": "ubuntu",
            "ami_name": "shop-web {{isotime | clean_resource_name}}",
            "ami_description": "Front end of the shop",
            "ami_regions": ["eu-west-1", "us-east-1"],
            "launch_block_device_mappings": [
                {"device_name": "/dev/sda1", "volume_size": "20", "volume_type": "gp3"},
                {"device_name": "/dev/sdf", "volume_size": 100},
            ],
            "tags": {"team": "shop", "Base": "{{ .SourceAMIName }}"},
            "subnet_id": "subnet-0123456789abcdef0",
        },
        {"type": "docker", "image": "ubuntu:22.04"},
    ],
    "provisioners": [
        {
            "type": "shell",
            "inline": ["apt-get update", "sudo apt-get -y install nginx"],
            "environment_vars": [
                "DEBIAN_FRONTEND=noninteractive",
                "DB_PASSWORD={{user `db_password`}}",
            ],
            "execute_command": "{{ .Vars }} sudo -E sh '{{ .Path }}'",
        },
        {"type": "file", "source": "files/shop.conf", "destination": "/tmp/shop.conf"},
        {"type": "shell", "scripts": ["scripts/tune.sh"], "timeout": "5m30s"},
        {"type": "shell", "inline": ["sudo reboot"], "expect_disconnect": True},
        {"type": "shell", "inline": ["echo {{user `app_version`}} > /etc/shop-version"]},
        {"type": "shell", "inline": ["echo docker"], "only": ["docker"]},
        {"type": "ansible", "playbook_file": "site.yml"},
    ],
    "post-processors": ["manifest", [{"type": "shell-local", "inline": ["true"]}]],
}

PACKER_HCL = """\
packer {
  required_plugins {
    amazon = { version = ">= 1.2.8", source = "github.com/hashicorp/amazon" }
  }
}

variable "region" {
  type    = string
  default = "eu-west-1"
}

variable "size" {
  type    = number
  default = 12
}

variable "kms_key" {
  type    = string
  default = null
}

variable "api_token" {
  type      = string
  sensitive = true
}

locals {
  stamp = regex_replace(timestamp(), "[- TZ:]", "")
  tags  = merge({ team = "shop" }, { service = lower("WEB") })
}

data "amazon-ami" "al2023" {
  filters = {
    name             = "al2023-ami-2023.*-x86_64"
    root-device-type = "ebs"
  }
  owners      = ["137112412989"]
  most_recent = true
}

source "amazon-ebs" "web" {
  ami_name      = "shop-web-${local.stamp}"
  instance_type = "m7i.large"
  region        = var.region
  source_ami    = data.amazon-ami.al2023.id
  ssh_username  = "ec2-user"
  kms_key_id    = var.kms_key
  tags          = local.tags

  launch_block_device_mappings {
    device_name = "/dev/xvda"
    volume_size = var.size + 4
    volume_type = "gp3"
    iops        = 4000
    throughput  = 250
    encrypted   = true
  }
}

build {
  sources = ["source.amazon-ebs.web"]

  provisioner "shell" {
    env = { WORKERS = "4" }
    inline = [
      "dnf -y install nginx",
      "echo ${source.name} \\"$WORKERS\\" > /etc/shop-workers",
    ]
  }

  provisioner "file" {
    content     = "listen 80;\\n"
    destination = "/etc/shop.conf"
  }

  provisioner "shell" {
    inline_shebang = "/bin/bash -eu"
    inline = [<<-EOF
      cat >/etc/shop-region <<X
      ${upper(var.region)}
      X
    EOF
    ]
  }

  post-processor "manifest" {
    output = "manifest.json"
  }
}
"""

COMPONENT = """\
name: InstallNginx
description: The web server
schemaVersion: 1.0
parameters:
  - Folder:
      type: string
      default: /srv/nothing
constants:
  - Owner:
      type: string
      value: root
phases:
  - name: build
    steps:
      - name: Update
        action: UpdateOS
      - name: Install
        action: ExecuteBash
        timeoutSeconds: 600
        onFailure: Abort
        inputs:
          commands:
            - dnf -y install nginx
            - mkdir -p {{ Folder }}
      - name: Page
        action: CreateFile
        inputs:
          - path: "{{ Folder }}/index.html"
            content: |
              <h1>it's "fresh"</h1>
            owner: "{{ Owner }}"
            permissions: "0644"
      - name: Reboot
        action: Reboot
        inputs: {delaySeconds: 60}
  - name: validate
    steps:
      - name: Installed
        action: ExecuteBash
        inputs: {commands: ["grep -q fresh {{Folder}}/index.html"]}
  - name: test
    steps:
      - name: Enabled
        action: ExecuteBash
        inputs: {commands: ["test -d /etc"]}
"""

_ARN = "arn:aws:imagebuilder:eu-west-1"
RECIPE: dict[str, Any] = {
    "requestId": "a1b2",
    "imageRecipe": {
        "arn": f"{_ARN}:123456789012:image-recipe/shop-web/1.0.0",
        "type": "AMI",
        "name": "Shop Web",
        "description": "Front end of the shop",
        "platform": "Linux",
        "owner": "123456789012",
        "version": "1.0.0",
        "components": [
            {
                "componentArn": f"{_ARN}:123456789012:component/installnginx/1.0.0/1",
                "parameters": [{"name": "Folder", "value": ["/srv/shop"]}],
            },
            {"componentArn": f"{_ARN}:aws:component/reboot-linux/x.x.x"},
        ],
        "parentImage": f"{_ARN}:aws:image/amazon-linux-2023-x86/x.x.x",
        "blockDeviceMappings": [
            {
                "deviceName": "/dev/xvda",
                "ebs": {"encrypted": True, "volumeSize": 20, "volumeType": "gp3"},
            }
        ],
        "workingDirectory": "/tmp",
        "tags": {"cost": "1"},
        "amiTags": {"team": "shop"},
    },
}

TEMPLATE = """\
AWSTemplateFormatVersion: 2010-09-09
Parameters:
  Type: {Type: String, Default: m7i.large}
  Secret: {Type: String, NoEcho: true, Default: hunter2-hunter2}
  Base:
    Type: AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>
    Default: /aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id
Resources:
  Component:
    Type: AWS::ImageBuilder::Component
    Properties:
      Name: !Sub "${AWS::StackName}-hello"
      Platform: Linux
      Version: 1.0.0
      Data: !Sub |
        schemaVersion: 1.0
        phases:
          - name: build
            steps:
              - name: Hello
                action: ExecuteBash
                inputs:
                  commands:
                    - echo ${Type} ${!HOME} ${Secret}
  Recipe:
    Type: AWS::ImageBuilder::ImageRecipe
    Properties:
      Name: base
      Version: 1.0.0
      ParentImage: !Ref Base
      Components:
        - ComponentArn: !Ref Component
        - ComponentArn: !Join
            - "/"
            - - !Sub arn:${AWS::Partition}:imagebuilder:${AWS::Region}:aws:component
              - reboot-linux
              - x.x.x
      BlockDeviceMappings:
        - DeviceName: /dev/sda1
          Ebs: {VolumeSize: 30, VolumeType: gp3, KmsKeyId: alias/images}
  Infrastructure:
    Type: AWS::ImageBuilder::InfrastructureConfiguration
    Properties:
      Name: infrastructure
      InstanceTypes: [!Ref Type]
      InstanceProfileName: !Ref Profile
      TerminateInstanceOnFailure: false
  Profile:
    Type: AWS::IAM::InstanceProfile
  Distribution:
    Type: AWS::ImageBuilder::DistributionConfiguration
    Properties:
      Name: distribution
      Distributions:
        - Region: !Ref AWS::Region
          AmiDistributionConfiguration:
            Name: "base-{{ imagebuilder:buildDate }}"
            AmiTags: {Team: shop}
            LaunchPermissionConfiguration:
              UserIds: ["210987654321"]
          LaunchTemplateConfigurations:
            - {LaunchTemplateId: lt-0123456789abcdef0, SetDefaultVersion: true}
          SsmParameterConfigurations:
            - {ParameterName: /images/base, DataType: "aws:ec2:image"}
        - Region: us-east-1
          AmiDistributionConfiguration: {KmsKeyId: alias/images-us}
  Pipeline:
    Type: AWS::ImageBuilder::ImagePipeline
    Properties:
      Name: pipeline
      ImageRecipeArn: !Ref Recipe
      InfrastructureConfigurationArn: !GetAtt Infrastructure.Arn
      DistributionConfigurationArn: !Ref Distribution
      Schedule:
        ScheduleExpression: cron(0 4 * * mon *)
        PipelineExecutionStartCondition: EXPRESSION_MATCH_ONLY
        AutoDisablePolicy: {FailureCount: 5}
  Policy:
    Type: AWS::ImageBuilder::LifecyclePolicy
    Properties:
      Name: policy
      Status: ENABLED
      ResourceType: AMI_IMAGE
      ExecutionRole: role
      PolicyDetails:
        - Action: {Type: DEPRECATE}
          Filter: {Type: AGE, Value: 3, Unit: MONTHS}
        - Action: {Type: DELETE, IncludeResources: {Amis: true, Snapshots: true}}
          Filter: {Type: AGE, Value: 6, Unit: MONTHS, RetainAtLeast: 3}
      ResourceSelection:
        Recipes: [{Name: !GetAtt Recipe.Name, SemanticVersion: 1.x.x}]
"""


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
