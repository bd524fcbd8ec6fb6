""".NET types, as far as scripts here use them."""

from __future__ import annotations

import base64
import hashlib
import math
import uuid
from collections.abc import Callable
from typing import Any

from kiln_local.windows import made, textfiles
from kiln_local.windows.baseline import ENVIRONMENT
from kiln_local.windows.casts import bare
from kiln_local.windows.errors import NotHere, ScriptError
from kiln_local.windows.members import counted
from kiln_local.windows.scope import Variables
from kiln_local.windows.values import Bag, items, number, text, truth

_ENCODINGS = {
    "text.encoding::utf8": textfiles.UTF8_MARKED,
    "text.encoding::unicode": textfiles.UTF16,
    "text.encoding::ascii": textfiles.ASCII,
}

# Values of enumerations.
_NAMES = {
    "io.compression.compressionmode::decompress": "Decompress",
    "net.securityprotocoltype::tls12": "Tls12",
}


def static(kind: str, name: str, run: Any) -> Any:
    """A static property."""
    word = f"{bare(kind)}::{name.lower()}"
    if word in _ENCODINGS:
        return encoding(_ENCODINGS[word])
    if word in _NAMES:
        return _NAMES[word]
    if word == "globalization.cultureinfo::installeduiculture":
        return Bag([("Name", run.machine.state["installed_language"])], "culture")
    if word == "environment::newline":
        return "\r\n"
    if word == "environment::machinename":
        return run.machine.state["computer_name"]
    if word == "console::error":
        return Bag([("writeline", lambda said: run.err.append(text(said)))], "stderr")
    raise NotHere(f"[{kind}]::{name}")


def put_static(kind: str, name: str, value: Any) -> None:
    """Set a static property. What is not encrypted here needs no protocol, so one is as good as
    none; others than TLS 1.2 are not known."""
    word = f"{bare(kind)}::{name.lower()}"
    if (word, value) != ("net.servicepointmanager::securityprotocol", "Tls12"):
        raise NotHere(f"[{kind}]::{name} = {text(value)}")


def encoding(name: str) -> Bag:
    """An encoding with its two methods; neither knows of marks."""
    _, codec = textfiles.codec(name)

    def get_string(data: Any, at: Any = 0, count: Any = None) -> str:
        given = octets(data)
        start, size = int(number(at)), len(given) if count is None else int(number(count))
        if count is not None and not 0 <= start <= start + size <= len(given):
            raise ScriptError("Index and count must refer to a location within the buffer.")
        return given[start : start + size].decode(codec, errors="replace")

    return Bag(
        [
            ("encoding", name),
            ("getstring", get_string),
            ("getbytes", lambda s: list(text(s).encode(codec, errors="replace"))),
        ],
        "encoding",
    )


def octets(value: Any) -> bytes:
    """An array of bytes. Raises ScriptError for what is none."""
    given = [number(item) for item in items(value)]
    if any(isinstance(n, float) or not 0 <= n < 256 for n in given):
        raise ScriptError("Cannot convert the value to type System.Byte[].")
    return bytes(int(n) for n in given)


def call(kind: str, name: str, given: list[Any], machine: Any, variables: Variables) -> Any:
    """A static method."""
    word = f"{bare(kind)}::{name.lower()}"
    if word in _CALLS:
        least, most, work = _CALLS[word]
        return work(*counted(name, given, least, most))
    if word in _FILES:
        least, most, work = _FILES[word]
        return work(machine.drive, *counted(name, given, least, most))
    if word == "environment::setenvironmentvariable":
        return _set_variable(machine, variables, *counted(name, given, 2, 3))
    if word == "environment::getenvironmentvariable":
        return _get_variable(machine, variables, *counted(name, given, 1, 2))
    raise NotHere(f"[{kind}]::{name}()")


def _of_machine(target: Any) -> bool:
    """Whether a variable of the system is meant: one of this process's children it is not."""
    if text(target).lower() not in ("process", "machine"):
        raise NotHere(f"variables of {text(target)}")
    return text(target).lower() == "machine"


def _set_variable(
    machine: Any, own: Variables, name: Any, value: Any, target: Any = "Process"
) -> None:
    if not _of_machine(target):
        own.set_environment(text(name), text(value))
    elif text(value):
        machine.registry.set(ENVIRONMENT, text(name), text(value))
    else:
        machine.registry.drop(ENVIRONMENT, text(name))


def _get_variable(machine: Any, own: Variables, name: Any, target: Any = "Process") -> Any:
    if not _of_machine(target):
        return own.environment.get(text(name))
    return machine.registry.get(ENVIRONMENT, text(name))


