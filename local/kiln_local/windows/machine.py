"""One simulated Windows instance: booted, changed by scripts, shut down, copied."""

from __future__ import annotations

import json
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from kiln_local.windows import launching, permissions, textfiles
from kiln_local.windows.baseline import ENVIRONMENT, SETUP_STATE
from kiln_local.windows.commands import Interpreter
from kiln_local.windows.drive import Drive
from kiln_local.windows.errors import NotHere, ScriptError
from kiln_local.windows.journal import Journal
from kiln_local.windows.paths import parts
from kiln_local.windows.registry import Registry
from kiln_local.windows.values import text

_GENERALISED = "IMAGE_STATE_GENERALIZE_RESEAL_TO_OOBE"
_SSM = r"C:\ProgramData\Amazon\SSM"
# Sysprep takes minutes; how long is not what a simulation can know.
_SYSPREP_S = 60.0


def nowhere(url: str) -> bytes:
    """No address leads anywhere."""
    raise ScriptError(f"The remote name could not be resolved: '{url.partition('//')[2]}'")


@dataclass(frozen=True)
class Around:
    """What a machine needs of the local AWS around it: the time, a sleep of simulated seconds, and
    a client of a service, and what lies at an address (ScriptError where nothing does)."""

    now: Callable[[], datetime]
    sleep: Callable[[float], None]
    client: Callable[[str], Any]
    fetch: Callable[[str], bytes] = nowhere


