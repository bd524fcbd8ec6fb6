"""Lists of packages: read, kept, compared."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiln.domain.packages import (
    Manifest,
    Package,
    PackageKind,
    Subject,
    difference,
    dump_manifest,
    in_order,
    load_manifest,
    parse_packages,
)

# Few enough names that lists have packages in common.
PACKAGES = st.lists(
    st.builds(
        Package,
        kind=st.sampled_from([PackageKind.RPM, PackageKind.PROGRAM]),
        name=st.sampled_from("ab"),
        version=st.sampled_from(["1", "2", "3"]),
        architecture=st.just("x"),
    )
)


def rpm(name: str, version: str, architecture: str = "x86_64") -> Package:
    """A package of rpm's."""
    return Package(kind=PackageKind.RPM, name=name, version=version, architecture=architecture)


def printed(*packages: Package) -> str:
    """What a machine prints."""
    lines = [f"{p.kind}\t{p.name}\t{p.version}\t{p.architecture}\n" for p in packages]
    return "".join([*lines, f"end\t{len(packages)}\n"])


def a_manifest(*packages: Package) -> Manifest:
    """A manifest of some packages."""
    names = ("image", "name", "bake", "blueprint", "platform", "architecture")
    subject = Subject.model_validate(dict.fromkeys(names, "x") | {"version": 1})
    return Manifest(subject=subject, packages=in_order(packages))


def test_a_public_key_in_rpms_books_has_no_architecture() -> None:
    text = "rpm\tgpg-pubkey\td832c631-6515c85e\t(none)\nend\t1\n"
    assert parse_packages(text) == (rpm("gpg-pubkey", "d832c631-6515c85e", ""),)


@given(PACKAGES.filter(bool))
def test_what_was_printed_is_read_in_order_each_once(packages: list[Package]) -> None:
    assert parse_packages(printed(*packages)) == in_order(packages)
    assert parse_packages(printed(*packages).replace("\n", "\r\n")) == in_order(packages)


@given(PACKAGES.filter(bool), st.integers(min_value=1))
def test_no_part_of_a_list_is_taken_for_the_whole(packages: list[Package], cut: int) -> None:
    text = printed(*packages)
    with pytest.raises(ValueError, match="is cut off"):
        # The line break at the very end is no part of the list.
        parse_packages(text[: cut % (len(text) - 1)])


@given(PACKAGES)
def test_a_kept_manifest_is_the_same_again(packages: list[Package]) -> None:
    manifest = a_manifest(*packages)
    assert load_manifest(dump_manifest(manifest)) == manifest
    assert dump_manifest(a_manifest(*reversed(packages))) == dump_manifest(manifest)


def test_what_a_later_kiln_adds_to_a_manifest_is_passed_over() -> None:
    kept = json.loads(dump_manifest(a_manifest(rpm("a", "1"))))
    kept["more"] = kept["subject"]["more"] = kept["packages"][0]["licence"] = "new"
    assert load_manifest(json.dumps(kept).encode()) == a_manifest(rpm("a", "1"))


@given(PACKAGES, PACKAGES)
def test_a_difference_makes_the_one_of_the_other(
    before: list[Package], after: list[Package]
) -> None:
    found = difference(before, after)
    made = set(before) - set(found.removed) | set(found.added)
    for change in found.changed:
        whose = {"kind": change.kind, "name": change.name, "architecture": change.architecture}
        made = made - {Package(**whose, version=change.before)}
        made = made | {Package(**whose, version=change.after)}
    assert made == set(after)


def test_versions_side_by_side_come_and_go_one_by_one() -> None:
    kernels = [rpm("kernel", version) for version in ("1", "2", "3")]
    found = difference(kernels[:2], kernels[1:])
    assert [(c.before, c.after) for c in found.changed] == [("1", "3")]
    found = difference(kernels[:1], kernels[1:])
    assert (len(found.added), len(found.removed), found.changed) == (2, 1, ())
    found = difference(kernels[:2], kernels[2:])
    assert (found.added, found.removed) == ((kernels[2],), tuple(kernels[:2]))
    assert found.changed == ()


def test_another_architecture_is_another_package() -> None:
    found = difference([rpm("a", "1", "i686")], [rpm("a", "1", "noarch")])
    assert (len(found.added), len(found.removed), found.changed) == (1, 1, ())
