"""The trusted core: what an auditor has to read whole, counted, and covered by its own tests.

`python -m tests.rules.core` runs the tests of the core under coverage and fails below 100 % of
lines and branches, naming those that no test reaches. `./luciole test all` does so.
"""

from __future__ import annotations

import ast
import io
import json
import os
import subprocess
import sys
import tempfile
import tokenize
from dataclasses import dataclass
from pathlib import Path

from tests import order
from tests.rules.source import ROOT

FOLDERS = ("src/luciole/keys", "src/luciole/custody", "src/luciole/ledger", "verifier")
# Of logical lines: a formatter that puts each argument on a line of its own makes nobody read more.
# Beyond 3,000: RSA and the keys of actors, without which no server of the Fediverse hears a cell.
# Beyond 3,050: the guardian's half of a key, its proofs and counts as the broker has them; the
# verifier's matching of two cells' logs; and what is withheld, and by whose order.
# Beyond 3,500: who may sign a log that was handed over, and sealing keys to the next operator.
MOST_LINES = 3660
IMPORTS = (ast.Import, ast.ImportFrom)
# Where their tests lie; those that exist are run.
TESTS = (
    "tests/unit/keys",
    "tests/unit/roots",
    "tests/unit/custody",
    "tests/unit/ledger",
    "tests/custody",
    "tests/trustee",
    "tests/ledger",
    "tests/verifier",
    "tests/vectors",
)
IDLE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
}
# Lines that are there for the type checker only.
NEVER_RUN = ("if TYPE_CHECKING:", r"^\s*\.\.\.$", r"\) -> .*: \.\.\.$")


@dataclass(frozen=True)
class Count:
    """Lines of a file: code, words about it (comments and docstrings), and logical lines: the
    statements, without imports, however the formatter breaks them."""

    code: int
    words: int
    logical: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(self.code + other.code, self.words + other.words, self.logical + other.logical)

    @property
    def share_of_words(self) -> float:
        return self.words / max(1, self.code + self.words)


def count(text: str) -> Count:
    """Lines of Python; a line with code and a comment is code."""
    busy, said = set[int](), set[int]()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        lines = range(token.start[0], token.end[0] + 1)
        if token.type == tokenize.COMMENT:
            said.update(lines)
        elif token.type not in IDLE:
            busy.update(lines)
    logical = 0
    for node in ast.walk(ast.parse(text)):
        is_words = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if isinstance(node, ast.stmt) and not is_words and not isinstance(node, IMPORTS):
            logical += 1
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                lines = range(first.lineno, (first.end_lineno or first.lineno) + 1)
                busy.difference_update(lines)
                said.update(lines)
    blank = {number for number, line in enumerate(text.splitlines(), 1) if not line.strip()}
    return Count(len(busy - blank), len(said - busy - blank), logical)


def files() -> list[Path]:
    """The Python files of the core, by path."""
    return sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))


def uncovered() -> dict[str, str]:
    """File: which of its lines and branches the core's tests do not reach. Raises SystemExit when
    the tests themselves fail."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        settings = place / "coverage.ini"
        sources = ",".join(str(ROOT / name) for name in FOLDERS if (ROOT / name).exists())
        settings.write_text(
            f"[run]\nbranch = true\nparallel = true\nsource = {sources}\n"
            f"data_file = {place / 'data'}\npatch = subprocess\n"
            f"[report]\nexclude_also =\n{''.join(f'  {one}{chr(10)}' for one in NEVER_RUN)}"
        )
        tool = [sys.executable, "-m", "coverage"]
        told = f"--rcfile={settings}"
        tests = [name for name in TESTS if (ROOT / name).exists()]
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
        runs = [*tool, "run", told, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        runs += [*order.options(), *tests]
        done = subprocess.run(runs, cwd=ROOT, env=environment, check=False)
        if done.returncode:
            raise SystemExit("The core's own tests fail; coverage says nothing then.")
        subprocess.run([*tool, "combine", "-q", told], cwd=ROOT, env=environment, check=True)
        report = place / "report.json"
        subprocess.run(
            [*tool, "json", "-q", told, "-o", str(report)], cwd=ROOT, env=environment, check=True
        )
        found = json.loads(report.read_text())["files"]
    missing = {}
    for name, said in sorted(found.items()):
        parts = _runs_of(said["missing_lines"])
        parts += [f"{start}→{max(end, 0) or 'end'}" for start, end in said["missing_branches"]]
        if parts:
            missing[name] = ", ".join(parts)
    never = [str(path.relative_to(ROOT)) for path in files()]
    missing |= {name: "not imported by any test" for name in never if name not in found}
    return missing


def _runs_of(lines: list[int]) -> list[str]:
    """`[3, 4, 5, 9]` as `3-5`, `9`."""
    runs: list[list[int]] = []
    for line in lines:
        if runs and line == runs[-1][1] + 1:
            runs[-1][1] = line
        else:
            runs.append([line, line])
    return [f"{first}" if first == last else f"{first}-{last}" for first, last in runs]


def main() -> int:
    """Prints what is not covered; 1 when there is something."""
    missing = uncovered()
    for name, lines in missing.items():
        print(f"{name}: no test of the core reaches {lines}")
    if missing:
        print("Each line of the core needs a test beside it, or is not needed.")
        return 1
    print(f"All lines and branches of {len(files())} files are reached.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
