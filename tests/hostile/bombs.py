"""Files that are small or strange, and grow, hang or break what reads them."""

from __future__ import annotations

import json
from collections.abc import Callable

MIB = 2**20
VALID = b"""kind: blueprint
name: web
platform: amazon-linux-2023
base: {parameter: /aws/service/x}
builder: {instance_types: [m7i.large]}
"""


def filled(part: bytes, head: bytes = b"", tail: bytes = b"", size: int = MIB - 100) -> bytes:
    """A part again and again, up to a size."""
    return head + part * ((size - len(head) - len(tail)) // len(part)) + tail


def laughs(levels: int = 12) -> bytes:
    """Aliases of aliases: ten times more with each level."""
    lines = ["a0: &a0 [x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, levels)]
    return "\n".join(lines).encode()


# What ends up in the reader of YAML.
YAML: dict[str, Callable[[], bytes]] = {
    "laughs": laughs,
    "cycle": lambda: b"a: &a [*a]\n",
    "cycle in keys": lambda: b"&a {*a : 1}\n",
    "merge": lambda: b"a: &a {x: 1}\nb: {<<: *a}\n",
    "numbers": lambda: filled(b"0,", b"[", b"]"),
    "mappings": lambda: filled(b"{},", b"[", b"]"),
    "pairs": lambda: filled(b"a: 1,", b"[", b"]"),
    "lines": lambda: filled(b"- x\n"),
    "keys": lambda: b"".join(b"k%d: 1\n" % n for n in range(90_000)),
    "one key again": lambda: filled(b"k: 1\n"),
    "flow deep": lambda: filled(b"[", b"a: "),
    "flow maps deep": lambda: filled(b"{a: ", b""),
    "block deep": lambda: b"".join(b" " * n + b"a:\n" for n in range(1300)),
    "dashes deep": lambda: filled(b"- ", b"a:\n  "),
    "question marks": lambda: filled(b"? ", b""),
    "anchors": lambda: b"".join(b"- &a%d x\n" % n for n in range(60_000)),
    "one anchor again": lambda: filled(b"- &a x\n"),
    "tags": lambda: filled(b"- !!str x\n"),
    "directives": lambda: filled(b"%TAG !a! tag:x,2000:\n", b"", b"---\na: 1\n"),
    "documents": lambda: filled(b"---\na: 1\n"),
    "megabyte name": lambda: VALID.replace(b"web", b"w" * (MIB - 200)),
    "megabyte quoted key": lambda: VALID + b'"' + b"k" * (MIB - 300) + b'": 1\n',
    "megabyte platform": lambda: VALID.replace(b"amazon-linux-2023", b"p" * (MIB - 300)),
    "megabyte kind": lambda: VALID.replace(b"blueprint", b"b" * (MIB - 300)),
    "megabyte tag": lambda: VALID + b"a: !" + b"t" * (MIB - 300) + b" x\n",
    "megabyte alias": lambda: VALID + b"a: *" + b"t" * (MIB - 300) + b"\n",
    "megabyte key": lambda: VALID + b"k" * (MIB - 300) + b": 1\n",
    "megabyte quoted": lambda: VALID + b'description: "' + b"\\x41" * 200_000 + b'"\n',
    "megabyte of folds": lambda: VALID + b"description: >\n" + b"  a\n" * 200_000,
    "megabyte of breaks": lambda: VALID + b"description: |\n" + b"\n" * 1_000_000,
    "plain lines": lambda: VALID + b"description: a\n" + filled(b"  b\n", size=900_000),
    "comments": lambda: filled(b"#\n", VALID),
    "blanks": lambda: filled(b" ", VALID),
    "colons": lambda: filled(b":", b"a"),
    "quotes": lambda: filled(b"'"),
    "backslashes": lambda: filled(b"\\", b'"', b'"'),
    "percent": lambda: filled(b"%"),
    "astral": lambda: b"description: \xf0\x9f\x94\xa5" + b"x" * (MIB - 100),
    "huge int": lambda: VALID + b"version: " + b"9" * 500_000 + b"\n",
    "hex int": lambda: VALID + b"version: 0x" + b"f" * 500_000 + b"\n",
    "octal": lambda: VALID + b"version: 0o" + b"7" * 500_000 + b"\n",
    "float": lambda: VALID + b"version: 1" + b"0" * 400_000 + b".0e999999999\n",
    "fraction": lambda: VALID + b"version: 0." + b"1" * 500_000 + b"\n",
    "nan": lambda: VALID + b"version: .nan\n",
    "infinite": lambda: VALID + b"version: -.inf\n",
    "date": lambda: VALID + b"version: 2026-02-30\n",
    "timestamp": lambda: VALID + b"version: !!timestamp 2026-02-30\n",
    "binary": lambda: VALID + b"version: !!binary aGVsbG8=\n",
    "python": lambda: VALID + b"version: !!python/object/apply:os.system [id]\n",
    "python name": lambda: VALID + b"version: !!python/name:os.system\n",
    "set": lambda: VALID + b"version: !!set {a, b}\n",
    "omap": lambda: VALID + b"version: !!omap [a: 1]\n",
    "own tag": lambda: VALID + b"version: !own x\n",
    "sequence keys": lambda: VALID + b"? [a, b]\n: 1\n",
    "null keys": lambda: VALID + b"~: 1\n",
    "key twice": lambda: VALID + b"name: web\n",
    "key twice in quotes": lambda: VALID + b'"n\\x61me": web\n',
    "empty": lambda: b"",
    "nothing": lambda: b"\n# nothing\n",
    "only a mark": lambda: b"\xef\xbb\xbf",
    "mark in the middle": lambda: VALID + "description: a\ufeffb\n".encode(),
    "nul": lambda: VALID + b"description: a\0b\n",
    "nul by escape": lambda: VALID + b'description: "a\\0b"\n',
    "not utf-8": lambda: VALID + b"description: \xff\xfe\n",
    "utf-16": lambda: VALID.decode().encode("utf-16"),
    "utf-32": lambda: VALID.decode().encode("utf-32"),
    "utf-7": lambda: b"description: +AGE-",
    "overlong": lambda: VALID + b"description: \xc0\xaf\n",
    "surrogate": lambda: VALID + b"description: \xed\xa0\x80\n",
    "surrogate by escape": lambda: VALID + b'description: "\\ud800"\n',
    "controls": lambda: VALID + b"description: \x01\x02\x7f\n",
    "bidi": lambda: VALID.replace(b"web", "w\u202eeb".encode()),
    "confusable": lambda: VALID.replace(b"web", "w\u0435b".encode()),
    "wide": lambda: VALID.replace(b"web", "\uff57\uff45\uff42".encode()),
    "tab": lambda: VALID + b"\tdescription: x\n",
    "carriage returns": lambda: VALID.replace(b"\n", b"\r"),
    "line separators": lambda: VALID.replace(b"\n", "\u2028".encode()),
    "scalar": lambda: b"web\n",
    "list": lambda: b"- web\n",
    "kind of list": lambda: b"kind: [blueprint]\n",
    "kind of mapping": lambda: b"kind: {a: 1}\n",
    "too large": lambda: b"a" * (MIB + 1),
}

_MOST = 16 * MIB - 1000


def crowd(layers: int, instances: int, name: str = "w") -> bytes:
    """Saved output of one stack whose layers and instances are all called alike."""
    named = {"StackId": "s", "Name": name}
    made = [{**named, "LayerId": f"l{n}", "Shortname": name} for n in range(layers)]
    host = {"StackId": "s", "LayerIds": ["l0"], "Hostname": name, "InstanceType": "t3.micro"}
    hosts = [{**host, "InstanceId": f"i{n}", "Os": "Ubuntu 18.04 LTS"} for n in range(instances)]
    return json.dumps({"Stacks": [named], "Layers": made, "Instances": hosts}).encode()


# What ends up in the reader of saved output.
JSON: dict[str, Callable[[], bytes]] = {
    "numbers": lambda: filled(b"0,", b'{"Stacks":[', b"0]}", _MOST),
    "mappings": lambda: filled(b"{},", b'{"Stacks":[', b"{}]}", _MOST),
    "lists": lambda: filled(b"[],", b'{"Stacks":[', b"[]]}", _MOST),
    "pairs": lambda: filled(b'{"":0},', b'{"Stacks":[', b"{}]}", _MOST),
    "texts": lambda: filled(b'"ab",', b'{"Stacks":[', b'""]}', _MOST),
    "deep": lambda: filled(b"[", size=_MOST),
    "deep maps": lambda: filled(b'{"a":', size=_MOST),
    "astral": lambda: b'{"Stacks":["' + "\U0001f525".encode() + b"x" * (_MOST - 100) + b'"]}',
    "escapes": lambda: filled(b"\\u0041", b'{"Stacks":["', b'"]}', _MOST),
    "surrogates": lambda: filled(b"\\ud800", b'{"Stacks":[{"StackId":"s","Name":"', b'"}]}', 9000),
    "keys": lambda: b"{" + b",".join(b'"k%d":1' % n for n in range(100_000)) + b"}",
    "key twice": lambda: b'{"Stacks":[],"Stacks":[]}',
    "huge int": lambda: b'{"Stacks":[{"StackId":"s","Name":"a","X":' + b"9" * 100_000 + b"}]}",
    "not a number": lambda: b'{"Stacks":[{"StackId":"s","Name":"a","X":NaN}]}',
    "infinite": lambda: b'{"Stacks":[{"StackId":"s","Name":"a","X":-Infinity}]}',
    "beyond a double": lambda: b'{"Stacks":[{"StackId":"s","Name":"a","X":1e999}]}',
    "empty": lambda: b"",
    "only a mark": lambda: b"\xef\xbb\xbf",
    "not utf-8": lambda: b'{"Stacks":[{"StackId":"\xff"}]}',
    "nul": lambda: b'{"Stacks":[{"StackId":"s","Name":"a\\u0000b"}]}',
    "raw nul": lambda: b'{"Stacks":[{"StackId":"s","Name":"a\0b"}]}',
    "no json": lambda: b"kind: stack\n",
    "scalar": lambda: b"7",
    "too large": lambda: b" " * (33 * MIB),
    "many layers": lambda: crowd(2000, 0),
    "many instances": lambda: crowd(1, 2000),
    "too many": lambda: crowd(1, 40_000),
    "name of another world": lambda: crowd(1, 2, "../../$(id)\u202e<script>"),
}


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
