"""`bench/results.md`, written from what was measured: a table a part, and its goals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

Part = Any
Lines = Iterator[str]


def page(results: dict[str, Any]) -> str:
    """The page of the parts that there are."""
    lines = [
        "# What Kiln costs, measured",
        "",
        "Written by `make bench` from `results.json`. Nothing here is estimated; what was not "
        "measured is not here.",
    ]
    for name, (title, section) in _SECTIONS.items():
        if name in results:
            told = results.get("measured", {}).get(name, {})
            lines += ["", f"## {title}", "", *section(results[name]), "", *_circumstances(told)]
    return "\n".join(lines) + "\n"


def table(heads: Iterable[str], rows: Iterable[Iterable[object]]) -> Lines:
    """A table in Markdown."""
    names = list(heads)
    yield f"| {' | '.join(names)} |"
    yield f"|{'---|' * len(names)}"
    for row in rows:
        yield f"| {' | '.join(str(cell) for cell in row)} |"


def _circumstances(told: dict[str, Any]) -> Lines:
    if not told:
        return
    versions = ", ".join(f"{name} {number}" for name, number in told["versions"].items())
    yield (
        f"`{told['command']}`, {told['date']}, commit {told['commit']}, {told['machine']}, "
        f"load {told['load']} at the end; {versions}."
    )


def goal(reached: bool, text: str, instead: str = "") -> str:
    """Whether a goal is reached, and if not what stands in the way."""
    return f"Goal {'reached' if reached else 'not reached'}: {text}.{'' if reached else instead}"


def _overhead(part: Part) -> Lines:
    yield from table(
        ("case", "functions", "runs", "makespan, s", "AWS, s", "over, s", "ratio"),
        (
            (
                *(name, row["functions"], row["runs"], row["makespan_s"], row["aws_s"]),
                *(row["over_s"], row["ratio"]),
            )
            for name, row in part.items()
        ),
    )
    yield ""
    reached = all(row["ratio"] <= 1.02 and row["over_s"] <= 8 for row in part.values())
    most = max(part.values(), key=lambda row: float(row["over_s"]))
    yield goal(
        reached,
        "at most 1.02 times AWS's time and at most 8 s more",
        " Of what is over most passed in these states: "
        + ", ".join(f"{name} {seconds} s" for name, seconds in most["over_by_state"].items())
        + "."
        + _cold_told(most),
    )


def _cold_told(row: dict[str, Any]) -> str:
    if not row.get("cold_starts"):
        return ""
    return f" {row['cold_starts']} invocations began cold, together {row['cold_starts_s']} s."


def _peer(part: Part) -> Lines:
    rows = (
        ("wall time, s", "wall_s"),
        ("image available after, s", "image_available_s"),
        ("calls", "calls"),
        ("of them to EC2", "calls_of_ec2"),
        ("from the user's machine", "calls_from_the_users_machine"),
        ("peak memory on the user's machine, MB", "peak_mb"),
        ("runs", "runs"),
    )
    told = [(text, *(part[who][key] for who in ("packer", "kiln"))) for text, key in rows]
    remains = [_counts(part[who]["left_after_kill"]) for who in ("packer", "kiln")]
    yield from table(("", "packer 1.6.6", "Kiln"), [*told, ("left after SIGKILL", *remains)])
    yield ""
    packer, kiln = part["packer"], part["kiln"]
    yield goal(
        kiln["wall_s"] < packer["wall_s"],
        "Kiln is faster",
        " A bake waits for the agent, cleans the builder and boots a clone of the image, which "
        "packer with `communicator: none` does not.",
    )
    yield ""
    yield goal(
        kiln["calls"] < packer["calls"],
        "Kiln makes fewer calls",
        " Its waits are kept in a table, and functions and messages are calls too.",
    )


def _counts(found: dict[str, int]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in found.items()) or "nothing"


def _cold_start(part: Part) -> Lines:
    floor = part["floor_ms"]
    yield f"An empty handler that makes one boto3 client of EC2: {floor} ms."
    yield ""
    yield from table(
        ("function", "ms", "of the floor", "peak, MB"),
        (
            (name, ms, f"{ms / floor:.2f}", part["peak_mb"][name])
            for name, ms in part["functions"].items()
        ),
    )
    yield ""
    over = [name for name, ms in part["functions"].items() if ms >= 0.7 * floor]
    yield goal(
        not over,
        "each under 0.7 of the floor",
        f" Over it are {len(over)}. The interpreter, the runtime and botocore are in both. What "
        "the floor has on top is boto3 and EC2's whole model; Kiln leaves these out and has "
        "pydantic, its own modules and the first call itself.",
    )
    if refused := part.get("answered_with"):
        yield ""
        yield (
            f"{len(refused)} of the first calls ended in an error of Kiln's own, since what their "
            "events name was never made: they look into the table and go no further."
        )


def _memory(part: Part) -> Lines:
    yield (
        "A Linux bake with all functions at one size, each with the share of a processor that its "
        "memory buys; first calls with a whole one."
    )
    yield ""
    yield from table(
        (
            *("memory, MB", "over AWS's time, s", "warm call, ms, median"),
            *("function time, s", "USD", "of it what waits and watches"),
        ),
        (
            (
                *(size, row["over_s"], row["warm_ms"], row["function_s"]),
                *(f"{row['usd']:.6f}", f"{row['usd_of_watchers']:.6f}"),
            )
            for size, row in part.items()
        ),
    )


def _cost(part: Part) -> Lines:
    rows = part["units"]
    yield from table(
        ("unit", "USD each", "a bake", "USD", "a rollout", "USD"),
        (
            (
                *(name, row["usd"], row["bake"], f"{row['bake'] * row['usd']:.6f}"),
                *(row["rollout"], f"{row['rollout'] * row['usd']:.6f}"),
            )
            for name, row in rows.items()
        ),
    )
    yield ""
    yield f"Together {part['bake']:.5f} USD a bake, {part['rollout']:.5f} USD a rollout."
    yield ""
    yield goal(max(part["bake"], part["rollout"]) < 0.005, "under half a cent each")


def _scale(part: Part) -> Lines:
    names = ("bakes", "makespan_s", "bound_s", "ratio", "calls_per_bake", "failures")
    yield from table(names, ([row[name] for name in names] for row in part))
    yield ""
    reached = all(row["ratio"] <= 1.15 and not row["failures"] for row in part)
    yield goal(
        reached,
        "no failure, and within 1.15 of the bound",
        " Where builders and clones are launched at the same time they ask for nearly all that "
        "RunInstances is granted, in clumps: some are refused and sent again.",
    )
    most = max(row["bakes"] for row in part)
    if most < 1000:
        yield f"\nNo more than {most} were measured here."


def _rollouts(part: Part) -> Lines:
    names = (
        *("instances", "batches", "makespan_s", "calls_per_instance", "configure_rounds"),
        "failures",
    )
    yield from table(names, ([row[name] for name in names] for row in part))
    yield ""
    rounds = {row["configure_rounds"] for row in part}
    well = len(rounds) == 1 and not any(row["failures"] for row in part)
    yield goal(
        well,
        "no failure, and as many rounds of Configure whatever the number",
        " They go by the batch, not by the instance: as instances come online there is one at once "
        "for the first and one for all others, as others leave the same, at times one more.",
    )
    most = max(row["instances"] for row in part)
    if most < 1000:
        yield f"\nNo more than {most} were measured here."


def _local(part: Part) -> Lines:
    names = {
        "bake_s": "make bake",
        "test_s": "make test",
        "help_s": "kiln --help",
        "import_s": "of that, imports",
    }
    yield from table(
        ("what", "s, median", "least and greatest"),
        (
            (text, part[name], part.get(f"{name}_spread", ""))
            for name, text in names.items()
            if name in part
        ),
    )
    yield ""
    yield goal(part["help_s"] < 0.25, "`kiln --help` under 0.25 s")


_SECTIONS: dict[str, tuple[str, Callable[[Part], Lines]]] = {
    "overhead": ("Overhead", _overhead),
    "peer": ("Beside packer", _peer),
    "cold_start": ("Cold starts", _cold_start),
    "memory": ("Memory of functions", _memory),
    "cost_usd": ("Cost", _cost),
    "scale": ("Scale", _scale),
    "rollouts": ("Rollouts to many", _rollouts),
    "local": ("On a laptop", _local),
}
