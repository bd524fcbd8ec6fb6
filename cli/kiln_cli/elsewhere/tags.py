"""Tags as a blueprint may have them."""

from __future__ import annotations

from kiln.domain.blueprint import MOST_TAGS
from kiln_cli.elsewhere.settings import Settings
from kiln_cli.elsewhere.values import MARKS


def tags_in(settings: Settings, key: str, also: str = "") -> dict[str, str]:
    """The tags of a setting, or of two; those that EC2 or Kiln would refuse are named."""
    given = settings.mapping(key) | (settings.mapping(also) if also else {})
    found: dict[str, str] = {}
    for name, value in given.items():
        if name.lower().startswith(("aws:", "kiln:")) or not 0 < len(name) <= 128:
            settings.drop(f"{key}.{name[:60]}", "a tag may not be called so")
        elif MARKS.search(name + value):
            settings.drop(f"{key}.{name[:60]}", "Kiln's own tag kiln:bake tells when it was made")
        elif len(value) > 256:
            settings.drop(f"{key}.{name[:60]}", "a tag's value has at most 256 characters")
        elif len(found) == MOST_TAGS:
            settings.drop(f"{key}.{name[:60]}", f"an image has at most {MOST_TAGS} tags of yours")
        else:
            found[name] = value
    return found
