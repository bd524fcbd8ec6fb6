"""The clean-up table in the documents and on the page: what a shell makes of them is the table's.

Each part of a document is run by a shell, for every platform and Chef version.
"""

from __future__ import annotations

import itertools
import os
import re
import subprocess
from typing import Any

import pytest

from kiln.domain.cleanup import ACCOUNTS, IDENTITY, SEALED, chef_versions, cleanup_for
from kiln.domain.platforms import PLATFORMS, Family
from tests.contract.test_documents import CLEAN_STEPS, TEXTS, script
from tools.cleanup import filled, stale
from tools.platforms import page

LIST = re.compile(r"^(\w+)\(\) \{\n    cat <<'LIST'\n(.*?)\nLIST\n\}", re.DOTALL | re.MULTILINE)
ROWS = [
    (platform.name, chef)
    for platform in PLATFORMS.values()
    if platform.family is not Family.WINDOWS
    for chef in ("none", *chef_versions(platform.name))
]


def lists(text: str) -> dict[str, list[str]]:
    """The lists of a script by name."""
    return {name: body.splitlines() for name, body in LIST.findall(text)}


def of_every_row(program: str) -> dict[tuple[str, str], list[str]]:
    """What a program prints for each platform and Chef version, all in one shell."""
    rows = "".join(f"{platform} {chef}\n" for platform, chef in ROWS)
    loop = f"while read -r KILN_PLATFORM chef; do (\n{program}\n); echo --; done"
    done = subprocess.run(
        ["sh", "-c", loop], input=rows, capture_output=True, text=True, check=True, env=os.environ
    )
    parts = done.stdout.split("--\n")
    return {row: parts[number].splitlines() for number, row in enumerate(ROWS)}


def part(text: str, name: str) -> str:
    """A part of the table in a script, by its name."""
    found = re.search(rf"^# table: {name}\n(.*?)^# end of table$", text, re.DOTALL | re.MULTILINE)
    assert found, name
    return found[1]


def test_the_verification_has_its_own_lists_and_reads_nothing_of_the_clean_ups() -> None:
    verify = script("verify-linux", "leftovers")
    assert "lib.sh" not in verify
    assert {"paths", "packages", "accounts", "stamps", "identity", "sealed"} == set(lists(verify))


@pytest.mark.parametrize("step", CLEAN_STEPS)
def test_every_entry_of_a_list_stands_once_on_a_line_of_its_own(step: str) -> None:
    for name, lines in lists(script("clean-linux", step)).items():
        assert len(lines) == len(set(lines)), name
        assert all(re.fullmatch(r"([a-z0-9]+ )?\S+", line) for line in lines), name


def test_the_lists_that_hold_everywhere_are_the_tables() -> None:
    verify = lists(script("verify-linux", "leftovers"))
    assert lists(script("clean-linux", "identity"))["identity"] == [*IDENTITY]
    assert lists(script("clean-linux", "seal"))["sealed"] == [*SEALED]
    assert verify["identity"] == [*IDENTITY]
    assert verify["sealed"] == [*SEALED]


def table(platform: str, chef: str) -> Any:
    return cleanup_for(platform, None if chef == "none" else chef)


def test_the_clean_up_removes_the_paths_of_each_row_and_no_others() -> None:
    paths, library = script("clean-linux", "paths"), script("clean-linux", "services")
    of_sets = re.search(r"^of_sets\(\) \{.*?^\}", library, re.DOTALL | re.MULTILINE)
    listed = next(m[0] for m in LIST.finditer(paths) if m[1] == "paths")
    assert of_sets
    program = f"{of_sets[0]}\n{listed}\n{part(paths, 'path sets')}\npaths | of_sets $sets"
    for row, found in of_every_row(program).items():
        assert sorted(found) == sorted(table(*row).paths), row


def test_the_clean_up_stops_the_services_of_each_row_and_no_others() -> None:
    services = script("clean-linux", "services")
    listed = lists(services)["services"]
    for row, found in of_every_row(f"{part(services, 'service sets')}\necho $sets").items():
        chosen = [line.split() for line in listed]
        by_script = "init" in found[0].split()
        stopped = tuple(name for how, name in chosen if how in found[0].split())
        expected = table(*row)
        assert stopped == (expected.init if by_script else expected.systemd), row


def test_the_seal_looks_for_the_services_and_timers_of_each_row() -> None:
    seal = script("clean-linux", "seal")
    for row, found in of_every_row(f"{part(seal, 'agents')}\necho $agents").items():
        expected = table(*row)
        names = {*expected.init, *expected.systemd, *expected.timers}
        assert set(found[0].split()) == names, row


def test_the_clean_up_stops_the_timers_of_each_row_and_removes_their_stamps() -> None:
    timers = script("clean-linux", "timers")
    chosen = of_every_row(f"{part(timers, 'timed')}\necho $timed")
    for row, found in chosen.items():
        listed = lists(timers) if found == ["yes"] else {"timers": [], "stamps": []}
        assert tuple(listed["timers"]) == table(*row).timers, row
        assert tuple(listed["stamps"]) == table(*row).stamps, row


def test_the_clean_up_removes_the_packages_of_every_row_of_opsworks() -> None:
    cleaned = lists(script("clean-linux", "packages"))["packages"]
    verified = lists(script("verify-linux", "leftovers"))["packages"]
    for platform, chef in ROWS:
        if chef != "none":
            assert tuple(cleaned) == tuple(verified) == table(platform, chef).packages


def test_the_verification_looks_for_the_paths_of_each_row_and_no_others() -> None:
    verify = script("verify-linux", "leftovers")
    listed = "\n".join(match[0] for match in LIST.finditer(verify))
    wanted = re.search(r"^wanted\(\) \{.*?^\}", verify, re.DOTALL | re.MULTILINE)
    assert wanted
    chosen = part(verify, "path sets") + part(verify, "timed")
    program = f"{listed}\n{chosen}\n{wanted[0]}\nwanted"
    for row, found in of_every_row(program).items():
        expected = table(*row)
        assert sorted(found) == sorted(
            itertools.chain(expected.paths, expected.stamps, IDENTITY, SEALED)
        ), row


def test_the_accounts_are_the_tables() -> None:
    assert lists(script("clean-linux", "accounts"))["accounts"] == [*ACCOUNTS]
    assert lists(script("verify-linux", "leftovers"))["accounts"] == [*ACCOUNTS]


def test_documents_and_page_hold_the_table_as_it_is() -> None:
    assert stale() == []


@pytest.mark.parametrize("name", ["clean-linux", "verify-linux"])
def test_a_document_whose_table_was_edited_by_hand_is_mended(name: str) -> None:
    text = TEXTS[f"kiln-{name}"]
    for entry in ("opsworks /etc/chef", "/etc/hostname", 'sets="any agent"'):
        assert entry in text
        assert filled(text.replace(entry, "edited")) == text


def test_every_platform_has_a_row_on_the_page() -> None:
    rows = [line for line in page().splitlines() if line.startswith("| `")][: len(PLATFORMS)]
    assert [row.split("`")[1] for row in rows] == [*PLATFORMS]
    assert {row.count(" | ") for row in rows} == {7}


def test_no_list_names_what_is_never_touched() -> None:
    entries = {*IDENTITY, *SEALED, *(path for row in ROWS for path in table(*row).paths)}
    spared = ("/etc/apt", "/etc/ssl", "/etc/pki", "/usr/share/keyrings", "/etc/sudoers")
    for entry, place in itertools.product(entries, spared):
        assert entry != place
        assert not entry.startswith(f"{place}/")
