"""Every kind of thing that uses an image, made by API calls or written as Kiln writes it. Each
takes the shelves, the image's id at home, its id in the Region, and that Region."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kiln.domain.instance import InstanceState, LayerInstance
from kiln.domain.place import ImagePlace
from kiln.domain.rollout import LayerImage, Rollout
from tests.builders import a_document, a_stack, keep_version
from tests.integration.local.shelves import HOME, TYPE, Shelves

Refer = Callable[[Shelves, str, str, str], None]
_OTHER = "ami-0ffffffffffffffff"
_ROLE = "arn:aws:iam::123456789012:role/fleet"


def a_running_instance(s: Shelves, image: str, here: str, region: str) -> None:
    s.launch(here, region)


def a_stopped_instance(s: Shelves, image: str, here: str, region: str) -> None:
    instance = s.launch(here, region)
    found = s.aws.ec2.instance(instance)
    s.aws.ec2.enter(found, "stopped")


def a_template_default(s: Shelves, image: str, here: str, region: str) -> None:
    s.template(f"d-{here}", here, _OTHER, region=region)


def a_template_latest(s: Shelves, image: str, here: str, region: str) -> None:
    s.template(f"l-{here}", _OTHER, here, region=region)


def a_pinned_version(s: Shelves, image: str, here: str, region: str) -> None:
    template = s.template(f"p-{here}", _OTHER, here, _OTHER, region=region)
    s.group(f"p-{here}", region, LaunchTemplate={"LaunchTemplateId": template, "Version": "2"})


def a_mixed_policy(s: Shelves, image: str, here: str, region: str) -> None:
    template = s.template(f"m-{here}", _OTHER, here, _OTHER, region=region)
    use = {"LaunchTemplateId": template, "Version": "2"}
    policy = {"LaunchTemplateSpecification": use, "Overrides": [{"InstanceType": TYPE}]}
    s.group(f"m-{here}", region, MixedInstancesPolicy={"LaunchTemplate": policy})


def an_override(s: Shelves, image: str, here: str, region: str) -> None:
    main = s.template(f"o-{here}", _OTHER, region=region)
    special = s.template(f"s-{here}", _OTHER, here, _OTHER, region=region)
    use = {"LaunchTemplateId": special, "Version": "2"}
    overrides = [{"InstanceType": TYPE, "LaunchTemplateSpecification": use}]
    policy = {
        "LaunchTemplateSpecification": {"LaunchTemplateId": main, "Version": "1"},
        "Overrides": overrides,
    }
    s.group(f"o-{here}", region, MixedInstancesPolicy={"LaunchTemplate": policy})


def a_launch_configuration(s: Shelves, image: str, here: str, region: str) -> None:
    s.client("autoscaling", region).create_launch_configuration(
        LaunchConfigurationName=f"c-{here}", ImageId=here, InstanceType=TYPE
    )


def a_parameter(s: Shelves, image: str, here: str, region: str) -> None:
    s.client("ssm", region).put_parameter(
        Name=f"/images/{here}", Value=here, Type="String", DataType="aws:ec2:image"
    )


def a_parameter_of_a_template(s: Shelves, image: str, here: str, region: str) -> None:
    """One of plain text, which only the template makes a reference."""
    name = f"/plain/{here}"
    s.client("ssm", region).put_parameter(Name=name, Value=here, Type="String")
    template = s.template(f"r-{here}", f"resolve:ssm:{name}", region=region)
    s.group(f"r-{here}", region, LaunchTemplate={"LaunchTemplateId": template, "Version": "1"})


def an_older_version_of_a_parameter(s: Shelves, image: str, here: str, region: str) -> None:
    name = f"/older/{here}"
    put: Any = s.client("ssm", region).put_parameter
    put(Name=name, Value=here, Type="String")
    put(Name=name, Value=_OTHER, Type="String", Overwrite=True)
    s.template(f"v-{here}", f"resolve:ssm:{name}:1", region=region)


def a_fleet(s: Shelves, image: str, here: str, region: str) -> None:
    template = s.template(f"f-{here}", _OTHER, here, _OTHER, region=region)
    use = {"LaunchTemplateId": template, "Version": "2"}
    s.ec2(region).create_fleet(
        Type="request",
        LaunchTemplateConfigs=[{"LaunchTemplateSpecification": use}],
        TargetCapacitySpecification={
            "TotalTargetCapacity": 0,
            "DefaultTargetCapacityType": "on-demand",
        },
    )


def a_spot_fleet(s: Shelves, image: str, here: str, region: str) -> None:
    s.ec2(region).request_spot_fleet(
        SpotFleetRequestConfig={
            "IamFleetRole": _ROLE,
            "TargetCapacity": 0,
            "AllocationStrategy": "lowestPrice",
            "LaunchSpecifications": [{"ImageId": here, "InstanceType": TYPE, "SpotPrice": "1"}],
        }
    )


def _taken(s: Shelves, here: str, *images: str) -> None:
    s.kiln.records.put_stack(a_stack(name=f"s{here[-12:]}"))
    for number, image in enumerate(images):
        at = f"2026-11-0{number + 1}T00:00:00+00:00"
        layer = f"s{here[-12:]}/web"
        row = LayerImage(layer=layer, image=image, created=at, rollout=f"r{number}", at=at)
        s.kiln.records.add_layer_image(row)


def a_layer(s: Shelves, image: str, here: str, region: str) -> None:
    _taken(s, here, _OTHER, image)


def a_way_back(s: Shelves, image: str, here: str, region: str) -> None:
    _taken(s, here, image, _OTHER)


def a_planned_instance(s: Shelves, image: str, here: str, region: str) -> None:
    stack = f"i{here[-12:]}"
    s.kiln.records.put_stack(a_stack(name=stack))
    s.kiln.records.add_instance(
        LayerInstance(
            id=here,
            stack=stack,
            layers=("web",),
            hostname="web1",
            state=InstanceState.STOPPED,
            image=image,
        )
    )


def a_rollout(s: Shelves, image: str, here: str, region: str) -> None:
    rollout = Rollout(
        id=f"r-{image}",
        image=image,
        layer="shop/web",
        strategy="replace",
        bake="",
        platform="",
        architecture="",
    )
    s.kiln.records.add_rollout(rollout)


def a_base_of_a_blueprint(s: Shelves, image: str, here: str, region: str) -> None:
    name = f"b{image[-12:]}"
    keep_version(a_document(name=name, base={"image": image}), s.kiln)


def a_base_of_an_image(s: Shelves, image: str, here: str, region: str) -> None:
    s.image(f"c{image[-12:]}", 5, base=image)


def a_base_of_a_bake(s: Shelves, image: str, here: str, region: str) -> None:
    s.running_bake(image)


def a_distribution(s: Shelves, image: str, here: str, region: str) -> None:
    s.kiln.records.put_place(image, ImagePlace(region=region, image=here, status="pending"))


# In any Region, with that Region's clients.
EVERYWHERE: dict[str, Refer] = {
    "instance": a_running_instance,
    "stopped instance": a_stopped_instance,
    "launch template, default": a_template_default,
    "launch template, latest": a_template_latest,
    "launch template, pinned by a group": a_pinned_version,
    "mixed instances policy": a_mixed_policy,
    "override": an_override,
    "launch configuration": a_launch_configuration,
    "parameter": a_parameter,
    "parameter of a template": a_parameter_of_a_template,
    "older version of a parameter": an_older_version_of_a_parameter,
    "fleet": a_fleet,
    "spot fleet": a_spot_fleet,
    "distribution": a_distribution,
}
# Kiln keeps layers, blueprints and bakes in its own Region.
AT_HOME: dict[str, Refer] = {
    "layer": a_layer,
    "rollback": a_way_back,
    "planned instance": a_planned_instance,
    "rollout": a_rollout,
    "base of a blueprint": a_base_of_a_blueprint,
    "base of an image": a_base_of_an_image,
    "base of a bake": a_base_of_a_bake,
}


def refer(s: Shelves, kind: str, image: str, region: str = HOME) -> None:
    """Let something of a kind use an image in a Region."""
    (EVERYWHERE | AT_HOME)[kind](s, image, s.here(image, region), region)
