"""Documents of others under LUCIOLE_CORPUS, each as an activity that its actor has signed, and what
becomes of it, as a table: `python -m tests.border.fixtures` writes outcomes.md anew."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from luciole.border import lenient, posts, strangers
from luciole.border.activities import PUBLIC
from luciole.border.documents import BadDocument, jcs, parsed
from luciole.border.strangers import ACTORS, Heard, Note, NotTaken, Stranger

HOME = Path(__file__).with_name("outcomes.md")
# Contexts are words, not documents of anybody.
LEFT_OUT = {"fep-contexts"}
ACTOR = "http://pasture-one-actor/actor"
SHOWN_CHARS = 60


def corpus() -> Path:
    return Path(os.environ["LUCIOLE_CORPUS"]) / "activitypub"


def cases() -> Iterator[tuple[str, Any]]:
    """Names and documents, in the order of names."""
    for path in sorted(corpus().glob("*/*")):
        family, name = path.parent.name, path.name
        if family in LEFT_OUT:
            continue
        raw = path.read_bytes()
        if family == "fediverse-pasture-inputs":
            for number, example in enumerate(json.loads(raw)["examples"], 1):
                yield f"{family}/{path.stem} {number}", pasture(example)
        elif family == "funfedi-parsing":
            case = json.loads(raw)
            yield f"{family}/{case['suite']} {case['case']}", jcs(case["data"])
        else:
            try:
                found = json.loads(raw)
            except ValueError:
                found = None
            several = found if isinstance(found, list) else [None]
            for number, one in enumerate(several, 1):
                title = f"{family}/{name}" + (f" {number}" if len(several) > 1 else "")
                yield title, raw if one is None else jcs(one)


def pasture(example: dict[str, Any]) -> bytes:
    """An example of the pasture in the activity in which it sends it."""
    context = example.get("@context", "https://www.w3.org/ns/activitystreams")
    about = {
        "type": "Note",
        "id": "http://pasture-one-actor/objects/1",
        "attributedTo": ACTOR,
        "to": [PUBLIC],
        "published": "2026-11-23T22:37:23Z",
    }
    said = {name: value for name, value in {**about, **example}.items() if name != "@context"}
    return jcs(
        {
            "@context": context,
            "type": "Create",
            "id": "http://pasture-one-actor/activities/1",
            "actor": ACTOR,
            "to": said.get("to"),
            "object": said,
        }
    )


def outcome(raw: bytes) -> str:
    """What becomes of a document: as an activity, a post or an actor."""
    try:
        document = parsed(raw)
    except BadDocument as error:
        return f"not read: `{error.code}`"
    try:
        if lenient.type_of(document, ACTORS):
            uri = strangers.id_of(document.get("id")) or ""
            return actor(strangers.stranger(document, uri))
        if "actor" in document:
            return activity(document)
        author = strangers.id_of(document.get("attributedTo"))
        if author is None and document.get("attributedTo"):
            author = strangers.id_of(lenient.listed(document["attributedTo"])[0])
        return f"post: {post(posts.note_in(document, author or ''))}"
    except NotTaken as refused:
        return f"not taken: `{refused.code}`"


def activity(document: dict[str, Any]) -> str:
    signer = strangers.id_of(document.get("actor")) or ""
    try:
        heard: Heard = strangers.heard(document, signer)
    except NotTaken as refused:
        said = lenient.single(document.get("object"))
        if refused.code != "neither-film-nor-answer":
            return f"not taken: `{refused.code}`"
        # Posts with neither are not for us; how they would be read is worth a look all the same.
        return f"not taken: `{refused.code}`; read as {post(posts.note_in(said, signer))}"
    what = f": {post(heard.note)}" if heard.note else ""
    return f"{heard.act}{what}"


def post(note: Note) -> str:
    shown = note.text.replace("\n", " ⏎ ")
    shown = shown if len(shown) <= SHOWN_CHARS else shown[:SHOWN_CHARS] + "…"
    parts = [f"“{shown}”"]
    if note.warning:
        warning = note.warning.replace("\n", " ⏎ ")
        parts.append(f"warning “{warning[:SHOWN_CHARS]}”")
    if note.answers:
        parts.append("an answer")
    parts += [
        f"film {film.width}×{film.height}"
        + (f" {film.size_bytes} bytes" if film.size_bytes else "")
        for film in note.films
    ]
    if note.duration_s:
        parts.append(f"{note.duration_s} s")
    if note.hashtags:
        parts.append("#" + " #".join(note.hashtags))
    if note.mentions:
        parts.append(f"{len(note.mentions)} mentioned")
    if note.language:
        parts.append(note.language)
    if note.published_at is None:
        parts.append("undated")
    return ", ".join(parts)


def actor(found: Stranger) -> str:
    kinds = sorted("RSA" if isinstance(key, str) else "Ed25519" for key in found.keys.values())
    shared = ", shared inbox" if found.shared_inbox else ""
    return f"{found.type} “{found.username}”, keys: {', '.join(kinds) or 'none'}{shared}"


def table() -> str:
    lines = [
        "# What becomes of documents of others",
        "",
        "Each document under `activitypub/` of LUCIOLE_CORPUS, as if its actor had signed it;",
        "`python -m tests.border.fixtures` writes this anew, and a test compares.",
        "",
        "| document | outcome |",
        "| --- | --- |",
    ]
    for name, raw in cases():
        said = outcome(raw).replace("|", "\\|")
        lines.append(f"| {name.replace('|', chr(92) + '|')} | {said} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    HOME.write_text(table(), encoding="utf-8")
