"""Sizes of functions and files."""

from __future__ import annotations

import ast
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path

PRODUCT = ("layers/kiln", "functions", "cli", "local")
OTHERS = ("tests", "tools", "bench")

MOST_FUNCTION_LINES = 40
MOST_FILE_LINES = 300
MOST_PARAMETERS = 5
MEDIAN_LINES = 8
LINES_OF_95_PERCENT = 25

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions_in(tree: ast.AST) -> list[Function]:
    """Every function and method of a file."""
    return [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]


def lines_of(function: Function) -> int:
    """Lines from `def` to the end of the body."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def parameters_of(function: Function) -> int:
    """What a caller passes: `self` and `cls` do not count."""
    arguments = function.args
    names = [a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    return len(names) - (names[:1] in (["self"], ["cls"]))


def problems_of(path: Path, text: str, functions: list[Function]) -> Iterator[str]:
    """What is too long or too wide in one file."""
    count = len(text.splitlines())
    if count > MOST_FILE_LINES:
        yield f"{path}: {count} lines, {MOST_FILE_LINES} at most"
    for function in functions:
        where = f"{path}:{function.lineno}: {function.name}"
        if lines_of(function) > MOST_FUNCTION_LINES:
            yield f"{where}: {lines_of(function)} lines, {MOST_FUNCTION_LINES} at most"
        if parameters_of(function) > MOST_PARAMETERS:
            yield f"{where}: {parameters_of(function)} parameters, {MOST_PARAMETERS} at most"


def spread_problems(lengths: list[int]) -> Iterator[str]:
    """Whether the product's functions are short as a whole."""
    if len(lengths) < 2:
        yield f"no function found in {', '.join(PRODUCT)}"
        return
    median, high = statistics.median(lengths), statistics.quantiles(lengths, n=20)[-1]
    print(f"sizes: {len(lengths)} product functions, median {median:g} lines, 95 % under {high:g}")
    if median > MEDIAN_LINES:
        yield f"the median function has {median:g} lines, {MEDIAN_LINES} at most"
    if high > LINES_OF_95_PERCENT:
        yield f"5 % of the functions are over {high:g} lines, {LINES_OF_95_PERCENT} at most"


def main() -> int:
    """Check every Python file of the repository and print what is wrong."""
    problems: list[str] = []
    lengths: list[int] = []
    for folder in (*PRODUCT, *OTHERS):
        for path in sorted(Path(folder).rglob("*.py")):
            text = path.read_text()
            functions = functions_in(ast.parse(text))
            problems += problems_of(path, text, functions)
            if folder in PRODUCT:
                lengths += map(lines_of, functions)
    problems += spread_problems(lengths)
    for problem in problems:
        print(problem, file=sys.stderr)
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
