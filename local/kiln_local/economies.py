"""What moto and botocore do over and over though its outcome is the same, done once.

Nothing here changes an answer; it was a third of the processor time of a call, and more where there
are many resources.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from botocore.useragent import UserAgentString
from moto.core import responses
from moto.core.base_backend import BackendDict
from moto.core.serialize import MISSING, AttributePicker, get_value
from moto.ec2.models.tags import TagBackend

from kiln_local.patches import Patches


def connect(patches: Patches) -> None:
    """Patch moto."""
    # It looks through the same classes for every call.
    names = cache(responses.method_names_from_class)
    patches.set(responses, "method_names_from_class", names)
    _find_tags(patches)
    _pick_by_known_keys(patches)
    _name_oneself_once(patches)
    _make_backends_once(patches)


class _Few:
    """As much of a backend of tags as one resource needs."""

    VALID_TAG_FILTERS = TagBackend.VALID_TAG_FILTERS

    def __init__(self, tags: dict[str, dict[str, str]]) -> None:
        self.tags = tags


def _find_tags(patches: Patches) -> None:
    """moto looks for the tags of a resource among those of all resources, by pattern, and does so
    for each instance of an account whenever instances are filtered by tag: with 800 resources 1 ms
    for each of 200 instances, and with ten times as many a hundred times as much."""
    original = TagBackend.describe_tags

    def describe_tags(self: Any, filters: dict[str, list[str]] | None = None) -> Any:
        ids = (filters or {}).get("resource-id", ["*"])
        if any(set("*?\\") & set(name) for name in ids):
            return original(self, filters)
        return original(_Few({name: self.tags[name] for name in ids if name in self.tags}), filters)

    patches.set(TagBackend, "describe_tags", describe_tags)


def _pick_by_known_keys(patches: Patches) -> None:
    """moto asks all its providers of aliases for the names of each member of each answer. They go
    by the member, its structure and the class that is asked."""

    def pick(picker: Any, context: Any) -> Any:
        shape, obj = context.shape, context.obj
        known = shape.__dict__.setdefault("_kiln_keys", {})
        place = (context.key, type(obj), type(picker), id(getattr(shape, "parent", None)))
        keys = known.get(place)
        if keys is None:
            keys = known[place] = tuple(dict.fromkeys(picker.get_possible_keys(context)))
        value = None
        for key in keys:
            found = get_value(obj, key, MISSING)
            if found is not MISSING:
                value = found
                break
        return _transformed(picker, context, value)

    patches.set(AttributePicker, "__call__", pick)


def _transformed(picker: Any, context: Any, value: Any) -> Any:
    if picker.response_transformers:
        path = f"{context.key_path}.{context.key}"
        for end, transform in picker.response_transformers.items():
            if path.endswith(end):
                return transform(value)
    return value


def _name_oneself_once(patches: Patches) -> None:
    """botocore writes its User-Agent header twice for every request; nobody here reads it."""
    write = UserAgentString.to_string

    def to_string(told: Any) -> str:
        if "_kiln_said" not in told.__dict__:
            told._kiln_said = write(told)
        return str(told._kiln_said)

    patches.set(UserAgentString, "to_string", to_string)


def _make_backends_once(patches: Patches) -> None:
    """moto takes a lock and looks through all backends whenever it takes one."""
    make = BackendDict._create_account_specific_backend
    known: set[int] = set()

    def create(backends: Any, account: str) -> None:
        if id(backends) not in known or account not in backends:
            make(backends, account)
            known.add(id(backends))

    patches.set(BackendDict, "_create_account_specific_backend", create)
