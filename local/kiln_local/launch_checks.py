"""What EC2 refuses to launch, in the words and with the codes of its API."""

from __future__ import annotations

from typing import Any

from moto.ec2.exceptions import EC2ClientError


def check_launch(backend: Any, image_id: str, kind: str, subnet: str | None) -> None:
    """Refuse as EC2 does what cannot run: an image, a type of instance and a subnet together."""
    image = backend.amis.get(image_id)
    if image is None:
        raise EC2ClientError("InvalidAMIID.NotFound", f"The image id '[{image_id}]' does not exist")
    found = backend.describe_instance_types([kind])
    if not found:
        raise EC2ClientError("InvalidInstanceType", f"The instance type '{kind}' does not exist")
    _check_type(image, kind, found[0])
    if image.state != "available":
        raise EC2ClientError(
            "InvalidAMIID.Unavailable", f"The image ID '{image_id}' is not available"
        )
    if image.is_public and getattr(image, "deprecation_time", None):
        raise EC2ClientError(
            "InvalidAMIID.Unavailable",
            f"Of the image ID '{image_id}' the local AWS has no more than the name; take the "
            "newest image of its platform",
        )
    if subnet and not any(subnet in zone for zone in backend.subnets.values()):
        raise EC2ClientError("InvalidSubnetID.NotFound", f"The subnet ID '{subnet}' does not exist")


def _check_type(image: Any, kind: str, facts: dict[str, Any]) -> None:
    if image.architecture not in facts["ProcessorInfo"]["SupportedArchitectures"]:
        raise EC2ClientError(
            "InvalidParameterValue",
            f"The architecture '{image.architecture}' of the specified image {image.id} does not "
            f"match the architecture of the instance type '{kind}'.",
        )
    if image.virtualization_type not in facts["SupportedVirtualizationTypes"]:
        raise EC2ClientError(
            "InvalidParameterCombination",
            f"Virtualization type '{image.virtualization_type}' is required for instances of "
            f"type '{kind}'.",
        )
