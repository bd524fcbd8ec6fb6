"""Values of expressions, members and calls, and what may be assigned to."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from tree_sitter import Node

from kiln_local.windows import casts, dotnet, formats, literals, members, operators
from kiln_local.windows.errors import NotHere, ScriptError
from kiln_local.windows.journal import Journal
from kiln_local.windows.parsing import child, named, words
from kiln_local.windows.scope import Variables
from kiln_local.windows.shapes import PLAIN, STEPS, bare, range_of, steps
from kiln_local.windows.texts import Texts
from kiln_local.windows.values import UNKNOWN, Bag, items, number, one, text, truth


class Expressions(Texts):
    """The half of the evaluator that has values. The other half runs statements and commands."""

    variables: Variables
    functions: dict[str, Any]
    out: list[str]
    err: list[str]
    unknown: list[str]
    machine: Any
    journal: Journal

    def statements(self, node: Node | None) -> None:
        """Of the other half."""
        raise NotImplementedError

    def captured(self, work: Callable[[], None]) -> list[Any]:
        """Of the other half."""
        raise NotImplementedError

    def emit(self, values: list[Any]) -> None:
        """Of the other half."""
        raise NotImplementedError

    def command(self, node: Node, piped: list[Any]) -> None:
        """Of the other half."""
        raise NotImplementedError

    def block(self, node: Node | None) -> Any:
        """Of the other half."""
        raise NotImplementedError

    def pipeline(self, node: Node | None) -> None:
        """Run a pipeline: each part gets the output of the one before, the last puts it out."""
        if node is None:
            return
        if node.type == "pipeline":
            chains = named(node)
            if len(chains) != 1:
                raise NotHere("more than one pipeline in a statement")
            node = chains[0]
        parts = named(node) if node.type == "pipeline_chain" else [node]
        piped: list[Any] = []
        for part in parts[:-1]:
            piped = self.captured(partial(self._part_of, part, piped))
        self._part_of(parts[-1], piped)

    def _part_of(self, part: Node, piped: list[Any]) -> None:
        if part.type == "redirections":
            raise NotHere("a redirection")
        numbers = range_of(part)
        if numbers is not None:
            self.emit(numbers)
        elif part.type == "command":
            self.command(part, piped)
        else:
            self._put_out(part)

    def _put_out(self, node: Node) -> None:
        """An expression's value: an array's items, and of nothing only what a variable holds."""
        alone = bare(node)
        value = self.value(node)
        if steps(alone):
            return
        if isinstance(value, list):
            self.emit(list(value))
        elif value is not None or alone.type == "variable":
            self.emit([value])

    def value(self, node: Node | None) -> Any:
        """The value of any expression."""
        if node is None:
            return None
        handler = _VALUES.get(node.type)
        if handler:
            return handler(self, node)
        inner = named(node)
        operator = next((c for c in node.children if not c.is_named and c.type not in "(){}"), None)
        if node.type.endswith("_expression") or node.type in PLAIN:
            if len(inner) == 1 and operator is None:
                return self.value(inner[0])
            return self._binary(node, inner)
        raise NotHere(f"expression {node.type}")

    def changed(self, old: Any, operator: str, value: Any) -> Any:
        """What `-=`, `*=`, `/=` and `%=` assign."""
        return operators.arithmetic(old, operator[:-1], value)

    def _binary(self, node: Node, inner: list[Node]) -> Any:
        kind = node.type.replace("_argument", "")
        if kind == "array_literal_expression":
            return [self.value(part) for part in inner]
        if kind == "comparison_expression":
            operator = child(node, "comparison_operator")
            left, right = inner[0], inner[-1]
            word = words(operator) if operator else ""
            return operators.compare(self.value(left), word, self.value(right), self.variables)
        word = next(
            words(c) for c in node.children if not c.is_named or c.type.endswith("operator")
        )
        left = self.value(inner[0])
        if kind == "logical_expression":
            return self._logical(left, word.lower(), inner[-1])
        right = self.value(inner[-1])
        if kind == "range_expression":
            return operators.numbers(casts.whole(left), casts.whole(right))
        if kind == "format_expression":
            return formats.formatted(text(left), right)
        return operators.arithmetic(left, word, right)

    def _logical(self, left: Any, word: str, right: Node) -> bool:
        if word == "-and":
            return truth(left) and truth(self.value(right))
        if word == "-or":
            return truth(left) or truth(self.value(right))
        return truth(left) != truth(self.value(right))

    # ------------------------------------------------------------ single kinds

    def _variable(self, node: Node) -> Any:
        return self.variable(words(node))

    def variable(self, written: str) -> Any:
        """A variable's value. Raises ScriptError where it has to be set, NotHere where it is one of
        PowerShell's own or came of something that was not run."""
        if self.variables.automatic(written):
            raise NotHere(f"the variable {written}")
        if not self.variables.known(written) and self.strict:
            raise ScriptError(
                f"The variable '{written}' cannot be retrieved because it has not been set."
            )
        found = self.variables.read(written)
        if found is UNKNOWN:
            raise NotHere(f"{written} comes from what was not run")
        return found

    strict = False

    def _parenthesized(self, node: Node) -> Any:
        inner = named(node)[0]
        return self.value(inner)

    def _array(self, node: Node) -> list[Any]:
        return self.captured(lambda: self.statements(child(node, "statement_list")))

    def _sub(self, node: Node) -> Any:
        return one(self.captured(lambda: self.statements(child(node, "statement_list"))))

    def _hash(self, node: Node) -> Bag:
        bag = Bag((), "hashtable")
        body = child(node, "hash_literal_body")
        for entry in named(body, "hash_entry") if body else []:
            key, value = named(entry)[0], named(entry)[-1]
            simple = child(key, "simple_name")
            name = words(simple) if simple else self.value(key)
            bag.set(name, self.value(value))
        return bag

    def _unary(self, node: Node) -> Any:
        inner = named(node)[-1]
        if inner.type in ("cast_expression", *STEPS):
            return self.value(inner)
        return operators.unary(words(node.children[0]), self.value(inner))

    def _increment(self, node: Node) -> Any:
        """`$i++` is the value before, `++$i` the one after."""
        target, written = named(node)[0], words(node).strip()
        old = number(self.value(target))
        new = old + (1 if "++" in (written[:2], written[-2:]) else -1)
        self.store(target, new)
        return new if node.type.startswith("pre") else old

    def _cast(self, node: Node) -> Any:
        kind = words(named(node)[0])[1:-1]
        return casts.cast(kind, self.value(named(node)[-1]))

    def _member(self, node: Node) -> Any:
        owner, name = named(node)[0], named(node)[-1]
        written = self._name(name)
        if owner.type == "type_literal":
            return dotnet.static(words(owner)[1:-1], written, self)
        if any(c.type == "::" for c in node.children):
            raise NotHere("a static member of a value")
        return members.get(self.value(owner), written, self.strict)

    def _name(self, node: Node) -> str:
        simple = child(node, "simple_name") or (node if node.type == "simple_name" else None)
        if simple is not None:
            return words(simple)
        return text(self.value(named(node)[0])) if named(node) else words(node)

    def _invoke(self, node: Node) -> Any:
        owner = named(node)[0]
        name = self._name(next(c for c in named(node) if c.type == "member_name"))
        listed = child(node, "argument_list")
        given = self.arguments(listed) if listed else []
        if owner.type == "type_literal":
            return dotnet.call(words(owner)[1:-1], name, given, self.machine, self.variables)
        return members.call(self._changing(owner), name, given, self.machine)

    def arguments(self, node: Node) -> list[Any]:
        """What stands in parentheses behind a method's name."""
        expressions = child(node, "argument_expression_list")
        return [self.value(argument) for argument in (named(expressions) if expressions else [])]

    def _element(self, node: Node) -> Any:
        owner, index = self.value(named(node)[0]), self.value(named(node)[-1])
        return members.element(owner, index)

    def _script_block(self, node: Node) -> Any:
        return self.block(node)

    # ------------------------------------------------------------ assignment

    def store(self, target: Node, value: Any) -> None:
        """Assign to a variable, a property, an element, or several of them."""
        inner = named(target)
        if target.type == "variable":
            self.variables.write(words(target), value)
        elif target.type == "array_literal_expression" and len(inner) > 1:
            given = items(value)
            for number_, part in enumerate(inner):
                last = number_ == len(inner) - 1
                rest = given[number_:] if last else given[number_ : number_ + 1]
                self.store(part, one(rest))
        elif target.type == "member_access" and inner[0].type == "type_literal":
            dotnet.put_static(words(inner[0])[1:-1], self._name(inner[-1]), value)
        elif target.type == "member_access":
            members.put(self._changing(inner[0]), self._name(inner[-1]), value)
        elif target.type == "element_access":
            members.put_element(self._changing(inner[0]), self.value(inner[-1]), value)
        elif target.type == "cast_expression":
            self.store(inner[-1], casts.cast(words(inner[0])[1:-1], value))
        elif len(inner) == 1:
            self.store(inner[0], value)
        else:
            raise NotHere(f"assigning to {target.type}")

    def _changing(self, node: Node) -> Any:
        owner = self.value(node)
        members.keep(owner, self.journal)
        return owner


