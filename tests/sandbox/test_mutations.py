"""Leave out one removal of the clean-up, any one, and the verification says which.

Each test deletes one line of kiln-clean-linux, runs a bake with what is left, and reads what the
verification finds on a clone: that entry, and nothing else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from kiln.domain.cleanup import IDENTITY, SEALED, cleanup_for
from kiln.domain.identity import Facts, shared_facts
from tests.sampling import sampled
from tests.sandbox.bakery import BUILDER, CLONE, Bakery, Document, Row, Verified, parsed, text_of
from tests.sandbox.traces import belongs_to, plant

CLEAN = text_of("clean-linux")
AMAZON = Row("amazon-linux-2", "12")
UBUNTU = Row("ubuntu-18.04", "12")
INIT = Row("amazon-linux-1", "11")


@dataclass(frozen=True)
class Mutation:
    """A line that is deleted: from the list of a name, or of the script where there is none."""

    row: Row
    listed: str
    line: str

    def __str__(self) -> str:
        return f"{self.row.platform}-{self.listed}-{self.line}"

    @property
    def entry(self) -> str:
        return self.line.split()[-1]

    @property
    def document(self) -> Document:
        begin = CLEAN.index(f" {self.listed}() {{\n") if self.listed else 0
        end = CLEAN.index("LIST\n", CLEAN.index("<<'LIST'", begin)) if self.listed else None
        rest, deleted = re.subn(
            rf"^ *{re.escape(self.line)}\n", "", CLEAN[begin:end], flags=re.MULTILINE
        )
        assert deleted == 1, f"{self.line} is not one line"
        return parsed(CLEAN[:begin] + rest + CLEAN[len(CLEAN) if end is None else end :])


def lines_of(name: str) -> list[str]:
    begin = CLEAN.index("<<'LIST'\n", CLEAN.index(f" {name}() {{\n")) + len("<<'LIST'\n")
    return [line.strip() for line in CLEAN[begin : CLEAN.index("LIST\n", begin)].splitlines()][:-1]


FILES = [
    *(Mutation(AMAZON, "paths", line) for line in lines_of("paths")),
    *(Mutation(UBUNTU, "stamps", line) for line in lines_of("stamps")),
    *(Mutation(AMAZON, "identity", line) for line in lines_of("identity")),
    *(Mutation(AMAZON, "sealed", line) for line in lines_of("sealed")),
]
PACKAGES = [
    Mutation(row, "packages", line) for row in (AMAZON, UBUNTU) for line in lines_of("packages")
]
RUNNING = [
    *(Mutation(AMAZON, "services", line) for line in lines_of("services") if line[:3] == "ama"),
    *(Mutation(INIT, "services", line) for line in lines_of("services") if line[:4] == "init"),
    *(Mutation(UBUNTU, "services", line) for line in lines_of("services") if line[:3] == "sys"),
    *(Mutation(UBUNTU, "timers", line) for line in lines_of("timers")),
]
SCRIPT = {
    "if [ -e /etc/machine-id ]; then true >/etc/machine-id; fi": "/etc/machine-id",
    'while IFS= read -r file; do kept "$file" || true >"$file"; done </run/kiln/logs': "/var/log/*",
    "systemctl start kiln-seal.service": "*",
}


def prepared(bakery: Bakery, row: Row = AMAZON, packages: bool = False) -> tuple[str, Facts]:
    """An image of a builder that has a file for each entry of its row, and OpsWorks' packages
    where they are asked for (to remove them takes most of a clean-up's time)."""
    builder = row if packages else Row(row.platform)
    return bakery.prepared(builder, lambda root: plant(root, cleanup_for(row.platform, row.chef)))


def verified_without(bakery: Bakery, mutation: Mutation) -> Verified:
    """A bake whose clean-up lacks one line, on a copy of a prepared builder."""
    image, facts = prepared(bakery, mutation.row, mutation.listed == "packages")
    bakery.start(mutation.row, BUILDER, image)
    return judged(bakery, mutation, facts)


def judged(bakery: Bakery, mutation: Mutation, facts: Facts) -> Verified:
    cleaned = bakery.clean(mutation.row, mutation.document)
    assert cleaned.status == "Success", cleaned
    bakery.make_image("mutant")
    verified = bakery.verify(mutation.row, "mutant")
    assert verified.run.status == "Failed"
    assert shared_facts(facts, verified.facts) == []
    return verified


def test_the_mutations_are_the_whole_table() -> None:
    amazon, ubuntu, init = (cleanup_for(r.platform, r.chef) for r in (AMAZON, UBUNTU, INIT))
    assert {m.entry for m in FILES} == {*amazon.paths, *ubuntu.stamps, *IDENTITY, *SEALED}
    assert lines_of("accounts") == [*ubuntu.accounts]
    assert {m.entry for m in PACKAGES} == {*amazon.packages}
    assert {m.entry for m in RUNNING} == {*init.init, *amazon.systemd, *ubuntu.timers}


@pytest.mark.parametrize("mutation", sampled(FILES, every=12), ids=str)
def test_a_path_that_is_not_removed_is_found_on_the_clone(
    bakery: Bakery, mutation: Mutation
) -> None:
    leftovers = verified_without(bakery, mutation).leftovers
    assert leftovers
    assert [
        path for path in leftovers if not belongs_to(path.partition(",")[0], mutation.entry)
    ] == []


def test_a_key_of_the_builder_is_found_in_a_file_that_the_clones_own_boot_made_new(
    bakery: Bakery,
) -> None:
    image, _ = prepared(bakery)
    bakery.start(AMAZON, BUILDER, image)
    keys = bakery.sh(BUILDER, "cat /root/.ssh/authorized_keys")
    assert keys.startswith("ssh-")
    bakery.clean(AMAZON)
    bakery.make_image("mutant")
    bakery.start(AMAZON, CLONE, "mutant")
    (bakery.room.root(CLONE) / "root/.ssh/authorized_keys").write_text(
        f'ssh-ed25519 AAAAnew admin\nno-pty,command="echo hello" {keys}'
    )
    assert bakery.verify_again(AMAZON).leftovers == [
        "/root/.ssh/authorized_keys, a key of the builder"
    ]


@pytest.mark.parametrize("mutation", PACKAGES, ids=str)
def test_a_package_that_is_not_removed_is_found_in_the_clones_database(
    bakery: Bakery, mutation: Mutation
) -> None:
    assert f"package {mutation.entry}" in verified_without(bakery, mutation).leftovers


@pytest.mark.parametrize("mutation", RUNNING, ids=str)
def test_a_service_or_timer_that_is_not_stopped_is_known_from_the_seal(
    bakery: Bakery, mutation: Mutation
) -> None:
    # Only OpsWorks itself starts its agent: this builder is a new one.
    bakery.start(mutation.row)
    facts = {"machine_id": bakery.sh(BUILDER, "cat /etc/machine-id").strip()}
    assert bakery.prepare(mutation.row).status == "Success"
    found = judged(bakery, mutation, facts).leftovers
    assert f"services that ran when the image was sealed: {mutation.entry}" in found


@pytest.mark.parametrize("line", [*lines_of("accounts"), "rm -f /etc/hosts.kiln", "ldconfig"])
def test_what_the_agent_left_elsewhere_is_found_on_the_clone(bakery: Bakery, line: str) -> None:
    bakery.start(UBUNTU)
    assert bakery.prepare(UBUNTU).status == "Success"
    document, said = without(line)
    # A library that the linker remembers; the sandbox's own agent has none.
    lib = "/opt/aws/opsworks/local/lib"
    bakery.sh(BUILDER, f"mkdir -p {lib}; cp /usr/lib/*/libz.so.1 {lib}/libkiln.so.1; ldconfig")
    assert bakery.clean(UBUNTU, document).status == "Success"
    bakery.make_image("mutant")
    verified = bakery.verify(UBUNTU, "mutant")
    assert verified.run.status == "Failed"
    assert verified.leftovers == [said]


def without(line: str) -> tuple[Document, str]:
    """The clean-up without an account, its work on /etc/hosts or its call of ldconfig."""
    if line == "ldconfig":
        text = CLEAN.replace("then ldconfig || failed=1; fi", "then :; fi")
        said = "/etc/ld.so.cache, libraries of the agent"
    elif line.endswith("hosts.kiln"):
        text = CLEAN.replace("cat /etc/hosts.kiln >/etc/hosts", ":")
        said = "/etc/hosts, lines of the agent"
    else:
        return Mutation(UBUNTU, "accounts", line).document, f"account {line}"
    assert text != CLEAN
    return parsed(text), said


@pytest.mark.parametrize(("line", "pattern"), SCRIPT.items())
def test_what_the_seal_does_besides_its_list_is_proved_too(
    bakery: Bakery, line: str, pattern: str
) -> None:
    image, _ = prepared(bakery)
    bakery.start(AMAZON, BUILDER, image)
    assert bakery.clean(AMAZON, Mutation(AMAZON, "", line).document).status == "Success"
    bakery.make_image("mutant")
    verified = bakery.verify(AMAZON, "mutant")
    assert verified.run.status == "Failed"
    assert [path for path in verified.leftovers if not belongs_to(path, pattern)] == []


def test_a_missing_clean_up_is_found(bakery: Bakery) -> None:
    image, _ = prepared(bakery)
    bakery.start(AMAZON, BUILDER, image)
    bakery.make_image("mutant")
    verified = bakery.verify(AMAZON, "mutant")
    assert verified.run.status == "Failed"
    assert "the clean-up did not end" in verified.leftovers[0]
