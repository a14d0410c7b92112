"""Writes docs/reference from the code and a real database: `make reference`.

Each page is a function that returns its text; `tests/rules/test_reference.py` compares them with
the files. Nothing in a page may depend on the machine, the time or the version of Python.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any, get_type_hints

import msgspec
from tests.rules import data_page, database, export_page, source
from tests.rules.markdown import NOTE, table
from tests.rules.source import PACKAGE, ROOT, Refusal

from luciole import catalogue, cli, config
from luciole.app import application
from luciole.ask.client import Custody
from luciole.audit import rights
from luciole.border import wire
from luciole.kit import logs, migrate, postgres
from luciole.kit.db import Database
from luciole.kit.described import describe
from luciole.kit.postgres_logins import Logins
from luciole.parts import Parts

FOLDER = ROOT / "docs" / "reference"


def pages(owner_url: str) -> dict[str, str]:
    """File name: text. `owner_url` is a database with all tables."""
    described = asyncio.run(database.describe(owner_url))
    allowed = asyncio.run(_rights(owner_url))
    return {
        "schema.sql": database.as_sql(described),
        "openapi.json": openapi(),
        "settings.md": settings(),
        "cli.md": commands(),
        "errors.md": refusals(),
        "data.md": data_page.data(described),
        "export-format.md": export_page.export_format(),
        "rights.md": rights.page(allowed, catalogue.ALL, f"{NOTE}\n"),
        "logs-and-metrics.md": observed(),
        "border.md": crossings(),
    }


def main() -> int:
    """Writes what has changed, and says which."""
    with tempfile.TemporaryDirectory() as folder:
        # The tables live for a second.
        fast = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
        logins = Logins(has_replication=True)
        with postgres.embedded(Path(folder) / "postgres", logins, settings=fast) as server:
            logs.setup("reference", level="error")
            asyncio.run(migrate.apply(server.url()))
            made = pages(server.url())
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in made.items():
        path = FOLDER / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"written: {path.relative_to(ROOT)}")
    return 0


async def _rights(owner_url: str) -> rights.Rights:
    db = await Database.open(owner_url, size=1)
    try:
        async with db.read() as tx:
            return await rights.read(tx)
    finally:
        await db.close()


# border.md


def crossings() -> str:
    """What may leave a cell: every declared shape, field by field."""
    parts = [
        "# What may leave a cell\n\n",
        f"{NOTE}\n\n",
        "Everything that leaves a cell through its gateway is of one of these shapes "
        "(`luciole.border.wire`); the gateway takes nothing else, and sends to origins on a list "
        "only (`LUCIOLE_BORDER_PUSH_SERVICES`). Witnesses read the public logs, which anybody "
        "may.\n",
    ]
    reasons = [
        (f"`{name}`", says, f"`{wire.LAWS[name]}`", kinds_of(name))
        for name, says in wire.REASONS.items()
    ]
    kinds = [
        (f"`{name}`", f"`{kind.reason}`", "at once" if kind.is_immediate else "offered", kind.says)
        for name, kind in wire.KINDS.items()
    ]
    parts += [
        f"\n## Six reasons\n\n{table(('reason', 'what it means', 'in law', 'kinds'), reasons)}",
        f"\n## All kinds\n\n{table(('kind', 'reason', 'how', 'what it says'), kinds)}",
        "\nWhat is offered to another cell is an entry of both logs each time; what is asked at "
        "once is told by both an hour later, by digests. The shapes of what is offered:\n",
    ]
    for shape in wire.CROSSINGS:
        says = " ".join((shape.__doc__ or "").split())
        rows = [
            (f"`{name}`", getattr(kind, "__name__", str(kind)))
            for name, kind in get_type_hints(shape).items()
            if not name.startswith("__")
        ]
        tag = shape.__struct_config__.tag
        parts.append(f"\n## `{tag}`\n\n{says}\n\n{table(('field', 'type'), rows)}")
    default = config.Settings().border.push_services.split()
    parts.append(
        "\nSent as an HTTP POST to `endpoint` with the headers `Authorization`, `TTL`, `Topic` and "
        "`Urgency`, without a body.\n\n## To whom\n\nWhere the operator names no others:\n\n"
        + "".join(f"- `{origin}`\n" for origin in default)
    )
    return "".join(parts)


def kinds_of(reason: wire.Reason) -> str:
    """The kinds that cross for a reason, or why there are none."""
    named = [f"`{name}`" for name, kind in wire.KINDS.items() if kind.reason == reason]
    return ", ".join(named) or f"none. {wire.NO_KIND[reason]}"


# openapi.json


def openapi() -> str:
    """The API as the cell itself describes it at /api/openapi.json."""

    async def described() -> dict[str, Any]:
        with tempfile.TemporaryDirectory() as folder:
            made = config.Settings(data_dir=folder)
            # Nothing connects: the description needs the routes only.
            custody = Custody.at(made.custody_dir / "api.sock")
            no_keys = defaultdict[str, bytes](lambda: bytes(32))
            nowhere = Database("postgresql://nowhere")
            parts = Parts.over(made, nowhere, custody=custody, derived=no_keys)
            return describe(application(parts))

    return json.dumps(asyncio.run(described()), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


# settings.md

_SENTENCE = re.compile(r"^ +#: (?P<says>.+)\n +(?P<name>\w+): (?P<kind>\w+) = ", re.M)
UNSAID = "NOT SAID: write `#: A sentence.` above the field."
_KINDS = {"str": "text", "int": "number", "bool": "true or false"}


def settings() -> str:
    """Each setting with its default and its sentence."""
    parts = sorted((PACKAGE / "config").glob("*.py"))
    text = "\n".join(each.read_text(encoding="utf-8") for each in parts)
    sentences = {
        (section["name"], field["name"]): field["says"]
        for section in re.finditer(
            r"^class (?P<name>\w+)\(.*?(?=^class |^def |\Z)", text, re.M | re.S
        )
        for field in _SENTENCE.finditer(section[0])
    }
    made = config.Settings()
    general, sections = [], []
    for name, kind in get_type_hints(config.Settings).items():
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            values = getattr(made, name)
            rows = [
                _setting(
                    f"{name}_{field}",
                    kind_,
                    getattr(values, field),
                    sentences.get((kind.__name__, field), UNSAID),
                )
                for field, kind_ in get_type_hints(kind).items()
            ]
            title = (kind.__doc__ or "").strip()
            sections.append(f"\n## {name}\n\n{title}\n\n{table(_SETTING_HEAD, rows)}")
        else:
            general.append(
                _setting(name, kind, getattr(made, name), sentences.get(("Settings", name), UNSAID))
            )
    return (
        f"# Settings\n\n{NOTE}\n"
        "A cell is set by environment variables, read once when a process starts. All have a "
        "default, so that none is needed to begin. A value of the wrong form, or an unknown name "
        "within a section, stops the start with a sentence that names it.\n\n"
        "`DATABASE_URL`, `DATABASE_URL_API` and `DATABASE_URL_WORKER` are read as well, where the "
        "longer name is not set.\n\n"
        f"## In general\n\n{table(_SETTING_HEAD, general)}" + "".join(sections)
    )


_SETTING_HEAD = ("name", "form", "default", "what it does")


def _setting(name: str, kind: Any, default: Any, sentence: str) -> tuple[str, ...]:
    shown = str(default).lower() if isinstance(default, bool) else str(default)
    return (
        f"`{config.PREFIX}{name.upper()}`",
        _KINDS[kind.__name__],
        f"`{shown}`" if shown else "empty",
        sentence,
    )


# cli.md


def commands() -> str:
    """Each command with its options. Our own layout: argparse's own changes between versions."""
    top = cli.parser()
    parts = [
        f"# Command line\n\n{NOTE}\n"
        f"{top.description} From a source checkout the command is `./luciole`, a short script "
        "that installs what is missing into `.venv` first; the installed package has it as "
        "`luciole`.\n\n"
        "Exit status: 0 when it worked, 1 when something went wrong (standard error says what, and "
        "what to do), 2 for a call that cannot be understood, 130 after Ctrl-C.\n\n"
        "Everything else is a setting: see [settings](settings.md).\n"
    ]
    for action in top._actions:
        if isinstance(action, argparse._SubParsersAction):
            # Commands without a line in the help are started by others, never by hand.
            parts.extend(
                _command(choice.dest, action.choices[choice.dest])
                for choice in action._choices_actions
            )
    parts.append(
        "\n## luciole test\n\n"
        "From a source checkout only. Runs all quick checks; `./luciole test all` adds the long "
        "drills. Further words go to pytest, such as `./luciole test tests/unit -k cursor`.\n"
    )
    return "".join(parts)


