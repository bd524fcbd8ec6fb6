"""Values of a CloudFormation template: parameters, references and the functions that need nothing
else. Conditions, mappings and imports are known only to CloudFormation.

CloudFormation user guide, "Intrinsic function reference" and "Pseudo parameters reference".
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from typing import Any

from kiln_cli.elsewhere.values import Budget, Open, opened, reasons, sounds_secret

FUNCTIONS = (
    *("Base64", "Cidr", "FindInMap", "GetAtt", "GetAZs", "If", "ImportValue", "Join", "Select"),
    *("Split", "Sub", "Transform", "And", "Equals", "Not", "Or", "ToJsonString", "Length"),
)
# How YAML writes them in short.
TAGS = {"!Ref": "Ref", "!Condition": "Condition"} | {f"!{one}": f"Fn::{one}" for one in FUNCTIONS}
_IN_TEXT = re.compile(r"\$\{(!?)([^}]{1,300})\}")
_LONGEST = 256 * 1024
_LATER = "is known to CloudFormation alone; write its value"


class Values:
    """The values of one template; `given` are of its parameters."""

    def __init__(self, template: Mapping[str, Any], given: Mapping[str, str]) -> None:
        self.budget = Budget()
        declared = template.get("Parameters")
        parameters = declared if isinstance(declared, dict) else {}
        self._secret = {
            name
            for name, one in parameters.items()
            if isinstance(one, dict)
            and (str(one.get("NoEcho")).lower() == "true" or sounds_secret(name))
        }
        defaults = {
            name: one["Default"]
            for name, one in parameters.items()
            if isinstance(one, dict) and isinstance(one.get("Default"), str | int | float)
        }
        self._types = {
            name: str(one.get("Type")) for name, one in parameters.items() if isinstance(one, dict)
        }
        self._parameters = defaults | dict(given)
        resources = template.get("Resources")
        self._resources = set(resources) if isinstance(resources, dict) else set()

    def resolved(self, value: Any) -> Any:
        """A value with every function in it worked out, as far as that can be done here."""
        self.budget.step(value if isinstance(value, str) else "")
        if isinstance(value, list):
            return [self.resolved(one) for one in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if name == "Ref":
                return self._named(str(argument))
            if name.startswith("Fn::") or name == "Condition":
                return self._called(name, argument)
        return {key: self.resolved(inner) for key, inner in value.items()}

    def _called(self, name: str, argument: Any) -> Any:
        function = _FUNCTIONS.get(name)
        if function is None:
            return opened(f"{name}", f"{name} {_LATER}")
        return function(self, argument)

    def _named(self, name: str) -> Any:
        base, _, attribute = name.partition(".")
        if base in self._resources:
            why = f"{name[:80]} is what CloudFormation makes"
            return opened(f"${{{name}}}", why, reference=(base, attribute))
        if name in self._secret:
            return opened(f"${{{name}}}", f"parameter {name[:60]} is a secret, and none is carried")
        if name in self._parameters:
            found = self._parameters[name]
            if self._types.get(name, "").startswith("AWS::SSM::Parameter::Value"):
                # The value is a name; what it holds is looked up when the stack is made.
                return f"ssm:{found}"
            listed = "List" in self._types.get(name, "") and isinstance(found, str)
            return [one.strip() for one in found.split(",")] if listed else found
        if name == "AWS::NoValue":
            return None
        if name == "AWS::Partition":
            return "aws"
        kind = "is of the stack" if name.startswith("AWS::") else "has no value; give it with --var"
        return opened(f"${{{name}}}", f"{name[:60]} {kind}", reference=(name,))

    def get_att(self, argument: Any) -> Any:
        """A resource's attribute: `A.Arn` or [A, Arn]."""
        parts = argument if isinstance(argument, list) else str(argument).split(".", 1)
        return self._named(".".join(str(part) for part in parts[:2]))

    def sub(self, argument: Any) -> Any:
        """A text with names in it."""
        listed = isinstance(argument, list) and len(argument) == 2
        text, own = argument if listed else (argument, {})
        if not isinstance(text, str) or not isinstance(own, dict):
            return opened("Fn::Sub", f"Fn::Sub {_LATER}")
        known = {key: self.resolved(value) for key, value in own.items()}
        why: list[str] = []

        def one(found: re.Match[str]) -> str:
            if found[1]:
                return f"${{{found[2]}}}"
            value = (
                known.get(found[2].strip()) if found[2] in known else self._named(found[2].strip())
            )
            self.budget.step(value if isinstance(value, str) else "")
            why.extend(reasons(value))
            return found[0] if isinstance(value, Open | list | dict) else str(value)

        made = _IN_TEXT.sub(one, text)
        only = _IN_TEXT.fullmatch(text)
        if only and why and not only[1]:
            return self._named(only[2].strip())
        return opened(made, *why) if why else made

    def join(self, argument: Any) -> Any:
        """Texts with another between them."""
        if not isinstance(argument, list) or len(argument) != 2:
            return opened("Fn::Join", f"Fn::Join {_LATER}")
        between, found = str(argument[0]), self.resolved(argument[1])
        why = reasons(found)
        if not isinstance(found, list) or len(between) * len(found) > _LONGEST:
            return opened("Fn::Join", *(why or (f"Fn::Join {_LATER}",)))
        made = between.join(str(one) for one in found)
        return opened(made, *why) if why else made

    def base64(self, argument: Any) -> Any:
        """A text as base64: of user data."""
        found = self.resolved(argument)
        if not isinstance(found, str) or isinstance(found, Open):
            return found
        return base64.b64encode(found.encode()).decode()

    def split(self, argument: Any) -> Any:
        """A text in parts."""
        found = self.resolved(argument)
        if isinstance(found, list) and len(found) == 2 and not reasons(found) and found[0]:
            return str(found[1]).split(str(found[0]))
        return opened("Fn::Split", *(reasons(found) or (f"Fn::Split {_LATER}",)))

    def select(self, argument: Any) -> Any:
        """One of a list."""
        found = self.resolved(argument)
        if isinstance(found, list) and len(found) == 2 and isinstance(found[1], list):
            at = str(found[0])
            if at.isascii() and at.isdigit() and len(at) < 6 and int(at) < len(found[1]):
                return found[1][int(at)]
        return opened("Fn::Select", *(reasons(found) or (f"Fn::Select {_LATER}",)))


def _hidden(parameter: Mapping[str, Any]) -> bool:
    return str(parameter.get("NoEcho")).lower() == "true"


_FUNCTIONS: dict[str, Callable[[Values, Any], Any]] = {
    "Fn::GetAtt": Values.get_att,
    "Fn::Sub": Values.sub,
    "Fn::Join": Values.join,
    "Fn::Base64": Values.base64,
    "Fn::Split": Values.split,
    "Fn::Select": Values.select,
}
