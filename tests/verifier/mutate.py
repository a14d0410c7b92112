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
import os
import re
import resource
import sys
import tempfile
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path

import coverage
from tests.vectors import make
from tests.verifier import runs

FILE = Path(__file__).resolve().parents[2] / "verifier" / "luciole_verify.py"
# Processor time and memory that one change may take with all vectors; more is noticed too.
MOST_SECONDS, MOST_BYTES = 30, 2 << 30
SURVIVED = 77
# Limits of size and patience: vectors stay small and do not wait, test_run.py tries these.
SIZES = re.compile("MOST_|ANSWER_SECONDS|[(]MOST_|[(]ANSWER_SECONDS")
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


def places(tree: ast.AST) -> Iterator[tuple[ast.AST, Callable[[ast.AST], None]]]:
    """Every node, and what puts another in its place."""
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            if isinstance(value, ast.AST):
                yield value, partial(setattr, parent, name)
            elif isinstance(value, list):
                for at, one in enumerate(value):
                    if isinstance(one, ast.AST):
                        yield one, partial(value.__setitem__, at)


def mutants(source: str) -> Iterator[tuple[range, str, types.CodeType]]:
    """The changed lines, what was changed (before, after), and the verifier with it."""
    tree = ast.parse(source)
    sizes = {
        id(node)
        for line in tree.body
        if isinstance(line, ast.Assign) and SIZES.match(ast.unparse(line))
        for node in ast.walk(line)
    }
    for node, put in list(places(tree)):
        for other in changes(node) if id(node) not in sizes else ():
            before, after = (ast.unparse(one).split("\n")[0][:90] for one in (node, other))
            first, last = node.lineno, node.end_lineno or node.lineno  # type: ignore[attr-defined]
            put(ast.copy_location(other, node))
            code = compile(ast.fix_missing_locations(tree), str(FILE), "exec")
            put(node)
            yield range(first, last + 1), f"{first}: {before}  ->  {after}", code


def loaded(code: types.CodeType) -> types.ModuleType:
    module = types.ModuleType("luciole_verify")
    exec(code, module.__dict__)  # noqa: S102 - our own file, changed
    return module


@dataclass
class Vector:
    """A case laid out whole, and which lines of the verifier it reaches."""

    name: str
    words: list[str]
    expected: tuple[str, list[str]]
    lines: set[int] = field(default_factory=set)

    def is_judged(self, module: types.ModuleType) -> bool:
        """Whether a verifier says what it should."""
        said = io.StringIO()
        try:
            with contextlib.redirect_stdout(said), contextlib.redirect_stderr(io.StringIO()):
                module.main(self.words)
            report = json.loads(said.getvalue())
        except (Exception, SystemExit):
            return False
        return (report["verdict"], runs.codes(report)) == self.expected


def laid(folder: Path) -> list[Vector]:
    """All vectors; those that reach fewer lines first."""
    source, vectors = FILE.read_text(encoding="utf-8"), []
    measure = coverage.Coverage(data_file=None, include=[str(FILE)], config_file=False)
    measure.start()
    module = loaded(compile(source, str(FILE), "exec"))
    for name in make.names():
        said, words = make.expected(name), runs.lay(name, folder / name)
        vectors.append(Vector(name, words, (said["verdict"], said["codes"])))
        measure.switch_context(name)
        assert vectors[-1].is_judged(module), name
    measure.stop()
    for line, names in measure.get_data().contexts_by_lineno(str(FILE)).items():
        for vector in vectors:
            if vector.name in names:
                vector.lines.add(line)
    return sorted(vectors, key=lambda vector: (vector.expected[0] == "GREEN", len(vector.lines)))


def notices(lines: range, code: types.CodeType, vectors: list[Vector]) -> str:
    """The first vector that is not judged as it should be; empty if all are. Those that reach the
    changed lines come first: the others cannot tell, except where something is said once."""
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            module = loaded(code)
    except (Exception, SystemExit) as error:
        return f"(does not load: {type(error).__name__})"
    near = [vector for vector in vectors if vector.lines.intersection(lines)]
    for vector in near or vectors:
        if not vector.is_judged(module):
            return vector.name
    return ""


def is_noticed(lines: range, code: types.CodeType, vectors: list[Vector]) -> bool:
    """Whether a vector notices; in a child, which may run for ever or eat all memory."""
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
        os._exit(0 if notices(lines, code, vectors) else SURVIVED)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != SURVIVED


def main(first: int = 0, step: int = 1) -> int:
    """Prints the score; 1 when something is not noticed. Runs each step-th change from `first`."""
    count, missed = 0, []
    with tempfile.TemporaryDirectory() as folder:
        vectors = laid(Path(folder))
        every = mutants(FILE.read_text(encoding="utf-8"))
        for lines, what, code in islice(every, first, None, step):
            count += 1
            if not is_noticed(lines, code, vectors):
                missed.append(what)
                print(f"not noticed, line {what}", flush=True)
    print(f"{count - len(missed)} of {count} changes are noticed by the vectors.")
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main(*map(int, sys.argv[1:])))