def _command(name: str, parser: argparse.ArgumentParser) -> str:
    rows, call = [], f"luciole {name}"
    for action in parser._actions:
        if action.dest != "help":
            word = action.option_strings[0] if action.option_strings else action.dest
            takes = "" if action.nargs == 0 else f" {action.dest.upper()}"
            call += f" [{word}{takes}]"
            rows.append((f"`{word}{takes}`", str(action.help)))
    text = f"\n## luciole {name}\n\n{parser.description}.\n"
    return text + (f"\n    {call}\n\n{table(('option', 'what it does'), rows)}" if rows else "")


# errors.md


def refusals() -> str:
    """Every refusal with its code, its status, its sentence and the next step."""
    from luciole.cell.media.model import REFUSALS
    from luciole.cell.rights.model import REFUSALS as REFUSED_IMPORTS

    known = source.refusals()
    api = [
        refusal
        for refusal in known
        if not source.is_for_console(refusal) and refusal.code not in source.INTERNAL_CODES
    ]
    clips = [
        Refusal(refusal.code, None, refusal.sentence, refusal.next_step, "")
        for refusal in REFUSALS.values()
    ]
    brought = [
        Refusal(refusal.code, None, refusal.sentence, refusal.next_step, "")
        for refusal in REFUSED_IMPORTS.values()
    ]
    console = [refusal for refusal in known if source.is_for_console(refusal)]
    words = ("code", "sentence", "next step")
    answers = map(_refusal, sorted(api, key=lambda one: (one.status or 0, one.code)))
    return (
        f"# Refusals\n\n{NOTE}\n"
        "Every refusal has a code that stays the same, a sentence for a person, and the next step. "
        "A client shows its own words for a code it knows, else the sentence and the step. "
        "`…` stands for what the case fills in; never for personal data.\n\n"
        "## Answers of the API\n\n"
        'The body is `{"code": …, "sentence": …, "next_step": …}`. Answers with 429 and 503 may '
        "carry a `Retry-After` in seconds.\n\n"
        f"{table(('status', *words), answers)}"
        "\n## Why a file did not become a clip\n\n"
        "The upload was accepted and the work on it found the reason. The clip has the state "
        "`refused`, and its author sees this as `refusal`.\n\n"
        f"{table(words, (_refusal(one)[1:] for one in clips))}"
        "\n## Why an export of another cell was not taken in\n\n"
        "The import has the state `refused`, and whoever brought it sees this as `refusal`. "
        "Nothing of it is in the account then.\n\n"
        f"{table(words, (_refusal(one)[1:] for one in brought))}"
        "\n## On the console\n\n"
        "What the command line and the processes say when they cannot start.\n\n"
        f"{table(words, (_refusal(one)[1:] for one in console))}"
    )