class WindowsMachine:
    """A folder with drive C:, a registry and what else there is of a system."""

    def __init__(self, root: Path, around: Around) -> None:
        self.root = root
        self.around = around
        self.journal = Journal()
        self.drive = Drive(root / "C", self.journal)
        self.registry = Registry(root / "registry.json", self.journal)
        self.state: dict[str, Any] = json.loads((root / "state.json").read_text())
        self.wants = ""
        # What this process holds of the machine.
        self.held: list[Any] = []

    def let_go(self) -> None:
        """The process ends: nothing is held any longer."""
        while self.held:
            self.held.pop().release()

    def save(self) -> None:
        """Keep what is not a file."""
        self.registry.save()
        (self.root / "state.json").write_text(json.dumps(self.state, indent=1))

    # ------------------------------------------------------------ boots

    def boot(self, instance_id: str, user_data: bytes) -> None:
        """A boot: after Sysprep a new identity, then the launch agent's work, then Systems
        Manager's."""
        self.state["boots"] += 1
        # Services, the agent among them, see the system's variables as they were at the boot.
        found = self.registry.values(ENVIRONMENT).items()
        self.state["environment"] = {str(name): text(value) for name, value in found}
        if self.registry.values(SETUP_STATE).get("ImageState") == _GENERALISED:
            self._set_up()
        launching.at_boot(self, instance_id, user_data)
        self._start_agent(instance_id)
        self.state["event_logs"]["System"].append(f"{instance_id} has booted")
        self.state["services"]["AmazonSSMAgent"] = "Running"
        self.save()

    def _set_up(self) -> None:
        numbers = "-".join(str(secrets.randbelow(2**32)) for _ in range(3))
        self.state["computer_sid"] = f"S-1-5-21-{numbers}"
        self.state["computer_name"] = f"EC2AMAZ-{secrets.token_hex(4)[:7].upper()}"
        guid = str(uuid.uuid4())
        self.registry.set(r"HKLM:\SOFTWARE\Microsoft\Cryptography", "MachineGuid", guid)
        desktop = r"HKLM:\SOFTWARE\Microsoft\SystemCertificates\Remote Desktop\Certificates"
        self.registry.make(rf"{desktop}\{secrets.token_hex(20).upper()}")
        self.registry.set(SETUP_STATE, "ImageState", "IMAGE_STATE_COMPLETE")

    def _start_agent(self, instance_id: str) -> None:
        self.drive.make_folder(rf"{_SSM}\InstanceData\{instance_id}\document\orchestration")
        self.drive.make_folder(rf"{_SSM}\Logs")
        self.drive.make_folder(rf"{_SSM}\Vault\Store")
        key = rf"{_SSM}\Vault\Store\RegistrationKey"
        if not self.drive.exists(key):
            self.drive.write(key, f"{instance_id} {secrets.token_hex(16)}\n")
        self.drive.write(rf"{_SSM}\Logs\amazon-ssm-agent.log", f"agent of {instance_id} started\n")

    # ------------------------------------------------------------ scripts

    def interpreter(self, environment: dict[str, str]) -> Interpreter:
        """Something that applies a script to this machine."""
        own = {
            "ProgramFiles": r"C:\Program Files",
            "ProgramFiles(x86)": r"C:\Program Files (x86)",
            "ProgramData": r"C:\ProgramData",
            "ALLUSERSPROFILE": r"C:\ProgramData",
            "PUBLIC": r"C:\Users\Public",
            "SystemDrive": "C:",
            "SystemRoot": r"C:\Windows",
            "USERPROFILE": r"C:\Windows\system32\config\systemprofile",
            "COMPUTERNAME": self.state["computer_name"],
            "USERNAME": "SYSTEM",
        }
        return Interpreter(self, own | self.state["environment"] | environment)

    def now(self) -> datetime:
        """The local AWS's time."""
        return self.around.now()

    def sleep(self, seconds: float) -> None:
        """Simulated seconds."""
        self.around.sleep(seconds)

    def remove(self, path: str, recurse: bool) -> None:
        """Remove; what a running service holds open stays, as Windows keeps it."""
        agent_runs = self.state["services"].get("AmazonSSMAgent") == "Running"
        held, wanted = parts(rf"{_SSM}\Logs".lower()), parts(path.lower())
        common = min(len(held), len(wanted))
        if agent_runs and wanted and held[:common] == wanted[:common]:
            raise ScriptError(f"'{path}' is being used by another process.")
        self.drive.remove(path, recurse)

    def power(self, what: str) -> None:
        """The script wants the system to go down: `off` or `reboot`."""
        before = self.wants

        def back() -> None:
            self.wants = before

        self.journal.note(back)
        self.wants = what

    def program(self, path: str, arguments: list[str], run: Interpreter) -> int:
        """A program or script by its path; its exit code. Raises NotHere for one that is not
        known."""
        name = path.rpartition("\\")[2].lower()
        if name in ("powershell.exe", "powershell"):
            return self._powershell(arguments, run)
        if name in ("shutdown.exe", "shutdown"):
            return self._shutdown(arguments)
        if name in ("icacls.exe", "icacls"):
            return permissions.icacls(self, arguments, run)
        if "\\" not in path or not self.drive.exists(path):
            # One of Windows' own, or of something that was not installed here.
            raise NotHere(path)
        known = launching.PROGRAMS.get(name)
        if known is not None:
            self.keep_state()
            return known(self, arguments)
        if name.endswith(".ps1") and not arguments:
            return run.script(self.drive.read(path, textfiles.ANSI))
        raise NotHere(path)

    def keep_state(self) -> None:
        """What is not a file is about to change."""
        self.journal.keep(self.state, "first_boot")

    def _shutdown(self, arguments: list[str]) -> int:
        given = {argument.lower().replace("-", "/", 1) for argument in arguments}
        if len(given & {"/s", "/r"}) != 1:
            raise NotHere(f"shutdown.exe {' '.join(arguments)}")
        self.power("reboot" if "/r" in given else "off")
        return 0

    def _powershell(self, arguments: list[str], run: Interpreter) -> int:
        words = [argument.lower() for argument in arguments]
        if "-file" not in words or words.index("-file") != len(words) - 2:
            raise NotHere("powershell.exe without -File and a path at the end")
        return self._script(arguments[-1], run)

    def _script(self, path: str, run: Interpreter) -> int:
        """A script of its own, in a process of its own: only the environment goes along."""
        inner = Interpreter(self, {str(n): text(v) for n, v in run.variables.environment.items()})
        inner.depth = run.depth
        code = inner.run(self.drive.read(path, textfiles.ANSI))
        run.emit(list(inner.out))
        run.err += inner.err
        run.unknown += inner.unknown
        return code

    # ------------------------------------------------------------ AWS, and Sysprep

    def secret(self, arn: str) -> str:
        """A secret, with the instance's role."""
        answer = self._asked("secretsmanager").get_secret_value(SecretId=arn)
        return str(answer["SecretString"])

    def parameter(self, name: str) -> str:
        """A parameter, decrypted."""
        answer = self._asked("ssm").get_parameter(Name=name, WithDecryption=True)
        return str(answer["Parameter"]["Value"])

    def _asked(self, service: str) -> Any:
        return _Asked(self.around.client(service))

    def sysprep(self) -> None:
        """Generalise; something that holds Sysprep up leaves the system undeployable, and its log
        says what it was."""
        self.registry.set(SETUP_STATE, "ImageState", "IMAGE_STATE_UNDEPLOYABLE")
        self.sleep(_SYSPREP_S)
        log = r"C:\Windows\System32\Sysprep\Panther\setuperr.log"
        if self.registry.exists(r"HKLM:\SYSTEM\CurrentControlSet\Services\Sense"):
            self.drive.write(
                log, "Error SYSPRP Failure of SenseSvc: the provider Sense is in use\n"
            )
            return
        self.state["first_boot"] = {"password": True, "user_data": True}
        self.registry.set(SETUP_STATE, "ImageState", _GENERALISED)


class _Asked:
    """A client whose refusals are errors of the script."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Callable[..., Any]:
        from botocore.exceptions import ClientError

        def ask(**request: Any) -> Any:
            try:
                return getattr(self._client, name)(**request)
            except ClientError as error:
                raise ScriptError(str(error)) from error

        return ask
