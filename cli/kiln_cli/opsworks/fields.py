"""Every field of OpsWorks's objects: its shape, and for one that Kiln does not carry over, why not.

Shapes are those of botocore 1.34.100, `opsworks/2013-02-18`, the last that knew the service. A
field with a shape and no reason is carried over by `convert`, which says so itself where a value of
it cannot be.
"""

from __future__ import annotations

from typing import Any

TEXT, WHOLE, NUMBER, FLAG, MAP = "text", "whole number", "number", "true or false", "mapping"
TEXTS = [TEXT]
_RECIPES = dict.fromkeys(("Setup", "Configure", "Deploy", "Undeploy", "Shutdown"), TEXTS)
_SOURCE = dict.fromkeys(("Type", "Url", "Username", "Password", "SshKey", "Revision"), TEXT)
_SCALING = {
    **dict.fromkeys(("InstanceCount", "ThresholdsWaitTime", "IgnoreMetricsTime"), WHOLE),
    **dict.fromkeys(("CpuThreshold", "MemoryThreshold", "LoadThreshold"), NUMBER),
    "Alarms": TEXTS,
}
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

# A text names a JSON type, a list holds items of one shape, a dictionary is a structure.
SHAPES: dict[str, dict[str, Any]] = {
    "Stacks": {
        **dict.fromkeys(
            (
                *("StackId", "Name", "Arn", "Region", "VpcId", "ServiceRoleArn", "DefaultOs"),
                *("DefaultInstanceProfileArn", "HostnameTheme", "DefaultAvailabilityZone"),
                *("DefaultSubnetId", "CustomJson", "DefaultSshKeyName", "CreatedAt"),
                *("DefaultRootDeviceType", "AgentVersion"),
            ),
            TEXT,
        ),
        "Attributes": MAP,
        "ConfigurationManager": {"Name": TEXT, "Version": TEXT},
        "ChefConfiguration": {"ManageBerkshelf": FLAG, "BerkshelfVersion": TEXT},
        "UseCustomCookbooks": FLAG,
        "UseOpsworksSecurityGroups": FLAG,
        "CustomCookbooksSource": _SOURCE,
    },
    "Layers": {
        **dict.fromkeys(
            (
                *("Arn", "StackId", "LayerId", "Type", "Name", "Shortname", "CreatedAt"),
                *("CustomInstanceProfileArn", "CustomJson"),
            ),
            TEXT,
        ),
        "Attributes": MAP,
        "CloudWatchLogsConfiguration": {"Enabled": FLAG, "LogStreams": [MAP]},
        "CustomSecurityGroupIds": TEXTS,
        "DefaultSecurityGroupNames": TEXTS,
        "Packages": TEXTS,
        "VolumeConfigurations": [
            {
                **dict.fromkeys(("RaidLevel", "NumberOfDisks", "Size", "Iops"), WHOLE),
                "MountPoint": TEXT,
                "VolumeType": TEXT,
                "Encrypted": FLAG,
            }
        ],
        **dict.fromkeys(
            (
                *("EnableAutoHealing", "AutoAssignElasticIps", "AutoAssignPublicIps"),
                *("InstallUpdatesOnBoot", "UseEbsOptimizedInstances"),
            ),
            FLAG,
        ),
        "DefaultRecipes": _RECIPES,
        "CustomRecipes": _RECIPES,
        "LifecycleEventConfiguration": {
            "Shutdown": {"ExecutionTimeout": WHOLE, "DelayUntilElbConnectionsDrained": FLAG}
        },
    },
    "Instances": {
        **dict.fromkeys(
            (
                *("AgentVersion", "AmiId", "Architecture", "Arn", "AutoScalingType"),
                *("AvailabilityZone", "CreatedAt", "Ec2InstanceId", "EcsClusterArn"),
                *("EcsContainerInstanceArn", "ElasticIp", "Hostname", "InfrastructureClass"),
                *("InstanceId", "InstanceProfileArn", "InstanceType", "LastServiceErrorId", "Os"),
                *("Platform", "PrivateDns", "PrivateIp", "PublicDns", "PublicIp", "RegisteredBy"),
                *("ReportedAgentVersion", "RootDeviceType", "RootDeviceVolumeId", "StackId"),
                *("SshHostDsaKeyFingerprint", "SshHostRsaKeyFingerprint", "SshKeyName", "Status"),
                *("SubnetId", "Tenancy", "VirtualizationType"),
            ),
            TEXT,
        ),
        "BlockDeviceMappings": [MAP],
        "EbsOptimized": FLAG,
        "InstallUpdatesOnBoot": FLAG,
        "LayerIds": TEXTS,
        "ReportedOs": {"Family": TEXT, "Name": TEXT, "Version": TEXT},
        "SecurityGroupIds": TEXTS,
    },
    "Apps": {
        **dict.fromkeys(
            ("AppId", "StackId", "Shortname", "Name", "Description", "Type", "CreatedAt"), TEXT
        ),
        "DataSources": [MAP],
        "AppSource": _SOURCE,
        "Domains": TEXTS,
        "EnableSsl": FLAG,
        "SslConfiguration": MAP,
        "Attributes": MAP,
        "Environment": [MAP],
    },
    "ElasticLoadBalancers": {
        **dict.fromkeys(
            ("ElasticLoadBalancerName", "Region", "DnsName", "StackId", "LayerId", "VpcId"), TEXT
        ),
        **dict.fromkeys(("AvailabilityZones", "SubnetIds", "Ec2InstanceIds"), TEXTS),
    },
    "LoadBasedAutoScalingConfigurations": {
        "LayerId": TEXT,
        "Enable": FLAG,
        "UpScaling": _SCALING,
        "DownScaling": _SCALING,
    },
    "TimeBasedAutoScalingConfigurations": {
        "InstanceId": TEXT,
        "AutoScalingSchedule": dict.fromkeys(DAYS, MAP),
    },
    "Volumes": {
        **dict.fromkeys(
            (
                *("VolumeId", "Ec2VolumeId", "Name", "RaidArrayId", "InstanceId", "Status"),
                *("Device", "MountPoint", "Region", "AvailabilityZone", "VolumeType"),
            ),
            TEXT,
        ),
        "Size": WHOLE,
        "Iops": WHOLE,
        "Encrypted": FLAG,
    },
}

