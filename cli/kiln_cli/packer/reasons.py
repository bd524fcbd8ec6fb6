"""Why settings of Packer's are not carried over, and what to do instead. An empty reason is of what
nobody misses."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from kiln.domain.confidential import hidden

_SSM = "Kiln works through Systems Manager: no key, no password, no port, nothing listens"
_TEMPLATE = "the parameters of Kiln's template say it for all builders"
_ACCOUNT = "Kiln works with the account and Region that it is deployed in"
_WAITS = "Kiln waits by events until the deadline"
_FORCED = "each image has a name of its own; `lifecycle` takes old ones out of use"
_LATER_TAGS = "Kiln tags all that it makes; `image.tags` are on the image and its snapshots"

_BY_REASON: dict[str, tuple[str, ...]] = {
    _ACCOUNT: (
        *("access_key", "secret_key", "token", "profile", "shared_credentials_file"),
        *("mfa_code", "assume_role", "vault_aws_engine", "aws_polling", "skip_region_validation"),
        *("skip_metadata_api_check", "custom_endpoint_ec2", "max_retries", "account_id"),
        *(
            "decode_authorization_messages",
            "skip_credential_validation",
            "insecure_skip_tls_verify",
        ),
    ),
    _TEMPLATE + " (InstanceProfile; Kiln makes one where none is named)": (
        *("iam_instance_profile", "temporary_iam_instance_profile_policy_document"),
        "skip_profile_validation",
    ),
    _TEMPLATE + " (SubnetIds); builder.subnets names others of the same VPC": (
        *("subnet_id", "subnet_filter", "availability_zone", "vpc_id", "vpc_filter"),
    ),
    "Kiln's own security group has no inbound rule": (
        *("security_group_id", "security_group_ids", "security_group_filter"),
        *("temporary_security_group_source_cidrs", "temporary_security_group_source_cidr"),
        "temporary_security_group_source_public_ip",
    ),
    "the subnet says it; a builder needs a way to Systems Manager alone": (
        *("associate_public_ip_address", "ssh_interface", "session_manager_port"),
        *("pause_before_ssm", "spot_allocation_strategy"),
    ),
    "Kiln launches on demand: a builder that is taken away is a failed bake": (
        *("spot_price", "spot_price_auto_product", "spot_tags", "spot_instance_types"),
        *("block_duration_minutes", "fleet_tags"),
    ),
    _FORCED: ("force_deregister", "force_delete_snapshot"),
    _LATER_TAGS: (
        *("run_tags", "run_tag", "run_volume_tags", "run_volume_tag", "snapshot_tags"),
        *("snapshot_tag", "volume_tags"),
    ),
    "EC2 makes no image public whose root is encrypted, and Kiln encrypts every root": (
        *("ami_groups", "snapshot_groups"),
    ),
    "image.deprecate_after and `lifecycle` say it by an image's age": ("deprecate_at",),
    "lifecycle and what uses an image decide when it goes (docs/life-cycle.md)": (
        "deregistration_protection",
    ),
    "the image has what its base has": (
        *("ena_support", "sriov_support", "boot_mode", "tpm_support", "uefi_data", "imds_support"),
        *("ami_virtualization_type", "ami_architecture", "enable_nitro_enclave"),
    ),
    "Kiln allows the second version of the metadata service alone": ("metadata_options",),
    "a builder has nothing like it": (
        *("placement", "tenancy", "host_id", "host_resource_group_arn", "license_specifications"),
        *("capacity_reservation_preference", "capacity_reservation_id", "enable_unlimited_credits"),
        *("capacity_reservation_group_arn", "ebs_optimized", "cpu_options"),
    ),
    "a builder is stopped by Kiln, or seals itself where it is Windows": (
        *("disable_stop_instance", "shutdown_behavior", "shutdown_command", "shutdown_timeout"),
    ),
    "Kiln always makes the image": ("skip_create_ami", "skip_save_build_region"),
    "Kiln bundles to its own bucket with its own certificate (docs/instance-store.md)": (
        *("s3_bucket", "x509_cert_path", "x509_key_path", "x509_upload_path", "bundle_prefix"),
        *("bundle_destination", "bundle_upload_command", "bundle_vol_command"),
    ),
    "the password of Windows is made at random: windows.administrator_password": (
        "windows_password_timeout",
    ),
    _WAITS: ("pause_before_connecting", "run_timeout", "fast_launch_wait"),
    "": ("ami_description", "communicator", "ami_root_device"),
}
SOURCE = {key: reason for reason, keys in _BY_REASON.items() for key in keys}


def source_reasons(settings: Mapping[str, Any]) -> dict[str, str]:
    """The reasons for the settings of one builder; those of connections go by their beginnings."""
    found = dict(SOURCE)
    for key in settings:
        if key.startswith(("ssh_", "winrm_", "temporary_key_pair", "temporary_ssh")):
            found[key] = _SSM
    found["communicator"] = _SSM
    return found


SCRIPT_SETTINGS = {
    "execute_command": "a step runs as root, or as SYSTEM, with its environment as it is",
    "elevated_user": "a step runs as SYSTEM",
    "elevated_password": "a step runs as SYSTEM",
    "elevated_execute_command": "a step runs as SYSTEM",
    "expect_disconnect": "a script must not restart the machine; write a step `reboot: true`",
    "valid_exit_codes": "a step succeeds with 0 alone; let the script say what else is fine",
    "max_retries": "a step runs once; let the script try again",
    "pause_after": "a step begins when the one before it has ended",
    "env_var_format": "environment reaches the script as it is",
    "restart_command": "Kiln restarts the machine itself",
    "restart_check_command": "Kiln waits until Systems Manager's agent is back",
    "debug_mode": "add `Set-PSDebug` to the script",
    "use_pwsh": "a step runs in Windows PowerShell",
    "execution_policy": "a step runs with the policy that Systems Manager's agent sets",
    **dict.fromkeys(
        (
            *("remote_folder", "remote_file", "remote_path", "remote_env_var_path", "binary"),
            *("skip_clean", "use_env_var_file", "start_retry_timeout", "inline_shebang", "name"),
            *("restart_timeout", "timeout", "pause_before", "registry_key", "check_registry"),
            *("direction", "source", "destination", "content"),
        ),
        "",
    ),
}

_NO_PLAYBOOK = (
    "Ansible runs on the builder itself: put the playbook's folder into S3 or Git and write a step "
    "ansible: {{source: {{type: S3, path: https://s3.REGION.amazonaws.com/BUCKET/FOLDER}}, "
    "playbook: {}}}"
)
_NO_COOKBOOKS = (
    "put the cookbooks into S3 or Git and write a step chef: {{source: {{type: S3, path: "
    "https://s3.REGION.amazonaws.com/BUCKET/COOKBOOKS}}, run_list: {}, attributes: {}}}"
)
_OTHER_TOOL = "Kiln runs no {}; let a shell step install and run it, or a `document` of yours"

PROVISIONERS = {
    "breakpoint": "on_failure: keep keeps the builder and says how to connect",
    "shell-local": "nothing runs on the machine that asks for a bake; put it before `kiln bake`",
    "hcp_packer_registry": "Kiln keeps its own records: kiln images, channels",
    "error-cleanup-provisioner": "whatever a failed bake has made is removed by Kiln",
    "sleep": "a step begins when the one before it has ended",
    "goss": "write its tests as verify.steps, which run on a clone of the image",
    "inspec": "write its tests as verify.steps, which run on a clone of the image",
    "windows-update": "write a step document: {name: AWS-InstallWindowsUpdates}; the template's "
    "ExtraDocuments allows it",
    **{
        name: _OTHER_TOOL.format(name)
        for name in ("puppet-masterless", "puppet-server", "salt-masterless", "converge")
    },
}

# What an image is not changed by.
NEEDLESS = (
    *("breakpoint", "shell-local", "hcp_packer_registry", "error-cleanup-provisioner", "sleep"),
)


def advice(kind: str, settings: Mapping[str, Any]) -> str:
    """Why a provisioner is no step, and what to write instead."""
    if kind in ("ansible", "ansible-local"):
        named = settings.get("playbook_file") or settings.get("playbook_files") or "site.yml"
        first = named[0] if isinstance(named, list) and named else named
        return _NO_PLAYBOOK.format(json.dumps(str(first)[:100]))
    if kind in ("chef-solo", "chef-client"):
        wanted = settings.get("run_list")
        run_list = [str(one)[:80] for one in wanted[:20]] if isinstance(wanted, list) else []
        attributes = json.dumps(hidden(settings.get("json") or {}))
        shown = attributes if len(attributes) < 200 else "{...}"
        return _NO_COOKBOOKS.format(json.dumps(run_list), shown)
    if kind in PROVISIONERS:
        return PROVISIONERS[kind]
    if "windows-update" in kind:
        return PROVISIONERS["windows-update"]
    return _OTHER_TOOL.format(kind[:40])


POST_PROCESSORS = {
    "manifest": "kiln bake --json and kiln images --json say what was made",
    "amazon-import": "Kiln makes images in EC2 itself",
    "amazon-ami-management": "`lifecycle` takes old images out of use (docs/life-cycle.md)",
    "checksum": "Kiln makes no file",
    "shell-local": "start it by a rule on Kiln's event `Image Available`",
    "hcp_packer_registry": "Kiln keeps its own records: kiln images, channels",
}
OTHER_POST_PROCESSOR = "start it by a rule on Kiln's event `Image Available`"

# Types of builders that make an AMI and are none that Kiln can do.
BUILDERS = {
    "amazon-chroot": "Kiln builds on an instance; write its steps into a blueprint on amazon-ebs",
    "amazon-ebssurrogate": "Kiln makes images of the root that an instance runs from",
    "amazon-ebsvolume": "Kiln makes images, no volumes; a layer's volumes are in its stack file",
}
OTHER_BUILDER = "Kiln makes images of EC2 alone"
