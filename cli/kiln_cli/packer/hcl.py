"""Packer's HCL2 templates: variables, locals, data, sources and builds of one or more files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kiln.errors import InvalidRequest, Refused
from kiln_cli.elsewhere.values import Budget, Open, opened, sounds_secret
from kiln_cli.packer.expressions import Expressions
from kiln_cli.packer.grammar import Node, check_tokens, key_of, line_of, parts, tree_of
from kiln_cli.packer.names import Scope, Written
from kiln_cli.packer.template import Build, Part, Template, concerns, for_build
from kiln_cli.packer.words import Words

_MOST_BUILDS, _MOST_PARTS = 50, 500
_IGNORED = ("packer", "hcp_packer_registry", "hcp_packer_image", "hcp_packer_iteration")


@dataclass
class Block:
    """A block of a file: its type, its labels, its body and the line in which it begins."""

    kind: str
    labels: tuple[str, ...]
    body: Node
    text: Expressions
    line: int


@dataclass
class Module:
    """What all files of a template define."""

    scope: Scope = field(default_factory=lambda: Scope(Budget()))
    sources: dict[str, Block] = field(default_factory=dict)
    builds: list[Block] = field(default_factory=list)


def read_hcl(texts: Mapping[str, str], template: Template, given: Mapping[str, str]) -> None:
    """Add what the HCL2 files of a template say; `texts` by their file's name. Raises
    InvalidRequest that begins with the file."""
    module = Module(Scope(Budget(), template.folder))
    where = ", ".join([*texts][:3])
    check_tokens("\n".join(texts.values()))
    # Files of values come last, for they speak of variables of the others.
    for name in sorted(texts, key=lambda one: ".pkrvars." in one):
        try:
            tree = tree_of(texts[name])
            expressions = Expressions(texts[name], module.scope)
            if ".pkrvars." in name:
                _add_values(tree, expressions, module.scope)
            else:
                for block in blocks_of(next(parts(tree, "body")), expressions):
                    _add(block, module)
        except Refused as error:
            raise InvalidRequest(f"{name}: {error}") from error
    module.scope.given.update(given)
    template.scope = module.scope
    try:
        if not module.builds and not module.sources:
            raise InvalidRequest("holds no source and no build of Packer's")
        found: list[Block | None] = [*module.builds] or [None]
        for build in found:
            template.builds += _builds(build, module)
    except RecursionError as error:
        raise InvalidRequest(f"{where}: is nested too deep") from error
    except Refused as error:
        raise InvalidRequest(f"{where}: {error}") from error


def _add_values(tree: Node, expressions: Expressions, scope: Scope) -> None:
    for name, node in _attributes(next(parts(tree, "body"))):
        scope.given[name] = Written(node, expressions)


def _attributes(body: Node) -> Iterator[tuple[str, Node]]:
    seen: set[str] = set()
    for attribute in parts(body, "attribute"):
        key, node = list(parts(attribute))
        name = key_of(key)
        if name in seen:
            raise InvalidRequest(f"line {line_of(attribute)}: {name[:60]!r} is given twice")
        seen.add(name)
        yield name, node


def blocks_of(body: Node, expressions: Expressions) -> Iterator[Block]:
    """The blocks of a body, in order."""
    for block in parts(body, "block"):
        kind, *labels, inner = parts(block)
        named = tuple(key_of(one) for one in labels)
        yield Block(key_of(kind), named, inner, expressions, line_of(block))


def settings_of(block: Block) -> dict[str, Any]:
    """All that a block says: attributes by name, and the inner blocks of a type as a list."""
    found: dict[str, Any] = {name: block.text.value(node) for name, node in _attributes(block.body)}
    for inner in blocks_of(block.body, block.text):
        if inner.kind == "dynamic":
            label = (inner.labels or ("",))[0][:60]
            why = f"a dynamic block (line {inner.line}) is not worked out; write its blocks"
            found.setdefault(label, opened("dynamic", why))
            continue
        listed = found.setdefault(inner.kind, [])
        if not isinstance(listed, list) or isinstance(listed, Open):
            raise InvalidRequest(f"line {inner.line}: {inner.kind[:60]!r} is given twice")
        listed.append(settings_of(inner))
    return found


def _add(block: Block, module: Module) -> None:
    scope, kind, labels = module.scope, block.kind, block.labels
    if kind == "variable" and len(labels) == 1:
        _add_variable(block, scope)
    elif kind == "variables":
        scope.defaults |= {n: Written(v, block.text) for n, v in _attributes(block.body)}
    elif kind == "locals":
        scope.locals |= {n: Written(v, block.text) for n, v in _attributes(block.body)}
    elif kind == "local" and len(labels) == 1:
        _add_local(block, scope)
    elif kind == "data" and len(labels) == 2:
        scope.data[labels] = block
    elif kind == "source" and len(labels) == 2:
        name = ".".join(labels)
        if name in module.sources:
            raise InvalidRequest(f"line {block.line}: source {name[:80]} is there twice")
        module.sources[name] = block
    elif kind == "build":
        module.builds.append(block)
    elif kind not in _IGNORED:
        raise InvalidRequest(f"line {block.line}: {kind[:60]!r} is no block of a template")


def _add_local(block: Block, scope: Scope) -> None:
    inner = dict(_attributes(block.body))
    if "expression" in inner:
        scope.locals[block.labels[0]] = Written(inner["expression"], block.text)
    if "sensitive" in inner:
        scope.secret.add(block.labels[0])


def _add_variable(block: Block, scope: Scope) -> None:
    name = block.labels[0]
    if name in scope.defaults or name in scope.secret:
        raise InvalidRequest(f"line {block.line}: variable {name[:60]} is there twice")
    inner = dict(_attributes(block.body))
    scope.defaults[name] = Written(inner["default"], block.text) if "default" in inner else None
    hidden = block.text.value(inner["sensitive"]) if "sensitive" in inner else False
    if hidden is True or sounds_secret(name):
        scope.secret.add(name)


def _builds(build: Block | None, module: Module) -> Iterator[Build]:
    settings = dict(_attributes(build.body)) if build else {}
    called = build.text.value(settings["name"]) if build and "name" in settings else None
    chosen = list(_chosen(build, settings, module))
    if len(chosen) > _MOST_BUILDS:
        raise InvalidRequest(f"a build has more than {_MOST_BUILDS} sources")
    for source, own in chosen:
        block = module.sources[source]
        kind, label = source.split(".", 1)
        name = str(own.get("name") or label)
        module.scope.here = {("source", "name"): name, ("source", "type"): kind}
        module.scope.here |= {("build", "name"): called} if isinstance(called, str) else {}
        words = Words(
            here={"build_name": name, "build_type": kind, "template_dir": "."},
            budget=module.scope.budget,
        )
        said = settings_of(block) | {key: value for key, value in own.items() if key != "name"}
        part = Part(kind, words.filled(said), f"{source[:80]} (line {block.line})")
        alone = called if isinstance(called, str) and len(chosen) == 1 else None
        made = Build(id=source, name=_name(name, alone), source=part)
        if build:
            _add_parts(build, made, words)
        yield made


def _name(label: str, build: str | None) -> str:
    return build if build and label in _ANY else label


# What many call the only source that there is.
_ANY = ("main", "this", "default", "example", "source", "base", "ami", "image", "builder")


def _chosen(
    build: Block | None, settings: Mapping[str, Node], module: Module
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The sources of a build, each with what the build says of it."""
    if build is None:
        yield from ((name, {}) for name in module.sources)
        return
    named = build.text.value(settings["sources"]) if "sources" in settings else []
    # "source.amazon-ebs.web", or without quotes the name itself.
    listed: list[tuple[str, dict[str, Any]]] = [
        (str(one), {}) for one in (named if isinstance(named, list) else [named])
    ]
    for inner in blocks_of(build.body, build.text):
        if inner.kind == "source" and inner.labels:
            listed.append((inner.labels[0], settings_of(inner)))
    for name, own in listed:
        plain = name.removeprefix("${").removesuffix("}")
        plain = plain.removeprefix("sources.").removeprefix("source.")
        if plain not in module.sources:
            raise InvalidRequest(
                f"the build in line {build.line} has the source {plain[:80]!r}, which no file "
                "defines; name that file too"
            )
        yield plain, own


def _add_parts(block: Block, build: Build, words: Words) -> None:
    for inner in blocks_of(block.body, block.text):
        if inner.kind in ("provisioner", "error-cleanup-provisioner", "hcp_packer_registry"):
            kept = build.steps
        elif inner.kind in ("post-processor", "post-processors"):
            kept = build.after
        else:
            continue
        for one in _flat(inner):
            kind = (one.labels or (one.kind,))[0]
            part = Part(kind, settings_of(one), f"{one.kind} {kind[:40]} (line {one.line})")
            if len(build.steps) + len(build.after) >= _MOST_PARTS:
                raise InvalidRequest(f"line {one.line}: there are more than {_MOST_PARTS} parts")
            if concerns(part, build):
                own = for_build(part, build)
                kept.append(Part(kind, words.filled(own.settings), part.about))


def _flat(block: Block) -> Iterator[Block]:
    if block.kind != "post-processors":
        yield block
        return
    yield from (one for one in blocks_of(block.body, block.text) if one.labels)
