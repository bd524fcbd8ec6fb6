"""Arguments of a command to names. A parameter that is not known here is not ignored."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from kiln_local.windows.errors import NotHere, Refused
from kiln_local.windows.values import Bag, items, text, truth

# An argument without a name, or a name whose argument did not follow yet.
Piece = tuple[str, Any]
_COMMON = ("erroraction", "warningaction", "informationaction")
_COMMON_SWITCHES = ("verbose", "debug", "whatif", "confirm")
_SHORT = {"ea": "erroraction", "wa": "warningaction", "infa": "informationaction"}


@dataclass
class Call:
    """One call of a cmdlet. `named` is by lower-case name."""

    name: str
    named: dict[str, Any] = field(default_factory=dict)
    positional: list[Any] = field(default_factory=list)
    piped: list[Any] = field(default_factory=list)

    def get(self, names: str, position: int | None = None, default: Any = None) -> Any:
        """An argument by one of its names (`path|literalpath`), else by its place."""
        for name in names.split("|"):
            if name in self.named:
                return self.named[name]
        if position is not None and position < len(self.positional):
            return self.positional[position]
        return default

    def need(self, names: str, position: int | None = None) -> Any:
        """An argument that must be there. Raises Refused."""
        found = self.get(names, position)
        if found is None:
            first = names.partition("|")[0]
            raise Refused(f"{self.name}: the parameter {first} is missing or null.")
        return found

    def has(self, name: str) -> bool:
        """Whether a switch is on."""
        return truth(self.named.get(name, False))


@dataclass(frozen=True)
class Takes:
    """What a command takes: parameters with values, switches, and how many without a name."""

    values: Collection[str]
    switches: Collection[str] = ()
    places: int = 1


def takes(values: str, switches: str = "", places: int = 1) -> Takes:
    """By words."""
    return Takes(values.split(), switches.split(), places)


def bind(call: Call, pieces: list[Piece], wanted: Takes) -> None:
    """Fill a call. Raises NotHere for a parameter that is not known here, Refused for one argument
    too many."""
    waiting = ""
    for kind, value in pieces:
        if kind == "name":
            _ended(call, waiting)
            waiting = full_name(call.name, str(value), wanted)
            if waiting in (*wanted.switches, *_COMMON_SWITCHES):
                call.named[waiting], waiting = True, ""
        elif kind == "switched":
            call.named[full_name(call.name, str(value[0]), wanted)] = value[1]
        elif waiting:
            call.named[waiting], waiting = value, ""
        else:
            call.positional.append(value)
    _ended(call, waiting)
    _checked(call, wanted)


def _ended(call: Call, waiting: str) -> None:
    if waiting:
        raise Refused(f"{call.name}: Missing an argument for parameter '{waiting}'.")


def full_name(command: str, given: str, wanted: Takes) -> str:
    """A parameter's name for its beginning."""
    word = given.lower()
    known = (*wanted.values, *wanted.switches, *_COMMON, *_COMMON_SWITCHES)
    if word in known:
        return word
    if word in _SHORT:
        return _SHORT[word]
    found = [name for name in known if name.startswith(word)]
    if len(found) != 1:
        raise NotHere(f"{command} -{given}")
    return found[0]


def _checked(call: Call, wanted: Takes) -> None:
    for name in ("whatif", "confirm"):
        if truth(call.named.pop(name, False)):
            raise NotHere(f"{call.name} -{name}")
    if len(call.positional) > wanted.places:
        extra = text(call.positional[wanted.places])
        raise Refused(
            f"{call.name}: A positional parameter cannot be found that accepts '{extra}'."
        )


def splatted(value: Any) -> list[Piece]:
    """`@x`: a hashtable's names and values, or an array's items."""
    if isinstance(value, Bag):
        return [("switched", (text(name), inner)) for name, inner in value.items()]
    return [("value", item) for item in items(value)]
