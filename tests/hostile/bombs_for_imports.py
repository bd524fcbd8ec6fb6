"""Templates of Packer's and files of Image Builder's that are small or strange, and grow, hang or
break what reads them."""

from __future__ import annotations

import json
from collections.abc import Callable

from tests.hostile.bombs import MIB, YAML, filled, laughs

_HCL_MOST = 128 * 1024 - 100
_SOURCE = b"""source "amazon-ebs" "web" {
  source_ami = "ami-0123456789abcdef0"
  ami_name   = "debian-12-web"
}
build {
  sources = ["source.amazon-ebs.web"]
"""


def hcl(part: bytes, head: bytes = b"", tail: bytes = b"") -> bytes:
    """A part again and again, as much as a template may have."""
    return filled(part, head, tail, _HCL_MOST)


def doubling(levels: int = 40) -> bytes:
    """Locals that are each twice the one before."""
    lines = ['a0 = "xxxxxxxxxx"']
    lines += [f'a{n} = "${{local.a{n - 1}}}${{local.a{n - 1}}}"' for n in range(1, levels)]
    inside = f'provisioner "shell" {{ inline = [local.a{levels - 1}] }}'
    return (
        "\n".join(["locals {", *lines, "}"]).encode() + b"\n" + _SOURCE + inside.encode() + b"\n}\n"
    )


def lists(levels: int = 30) -> bytes:
    """Locals that are lists of ten of the one before."""
    lines = ["a0 = [1]"]
    lines += [f"a{n} = [{', '.join([f'local.a{n - 1}'] * 10)}]" for n in range(1, levels)]
    inside = f'provisioner "shell" {{ inline = local.a{levels - 1} }}'
    return (
        "\n".join(["locals {", *lines, "}"]).encode() + b"\n" + _SOURCE + inside.encode() + b"\n}\n"
    )


