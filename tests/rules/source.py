"""The source as the rules see it: its files, its syntax trees, and what can be read off them."""

from __future__ import annotations

import ast
import functools
import importlib
import pkgutil
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import luciole
from luciole.kit import errors, web

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "luciole"
# Bottom first, as the migrations make them.
SLICES = (
    "people", "notify", "media", "graph", "clips", "messages", "feed", "search", "abroad",
    "contacts", "rights", "safety", "console",
    # Low among the slices, and yet its views come last: they say what of others is withheld.
    "notices",
)  # fmt: skip
# Folders below the cell with a schema, a role and a store of their own.
BELOW = ("custody", "ledger", "border")
OWNERS = (*SLICES, *BELOW)
NOT_OURS = {
    "node_modules",
    "dist",
    "build",
    "var",
    "web_dist",
    "__pycache__",
    "test-results",
}


@functools.cache
def files() -> tuple[str, ...]:
    """Paths of all files of the project below its root: tracked, or new and not ignored."""
    # A copy without git, such as an unpacked archive, is walked.
    found = _listed() if shutil.which("git") else None
    return tuple(
        sorted(name for name in (found or _walked(ROOT)) if name and (ROOT / name).is_file())
    )


def _listed() -> list[str] | None:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return listed.stdout.split("\0") if listed.returncode == 0 else None


def _walked(folder: Path) -> Iterator[str]:
    for entry in folder.iterdir():
        if entry.name in NOT_OURS or (entry.name.startswith(".") and entry.name != ".ci"):
            continue
        if entry.is_dir():
            yield from _walked(entry)
        else:
            yield entry.relative_to(ROOT).as_posix()


@dataclass(frozen=True)
class Module:
    """One Python file: its dotted name, its path below the root, and its tree."""

    name: str
    path: str
    tree: ast.Module

    @property
    def is_store(self) -> bool:
        """Whether its SQL belongs here: `cell.SLICE.store` or a module in that package, the same
        of a part of a slice (`cell.SLICE.PART.store`), or the store of a folder below the cell."""
        parts = self.name.split(".")
        if parts[1:2] == ["cell"]:
            return "store" in parts[3:5]
        return parts[1:2] and parts[1] in BELOW and parts[2:3] == ["store"]

    @property
    def slice_name(self) -> str:
        parts = self.name.split(".")
        return parts[2] if parts[1] == "cell" else parts[1]

    def at(self, node: ast.AST) -> str:
        """file:line of a node."""
        return f"{self.path}:{getattr(node, 'lineno', 1)}"


@functools.cache
def modules() -> tuple[Module, ...]:
    """All modules of the package."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
        found.append(Module(name, path.relative_to(ROOT).as_posix(), tree))
    return tuple(found)


def stores() -> tuple[Module, ...]:
    return tuple(module for module in modules() if module.is_store)


def docstrings(tree: ast.Module) -> set[int]:
    """Ids of the nodes that are docstrings."""
    return {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }


def text_of(node: ast.expr | None) -> str | None:
    """The text of a string literal; what is filled in is written as `…`."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(
            part.value if isinstance(part, ast.Constant) and isinstance(part.value, str) else "…"
            for part in node.values
        )
    return None


# Queries


@dataclass(frozen=True)
class Query:
    """A constant of a store: the module, its name, the SQL."""

    module: Module
    name: str
    sql: str
    line: int

    @property
    def label(self) -> str:
        return f"{self.module.path}:{self.line} {self.name}"


@functools.cache
def queries() -> tuple[Query, ...]:
    """Every UPPER_CASE text of the stores. What is not SQL has no place in a store."""
    found = []
    for module in stores():
        for node in module.tree.body:
            if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
                continue
            name = node.targets[0].id
            if name.isupper() and not name.startswith("_"):
                sql = text_of(node.value)
                assert isinstance(node.value, ast.Constant), (
                    f"{module.at(node)}: {name} should be one plain literal, so that it can be "
                    "read, searched and checked as it is sent."
                )
                found.append(Query(module, name, sql or "", node.lineno))
    return tuple(found)


# Refusals


@dataclass(frozen=True)
class Refusal:
    """A stable code with its words; `status` is None where it is never an HTTP answer."""

    code: str
    status: int | None
    sentence: str
    next_step: str
    module: str


# Whoever starts a cell reads these on the console; they never reach a browser.
CONSOLE = (
    "luciole.abroad",
    "luciole.actors.cluster",
    "luciole.audit",
    "luciole.cell.safety.list_refusals",
    "luciole.copies",
    "luciole.feed_console",
    "luciole.fit",
    "luciole.demo",
    "luciole.keys",
    "luciole.me.",
    "luciole.kit.migrate",
    "luciole.jobs_console",
    "luciole.kit.postgres",
    "luciole.kit.upkeep",
    "luciole.listing",
    "luciole.reach",
    "luciole.roots",
    "luciole.sale",
    "luciole.serve",
    "luciole.witness",
    "luciole.witness_process",
    "luciole.network",
    "luciole.staffing",
    "luciole.withholding",
)
# A worker's own reasons to begin again; nobody is told.
INTERNAL_CODES = {"not-stored"}