def _encoding_of(given: tuple[Any, ...]) -> str:
    if not given:
        return textfiles.UTF8
    if not isinstance(given[0], Bag) or given[0].kind != "encoding":
        raise ScriptError("Cannot convert the value to type System.Text.Encoding.")
    return str(given[0].get("encoding"))


def _exists(folder: bool) -> Callable[..., bool]:
    def exists(drive: Any, path: Any) -> bool:
        found: bool = drive.exists(text(path)) and drive.is_folder(text(path)) == folder
        return found

    return exists


def _combined(*given: Any) -> str:
    """A part that is a path of its own begins anew."""
    whole = ""
    for part in map(text, given):
        rooted = part[:1] == "\\" or part[1:2] == ":"
        whole = part if rooted or not whole else whole.rstrip("\\") + "\\" + part
    return whole


def _decoded(value: Any) -> list[int]:
    try:
        return list(base64.b64decode("".join(text(value).split()), validate=True))
    except ValueError as error:
        raise ScriptError("The input is not a valid Base-64 string.") from error


def new(kind: str, given: list[Any], machine: Any) -> Any:
    """New-Object."""
    word = bare(kind)
    if word == "text.utf8encoding" and len(given) < 2:
        marked = bool(given) and truth(given[0])
        return encoding(textfiles.UTF8_MARKED if marked else textfiles.UTF8)
    if word in ("psobject", "pscustomobject", "object", "management.automation.psobject"):
        return Bag(())
    if word == "io.memorystream" and len(given) < 2:
        return made.memory_stream(octets(given[0]) if given else b"")
    if word == "io.compression.gzipstream" and len(given) == 2 and given[1] == "Decompress":
        return made.gzip_reader(given[0])
    if word == "threading.mutex" and len(given) == 2 and not truth(given[0]):
        return made.mutex(machine, text(given[1]))
    raise NotHere(f"New-Object {kind}")


def _sha256() -> Bag:
    compute = {"computehash": lambda data: list(hashlib.sha256(octets(data)).digest())}
    return Bag(compute.items(), "hash")


def _guid() -> Bag:
    made = uuid.uuid4()

    def shown(form: Any = "D") -> str:
        if text(form).upper() not in ("N", "D"):
            raise NotHere(f"the format {text(form)} of a GUID")
        return made.hex if text(form).upper() == "N" else str(made)

    return Bag([("text", shown), ("FullName", str(made))], "guid")


def _rounded(value: Any, digits: Any = 0) -> float:
    return round(number(value), int(number(digits)))


def _joined(glue: Any, *parts: Any) -> str:
    return text(glue).join(text(item) for part in parts for item in items(part))


# The fewest and the most arguments.
_CALLS: dict[str, tuple[int, int, Callable[..., Any]]] = {
    "convert::frombase64string": (1, 1, _decoded),
    "convert::tobase64string": (1, 1, lambda data: base64.b64encode(octets(data)).decode()),
    "bitconverter::tostring": (1, 1, lambda data: octets(data).hex("-").upper()),
    "guid::newguid": (0, 0, _guid),
    "security.cryptography.sha256::create": (0, 0, _sha256),
    "string::isnullorempty": (1, 1, lambda value: text(value) == ""),
    "string::isnullorwhitespace": (1, 1, lambda value: not text(value).strip()),
    "string::join": (2, 99, _joined),
    "math::max": (2, 2, lambda a, b: max(number(a), number(b))),
    "math::min": (2, 2, lambda a, b: min(number(a), number(b))),
    "math::floor": (1, 1, lambda a: math.floor(number(a))),
    "math::ceiling": (1, 1, lambda a: math.ceil(number(a))),
    "math::round": (1, 2, _rounded),
    "io.path::combine": (2, 4, _combined),
    "io.path::getfilename": (1, 1, lambda path: text(path).replace("/", "\\").rpartition("\\")[2]),
}
_FILES: dict[str, tuple[int, int, Callable[..., Any]]] = {
    "io.file::writealltext": (
        *(2, 3),
        lambda drive, path, said, *form: drive.write(text(path), text(said), _encoding_of(form)),
    ),
    "io.file::appendalltext": (
        *(2, 3),
        lambda drive, path, said, *form: drive.append(text(path), text(said), _encoding_of(form)),
    ),
    "io.file::readalltext": (
        *(1, 2),
        lambda drive, path, *form: drive.read(text(path), _encoding_of(form)),
    ),
    "io.file::readallbytes": (1, 1, lambda drive, path: list(drive.read_bytes(text(path)))),
    "io.file::writeallbytes": (
        *(2, 2),
        lambda drive, path, data: drive.write_bytes(text(path), octets(data)),
    ),
    "io.file::exists": (1, 1, _exists(folder=False)),
    "io.directory::exists": (1, 1, _exists(folder=True)),
}