def _refusal(refusal: Refusal) -> tuple[str, str, str, str]:
    return str(refusal.status), f"`{refusal.code}`", refusal.sentence, refusal.next_step


# logs-and-metrics.md


def observed() -> str:
    """What operators can watch: log lines, metrics, health, jobs."""
    events: dict[str, tuple[str, set[str]]] = {}
    for line in source.log_lines():
        _, fields = events.setdefault(line.event, (line.level, set()))
        fields.update(["error", "where"] if "exc_info" in line.fields else ())
        fields.update(set(line.fields) - {"exc_info"})
    rows = [
        (level, event, ", ".join(f"`{name}`" for name in sorted(fields)) or "none")
        for event, (level, fields) in sorted(events.items())
    ]
    known = [(f"`{name}`", says) for name, says in logs.FIELDS.items()]
    measures = table(
        ("metric", "kind", "labels", "what it measures"), map(_metric, source.metrics())
    )
    return (
        f"# Logs, metrics, health and jobs\n\n{NOTE}\n"
        "## Logs\n\n"
        "Each process writes JSON to standard error, one object a line; `LUCIOLE_LOG_LEVEL` says "
        "from which level on. No line carries personal data: a field that is not in this table is "
        "dropped, and only its name is told. Texts of exceptions are never written, because they "
        "can quote what somebody sent; their class and the places in our code are.\n\n"
        f"{table(('field', 'what it says'), known)}"
        "\n### Events\n\n"
        "Besides these, `library NAME reported` says that a library had something to log at that "
        "level; its text is not kept.\n\n"
        f"{table(('level', 'event', 'fields of its own'), rows)}"
        "\n## Metrics\n\n"
        "`GET /metrics` of an API process answers in the text form of Prometheus, which any "
        "OpenTelemetry collector scrapes. Without `LUCIOLE_WEB_METRICS_TOKEN` only direct requests "
        "from the same machine get an answer; with it, those that carry "
        "`Authorization: Bearer TOKEN`. Labels take few fixed values: never a person, a clip or a "
        "path. The usual `python_*` and `process_*` metrics are there as well.\n\n"
        "The worker, which has no HTTP server, answers with its own metrics on the loopback port "
        "`LUCIOLE_WORKER_METRICS_PORT`, if one is set. Each process counts for itself: where "
        "`LUCIOLE_WEB_PROCESSES` is above 1, a request to `/metrics` reaches one of them.\n\n"
        f"{measures}"
        "\n## Health\n\n"
        f"{table(('address', 'answers 200 when'), _HEALTH)}"
        "\n## Jobs\n\n"
        "The worker's jobs, by the name in the field `job`. Every job may run twice. One that "
        f"fails is tried {_attempts()} times in all, with growing pauses.\n\n"
        f"{table(('job', 'runs (UTC)', 'what it does'), map(_job, source.jobs()))}"
    )


_HEALTH = (
    ("`/healthz`", "the process is alive; it looks at nothing else"),
    ("`/readyz`", "requests can be answered now: the database is there (else 503, `not-ready`)"),
)


def _attempts() -> int:
    from luciole.kit import queue

    return queue.MAX_ATTEMPTS


def _metric(metric: source.Metric) -> tuple[str, ...]:
    labels = ", ".join(f"`{label}`" for label in metric.labels) or "none"
    return f"`{metric.name}`", metric.kind, labels, metric.sentence


def _job(job: source.Job) -> tuple[str, ...]:
    return f"`{job.name}`", f"`{job.schedule}`" if job.schedule else "when needed", job.sentence


if __name__ == "__main__":
    sys.exit(main())
