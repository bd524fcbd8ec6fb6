"""Values of expressions, members and calls, and what may be assigned to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tree_sitter import Node

from kiln_local.windows import dotnet, literals, members, operators, strings
from kiln_local.windows.errors import NotHere, ScriptError
from kiln_local.windows.parsing import child, named, words
from kiln_local.windows.scope import Variables
from kiln_local.windows.values import Bag, items, number, one, text, truth

_PLAIN = (
    *("array_literal_expression", "unary_expression", "argument_expression"),
    *("range_expression", "format_expression", "for_condition", "while_condition"),
    *("string_literal", "integer_literal", "real_literal"),
    *("key_expression", "left_assignment_expression"),
)


class Expressions:
    """The half of the evaluator that has values. The other half runs statements and commands."""

    variables: Variables
    functions: dict[str, Any]
    out: list[str]
    err: list[str]
    unknown: list[str]
    machine: Any

    def statements(self, node: Node | None) -> list[Any]:
        """Of the other half."""
        raise NotImplementedError

    def command(self, node: Node, piped: list[Any]) -> list[Any]:
        """Of the other half."""
        raise NotImplementedError

    def block(self, node: Node | None) -> Any:
        """Of the other half."""
        raise NotImplementedError

    def pipeline(self, node: Node | None) -> list[Any]:
        """What a pipeline puts out: each part gets the output of the one before."""
        if node is None:
            return []
        if node.type == "pipeline":
            chains = named(node)
            if len(chains) != 1:
                raise NotHere("more than one pipeline in a statement")
            node = chains[0]
        if node.type != "pipeline_chain":
            return items(self.value(node))
        piped: list[Any] = []
        for part in named(node):
            if part.type == "command":
                piped = self.command(part, piped)
            elif part.type == "redirections":
                raise NotHere("a redirection")
            else:
                value = self.value(part)
                piped = items(value) if not isinstance(value, list) else value
        return piped

    def value(self, node: Node | None) -> Any:
        """The value of any expression."""
        if node is None:
            return None
        handler = _VALUES.get(node.type)
        if handler:
            return handler(self, node)
        inner = named(node)
        operator = next((c for c in node.children if not c.is_named and c.type not in "(){}"), None)
        if node.type.endswith("_expression") or node.type in _PLAIN:
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
            low, high = int(number(left)), int(number(right))
            return list(range(low, high + 1)) if low <= high else list(range(low, high - 1, -1))
        if kind == "format_expression":
            return strings.formatted(text(left), right)
        return operators.arithmetic(left, word, right)

    def _logical(self, left: Any, word: str, right: Node) -> bool:
        if word == "-and":
            return truth(left) and truth(self.value(right))
        if word == "-or":
            return truth(left) or truth(self.value(right))
        return truth(left) != truth(self.value(right))

    # ------------------------------------------------------------ single kinds

    def _variable(self, node: Node) -> Any:
        written = words(node)
        if not self.variables.known(written) and self.strict:
            raise ScriptError(
                f"The variable '{written}' cannot be retrieved because it has not been set."
            )
        return self.variables.read(written)

    strict = False

    def _expandable(self, node: Node) -> str:
        raw, start = node.text or b"", node.start_byte
        parts, at = [], 1
        for inner in named(node):
            parts.append(strings.unescaped(raw[at : inner.start_byte - start].decode()))
            value = (
                one(self.statements(child(inner, "statement_list")))
                if inner.type == "sub_expression"
                else self.value(inner)
            )
            parts.append(text(value))
            at = inner.end_byte - start
        parts.append(strings.unescaped(raw[at:-1].decode()))
        return "".join(parts)

    def _here_string(self, node: Node) -> str:
        lines = words(node).split("\n")[1:-1]
        return "\n".join(lines)

    def _parenthesized(self, node: Node) -> Any:
        inner = named(node)[0]
        return self.value(inner)

    def _array(self, node: Node) -> list[Any]:
        output = self.statements(child(node, "statement_list"))
        return list(output)

    def _sub(self, node: Node) -> Any:
        return one(self.statements(child(node, "statement_list")))

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
        if inner.type == "cast_expression":
            return self.value(inner)
        word = words(node.children[0])
        if word in ("++", "--") or words(node.children[-1]) in ("++", "--"):
            raise NotHere("increments")
        return operators.unary(word, self.value(inner))

    def _increment(self, node: Node) -> Any:
        target = named(node)[0]
        step = 1 if words(node).strip().endswith("++") else -1
        value = self.value(target)
        self.store(target, number(value) + step)
        return None

    def _cast(self, node: Node) -> Any:
        kind = words(named(node)[0])[1:-1]
        return dotnet.cast(kind, self.value(named(node)[-1]))

    def _member(self, node: Node) -> Any:
        owner, name = named(node)[0], named(node)[-1]
        written = self._name(name)
        if owner.type == "type_literal":
            return dotnet.static(words(owner)[1:-1], written, self.machine)
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
        expressions = child(listed, "argument_expression_list") if listed else None
        given = [self.value(argument) for argument in (named(expressions) if expressions else [])]
        if owner.type == "type_literal":
            return dotnet.call(words(owner)[1:-1], name, given, self.machine, self.variables)
        return members.call(self.value(owner), name, given, self.machine)

    def _element(self, node: Node) -> Any:
        owner, index = self.value(named(node)[0]), self.value(named(node)[-1])
        return members.element(owner, index)

    def _script_block(self, node: Node) -> Any:
        return self.block(child(node, "script_block"))

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
        elif target.type == "member_access":
            members.put(self.value(inner[0]), self._name(inner[-1]), value)
        elif target.type == "element_access":
            members.put_element(self.value(inner[0]), self.value(inner[-1]), value)
        elif target.type == "cast_expression":
            self.store(inner[-1], dotnet.cast(words(inner[0])[1:-1], value))
        elif len(inner) == 1:
            self.store(inner[0], value)
        else:
            raise NotHere(f"assigning to {target.type}")


def _literal(_: Expressions, node: Node) -> Any:
    return literals.value(node)


def _piped(run: Expressions, node: Node) -> Any:
    """An expression alone keeps its value, an empty array too; a command's output is unrolled."""
    chain = named(node)[0] if node.type == "pipeline" and len(named(node)) == 1 else node
    parts = named(chain) if chain.type == "pipeline_chain" else []
    if len(parts) == 1 and parts[0].type != "command":
        return run.value(parts[0])
    return one(run.pipeline(node))


_VALUES: dict[str, Callable[[Any, Node], Any]] = {
    **dict.fromkeys(literals.KINDS, _literal),
    "pipeline": _piped,
    "pipeline_chain": _piped,
    "variable": Expressions._variable,
    "expandable_string_literal": Expressions._expandable,
    "expandable_here_string_literal": Expressions._here_string,
    "verbatim_here_string_characters": Expressions._here_string,
    "parenthesized_expression": Expressions._parenthesized,
    "sub_expression": Expressions._sub,
    "array_expression": Expressions._array,
    "hash_literal_expression": Expressions._hash,
    "expression_with_unary_operator": Expressions._unary,
    "post_increment_expression": Expressions._increment,
    "post_decrement_expression": Expressions._increment,
    "cast_expression": Expressions._cast,
    "member_access": Expressions._member,
    "invokation_expression": Expressions._invoke,
    "element_access": Expressions._element,
    "script_block_expression": Expressions._script_block,
}
