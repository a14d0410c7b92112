"""Breaks the verifier in every small way, one at a time, and shows which vector notices.

`python -m tests.verifier.mutate` prints the score and each change that no vector notices: a check
is taken out, a comparison, condition or number is another, `and` and `or` change places.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import io
import json
import signal
import sys
import tempfile
import types
from collections.abc import Iterator
from pathlib import Path

from tests.vectors import make
from tests.verifier import runs

FILE = Path(__file__).resolve().parents[2] / "verifier" / "luciole_verify.py"
# Seconds that all vectors together may take; a change that runs for ever is noticed too.
MOST_SECONDS = 120
COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {ast.Add: ast.Sub, ast.Sub: ast.Add}


def changes(node: ast.AST) -> Iterator[ast.AST]:
    """Every small change of one node."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        name = node.value.func
        if isinstance(name, ast.Name) and name.id in ("require", "demand"):
            yield ast.Pass()
    if isinstance(node, ast.Compare):
        for place, operator in enumerate(node.ops):
            changed = copy.deepcopy(node)
            changed.ops[place] = COMPARISONS[type(operator)]()
            yield changed
    if isinstance(node, ast.BoolOp):
        other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield ast.BoolOp(other, node.values)
        for place in range(len(node.values)):
            rest = node.values[:place] + node.values[place + 1 :]
            yield rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node.operand
    if isinstance(node, ast.If | ast.IfExp | ast.While) and not isinstance(node, ast.While):
        for value in (True, False):
            changed = copy.copy(node)
            changed.test = ast.Constant(value)
            yield changed
    if isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
        yield ast.BinOp(node.left, ARITHMETIC[type(node.op)](), node.right)
    if isinstance(node, ast.Constant):
        if isinstance(node.value, bool):
            yield ast.Constant(not node.value)
        elif isinstance(node.value, int):
            yield ast.Constant(node.value + 1)
        elif isinstance(node.value, bytes) and node.value:
            yield ast.Constant(node.value[:-1])


class Replace(ast.NodeTransformer):
    """Puts another node in the place of one."""

    def __init__(self, place: int, other: ast.AST) -> None:
        self.place, self.other, self.at = place, other, -1

    def visit(self, node: ast.AST) -> ast.AST:
        self.at += 1
        if self.at == self.place:
            return ast.copy_location(self.other, node)
        return self.generic_visit(node)


def numbered(tree: ast.AST) -> list[ast.AST]:
    """The nodes in the order in which `Replace` counts them."""
    found: list[ast.AST] = []

    class Count(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            found.append(node)
            return self.generic_visit(node)

    Count().visit(tree)
    return found


def mutants(source: str) -> Iterator[tuple[str, str]]:
    """What was changed (line, before, after), and the source with it."""
    tree = ast.parse(source)
    for place, node in enumerate(numbered(tree)):
        for other in changes(node):
            whole = Replace(place, other).visit(copy.deepcopy(tree))
            line = getattr(node, "lineno", 0)
            before, after = (ast.unparse(one).split("\n")[0][:90] for one in (node, other))
            yield f"{line}: {before}  ->  {after}", ast.unparse(ast.fix_missing_locations(whole))


def loaded(source: str) -> types.ModuleType:
    module = types.ModuleType("luciole_verify")
    exec(compile(source, str(FILE), "exec"), module.__dict__)  # noqa: S102 - our own file, changed
    return module


def laid(folder: Path) -> dict[str, list[str]]:
    """All vectors, laid out whole, with their arguments."""
    return {name: runs.lay(name, folder / name) for name in make.names()}


def notices(source: str, vectors: dict[str, list[str]]) -> str:
    """The first vector that is not judged as it should be; empty if all are."""
    try:
        module = loaded(source)
    except Exception as error:
        return f"(does not load: {type(error).__name__})"
    for name, words in vectors.items():
        said, expected = io.StringIO(), make.expected(name)
        try:
            with contextlib.redirect_stdout(said), contextlib.redirect_stderr(io.StringIO()):
                module.main(words)
            report = json.loads(said.getvalue())
            found = (report["verdict"], runs.codes(report))
        except (Exception, SystemExit):
            return name
        if found != (expected["verdict"], expected["codes"]):
            return name
    return ""


def main(first: int = 0, step: int = 1) -> int:
    """Prints the score; 1 when something is not noticed. Runs each step-th change from `first`."""

    def stop(*_: object) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, stop)
    count, missed = 0, []
    with tempfile.TemporaryDirectory() as folder:
        vectors = laid(Path(folder))
        assert notices(FILE.read_text(encoding="utf-8"), vectors) == ""
        for what, source in list(mutants(FILE.read_text(encoding="utf-8")))[first::step]:
            count += 1
            signal.alarm(MOST_SECONDS)
            try:
                seen = notices(source, vectors)
            except TimeoutError:
                seen = "(does not end)"
            signal.alarm(0)
            if not seen:
                missed.append(what)
                print(f"not noticed, line {what}", flush=True)
    print(f"{count - len(missed)} of {count} changes are noticed by the vectors.")
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main(*map(int, sys.argv[1:])))
