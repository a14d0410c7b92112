"""What a cell stores, for people: the catalogue as a page, in the reference docs and in a pack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from luciole import catalogue
from luciole.audit.markdown import table
from luciole.kit.catalogue import Border, DataClass, Held

_CLASSES = {
    DataClass.PUBLIC: "the person published it",
    DataClass.SHARED: "for the people whom the person chose",
    DataClass.PERSONAL: "the service needs it, nobody else sees it",
    DataClass.SECRET: "keys, hashes of credentials, tokens",
    DataClass.TELEMETRY: "about the machine, never about a person",
}
_BORDERS = {
    Border.NEVER: "never leaves the cell",
    Border.PUBLISHED: "may leave: the person published it",
    Border.ADDRESSED: "may leave to those to whom the person sent it",
    Border.COUNTED: "may leave as a total over enough people only",
    Border.NETWORK: "the workings of the network, without content or identity",
}


def page(tables: Mapping[str, Mapping[str, str]], note: str = "") -> str:
    """Everything that a cell stores: its class, purpose, retention and border rule. `tables`: each
    table by its full name, in order, with the type of each column."""
    columns: dict[str, list[Held]] = {}
    others: dict[str, list[Held]] = {}
    for held in catalogue.ALL:
        kind, _, _ = held.where.partition(":")
        if kind in _OTHERS:
            others.setdefault(kind, []).append(held)
        else:
            columns.setdefault(held.where.rsplit(".", 1)[0], []).append(held)
    parts = [
        f"# What a cell stores\n\n{note}"
        "Every column, stored object, cache and log field is declared in the code with its class, "
        "its purpose, how long it stays, and whether it may leave the cell. A test compares this "
        "list with a real database, both ways, so that nothing is stored that is not on it.\n\n"
        "There is no address book, no advertising or device identifier, no precise place, no birth "
        "date and no network address on disk.\n\n"
        "## Words\n\n"
        f"{table(('class', 'what belongs to it'), _words(_CLASSES))}\n"
        f"{table(('border', 'what it means'), _words(_BORDERS))}"
    ]
    schema = ""
    for name, types in tables.items():
        if name.partition(".")[0] != schema:
            schema = name.partition(".")[0]
            parts.append(f"\n## {schema}\n{_ABOUT.get(schema, '')}")
        rows = [
            (
                ", ".join(f"`{column}` ({types.get(column, 'not stored')})" for column in names),
                *said,
            )
            for said, names in _alike(columns.get(name, []))
        ]
        parts.append(f"\n### {name}\n\n{table(('columns', *_HELD_HEAD), rows)}")
    for kind, title in _OTHERS.items():
        rows = [
            (f"`{held.where.partition(':')[2]}`", *_said(held)) for held in others.get(kind, [])
        ]
        parts.append(f"\n## {title}\n\n{table((kind, *_HELD_HEAD), rows)}")
    return "".join(parts)


_HELD_HEAD = ("class", "purpose", "kept", "border")
_OTHERS = {
    "blob": "Stored objects",
    "file": "Files beside the database",
    "cache": "Caches in memory",
    "log": "Fields of log lines",
}
_ABOUT = {
    "queue": "\nBackground jobs, in the tables of PgQueuer. A job's body holds ids only.\n",
    "house": "\nThe database's own history.\n",
}


def _words(words: dict[Any, str]) -> list[tuple[str, str]]:
    return [(f"`{word.value}`", meaning) for word, meaning in words.items()]


def _said(held: Held) -> tuple[str, str, str, str]:
    return held.data_class.value, held.purpose, held.retention, held.border.value


def _alike(held: Sequence[Held]) -> list[tuple[tuple[str, ...], list[str]]]:
    """Columns that are declared alike, in one row."""
    rows: dict[tuple[str, ...], list[str]] = {}
    for one in held:
        rows.setdefault(_said(one), []).append(one.where.rsplit(".", 1)[1])
    return list(rows.items())
