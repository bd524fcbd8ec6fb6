"""Shares of a processor: what is written where, for either version of Linux's control groups."""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path

import pytest

from kiln_local import shares
from kiln_local.shares import NoShares, Share, shares_root


def test_the_controller_of_version_1_is_preferred(tmp_path: Path) -> None:
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.shares").write_text("1024")
    (tmp_path / "cgroup.controllers").write_text("cpuset cpu io")
    assert shares_root(tmp_path) == tmp_path / "cpu"


def test_version_2_serves_where_it_has_the_controller(tmp_path: Path) -> None:
    (tmp_path / "cgroup.controllers").write_text("cpuset cpu io")
    assert shares_root(tmp_path) == tmp_path


@pytest.mark.parametrize("controllers", [None, "cpuset io"])
def test_a_machine_without_says_so(tmp_path: Path, controllers: str | None) -> None:
    if controllers:
        (tmp_path / "cgroup.controllers").write_text(controllers)
    with pytest.raises(NoShares, match="no cpu controller that may be written"):
        shares_root(tmp_path)


def test_a_share_is_of_each_20_ms_and_holds_once_it_is_limited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    share = Share(512, tmp_path)
    (group,) = tmp_path.iterdir()
    share.take(17)
    assert {path.name: path.read_text() for path in group.iterdir()} == {"cgroup.procs": "17"}
    share.limit()
    assert (group / "cpu.cfs_period_us").read_text() == "20000"
    assert (group / "cpu.cfs_quota_us").read_text() == str(20_000 * 512 // shares.PROCESSOR_MB)


def test_version_2_takes_both_in_one_file(tmp_path: Path) -> None:
    share = Share(1769, tmp_path)
    (group,) = tmp_path.iterdir()
    (group / "cpu.max").write_text("max 100000")
    share.limit()
    assert (group / "cpu.max").read_text() == "20000 20000"


def test_a_group_goes_and_takes_what_is_left_in_it(tmp_path: Path) -> None:
    share = Share(128, tmp_path)
    (group,) = tmp_path.iterdir()
    left = subprocess.Popen(["sleep", "60"])
    share.take(left.pid)

    def goes() -> None:
        left.wait(10)
        (group / "cgroup.procs").unlink()

    killed = threading.Thread(target=goes)
    killed.start()
    share.end()
    killed.join()
    assert left.returncode == -9
    assert list(tmp_path.iterdir()) == []
