"""An import-linter contract: a room may import what it names, and nothing else.

Import-linter's own contracts list what is forbidden, so that a new dependency is allowed until
someone forbids it. The table of rooms says the opposite: what is not named is refused.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


def is_inside(module: str, packages: Iterable[str]) -> bool:
    """Whether a module is one of these packages or lies in one."""
    return any(module == package or module.startswith(f"{package}.") for package in packages)


class OnlyContract(Contract):
    """`room` imports only itself, the standard library and `may_import` without `never`.

    Modules named in `beside` lie in the room but have a contract of their own.
    """

    type_name = "only"

    if TYPE_CHECKING:  # what import-linter makes of the fields below
        room: str
        may_import: list[str]
        never: list[str]
        beside: list[str]
    else:
        room = fields.StringField()
        may_import = fields.ListField(subfield=fields.StringField())
        never = fields.ListField(subfield=fields.StringField(), required=False, default=[])
        beside = fields.ListField(subfield=fields.StringField(), required=False, default=[])

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:  # noqa: ARG002
        """Every direct import of the room that is not on its list."""
        modules = [module for module in graph.modules if is_inside(module, [self.room])]
        if not modules:
            raise ValueError(f"no module {self.room}: mend the contract in pyproject.toml")
        lines = [
            f"{importer}:{detail['line_number']} imports {imported}"
            for importer in modules
            if not is_inside(importer, self.beside)
            for imported in graph.find_modules_directly_imported_by(importer)
            if not self._may(imported)
            for detail in graph.get_import_details(importer=importer, imported=imported)
        ]
        return ContractCheck(kept=not lines, metadata={"lines": sorted(lines)})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """One line per import, then what the room may import."""
        for line in cast("list[str]", check.metadata["lines"]):
            output.print_error(line)
        output.print(f"{self.room} may import: {', '.join(self.may_import) or 'nothing'}")

    def _may(self, imported: str) -> bool:
        if is_inside(imported, self.never):
            return False
        standard = imported.partition(".")[0] in sys.stdlib_module_names
        return standard or is_inside(imported, [self.room, *self.may_import])
