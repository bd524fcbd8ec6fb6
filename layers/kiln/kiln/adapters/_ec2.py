"""What the EC2 adapters share: tags, filters, pages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from kiln.adapters._errors import translated

if TYPE_CHECKING:
    from collections.abc import Iterator

# The largest MaxResults of each call (EC2 API reference). Without one, EC2 gathers everything into
# one answer and may time out or throttle on an account that has much.
_PAGE_SIZES = {
    "describe_fleets": 100,
    "describe_images": 1000,
    "describe_instance_types": 100,
    "describe_instances": 1000,
    "describe_launch_template_versions": 200,
    "describe_network_interfaces": 1000,
    "describe_snapshots": 1000,
    "describe_spot_fleet_requests": 1000,
    "describe_volumes": 500,
}


def pages(client: Any, method: str, request: dict[str, Any]) -> Iterator[Any]:
    """Every page of a Describe call, errors translated."""
    # EC2 refuses MaxResults beside a list of ids.
    listed = any(key.endswith("Ids") and key != "OwnerIds" for key in request)
    size = {} if listed else {"PageSize": _PAGE_SIZES[method]}
    operation = re.sub(r"(?:^|_)([a-z])", lambda found: found[1].upper(), method)
    with translated("ec2", operation):
        yield from client.get_paginator(method).paginate(**request, PaginationConfig=size)


def by_tag(key: str, value: str) -> list[Any]:
    """A filter for resources that carry a tag; EC2 reads * ? and \\ in it as a pattern."""
    literal = re.sub(r"([*?\\])", r"\\\1", value)
    return [{"Name": f"tag:{key}", "Values": [literal]}]


def tag_list(tags: dict[str, str]) -> list[Any]:
    """Tags as EC2 takes them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def tags_of(found: Any) -> dict[str, str]:
    """Tags as EC2 gives them."""
    return {tag["Key"]: tag["Value"] for tag in found.get("Tags", ())}
