"""The traces that the OpsWorks agent leaves on an instance that a stack made (archived user guide,
"Custom AMIs").

Everything that the guide's clean-up names is really there: files with an identity in them,
services, and two packages in the instance's real database.
"""

from __future__ import annotations

import uuid
from pathlib import Path

from kiln.domain.cleanup import cleanup_for
from kiln_local.machines.boot import Birth
from kiln_local.machines.databases import install
from kiln_local.machines.distros import Distro
from kiln_local.machines.packages import Package, build_debs, build_rpms
from kiln_local.machines.sandbox import Place
from kiln_local.machines.trees import write

_INIT = """#!/bin/sh
# {name}: an init script of the OpsWorks agent, as far as the local AWS needs it.
state=/run/kiln-local/active/{name}.service
mkdir -p /run/kiln-local/active
case $1 in
    start | restart) : >"$state"; echo "Starting {name}" ;;
    stop) rm -f "$state"; echo "Stopping {name}" ;;
    status)
        if [ -e "$state" ]; then echo "{name} is running"; exit 0; fi
        echo "{name} is stopped"
        exit 3
        ;;
    *) exit 1 ;;
esac
"""
_UNIT = (
    "[Unit]\nDescription=OpsWorks agent\n[Service]\nExecStart=/opt/aws/opsworks/current/bin/agent\n"
)


def leave_traces(place: Place, birth: Birth, distro: Distro) -> None:
    """Make an instance look as OpsWorks left it, but for the packages. Its Chef version is
    `birth.chef`."""
    root, guid = place.root, str(uuid.uuid4())
    for path, text in _files(guid, birth).items():
        write(root / path, text)
    for name in _client_files(birth):
        write(root / name, f'{{"instance_id": "{guid}"}}\n')
    _services(root, birth, distro)
    _people(root, guid, distro)


def _files(guid: str, birth: Birth) -> dict[str, str]:
    identity = f"instance_id: {guid}\nec2_instance_id: {birth.instance_id}\n"
    return {
        "etc/aws/opsworks/instance-agent.yml": f":identity: {guid}\n:log_dir: "
        "/var/log/aws/opsworks\n",
        "etc/aws/opsworks/client.yml": identity,
        "opt/aws/opsworks/current/lib/agent.rb": "# the agent\n",
        "opt/aws/opsworks/current/bin/agent": "#!/bin/sh\nexit 0\n",
        "var/log/aws/opsworks/opsworks-agent.log": f"agent {guid} started\n",
        "var/log/aws/opsworks/installer.log": "installed\n",
        "var/lib/aws/opsworks/client.yml": identity,
        "var/lib/aws/opsworks/pid/opsworks-agent.pid": "1234\n",
        "var/lib/aws/opsworks/data.json": f'{{"id": "{guid}"}}\n',
        "etc/monit.d/opsworks-agent.monitrc": "check process opsworks-agent\n",
        "etc/monit/conf.d/opsworks-agent.monitrc": "check process opsworks-agent\n",
        "etc/chef/client.pem": f"-----BEGIN RSA PRIVATE KEY-----\n{guid}\n-----END RSA PRIVATE "
        "KEY-----\n",
        "etc/chef/client.rb": f"node_name '{guid}'\n",
        "etc/sudoers.d/opsworks": "opsworks ALL=(ALL) NOPASSWD:ALL\n",
        "etc/cron.d/opsworks-agent-updater": "0 * * * * root "
        "/opt/aws/opsworks/current/bin/updater\n",
        "etc/logrotate.d/opsworks-agent": "/var/log/aws/opsworks/*.log {}\n",
        "etc/ld.so.conf.d/opsworks-user-space.conf": "/opt/aws/opsworks/local/lib\n",
        "etc/motd.opsworks-static": "This instance is managed with AWS OpsWorks.\n",
    }


def _client_files(birth: Birth) -> tuple[str, ...]:
    """What Chef 12 runs write besides; on RHEL 7 nothing of it lies in the package's own
    /opt/chef."""
    if birth.chef != "12":
        return ()
    runs = ("var/chef/runs/1/attribs.json", "var/chef/cache/node.json")
    return runs if birth.platform in ("rhel-7", "centos-7") else (*runs, "opt/chef/embedded/id")


def install_agent(place: Place, distro: Distro) -> None:
    """Install the OpsWorks agent's two packages into the real database."""
    agent = "/opt/aws/opsworks/local/bin/ruby"
    client = "/opt/chef/bin/chef-client"
    script = "#!/bin/sh\nexit 0\n"
    packages = (
        Package("opsworks-agent-ruby", "2.6.1", "Ruby of the OpsWorks agent", ((agent, script),)),
        Package("chef", "12.22.5", "the Chef client", ((client, script),)),
    )
    install(place, build_debs(packages) if distro.deb else build_rpms(packages))


def _services(root: Path, birth: Birth, distro: Distro) -> None:
    row = cleanup_for(birth.platform, birth.chef)
    for name in {*row.init, *row.systemd}:
        write(root / f"run/kiln-local/active/{name}.service", "")
    for name in row.init:
        write(root / "etc/init.d" / name, _INIT.format(name=name), 0o755)
    if distro.systemd:
        write(root / "etc/systemd/system/opsworks-agent.service", _UNIT)
        wants = root / "etc/systemd/system/multi-user.target.wants"
        wants.mkdir(parents=True, exist_ok=True)
        (wants / "opsworks-agent.service").symlink_to("/etc/systemd/system/opsworks-agent.service")


def _people(root: Path, guid: str, distro: Distro) -> None:
    for number, name in ((2000, "aws"), (2001, "opsworks")):
        with (root / "etc/passwd").open("a") as passwd, (root / "etc/group").open("a") as group:
            passwd.write(f"{name}:x:{number}:{number}::/home/{name}:/bin/bash\n")
            group.write(f"{name}:x:{number}:\n")
    key = f"ssh-rsa {guid} somebody\n"
    for home in ("root", f"home/{distro.user}"):
        write(root / home / ".ssh/authorized_keys", key, 0o600)
        write(root / home / ".bash_history", "cat /etc/chef/client.pem\n", 0o600)