def _literal(_: Expressions, node: Node) -> Any:
    return literals.value(node)


def _piped(run: Expressions, node: Node) -> Any:
    """An expression alone keeps its value, an empty array too; a command's output is unrolled."""
    chain = named(node)[0] if node.type == "pipeline" and len(named(node)) == 1 else node
    parts = named(chain) if chain.type == "pipeline_chain" else []
    if len(parts) == 1 and parts[0].type != "command":
        return run.value(parts[0])
    return one(run.captured(lambda: run.pipeline(node)))


_VALUES: dict[str, Callable[[Any, Node], Any]] = {
    **dict.fromkeys(literals.KINDS, _literal),
    "pipeline": _piped,
    "pipeline_chain": _piped,
    "variable": Expressions._variable,
    "expandable_string_literal": Texts.expandable,
    "expandable_here_string_literal": Texts.here_string,
    "verbatim_here_string_characters": Texts.verbatim_here_string,
    "generic_token": Texts.token,
    "command_token": Texts.token,
    "command_argument": Texts.token,
    "parenthesized_expression": Expressions._parenthesized,
    "sub_expression": Expressions._sub,
    "array_expression": Expressions._array,
    "hash_literal_expression": Expressions._hash,
    "expression_with_unary_operator": Expressions._unary,
    **dict.fromkeys(STEPS, Expressions._increment),
    "cast_expression": Expressions._cast,
    "member_access": Expressions._member,
    "invokation_expression": Expressions._invoke,
    "element_access": Expressions._element,
    "script_block_expression": Expressions._script_block,
}
