"""`[xml]` documents: elements by name, text set in place, the file written back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from kiln_local.windows.errors import NotHere, ScriptError
from kiln_local.windows.values import text


@dataclass
class Element:
    """An element, or the document where `root` is its own root."""

    node: ElementTree.Element
    document: bool = False

    def restored(self) -> Callable[[], None]:
        """What makes it again as it is now."""
        before = [(n, n.text, dict(n.attrib)) for n in self.node.iter()]

        def back() -> None:
            for node, content, attributes in before:
                node.text = content
                node.attrib.clear()
                node.attrib.update(attributes)

        return back


def parse(source: str) -> Element:
    """A document. Raises ScriptError."""
    parser = ElementTree.XMLParser(target=ElementTree.TreeBuilder(insert_comments=True))
    try:
        return Element(ElementTree.fromstring(source.lstrip("\ufeff"), parser), document=True)
    except ElementTree.ParseError as error:
        raise ScriptError(
            f"Cannot convert value to type System.Xml.XmlDocument: {error}"
        ) from error


def _local(tag: Any) -> str:
    return str(tag).rpartition("}")[2]


def _value(node: ElementTree.Element) -> Any:
    """An element without children is its text, as PowerShell shows it."""
    return Element(node) if len(node) else (node.text or "")


def get(owner: Element, name: str) -> Any:
    """A child's value, or an attribute's; several of a name are an array."""
    inside = [owner.node] if owner.document else list(owner.node)
    found = [_value(n) for n in inside if _local(n.tag).lower() == name.lower()]
    if found:
        return found[0] if len(found) == 1 else found
    attributes = {_local(key).lower(): value for key, value in owner.node.attrib.items()}
    return attributes.get(name.lower())


def put(owner: Element, name: str, value: str) -> None:
    """Set a child's text, or an attribute."""
    for node in owner.node:
        if _local(node.tag).lower() == name.lower():
            node.text = value
            return
    for key in owner.node.attrib:
        if _local(key).lower() == name.lower():
            owner.node.attrib[key] = value
            return
    raise ScriptError(f"The property '{name}' cannot be found on this object.")


def call(owner: Element, word: str, given: list[Any], machine: Any) -> Any:
    """SelectNodes for `//Name`, GetElementsByTagName, Save."""
    if word in ("selectnodes", "getelementsbytagname"):
        wanted = text(given[0]).removeprefix("//").lower()
        if not wanted.isidentifier():
            raise NotHere(f"XPath {given[0]}")
        return [Element(n) for n in owner.node.iter() if _local(n.tag).lower() == wanted]
    if word == "save":
        spaces = owner.node.tag[1:].partition("}")[0] if owner.node.tag[:1] == "{" else ""
        if spaces:
            ElementTree.register_namespace("", spaces)
        body = ElementTree.tostring(owner.node, encoding="unicode")
        machine.drive.write(text(given[0]), f'<?xml version="1.0" encoding="utf-8"?>\n{body}\n')
        return None
    raise NotHere(f"method {word} of an XML document")
