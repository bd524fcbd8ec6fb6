"""What a builder has before it is cleaned: one file for each entry of the table, and what is none
of the clean-up's business."""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import Path

from kiln.domain.cleanup import IDENTITY, SEALED, Cleanup

SAMPLE = "kiln-sample"
OWN = {
    "etc/sudoers": "root ALL=(ALL) ALL\n",
    "etc/sudoers.d/team": "%team ALL=(ALL) ALL\n",
    "etc/monit.d/web.monitrc": "check process web\n",
    "etc/cron.d/backup": "0 3 * * * root /opt/backup/run\n",
    "etc/logrotate.d/web": "/var/log/web.log {}\n",
    "etc/motd": "Welcome.\n",
    "etc/environment": "https_proxy=http://proxy:3128\nno_proxy=169.254.169.254\n",
    "etc/ld.so.conf.d/web.conf": "/opt/web/lib\n",
    "etc/cron.d/sysstat": "*/10 * * * * root /usr/lib/sysstat/sa1\n",
    "etc/sudoers.d/90-team": "Defaults lecture=never\n",
    "etc/ssh/sshd_config": "PasswordAuthentication no\n",
    "etc/ssl/private/web.key": "a private key\n",
    "etc/ssl/certs/web.pem": "a certificate\n",
    "etc/ssl/certs/two words \u00e9.pem": "a certificate with a name of its own\n",
    "etc/ssl/certs/back\\slash.pem": "another\n",
    "etc/apt/trusted.gpg": "the old keyring\n",
    "etc/apt/trusted.gpg.d/vendor.gpg": "a key\n",
    "etc/pki/rpm-gpg/RPM-GPG-KEY-vendor": "a key\n",
    "home/somebody/notes.txt": "remember the milk\n",
    "home/somebody/.ssh/id_ed25519": "a key of their own\n",
    "home/somebody/.ssh/config": "Host *\n",
    "home/somebody/.bashrc": "alias ll='ls -l'\n",
    "root/.ssh/known_hosts": "example.com ssh-ed25519 AAAA\n",
    "root/history.txt": "not a shell's\n",
    "opt/web/app.conf": "workers = 4\n",
    "opt/aws/bin/tool": "#!/bin/sh\n",
    "var/lib/dhcp/dhcpd.leases": "a server's\n",
    "var/lib/web/data.db": "data\n",
    "var/lib/systemd/timers/stamp-web.timer": "",
    "srv/web/index.html": "<p>hello\n",
}


def plant(root: Path, row: Cleanup) -> None:
    """A file for each entry of a row and of the lists that hold everywhere."""
    for pattern in (*row.paths, *row.stamps, *IDENTITY, *SEALED):
        path = root / pattern.replace("[!.]*", SAMPLE).replace("*", SAMPLE).lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.write_text(f"the builder's {pattern}\n")
    rotated = root / "var/log/web.log-20260101"
    rotated.write_text("the builder's rotated log\n")
    (root / "var/log/web.log").write_text("the builder's log\n")


def plant_own(root: Path) -> None:
    """What must survive."""
    for name, text in OWN.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        # A normal user may not write to a file of mode 0440, even their own.
        path.unlink(missing_ok=True)
        path.write_text(text)


def belongs_to(path: str, pattern: str) -> bool:
    """Whether a path is what a pattern of the table names, or lies below it."""
    return fnmatch(path, pattern) or fnmatch(path, f"{pattern}/*")