@functools.cache
def refusals() -> tuple[Refusal, ...]:
    """Every refusal that the code can raise, by code."""
    found: dict[str, Refusal] = {}
    for kind in _all_problems():
        if kind is errors.Problem:
            continue  # the root of the tree, raised by nobody
        words = (kind.sentence, kind.next_step)
        found.setdefault(
            kind.code, Refusal(kind.code, web.status_of(kind()), *words, kind.__module__)
        )
    # Some are worded where they are raised.
    worded: dict[str, list[Refusal]] = {}
    for refusal in _worded_in_calls():
        worded.setdefault(refusal.code, []).append(refusal)
    for code, cases in worded.items():
        first = cases[0]
        sentence, next_step = (
            " Or: ".join(dict.fromkeys(words))
            for words in zip(*((case.sentence, case.next_step) for case in cases), strict=True)
        )
        found[code] = Refusal(code, first.status, sentence, next_step, first.module)
    return tuple(found[code] for code in sorted(found))


def _all_problems() -> list[type[errors.Problem]]:
    for info in pkgutil.walk_packages(luciole.__path__, "luciole."):
        if not info.name.endswith(("__main__", "launcher", "_child")):
            importlib.import_module(info.name)

    def below(kind: type[errors.Problem]) -> Iterator[type[errors.Problem]]:
        yield kind
        for lower in kind.__subclasses__():
            yield from below(lower)

    # Tests define refusals of their own.
    kinds = {kind for kind in below(errors.Problem) if kind.__module__.startswith("luciole.")}
    return sorted(kinds, key=lambda kind: (kind.__module__, kind.__qualname__))


def _worded_in_calls() -> Iterator[Refusal]:
    kinds = {kind.__name__: kind for kind in _all_problems()}
    for module in modules():
        for node in ast.walk(module.tree):
            if not isinstance(node, ast.Call):
                continue
            kind = kinds.get(ast.unparse(node.func).rsplit(".", 1)[-1])
            if kind is None:
                continue
            given = {word.arg: text_of(word.value) for word in node.keywords}
            # A class without a sentence of its own leaves it to those who raise it.
            code = given.get("code") or ("" if "sentence" in vars(kind) else kind.code)
            if code and node.args:
                yield Refusal(
                    code,
                    500 if code == "internal" else web.status_of(kind()),
                    text_of(node.args[0]) or "…",
                    given.get("next_step") or kind.next_step,
                    module.name,
                )


def is_for_console(refusal: Refusal) -> bool:
    return refusal.module.startswith(CONSOLE)


# Logs, metrics, jobs


@dataclass(frozen=True)
class LogLine:
    """A place that logs: the sentence, its level, the fields that it adds."""

    event: str
    level: str
    fields: tuple[str, ...]
    at: str


@functools.cache
def log_lines() -> tuple[LogLine, ...]:
    """All calls of the logger outside `kit.logs`."""
    found = []
    for module in modules():
        for node in ast.walk(module.tree):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in ("debug", "info", "warning", "error", "critical", "exception")
                and ast.unparse(node.func.value) in ("log", "logs.log")
            ):
                event = text_of(node.args[0]) if node.args else None
                assert isinstance(node.args[0], ast.Constant), (
                    f"{module.at(node)}: the first word of a log line is a constant sentence; "
                    "what varies goes into a field of kit.logs.FIELDS."
                )
                fields = tuple(word.arg or "**" for word in node.keywords)
                found.append(LogLine(event or "", node.func.attr, fields, module.at(node)))
    return tuple(found)


@dataclass(frozen=True)
class Metric:
    """A metric that the cell declares."""

    name: str
    kind: str
    sentence: str
    labels: tuple[str, ...]


@functools.cache
def metrics() -> tuple[Metric, ...]:
    """All counters, gauges and histograms of our own, by name."""
    found = []
    for module in modules():
        for node in ast.walk(module.tree):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            if node.func.id in ("Counter", "Gauge", "Histogram") and len(node.args) > 1:
                labels = ast.literal_eval(node.args[2]) if len(node.args) > 2 else ()
                name, sentence = text_of(node.args[0]), text_of(node.args[1])
                if name and sentence:
                    found.append(Metric(name, node.func.id.lower(), sentence, tuple(labels)))
    return tuple(sorted(found, key=lambda metric: metric.name))


@dataclass(frozen=True)
class Job:
    """A background job: its name, when it runs (empty: when put), what it does."""

    name: str
    schedule: str
    sentence: str
    at: str


@functools.cache
def jobs() -> tuple[Job, ...]:
    """All jobs that slices register, by name."""
    found = []
    for module in modules():
        for node in ast.walk(module.tree):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            for mark in node.decorator_list:
                if isinstance(mark, ast.Call) and ast.unparse(mark.func).endswith(
                    ("queue.job", "queue.every")
                ):
                    words = [text_of(argument) or "" for argument in mark.args]
                    sentence = " ".join((ast.get_docstring(node) or "").split())
                    schedule = words[1] if len(words) > 1 else ""
                    found.append(Job(words[0], schedule, sentence, module.at(node)))
    return tuple(sorted(found, key=lambda job: job.name))
