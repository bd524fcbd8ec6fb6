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
