"""docs/platforms.md, made of the package's tables; tools/cleanup.py writes it."""

from __future__ import annotations

from collections.abc import Iterator

from kiln.domain.cleanup import (
    ACCOUNTS,
    FSTAB_OPTION,
    IDENTITY,
    PACKAGES,
    PATHS,
    SEALED,
    STAMPS,
    TIMERS,
    chef_versions,
    cleanup_for,
    path_sets,
)
from kiln.domain.platforms import PLATFORMS, Architecture, Family, Platform
from kiln.domain.release import lock_of

_INIT = ("amazon-linux-1", "ubuntu-14.04")
_AGENTS = {
    "windows-2012-r2": "EC2Config",
    "windows-2016": "EC2Launch v1",
    "windows-2019": "EC2Launch v1",
}
_NOTES = {
    "amazon-linux-1": "told from Amazon Linux 2 by its os-release and by init",
    "amazon-linux-2": "the guide does not tell it from Amazon Linux 1; told by systemd, its agent "
    "and monit are stopped by systemctl",
    "rhel-7": "on Chef 11 the agent is stopped by its init script, on Chef 12 by systemctl, as the "
    "guide has it; /opt/chef belongs to the package chef",
    "centos-7": "not in the guide; takes RHEL 7's row",
    "ubuntu-14.04": "on Chef 11 not in the guide; takes its own row of Chef 12 without Chef 12's "
    "paths",
    "ubuntu-16.04": "on Chef 11 not in the guide; init scripts as on every Chef 11, and the apt "
    "timers as on Chef 12",
    "ubuntu-18.04": "on Chef 11 not in the guide; init scripts as on every Chef 11, and the apt "
    "timers as on Chef 12",
    "ubuntu-20.04": "the guide's row for other Ubuntus",
    "ubuntu-22.04": "the guide's row for other Ubuntus",
    "ubuntu-24.04": "the guide's row for other Ubuntus",
}
_HEAD = """\
# Platforms

<!-- Made by `python -m tools.cleanup` from the package's tables; a check holds it fresh. -->

Each row is a `platform` of a blueprint. `kiln plan` says what a `release_lock` will do, and refuses
a release that cannot be.

"""
_COLUMNS = (
    *("platform", "newest base image", "packages", "services", "Chef versions", "removed"),
    *("release lock", "notes"),
)
_TEXT = """
## How the clean-up works

- **Is it the platform?** Before the preparation changes anything, it compares the blueprint's
  platform with os-release and with what runs as the first process (systemd or init) on the instance
  itself. Another one ends the bake with one line.
- **Who stops a service.** The services of a row are stopped by systemctl where systemd runs, else
  by their init script. Where the guide names init scripts on a system with systemd, both are asked.
- **An agent that nobody told of.** A base may carry an OpsWorks agent though the blueprint has no
  `chef`. The image must not: what bears the agent's name goes from every image, and where its
  folders or its package are found, the whole row goes, of Chef 12 if /var/chef is there, else of
  Chef 11. The image's /etc/kiln-release says which. Without an agent, a Chef of your own stays.
- **Accounts.** The users and groups {accounts} go with their home folders. What they owned
  elsewhere becomes root's, or the next account with the same number would own it. A new agent makes
  them anew.
- **/etc/hosts.** The agent wrote all instances of the stack into it. Only its lines go, from its
  heading to the next empty line; `localhost` and lines of your own stay.
- **/etc/fstab.** The lines with the option `{option}` mount the volumes of one instance of a layer
  and go; all others stay. What is on those volumes is in no image.
- **The linker.** With /etc/ld.so.conf.d/opsworks-user-space.conf goes what ldconfig remembers of
  it.
- **What stays.** Certificates, keys of package sources, /etc/sudoers, others' files in
  /etc/sudoers.d, /etc/cron.d and /etc/logrotate.d, /etc/environment with its proxy, users' files.
- **Not in the guide.** It leaves out CentOS 7, Ubuntu on Chef 11 and the difference between Amazon
  Linux 2 and 1. The notes above say which neighbour's row each takes. OpsWorks never ran Chef 11 on
  CentOS 7 or Amazon Linux 2: a blueprint that says so is refused.

## /tmp

`noexec` goes from the line of /tmp in /etc/fstab, from tmp.mount and its drop-ins (a vendor's file
is overridden by one in /etc), and from the mount itself; all else stays as it is. On a clone
a script is run there, and the same files are read again: a mount of today says nothing of the next
boot.
"""


def page() -> str:
    """The page's text."""
    table = (_COLUMNS, ["---"] * len(_COLUMNS), *map(_row, PLATFORMS.values()))
    rows = "".join(f"| {' | '.join(row)} |\n" for row in table)
    accounts = " and ".join(f"`{name}`" for name in ACCOUNTS)
    text = _TEXT.format(accounts=accounts, option=FSTAB_OPTION)
    return f"{_HEAD}{rows}{text}{''.join(_chef_table())}{''.join(_lists())}"


def _row(platform: Platform) -> Iterator[str]:
    name = platform.name
    yield f"`{name}`"
    yield _source(platform)
    yield {"rpm": "rpm", "deb": "dpkg", "windows": "none"}[platform.family.value]
    if platform.family is Family.WINDOWS:
        yield f"Windows, {_AGENTS.get(name, 'EC2Launch v2')}"
        yield from ("12.2 in OpsWorks", "by Sysprep, or the settings that it would make")
        yield from ("refused", "no row in the clean-up table of Linux; the root is always EBS")
        return
    yield "init scripts" if name in _INIT else "systemd"
    yield ", ".join(chef_versions(name)) or "none"
    yield "identity, sets any and agent" + ("; with `chef` see below" * bool(chef_versions(name)))
    yield _lock(name)
    yield _NOTES.get(name, "")


def _source(platform: Platform) -> str:
    found = platform.newest_base(Architecture.X86_64)
    if isinstance(found, str):
        return f"parameter `{found}`"
    return f"owner {found.owner}, name `{found.name}`" if found else "none"


def _lock(platform: str) -> str:
    way = lock_of(platform)
    if way is None:
        return "refused"
    release = f"; a release ({way.release})" if way.release else "; no release"
    return f"`current`: {way.held}{release}"


def _chef_table() -> Iterator[str]:
    yield "\n## What goes where OpsWorks made the instance\n\n"
    yield "| platform | Chef | stopped by init script | by systemctl | paths | timers |\n"
    yield "|---|---|---|---|---|---|\n"
    for platform in PLATFORMS:
        for chef in chef_versions(platform):
            row = cleanup_for(platform, chef)
            yield f"| `{platform}` | {chef} | {', '.join(row.init)} | {', '.join(row.systemd)} | "
            yield f"{', '.join(path_sets(platform, chef))} | {', '.join(row.timers)} |\n"
    yield f"\nOn every one of them the packages {', '.join(f'`{name}`' for name in PACKAGES)} go. "
    yield f"With the timers ({', '.join(TIMERS)}) go their stamps ({', '.join(STAMPS)}).\n"


def _lists() -> Iterator[str]:
    for name, paths in PATHS.items():
        yield from _listed(f"Paths: set {name}", paths)
    yield from _listed("Identity, on every platform", IDENTITY)
    yield from _listed("What a running system writes again, removed at shutdown", SEALED)


def _listed(title: str, entries: tuple[str, ...]) -> Iterator[str]:
    yield f"\n## {title}\n\n"
    for entry in entries:
        yield f"- `{entry}`\n"