def few(part: bytes, head: bytes, tail: bytes, tokens: int) -> bytes:
    """A part as often as the count of tokens allows, each with so many of them."""
    return head + part * (29_900 // tokens) + tail


# What ends up in the reader of HCL2.
HCL: dict[str, Callable[[], bytes]] = {
    "numbers": lambda: hcl(b"0,", b"a = [", b"0]\n"),
    "texts": lambda: hcl(b'"",', b"a = [", b'""]\n'),
    "mappings": lambda: hcl(b"{},", b"a = [", b"{}]\n"),
    "attributes": lambda: b"".join(b"a%d=1\n" % n for n in range(16_000)),
    "blocks": lambda: hcl(b"a{}\n"),
    "lines": lambda: hcl(b"\n"),
    "comments": lambda: hcl(b"#\n"),
    "sums": lambda: hcl(b"1+", b"a = ", b"1\n"),
    "choices": lambda: hcl(b"true ? 1 : ", b"a = ", b"1\n"),
    "brackets": lambda: hcl(b"[", b"a = "),
    "closed brackets": lambda: b"a = " + b"[" * 20_000 + b"]" * 20_000 + b"\n",
    "braces": lambda: hcl(b"a {\n"),
    "dots": lambda: hcl(b".a", b"a = a", b"\n"),
    "open interpolations": lambda: hcl(b"${", b'a = "'),
    "interpolations": lambda: hcl(b"${1}", b'a = "', b'"\n'),
    "nested interpolations": lambda: b'a = "' + b'${"' * 4_000 + b'"}' * 4_000 + b'"\n',
    "escapes": lambda: hcl(b"$${", b'a = "'),
    "directives": lambda: hcl(b"%{ if x }", b'a = "', b'"\n'),
    "quotes": lambda: hcl(b'"'),
    "heredocs": lambda: hcl(b"a = <<E\n"),
    "blank heredoc": lambda: hcl(b"\n", b"a = <<E\n", b"F\n"),
    "spaces in a heredoc": lambda: hcl(b"\n" + b" " * 400 + b"x", b"a = <<E\n", b"\nF\n"),
    "small heredocs": lambda: (
        b"locals {\n"
        + b"".join(b"a%d = <<E\n${local.a}\nE\n" % n for n in range(2_800))
        + b"}\n"
        + _SOURCE
        + b"}\n"
    ),
    "doubling": doubling,
    "lists of lists": lists,
    "around": lambda: (
        b"locals {\n a = local.b\n b = local.a\n}\n"
        + _SOURCE
        + b'provisioner "shell" { inline = [local.a] }\n}\n'
    ),
    "many steps": lambda: few(b'provisioner "shell" {\n inline = ["a"]\n}\n', _SOURCE, b"}\n", 16),
    "many sources": lambda: b"".join(
        b'source "amazon-ebs" "w%d" {\n  ami_name = "debian-12"\n}\n' % n for n in range(1_500)
    ),
    "a build of all": lambda: (
        b"".join(
            b'source "amazon-ebs" "w%d" {\n  ami_name = "debian-12"\n}\n' % n for n in range(50)
        )
        + b"build {\n sources = ["
        + b",".join(b'"amazon-ebs.w%d"' % n for n in range(50))
        + b"]\n"
        + b'provisioner "shell" {\n inline = ["a"]\n}\n' * 1_000
        + b"}\n"
    ),
    "some numbers": lambda: few(b"0,", b"a = [", b"0]\n", 2),
    "some texts": lambda: few(b'"",', b"a = [", b'""]\n', 3),
    "some attributes": lambda: b"".join(b"a%d=1\n" % n for n in range(7_400)),
    "some blocks": lambda: few(b"a{}\n", b"", b"", 4),
    "some lines": lambda: few(b"\n", b"", b"", 1),
    "some sums": lambda: few(b"1+", b"a = ", b"1\n", 2),
    "some dots": lambda: few(b".a", b"a = a", b"\n", 2),
    "some interpolations": lambda: few(b"${1}", b'a = "', b'"\n', 4),
    "some brackets": lambda: b"a = " + b"[" * 14_000 + b"]" * 14_000 + b"\n",
    "some heredocs": lambda: (
        b"locals {\n"
        + b"".join(b"a%d = <<E\n${local.a}\nE\n" % n for n in range(1_500))
        + b"}\n"
        + _SOURCE
        + b'provisioner "shell" { inline = ['
        + b",".join(b"local.a%d" % n for n in range(1_500))
        + b"]\n}\n}\n"
    ),
    "some steps": lambda: _SOURCE + b'provisioner "shell" {\n inline = ["a"]\n}\n' * 500 + b"}\n",
    "huge number": lambda: b"a = " + b"9" * 100_000 + b"\n",
    "key twice": lambda: b'source "amazon-ebs" "w" {\n a = 1\n a = 2\n}\n',
    "block twice": lambda: b'source "amazon-ebs" "w" {\n}\nsource "amazon-ebs" "w" {\n}\n',
    "not utf-8": lambda: b'a = "\xff"\n',
    "nul": lambda: b'a = "\0"\n',
    "nul in a step": lambda: _SOURCE + b'provisioner "shell" { inline = ["a\0b"] }\n}\n',
    "name of another world": lambda: _SOURCE.replace(b"web", "../../$(id)\u202e".encode()) + b"}\n",
    "script elsewhere": lambda: _SOURCE + b'provisioner "shell" { script = "/etc/passwd" }\n}\n',
    "a slow pattern": lambda: (
        b'locals { a = regex_replace("'
        + b"a" * 5_000
        + b'!", "(a+)+$", "") }\n'
        + _SOURCE
        + b'provisioner "shell" { inline = [local.a] }\n}\n'
    ),
    "empty": lambda: b"",
    "too large": lambda: b"#" * (MIB + 1),
}


def legacy(**more: object) -> bytes:
    """A small JSON template with something more."""
    source = {"type": "amazon-ebs", "ami_name": "debian-12", "source_ami": "ami-0123456789abcdef0"}
    return json.dumps({"builders": [source], **more}).encode()


def _users(levels: int = 40) -> dict[str, str]:
    found = {"a0": "xxxxxxxxxx"}
    found |= {f"a{n}": f"{{{{user `a{n - 1}`}}}}" * 2 for n in range(1, levels)}
    return found


def _shell(*lines: str) -> dict[str, object]:
    return {"type": "shell", "inline": list(lines)}


# What ends up in the reader of JSON templates.
LEGACY: dict[str, Callable[[], bytes]] = {
    "braces": lambda: legacy(provisioners=[_shell("{{" * 50_000)]),
    "ticks": lambda: legacy(provisioners=[_shell("{{`" * 30_000)]),
    "expressions": lambda: legacy(provisioners=[_shell("{{user `a`}}" * 5_000)]),
    "doubling": lambda: legacy(variables=_users(20), provisioners=[_shell("{{user `a19`}}")]),
    "far": lambda: legacy(variables=_users(40), provisioners=[_shell("{{user `a39`}}")]),
    "around": lambda: legacy(
        variables={"a": "{{user `b`}}", "b": "{{user `a`}}"}, provisioners=[_shell("{{user `a`}}")]
    ),
    "many steps": lambda: legacy(provisioners=[_shell("a")] * 501),
    "steps": lambda: legacy(provisioners=[_shell("a")] * 500),
    "many builders": lambda: legacy(
        builders=[{"type": "amazon-ebs", "ami_name": "debian-12"}] * 400,
        provisioners=[_shell("a")] * 200,
    ),
    "deep": lambda: filled(b'{"a":', b'{"builders":', size=_HCL_MOST),
    "mappings": lambda: filled(b"{},", b'{"builders":[', b"{}]}", _HCL_MOST),
    "key twice": lambda: b'{"builders":[],"builders":[]}',
    "huge int": lambda: b'{"builders":[{"type":"amazon-ebs","n":' + b"9" * 9_000 + b"}]}",
    "not utf-8": lambda: b'{"builders":["\xff"]}',
    "surrogates": lambda: legacy(provisioners=[_shell("\ud800")]),
    "nul": lambda: legacy(provisioners=[_shell("a\0b")]),
    "empty": lambda: b"{}",
    "too large": lambda: b" " * (MIB + 1),
}

_RECIPE = {"name": "debian-12", "parentImage": "ami-0123456789abcdef0"}


def component(steps: list[object]) -> bytes:
    """A component's document with these steps."""
    phases = [{"name": "build", "steps": steps}]
    return json.dumps({"name": "debian-12", "schemaVersion": "1.0", "phases": phases}).encode()


def _bash(command: str) -> dict[str, object]:
    return {"name": "a", "action": "ExecuteBash", "inputs": {"commands": [command]}}


def _template(**resources: object) -> bytes:
    return json.dumps({"Resources": resources}).encode()


def _resource(kind: str, **properties: object) -> dict[str, object]:
    return {"Type": f"AWS::ImageBuilder::{kind}", "Properties": properties}


_COMPONENT = "name: debian-12\nschemaVersion: 1.0\nphases:\n- name: build\n  steps: "

# What ends up in the readers of what Image Builder has.
BUILDER: dict[str, Callable[[], bytes]] = {
    **{
        name: YAML[name]
        for name in (
            "laughs",
            "cycle",
            "pairs",
            "flow deep",
            "block deep",
            "key twice",
            "python",
            "empty",
        )
    },
    "not utf-8": lambda: b"phases: \xff\n",
    "laughs in data": lambda: _template(A=_resource("Component", Name="a", Data=laughs().decode())),
    "much data": lambda: _template(
        **{
            f"A{n}": _resource("Component", Name="a", Data=_COMPONENT + "[" + "0," * 4_000 + "0]")
            for n in range(20)
        }
    ),
    "much in data": lambda: _template(
        A=_resource("Component", Name="a", Data=_COMPONENT + "[" + "0," * 60_000 + "0]")
    ),
    "many resources": lambda: _template(
        **{f"A{n}": _resource("Component", Name="a") for n in range(1_000)}
    ),
    "many recipes": lambda: _template(
        **{f"A{n}": _resource("ImageRecipe", Name="debian-12") for n in range(200)}
    ),
    "tags": lambda: filled(b"- !Ref a\n", b"Resources:\n", size=200_000),
    "deep tags": lambda: b"Resources: " + b"!Base64 [" * 2_000,
    "many steps": lambda: component([_bash("a")] * 4_000),
    "steps": lambda: component([_bash("a")] * 900),
    "words": lambda: component([_bash("{{ a }}" * 40_000)]),
    "braces": lambda: component([_bash("{{" * 200_000)]),
    "subs": lambda: _template(
        A=_resource("ImageRecipe", Name={"Fn::Sub": "${" * 100_000}, ParentImage="ami-01234567")
    ),
    "joins": lambda: _template(
        A=_resource("ImageRecipe", Name={"Fn::Join": ["x" * 200_000, ["a"] * 20_000]})
    ),
    "nul": lambda: component([_bash("a\0b")]),
    "surrogate": lambda: component([_bash("\ud800")]),
    "name of another world": lambda: component([_bash("a")]).replace(
        b"debian-12", b"debian-12 ../../$(id)\\u202e<script>"
    ),
    "recipe without anything": lambda: json.dumps({"imageRecipe": {}}).encode(),
    "recipe of lists": lambda: json.dumps(
        {"imageRecipe": {key: [[[]]] for key in _RECIPE}}
    ).encode(),
    "too large": lambda: b" " * (MIB + 1),
}
