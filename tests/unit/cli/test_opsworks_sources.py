"""Sources of cookbooks and operating systems of OpsWorks, in Kiln's words; no secret among them."""

from __future__ import annotations

import pytest

from kiln_cli.opsworks.layers import platform_of
from tests.unit.cli.test_opsworks import everything, fields, imported


def test_a_secret_is_never_carried() -> None:
    objects = everything()
    objects["Stacks"][0]["CustomCookbooksSource"] |= {"SshKey": "BEGIN KEY", "Password": "hunter2"}
    found = imported(objects)
    assert "hunter2" not in str(found.document)
    assert "BEGIN KEY" not in str(found.document)
    assert {"SshKey", "Password"} <= fields(found)
    assert all("hunter2" not in note.reason for note in found.notes.dropped)


@pytest.mark.parametrize(
    ("source", "carried"),
    [
        (
            {"Type": "s3", "Url": "https://s3.amazonaws.com/b/books.tar.gz"},
            {"type": "S3", "path": "https://s3.amazonaws.com/b/books.tar.gz"},
        ),
        ({"Type": "archive", "Url": "https://x/y.tgz"}, {"type": "HTTP", "url": "https://x/y.tgz"}),
        (
            {"Type": "git", "Url": "https://x/y.git", "Revision": "a" * 40},
            {"type": "Git", "repository": "https://x/y.git", "getOptions": f"commitID:{'a' * 40}"},
        ),
    ],
)
def test_sources_become_those_of_systems_manager(
    source: dict[str, str], carried: dict[str, str]
) -> None:
    objects = everything()
    objects["Stacks"][0]["CustomCookbooksSource"] = source
    assert imported(objects).document["layers"][0]["source"] == carried


@pytest.mark.parametrize(
    ("operating_system", "platform"),
    [
        ("Amazon Linux 2018.03", "amazon-linux-1"),
        ("Amazon Linux AMI 2017.09", "amazon-linux-1"),
        ("Amazon Linux 2", "amazon-linux-2"),
        ("Amazon Linux 2023", "amazon-linux-2023"),
        ("Ubuntu 14.04 LTS", "ubuntu-14.04"),
        ("Ubuntu 12.04 LTS", None),
        ("CentOS Linux 7", "centos-7"),
        ("Red Hat Enterprise Linux 7", "rhel-7"),
        ("Microsoft Windows Server 2012 R2 with SQL Server Web", "windows-2012-r2"),
        ("Microsoft Windows Server 2019 Base", "windows-2019"),
        ("Custom", None),
        ("", None),
    ],
)
def test_the_platform_of_every_system_that_opsworks_had(
    operating_system: str, platform: str | None
) -> None:
    assert platform_of(operating_system) == platform
