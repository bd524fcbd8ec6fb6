""".NET types, as far as scripts here use them."""

from __future__ import annotations

import base64
import hashlib
import math
import uuid
from collections.abc import Callable
from typing import Any

from kiln_local.windows import xml
from kiln_local.windows.errors import NotHere, ScriptError
from kiln_local.windows.scope import Variables
from kiln_local.windows.values import Bag, items, number, text, truth


def _bare(kind: str) -> str:
    return kind.lower().removeprefix("system.")


def cast(kind: str, value: Any) -> Any:
    """`[kind]value`."""
    word = _bare(kind)
    if word in ("string", "int", "int32", "long", "int64", "double", "bool", "boolean", "switch"):
        return _SIMPLE[word](value)
    if word in ("xml", "xml.xmldocument"):
        return value if isinstance(value, xml.Element) else xml.parse(text(value))
    if word in ("array", "object[]", "string[]"):
        return items(value)
    if word in ("pscustomobject", "psobject") and isinstance(value, Bag):
        return Bag(value.items())
    if word in ("void",):
        return None
    raise NotHere(f"type [{kind}]")


_SIMPLE: dict[str, Callable[[Any], Any]] = {
    "string": text,
    **dict.fromkeys(("int", "int32", "long", "int64"), lambda v: round(number(v))),
    "double": lambda v: float(number(v)),
    **dict.fromkeys(("bool", "boolean", "switch"), truth),
}


def static(kind: str, name: str, machine: Any) -> Any:
    """A static property."""
    word = f"{_bare(kind)}::{name.lower()}"
    if word in ("text.encoding::utf8", "text.encoding::unicode", "text.encoding::ascii"):
        return encoding({"utf8": "utf-8", "unicode": "utf-16-le", "ascii": "ascii"}[name.lower()])
    if word == "globalization.cultureinfo::installeduiculture":
        return Bag([("Name", machine.state["installed_language"])])
    if word == "environment::newline":
        return "\r\n"
    if word == "environment::machinename":
        return machine.state["computer_name"]
    raise NotHere(f"[{kind}]::{name}")


def encoding(name: str) -> Bag:
    """An encoding with its two methods."""
    return Bag(
        [
            ("getstring", lambda b: bytes(b).decode(name, errors="replace")),
            ("getbytes", lambda s: list(text(s).encode(name))),
        ],
        "encoding",
    )


def call(kind: str, name: str, given: list[Any], machine: Any, variables: Variables) -> Any:
    """A static method."""
    word = f"{_bare(kind)}::{name.lower()}"
    if word in _CALLS:
        return _CALLS[word](*given)
    if word.startswith("io."):
        return _file(
            word, [text(g) if not isinstance(g, (list, Bag)) else g for g in given], machine
        )
    if word == "environment::setenvironmentvariable":
        if given[1] is None or given[1] == "":
            variables.environment.drop(given[0])
        else:
            variables.environment.set(given[0], text(given[1]))
        return None
    if word == "environment::getenvironmentvariable":
        return variables.environment.get(given[0])
    raise NotHere(f"[{kind}]::{name}()")


def _file(word: str, given: list[Any], machine: Any) -> Any:
    drive = machine.drive
    if word == "io.file::writealltext":
        mark = "\ufeff" if len(given) > 2 and given[2].get("mark") else ""
        return drive.write(given[0], mark + given[1])
    if word == "io.file::appendalltext":
        before = drive.read(given[0]) if drive.exists(given[0]) else ""
        return drive.write(given[0], before + given[1])
    if word == "io.file::readalltext":
        return drive.read(given[0]).lstrip("\ufeff")
    if word == "io.file::readallbytes":
        return list(drive.read_bytes(given[0]))
    if word == "io.file::writeallbytes":
        return drive.write_bytes(given[0], bytes(given[1]))
    if word in ("io.file::exists", "io.directory::exists"):
        return drive.exists(given[0]) and drive.is_folder(given[0]) == ("directory" in word)
    if word == "io.path::combine":
        return "\\".join(part.rstrip("\\") for part in given)
    if word == "io.path::getfilename":
        return given[0].rpartition("\\")[2]
    raise NotHere(f"[{word}]()")


def _decoded(value: Any) -> list[int]:
    try:
        return list(base64.b64decode(text(value), validate=True))
    except ValueError as error:
        raise ScriptError("The input is not a valid Base-64 string.") from error


def new(kind: str, given: list[Any]) -> Any:
    """New-Object."""
    word = _bare(kind)
    if word == "text.utf8encoding":
        made = encoding("utf-8")
        made.set("mark", bool(given and truth(given[0])))
        return made
    if word == "xml.xmldocument":
        raise NotHere("New-Object Xml.XmlDocument; write [xml]")
    if word in ("psobject", "pscustomobject", "object"):
        return Bag(())
    raise NotHere(f"New-Object {kind}")


def _sha256() -> Bag:
    compute = {"compute": lambda data: list(hashlib.sha256(bytes(data)).digest())}
    return Bag(compute.items(), "hash")


def _guid() -> Bag:
    made = uuid.uuid4()
    return Bag([("text", made.hex), ("FullName", str(made))], "guid")


_CALLS: dict[str, Callable[..., Any]] = {
    "convert::frombase64string": _decoded,
    "convert::tobase64string": lambda data: base64.b64encode(bytes(data)).decode(),
    "bitconverter::tostring": lambda data: "-".join(f"{byte:02X}" for byte in data),
    "guid::newguid": _guid,
    "security.cryptography.sha256::create": _sha256,
    "string::isnullorempty": lambda value: value is None or value == "",
    "string::isnullorwhitespace": lambda value: not text(value).strip(),
    "string::join": lambda glue, *parts: text(glue).join(
        text(item) for part in parts for item in items(part)
    ),
    "math::max": lambda a, b: max(number(a), number(b)),
    "math::min": lambda a, b: min(number(a), number(b)),
    "math::floor": lambda a: math.floor(number(a)),
    "math::ceiling": lambda a: math.ceil(number(a)),
    "math::round": lambda a, *n: round(number(a), *map(int, n)),
}
