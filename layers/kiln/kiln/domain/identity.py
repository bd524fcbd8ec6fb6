"""An instance's identity as facts, and the judgement on a clone.

A fact is one line `name=value` that the documents print; one that does not exist on a machine is
not printed. Every fact of the builder must have another value on the clone, or be gone.
"""

from __future__ import annotations

Facts = dict[str, str]


def parse_facts(text: str) -> Facts:
    """Facts from a document's output; lines that are not `name=value` are not facts."""
    facts: Facts = {}
    for line in text.splitlines():
        name, separator, value = line.partition("=")
        if separator and name.isidentifier() and value:
            facts[name] = value
    return facts


def side_by_side(facts: Facts, others: Facts) -> dict[str, str | None]:
    """The facts, with None for those that only the other machine has."""
    return {name: facts.get(name) for name in sorted(facts.keys() | others.keys())}


def shared_facts(builder: Facts, clone: Facts) -> list[str]:
    """Names of the facts that a clone has in common with the builder it was made from."""
    return [name for name, value in builder.items() if clone.get(name) == value]
