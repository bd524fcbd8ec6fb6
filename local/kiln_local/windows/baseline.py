"""What a public Windows image is like before any boot: its launch agent's files, its registry.

Which agent a release brings: EC2 User Guide, "Windows launch agents" (EC2Config up to 2012 R2,
EC2Launch for 2016 and 2019, EC2Launch v2 from 2022). The files hold the settings that scripts
change; they are no copies of AWS's.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from kiln_local.windows.drive import Drive
from kiln_local.windows.registry import Registry

AGENTS = {
    "windows-2012-r2": "ec2config",
    "windows-2016": "v1",
    "windows-2019": "v1",
    "windows-2022": "v2",
    "windows-2025": "v2",
}
_VERSIONS = {
    "windows-2012-r2": ("2012 R2", "6.3.9600"),
    "windows-2016": ("2016", "10.0.14393"),
    "windows-2019": ("2019", "10.0.17763"),
    "windows-2022": ("2022", "10.0.20348"),
    "windows-2025": ("2025", "10.0.26100"),
}
_PLUGINS = ("Ec2SetPassword", "Ec2SetComputerName", "Ec2HandleUserData", "Ec2DynamicBootVolumeSize")
_CONFIG = (
    '<?xml version="1.0" standalone="yes"?>\n<Ec2ConfigurationSettings>\n  <Plugins>\n'
    + "".join(
        f"    <Plugin>\n      <Name>{n}</Name>\n      <State>Disabled</State>\n    </Plugin>\n"
        for n in _PLUGINS
    )
    + "  </Plugins>\n</Ec2ConfigurationSettings>\n"
)
_BUNDLE = (
    '<?xml version="1.0"?>\n<BundleConfig>\n'
    "  <Property><Name>AutoSysprep</Name><Value>Yes</Value></Property>\n"
    "  <Property><Name>SetRDPCertificate</Name><Value>Yes</Value></Property>\n"
    "  <Property><Name>SetPasswordAfterSysprep</Name><Value>Yes</Value></Property>\n"
    "  <GeneralSettings><Sysprep><AnswerFilePath>sysprep2008.xml</AnswerFilePath>"
    "<Switches>/oobe /shutdown /generalize</Switches></Sysprep></GeneralSettings>\n"
    "</BundleConfig>\n"
)
_ANSWERS = (
    '<?xml version="1.0" encoding="utf-8"?>\n'
    '<unattend xmlns="urn:schemas-microsoft-com:unattend">\n'
    '  <settings pass="oobeSystem">\n    <component name="Microsoft-Windows-Shell-Setup">\n'
    "      <UserAccounts><AdministratorPassword><Value></Value><PlainText>true</PlainText>"
    "</AdministratorPassword></UserAccounts>\n    </component>\n  </settings>\n</unattend>\n"
)
_V1 = {
    "setComputerName": False,
    "setMonitorAlwaysOn": True,
    "setWallpaper": True,
    "addDnsSuffixList": True,
    "extendBootVolumeSize": True,
    "handleUserData": True,
    "adminPasswordType": "Random",
    "adminPassword": "",
}
_V2 = """version: 1.1
config:
  - stage: boot
    tasks:
      - task: extendRootPartition
  - stage: preReady
    tasks:
      - task: setAdminAccount
        inputs:
          password:
            type: random
      - task: activateWindows
  - stage: postReady
    tasks:
      - task: startSsm
