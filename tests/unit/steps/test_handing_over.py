"""Those have an image who are to: tags, permissions, launch templates, pointers."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kiln.errors import AwsBusy, DistributionFailed
from tests.builders import NOW, an_image
from tests.unit.steps.distributing import (
    FAR,
    FRIEND,
    HOME,
    IMAGE,
    KEYS,
    NOT_ALLOWED,
    TARGET,
    a_world,
    become,
    copied,
    done,
    first,
    outlet_in,
    parameters_in,
    status,
)


def test_an_image_is_tagged_deprecated_and_pointed_at() -> None:
    spec = {"tags": {"team": "shop"}, "deprecate_after": "90d"}
    fake = a_world({"parameter": "/images/web"}, image=spec)
    first(fake)
    for _ in range(2):
        fake.clock.move(3600)
        done(fake)
        tags = fake.images.images[IMAGE].tags
        assert tags.items() >= {"team": "shop", "kiln:release": "2023.8.20250818"}.items()
        assert fake.images.deprecated == {IMAGE: NOW + timedelta(days=90)}
        assert fake.parameters.values == {"/images/web": IMAGE}
        assert status(fake) == {HOME: "available"}


def test_a_pointer_is_read_back_before_it_is_believed() -> None:
    fake = a_world({"parameter": "/images/web"})
    first(fake)
    fake.parameters.lazy = True
    with pytest.raises(AwsBusy, match=f"parameter /images/web does not name {IMAGE} yet"):
        done(fake)
    assert status(fake) == {HOME: "pending"}


def test_an_image_is_shared_with_all_who_are_named() -> None:
    organization = "arn:aws:organizations::123456789012:organization/o-exampleorg"
    wish = {"accounts": [FRIEND], "organizations": [organization]}
    fake = a_world(wish, **KEYS)
    first(fake)
    done(fake)
    outlet = outlet_in(fake, HOME)
    assert outlet.shared[IMAGE].accounts == (FRIEND,)
    assert outlet.shared[IMAGE].organizations == (organization,)
    # Nobody needs the snapshots of an image that is only launched.
    assert outlet.snapshots == {}
    (place,) = fake.records.places(IMAGE)
    assert (place.accounts, place.organizations) == ((FRIEND,), (organization,))


def test_the_snapshots_of_an_image_that_may_be_copied_are_shared_too() -> None:
    fake = a_world({"accounts": [FRIEND], "copyable": True}, **KEYS)
    first(fake)
    done(fake)
    assert outlet_in(fake, HOME).snapshots == {"snap-1": (FRIEND,)}


def test_other_accounts_get_tags_and_pointer_only_where_they_gave_a_role() -> None:
    wish = {"accounts": [FRIEND], "parameter": "/images/web"}
    spec = {"tags": {"team": "shop"}}
    fake = a_world(wish, image=spec, **KEYS)
    first(fake)
    done(fake)
    assert (HOME, FRIEND) not in fake.regions.places
    fake.distribution_role = "kiln-distribution"
    friend = fake.regions.at(HOME, FRIEND)
    friend.images.add(an_image(id=IMAGE))  # type: ignore[attr-defined]
    done(fake)
    assert parameters_in(fake, HOME, FRIEND).values == {"/images/web": IMAGE}
    seen = friend.images.describe(IMAGE)
    assert seen is not None
    assert seen.tags["team"] == "shop"
    assert not {"kiln:bake", "kiln:managed"} & seen.tags.keys()


def test_launch_templates_zones_and_fast_launch_are_each_region_s_own() -> None:
    wish = {
        "regions": [TARGET],
        "launch_templates": [{"name": "home"}, {"region": FAR, "name": "far", "default": True}],
        "fast_snapshot_restore": ["us-east-1a", "us-east-1b"],
        "fast_launch": {"target_resource_count": 10},
    }
    base = {"parameter": "/aws/service/ami-windows-latest/Windows_Server-2022-English-Full-Base"}
    fake = a_world(wish, platform="windows-2022", base=base, steps=None)
    first(fake)
    home, far = outlet_in(fake, HOME), outlet_in(fake, FAR)
    home.templates["home"], far.templates["far"] = [], ["ami-older"]
    image = copied(fake)
    become(fake, image, "available")
    done(fake)
    done(fake, FAR, image)
    assert (home.templates, home.defaults) == ({"home": [IMAGE]}, {})
    assert (far.templates, far.defaults) == ({"far": ["ami-older", image]}, {"far": 2})
    assert home.fast_restore == {}
    assert set(far.fast_restore.values()) == {("us-east-1a", "us-east-1b")}
    assert far.fast_launch[image].target_resource_count == 10
    done(fake, FAR, image)
    assert far.templates == {"far": ["ami-older", image]}


def test_a_copy_that_is_not_available_is_not_pointed_at() -> None:
    fake = a_world()
    first(fake)
    with pytest.raises(DistributionFailed, match="is pending, not available"):
        done(fake, FAR, copied(fake))
    with pytest.raises(DistributionFailed, match="is gone, not available"):
        done(fake, FAR, "ami-none")


def test_a_refusal_says_in_which_region() -> None:
    fake = a_world({"accounts": [FRIEND]}, **KEYS)
    first(fake)
    outlet_in(fake, HOME).refusal = NOT_ALLOWED
    with pytest.raises(DistributionFailed, match=r"in eu-west-1: .*UnauthorizedOperation"):
        done(fake)
