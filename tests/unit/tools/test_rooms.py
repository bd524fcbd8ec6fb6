"""The allow-list of imports refuses what it does not name."""

from __future__ import annotations

import pytest
from grimp import ImportGraph

from tools.rooms import OnlyContract


def a_graph(*imports: tuple[str, str]) -> ImportGraph:
    graph = ImportGraph()
    for importer, imported in imports:
        graph.add_import(importer=importer, imported=imported, line_number=3, line_contents="")
    return graph


def refused(graph: ImportGraph, **options: object) -> list[str]:
    settings = {"room": "kiln.domain", "may_import": ["pydantic", "kiln.errors"], **options}
    contract = OnlyContract(name="domain", session_options={}, contract_options=settings)
    lines: list[str] = contract.check(graph, verbose=False).metadata["lines"]
    return lines


@pytest.mark.parametrize("allowed", ["pydantic", "kiln.errors", "kiln.domain.b", "datetime"])
def test_a_room_may_import_itself_the_standard_library_and_its_list(allowed: str) -> None:
    assert refused(a_graph(("kiln.domain.a", allowed))) == []


@pytest.mark.parametrize("other", ["boto3", "kiln.ports", "kiln.errors_of_others"])
def test_a_room_may_import_nothing_else(other: str) -> None:
    graph = a_graph(("kiln.domain.a", other), ("kiln.steps.a", "boto3"))
    assert refused(graph) == [f"kiln.domain.a:3 imports {other}"]


def test_never_wins_over_the_list() -> None:
    graph = a_graph(("kiln_cli.main", "kiln.runtime"), ("kiln_cli.main", "kiln.errors"))
    lines = refused(graph, room="kiln_cli", may_import=["kiln"], never=["kiln.runtime"])
    assert lines == ["kiln_cli.main:3 imports kiln.runtime"]


def test_a_module_beside_the_room_has_a_contract_of_its_own() -> None:
    graph = a_graph(("kiln_cli.local", "kiln_local.up"), ("kiln_cli.main", "kiln_local.up"))
    lines = refused(graph, room="kiln_cli", may_import=[], beside=["kiln_cli.local"])
    assert lines == ["kiln_cli.main:3 imports kiln_local.up"]


def test_a_room_that_is_not_there_is_a_mistake_in_the_contract() -> None:
    with pytest.raises(ValueError, match=r"no module kiln\.domain"):
        refused(a_graph(("kiln.steps.a", "boto3")))
