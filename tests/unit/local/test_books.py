"""Time, records and the public images of the local AWS."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import kiln_local
from kiln.domain.platforms import PLATFORMS, Architecture, Family, ImageName
from kiln_local.catalog import public_images
from kiln_local.clock import SimClock, datetime_module, time_module
from kiln_local.latencies import Latencies
from kiln_local.patches import Patches
from kiln_local.recorder import Interval, Recorder, caller


@pytest.fixture
def clock() -> Iterator[SimClock]:
    """A fast clock that ends with the test."""
    clock = SimClock(1000)
    yield clock
    clock.end()


def test_simulated_time_runs_ahead_and_things_happen_in_their_order(clock: SimClock) -> None:
    seen: list[str] = []
    done = threading.Event()
    clock.after(60, lambda: (seen.append("later"), done.set()))
    clock.after(30, lambda: seen.append("sooner"))
    assert done.wait(5)
    assert seen == ["sooner", "later"]
    assert clock.seconds() >= 60


def test_a_fault_in_one_thing_does_not_end_time(clock: SimClock) -> None:
    done = threading.Event()
    clock.after(1, lambda: int("no number") and None)
    clock.after(2, done.set)
    assert done.wait(5)


def test_modules_tell_simulated_time(clock: SimClock) -> None:
    clock.sleep(3600)
    stamp = datetime_module(clock).datetime.now(tz=datetime_module(clock).timezone.utc)
    assert abs((clock.now() - stamp).total_seconds()) < 600
    assert abs(time_module(clock).time() - clock.now().timestamp()) < 600
    assert time_module(clock).monotonic is not None


def test_time_in_which_aws_was_busy_is_counted_once(clock: SimClock) -> None:
    recorder = Recorder(clock)
    spans = [(0, 10), (5, 20), (30, 40), (90, None)]
    recorder.intervals += [Interval("web", "x", begin, end) for begin, end in spans]
    recorder.intervals.append(Interval("other", "x", 0, 1000))
    assert recorder.busy_s("web", 0, 100) == 40
    assert recorder.busy_s("web", 8, 35) == 17
    assert recorder.busy_s("nobody", 0, 100) == 0


def test_only_calls_of_functions_and_machines_are_counted(clock: SimClock) -> None:
    recorder = Recorder(clock)
    recorder.note_call("ec2:RunInstances", None)
    token = caller.set("launch_builder")
    recorder.note_call("ec2:RunInstances", None)
    recorder.note_call("ec2:RunInstances", "InsufficientInstanceCapacity")
    caller.reset(token)
    assert recorder.count() == {"ec2:RunInstances": 2}
    assert recorder.count(since_s=clock.seconds() + 1e9) == {}


def test_patches_are_put_back_in_reverse() -> None:
    class Owner:
        one = 1

    patches = Patches()
    patches.set(Owner, "one", 2)
    patches.set(Owner, "one", 3)
    patches.set(Owner, "two", 2)
    patches.undo()
    assert Owner.one == 1
    assert not hasattr(Owner, "two")


def test_latencies_are_drawn_around_their_value_and_repeat() -> None:
    draws = [Latencies(7).draw("image-available") for _ in range(2)]
    assert draws[0] == draws[1]
    assert 24 <= draws[0] <= 36


@pytest.mark.parametrize("platform", PLATFORMS.values(), ids=lambda platform: platform.name)
def test_every_platform_finds_its_newest_base(platform: object) -> None:
    assert hasattr(platform, "newest_base")
    newest = platform.newest_base(Architecture.X86_64)
    images = [image for image in public_images() if image.platform == platform.name]
    if isinstance(newest, ImageName):
        start = newest.name.split("*")[0]
        assert any(i.owner == newest.owner and i.name.startswith(start) for i in images)
    else:
        assert any(newest in image.parameters for image in images)
    assert all(image.windows is (platform.family is Family.WINDOWS) for image in images)


def test_public_images_and_parameters_have_one_meaning() -> None:
    images = public_images()
    assert len({image.id for image in images}) == len(images)
    names = [name for image in images for name in image.parameters]
    assert len(set(names)) == len(names)


def test_of_each_release_that_the_local_repositories_have_there_is_a_public_image() -> None:
    tool = Path(kiln_local.__file__).parent / "machines/standins/rpm/dnf"
    (line,) = [li for li in tool.read_text().splitlines() if li.startswith("al2023=")]
    amazon = line.partition("'")[2].rstrip("'").split()
    red_hat = [*(f"9.{minor}" for minor in range(8)), "10.0", "10.1"]
    images = public_images()
    names = [image.name for image in images]
    for release in amazon:
        assert any(name.startswith(f"al2023-ami-{release}.") for name in names), release
    for release in red_hat:
        assert any(name.startswith(f"RHEL-{release}.") for name in names), release
    for image in images:
        assert not (image.deprecated and image.parameters), image.name