_IDENTITY = "Kiln knows stacks, layers and instances by name, and so do the attributes of recipes"
_PLACE = "Kiln launches where its template says (VpcId, SubnetIds)"
_PROFILE = "Kiln's instances have the profile that its template names (InstanceProfile)"
_GROUPS = "Kiln's instances have the security group that its template makes"
_KEY = "Kiln launches without a key pair; Session Manager opens a shell"
_AGENT = "there is no OpsWorks agent any more; the SSM agent is it"
_UPDATES = "updates belong into the image: a step of the blueprint, so that all instances agree"
_IMAGE = "the layer's image decides"
_NOW = "it is of the EC2 instance that OpsWorks had; Kiln launches one of its own"
_APP = (
    "a layer's `apps` want the path that OpsWorks left to recipes: write it there by hand, or put "
    "it into the image by an `app` step"
)
_VOLUME = "a volume that exists is not attached to a new instance; make a snapshot of its data"
_BALANCER = "Kiln registers with target groups: make one and name its ARN under target_groups"

REASONS: dict[str, dict[str, str]] = {
    "Stacks": {
        **dict.fromkeys(("StackId", "Arn", "CreatedAt"), _IDENTITY),
        **dict.fromkeys(("VpcId", "DefaultSubnetId", "DefaultAvailabilityZone"), _PLACE),
        "Region": "a stack is in the Region in which it is applied",
        "ServiceRoleArn": "each of Kiln's functions has a role of its own",
        "DefaultInstanceProfileArn": _PROFILE,
        "UseOpsworksSecurityGroups": _GROUPS,
        "DefaultSshKeyName": _KEY,
        "DefaultRootDeviceType": _IMAGE,
        "AgentVersion": _AGENT,
        "Attributes": "it is OpsWorks's own, such as the colour in its console",
        "ChefConfiguration": "Berkshelf ran in OpsWorks's agent: vendor the cookbooks instead",
    },
    "Layers": {
        **dict.fromkeys(("LayerId", "Arn", "CreatedAt"), _IDENTITY),
        "Attributes": "they are settings of OpsWorks's built-in recipes",
        "CloudWatchLogsConfiguration": "put the CloudWatch agent and its settings into the image",
        "CustomInstanceProfileArn": _PROFILE,
        **dict.fromkeys(("CustomSecurityGroupIds", "DefaultSecurityGroupNames"), _GROUPS),
        "Packages": "put packages into the image, as a step of the blueprint",
        **dict.fromkeys(
            ("AutoAssignElasticIps", "AutoAssignPublicIps"),
            "the subnet decides on public addresses",
        ),
        "InstallUpdatesOnBoot": _UPDATES,
        "UseEbsOptimizedInstances": "current instance types are EBS-optimized by themselves",
        "DefaultRecipes": "they are OpsWorks's own, and went with it",
    },
    "Instances": {
        **dict.fromkeys(("InstanceId", "Arn", "CreatedAt"), _IDENTITY),
        **dict.fromkeys(("AgentVersion", "ReportedAgentVersion"), _AGENT),
        **dict.fromkeys(("AvailabilityZone", "SubnetId"), _PLACE),
        **dict.fromkeys(
            ("Architecture", "VirtualizationType", "RootDeviceType", "BlockDeviceMappings"), _IMAGE
        ),
        **dict.fromkeys(
            (
                *("Ec2InstanceId", "ElasticIp", "LastServiceErrorId", "PrivateDns", "PrivateIp"),
                *("PublicDns", "PublicIp", "RegisteredBy", "RootDeviceVolumeId"),
                *("SshHostDsaKeyFingerprint", "SshHostRsaKeyFingerprint"),
            ),
            _NOW,
        ),
        "AmiId": "an instance runs its layer's image: `kiln rollout AMI LAYER` brings this one",
        "EbsOptimized": "current instance types are EBS-optimized by themselves",
        **dict.fromkeys(("EcsClusterArn", "EcsContainerInstanceArn"), "Kiln registers with no ECS"),
        "InstallUpdatesOnBoot": _UPDATES,
        "InstanceProfileArn": _PROFILE,
        "Platform": "the platform of its layer says it",
        "SecurityGroupIds": _GROUPS,
        "SshKeyName": _KEY,
        "Status": "an instance is written down stopped; `kiln layers start` starts it",
        "Tenancy": "Kiln launches on shared hardware",
    },
    "Apps": dict.fromkeys(SHAPES["Apps"], _APP),
    "ElasticLoadBalancers": dict.fromkeys(SHAPES["ElasticLoadBalancers"], _BALANCER),
    "LoadBasedAutoScalingConfigurations": {},
    "TimeBasedAutoScalingConfigurations": {},
    "Volumes": dict.fromkeys(SHAPES["Volumes"], _VOLUME),
}

# Outputs of other commands: taken note of as a whole.
OTHER = {
    "RdsDbInstances": "Kiln registers no databases; recipes find theirs in custom_json",
    "ElasticIps": "Kiln associates no Elastic IP addresses",
    "EcsClusters": "Kiln registers with no ECS",
    "UserProfiles": "Kiln manages no SSH users; Session Manager asks IAM",
    "Permissions": "Kiln manages no users; IAM says who may call it",
    "Deployments": "they are history",
    "Commands": "they are history",
    "RaidArrays": "Kiln makes no RAID arrays",
    "ServiceErrors": "they are history",
    "AgentVersions": _AGENT,
    "OperatingSystems": "they are OpsWorks's own",
}