"""
_FILES = {
    "ec2config": {
        r"C:\Program Files\Amazon\Ec2ConfigService\Ec2Config.exe": "program\n",
        r"C:\Program Files\Amazon\Ec2ConfigService\Settings\Config.xml": _CONFIG,
        r"C:\Program Files\Amazon\Ec2ConfigService\Settings\BundleConfig.xml": _BUNDLE,
        r"C:\Program Files\Amazon\Ec2ConfigService\sysprep2008.xml": _ANSWERS,
        r"C:\Program Files\Amazon\Ec2ConfigService\Logs\Ec2ConfigLog.txt": "",
    },
    "v1": {
        r"C:\ProgramData\Amazon\EC2-Windows\Launch\Scripts\InitializeInstance.ps1": "# EC2Launch\n",
        r"C:\ProgramData\Amazon\EC2-Windows\Launch\Scripts\SysprepInstance.ps1": "# EC2Launch\n",
        r"C:\ProgramData\Amazon\EC2-Windows\Launch\Config\LaunchConfig.json": json.dumps(_V1),
        r"C:\ProgramData\Amazon\EC2-Windows\Launch\Log\Ec2Launch.log": "",
    },
    "v2": {
        r"C:\Program Files\Amazon\EC2Launch\EC2Launch.exe": "program\n",
        r"C:\ProgramData\Amazon\EC2Launch\config\agent-config.yml": _V2,
        r"C:\ProgramData\Amazon\EC2Launch\log\agent.log": "",
        r"C:\ProgramData\Amazon\EC2Launch\sysprep\unattend.xml": _ANSWERS,
    },
}
_FOLDERS = (
    r"C:\Windows\System32\Sysprep\Panther",
    r"C:\Windows\Temp",
    r"C:\Windows\Prefetch",
    r"C:\ProgramData\Amazon\SSM\InstanceData",
    r"C:\ProgramData\Amazon\SSM\Vault\Store",
    r"C:\ProgramData\Amazon\SSM\Logs",
    r"C:\Users\Administrator\AppData\Local\Temp",
    r"C:\Users\Administrator\AppData\Roaming\Microsoft\Windows\PowerShell\PSReadLine",
    r"C:\inetpub",
)
_STORES = r"HKLM:\SOFTWARE\Microsoft\SystemCertificates"
_UNINSTALL = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall"
ENVIRONMENT = r"HKLM:\SYSTEM\CurrentControlSet\Control\Session Manager\Environment"
_VARIABLES = {
    "Path": r"C:\Windows\system32;C:\Windows;C:\Windows\System32\WindowsPowerShell\v1.0",
    "ComSpec": r"C:\Windows\system32\cmd.exe",
    "OS": "Windows_NT",
    "PROCESSOR_ARCHITECTURE": "AMD64",
    "TEMP": r"C:\Windows\Temp",
    "TMP": r"C:\Windows\Temp",
    "windir": r"C:\Windows",
}
SETUP_STATE = r"HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Setup\State"


def make_windows(root: Path, platform: str, language: str) -> None:
    """A base image's tree. It is generalised, as AWS's images are."""
    folder = root / "C"
    folder.mkdir(parents=True)
    drive = Drive(folder)
    for path in _FOLDERS:
        drive.make_folder(path)
    for path, content in _FILES[AGENTS[platform]].items():
        drive.make_folder(path.rpartition("\\")[0])
        drive.write(path, content)
    registry = Registry(root / "registry.json")
    registry.set(SETUP_STATE, "ImageState", "IMAGE_STATE_GENERALIZE_RESEAL_TO_OOBE")
    registry.make(rf"{_STORES}\ROOT\Certificates\AMAZONROOTCA1")
    registry.make(rf"{_STORES}\CA\Certificates\AMAZONRSA2048M01")
    for name, version in (
        ("Amazon SSM Agent", "3.3.2299.0"),
        ("AWS Tools for Windows", "3.15.2800"),
    ):
        registry.set(rf"HKLM:\{_UNINSTALL}\{name}", "DisplayName", name)
        registry.set(rf"HKLM:\{_UNINSTALL}\{name}", "DisplayVersion", version)
    for name, value in _VARIABLES.items():
        registry.set(ENVIRONMENT, name, value)
    registry.save()
    (root / "state.json").write_text(json.dumps(_state(platform, language), indent=1))


def _state(platform: str, language: str) -> dict[str, Any]:
    release, version = _VERSIONS[platform]
    return {
        "platform": platform,
        "caption": f"Microsoft Windows Server {release} Datacenter",
        "version": version,
        "installed_language": language,
        "ui_language": language,
        "computer_name": "",
        "computer_sid": "",
        "services": {"AmazonSSMAgent": "Running", "EventLog": "Running", "W32Time": "Running"},
        "features": {"Web-Server": False, "NET-Framework-45-Core": True, "PowerShell": True},
        "hotfixes": ["KB5041578", "KB5043050"],
        "event_logs": {"Application": [], "Security": [], "System": []},
        "first_boot": {"password": True, "user_data": True},
        "environment": {},
        "boots": 0,
        "done": [],
    }
