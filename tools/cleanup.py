"""Write the clean-up table into the documents and docs/platforms.md: `python -m tools.cleanup`.

With --check nothing is written; a file that is stale fails with the command that mends it. In a
document the table's parts stand between a line `# table: NAME` and a line `# end of table`.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

from kiln.domain import cleanup
from kiln.domain.cleanup import chef_versions, path_sets, service_sets
from kiln.domain.platforms import PLATFORMS, Family
from tools.platforms import page

ROOT = Path(__file__).parents[1]
MENDED_BY = "python -m tools.cleanup"
_BLOCK = re.compile(r"^( *)# table: ([a-z ]+)\n.*?^ *# end of table\n", re.DOTALL | re.MULTILINE)
_LINUX = [name for name, platform in PLATFORMS.items() if platform.family is not Family.WINDOWS]


def files() -> dict[Path, str]:
    """Every file that holds the table, with the text that it should have."""
    names = ("clean", "verify", "mount-volumes")
    documents = (ROOT / "documents" / f"kiln-{name}-linux.yaml" for name in names)
    made = {path: filled(path.read_text()) for path in documents}
    return made | {ROOT / "docs" / "platforms.md": page()}


def filled(text: str) -> str:
    """A document's text with the table in its places. KeyError for a part that is none."""
    blocks = parts()

    def fresh(found: re.Match[str]) -> str:
        indent, name = found[1], found[2]
        body = "".join(f"{indent}{line}\n" for line in blocks[name])
        return f"{indent}# table: {name}\n{body}{indent}# end of table\n"

    return _BLOCK.sub(fresh, text)


def parts() -> dict[str, list[str]]:
    """The table's parts as lines of shell, by the names that the documents have for them."""
    return {
        "paths": _by_set("paths", cleanup.PATHS),
        "services": _by_set("services", cleanup.SERVICES),
        "packages": _listed("packages", cleanup.PACKAGES),
        "accounts": _listed("accounts", cleanup.ACCOUNTS),
        "timers": _listed("timers", cleanup.TIMERS),
        "stamps": _listed("stamps", cleanup.STAMPS),
        "identity": _listed("identity", cleanup.IDENTITY),
        "sealed": _listed("sealed", cleanup.SEALED),
        "fstab": [f'option="{cleanup.FSTAB_OPTION}"'],
        "path sets": _chosen("sets", lambda p, chef: " ".join(path_sets(p, chef))),
        "service sets": _chosen("sets", lambda p, chef: " ".join(service_sets(p, chef))),
        "timed": _chosen("timed", _timed),
        "agents": _chosen("agents", _agents),
    }


def _timed(platform: str, chef: str | None) -> str:
    return "yes" if cleanup.cleanup_for(platform, chef).timers else "no"


def _agents(platform: str, chef: str | None) -> str:
    row = cleanup.cleanup_for(platform, chef)
    return " ".join((*row.init, *row.systemd, *row.timers))


def _listed(name: str, entries: Iterable[str]) -> list[str]:
    return [f"{name}() {{", "    cat <<'LIST'", *entries, "LIST", "}"]


def _by_set(name: str, sets: dict[str, tuple[str, ...]]) -> list[str]:
    return _listed(name, [f"{key} {entry}" for key, entries in sets.items() for entry in entries])


def _chosen(variable: str, choose: Callable[[str, str | None], str]) -> list[str]:
    """A case over platform and Chef version; what most platforms have stands last, for all."""
    lines = ["case $KILN_PLATFORM:$chef in"]
    for chef in ("none", "11", "12"):
        known = None if chef == "none" else chef
        rows = {p: choose(p, known) for p in _LINUX if known is None or chef in chef_versions(p)}
        usual = Counter(rows.values()).most_common(1)[0][0]
        for value in sorted({*rows.values()} - {usual}):
            pattern = " | ".join(f"{p}:{chef}" for p, found in rows.items() if found == value)
            lines.append(f'    {pattern}) {variable}="{value}" ;;')
        lines.append(f'    *:{chef}) {variable}="{usual}" ;;')
    return [*lines, "esac"]


def stale() -> list[Path]:
    """The files whose text is not the table's."""
    return [
        path for path, text in files().items() if not path.is_file() or path.read_text() != text
    ]


def main(arguments: list[str]) -> int:
    """Write what differs and say which; with --check only say it."""
    found = stale()
    texts = files()
    for path in found:
        if "--check" in arguments:
            print(f"{path.relative_to(ROOT)} is not what the table says: run {MENDED_BY}")
        else:
            path.write_text(texts[path])
            print(path.relative_to(ROOT))
    return 1 if found and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
