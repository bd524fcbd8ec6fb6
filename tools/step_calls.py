"""Which AWS operations a step's code can come to: from its function through the functions that it
calls, over the ports, to the adapters' calls. Read from the source, so that what seldom happens is
there too.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "layers/kiln/kiln"
Place = tuple[str, str]
_DESCRIBES = re.compile(r"describe_[a-z_]+$")


@dataclass
class Function:
    """What one function refers to: functions of steps, methods of the steps' own classes that its
    module knows, ports' methods."""

    functions: set[Place] = field(default_factory=set)
    attributes: set[Place] = field(default_factory=set)
    ports: set[Place] = field(default_factory=set)


@cache
def reached(step: str) -> dict[str, tuple[str, ...]]:
    """Operation -> the ports' methods by which a step comes to it: ec2:RunInstances ->
    fleet.launch."""
    found: dict[str, set[str]] = defaultdict(set)
    for port, method in sorted(_ports_of((step, step))):
        for operation in _operations(port, method):
            found[operation].add(f"{port}.{method}")
    return {operation: tuple(sorted(by)) for operation, by in sorted(found.items())}


def every_operation() -> set[str]:
    """Every operation that an adapter asks AWS for, as `ec2:RunInstances`."""
    found: set[str] = set()
    for file in sorted((PACKAGE / "adapters").glob("*.py")):
        tree = ast.parse(file.read_text())
        found |= _asked(tree, _constants(tree))
    return found


# ------------------------------------------------------------ steps


def _ports_of(start: Place) -> set[Place]:
    functions = _steps()
    seen, waiting, ports = {start}, [start], set()
    while waiting:
        function = functions[waiting.pop()]
        ports |= function.ports
        for place in (function.functions | function.attributes) - seen:
            if place in functions:
                seen.add(place)
                waiting.append(place)
    return ports


@cache
def _steps() -> dict[Place, Function]:
    """Every function of the steps. A method is called Class.method."""
    functions: dict[Place, Function] = {}
    for file in sorted((PACKAGE / "steps").glob("*.py")):
        tree = ast.parse(file.read_text())
        defined = dict(_defined(tree))
        classes = {n.name: (file.stem, n.name) for n in tree.body if isinstance(n, ast.ClassDef)}
        known = _imported(tree) | classes | {name: (file.stem, name) for name in defined}
        for name, node in defined.items():
            functions[file.stem, name] = _function(node, known)
    return functions


def _defined(tree: ast.Module) -> Iterator[tuple[str, ast.stmt]]:
    """Functions, methods, and constants: a table of a module may hold functions."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield node.name, node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                if isinstance(target, ast.Name):
                    yield target.id, node
        elif isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef):
                    yield f"{node.name}.{inner.name}", inner


def _imported(tree: ast.Module) -> dict[str, Place]:
    """What the file names of other steps, wherever in it that is imported."""
    return {
        alias.asname or alias.name: (node.module.rpartition(".")[2], alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("kiln.steps.")
        for alias in node.names
        if node.module
    }


def _function(node: ast.stmt, known: dict[str, Place]) -> Function:
    found = Function()
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and part.id in known:
            module, name = known[part.id]
            # A class is known by its name alone: to name it may be to make one.
            made = {(module, f"{name}.{method}") for method in ("__init__", "__post_init__")}
            found.functions |= {(module, name), *made}
        elif isinstance(part, ast.Attribute):
            owner = _last_name(part.value)
            if owner in _ports():
                found.ports.add((owner, part.attr))
            else:
                found.attributes |= {(m, f"{name}.{part.attr}") for m, name in known.values()}
    return found


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


# ------------------------------------------------------------ ports and adapters


@cache
def _ports() -> dict[str, str]:
    """Port -> the protocol that it is, of the world and of a place in it."""
    found = {}
    for file in sorted((PACKAGE / "ports").glob("*.py")):
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.ClassDef) and node.name in ("World", "Place"):
                for line in node.body:
                    if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
                        found[line.target.id] = ast.unparse(line.annotation)
    return found


@cache
def _adapters() -> dict[str, tuple[ast.Module, ast.ClassDef]]:
    found: dict[str, tuple[ast.Module, ast.ClassDef]] = {}
    for file in sorted((PACKAGE / "adapters").glob("*.py")):
        tree = ast.parse(file.read_text())
        found |= {n.name: (tree, n) for n in tree.body if isinstance(n, ast.ClassDef)}
    return found


def _operations(port: str, method: str) -> set[str]:
    """What a port's method asks AWS for. An adapter is named after its port: Ec2Fleet, Fleet."""
    kind = _ports()[port]
    name = next((n for n in _adapters() if n.endswith(kind)), "")
    return _of_method(name, method, frozenset()) if name else set()


def _of_method(adapter: str, method: str, seen: frozenset[Place]) -> set[str]:
    tree, body = _adapters()[adapter]
    own = {n.name: n for n in body.body if isinstance(n, ast.FunctionDef)}
    helpers = {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef)}
    node = own.get(method) or helpers.get(method)
    if node is None or (adapter, method) in seen:
        return set()
    seen |= {(adapter, method)}
    found = _asked(node, _constants(tree))
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and part.id in helpers:
            found |= _of_method(adapter, part.id, seen)
        elif isinstance(part, ast.Attribute) and _last_name(part.value) == "self":
            found |= _of_method(adapter, part.attr, seen) if part.attr in own else set()
        elif isinstance(part, ast.Attribute):
            other = _held(_last_name(part.value))
            found |= _of_method(other, part.attr, seen) if other else set()
    return found


def _held(attribute: str) -> str:
    """The adapter that another one holds: `self._templates` is Ec2Templates."""
    wanted = attribute.strip("_").capitalize()
    return next((n for n in _adapters() if attribute.startswith("_") and n.endswith(wanted)), "")


def _constants(tree: ast.Module) -> dict[str, str]:
    return {
        target.id: str(node.value.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def _asked(node: ast.AST, constants: dict[str, str]) -> set[str]:
    """`translated("ec2", "RunInstances")` and `pages(self._ec2, "describe_images", ...)`."""
    found = set()
    for call in ast.walk(node):
        if not isinstance(call, ast.Call):
            continue
        name, texts = _last_name(call.func), [_text(given, constants) for given in call.args]
        if name == "translated" and texts[0] and texts[1]:
            found.add(f"{texts[0]}:{texts[1]}")
        elif name == "pages" or _last_name(getattr(call.func, "value", call.func)) == "self":
            # The method of a client, here or handed to a helper that asks for its pages.
            found |= {f"ec2:{_operation(text)}" for text in texts if _DESCRIBES.match(text)}
    return found


def _operation(method: str) -> str:
    return re.sub(r"(?:^|_)([a-z])", lambda letter: letter[1].upper(), method)


def _text(node: ast.expr, constants: dict[str, str]) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    return constants.get(_last_name(node), "")
