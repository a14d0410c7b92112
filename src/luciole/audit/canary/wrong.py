"""Asks every operation wrongly, with marks in whatever is refused: no refusal may quote it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from luciole.audit.canary.browser import Browser
from luciole.audit.canary.stage import LIVE, VISITOR, Stage

METHODS = ("get", "put", "post", "delete", "patch")
# A character that no text of a cell may hold, and that PostgreSQL refuses in words that quote.
NUL = "\x00"


async def run(stage: Stage, api: dict[str, Any]) -> None:
    """As eve, who has an account, and as a visitor. Whatever happens to eve's account is meant."""
    for person in ("eve", VISITOR):
        browser = stage[person]
        for operation, described in _each(api):
            if operation == LIVE:
                continue
            for how in _ways(stage, person, operation, described, api):
                await browser.ask(operation, expect=(), **how)
        await _unasked(browser)


def _each(api: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in api["paths"].items():
        for method, described in methods.items():
            if method in METHODS:
                yield f"{method.upper()} {path}", described


def _ways(
    stage: Stage, person: str, operation: str, described: dict[str, Any], api: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    plant = stage.book.plant
    parts = [one["name"] for one in described.get("parameters", []) if one["in"] == "path"]
    right = {part: _right(stage, part) for part in parts}
    wrong = {part: f"{plant(person, 'refused.path')}!" for part in parts}
    words = [one["name"] for one in described.get("parameters", []) if one["in"] == "query"]
    if wrong:
        yield wrong
    if words:
        mark = plant(person, "refused.parameter")
        yield {**right, "query": dict.fromkeys(words, f"{mark}{NUL}")}
        yield {**right, "query": dict.fromkeys(words, mark)}
    schema = _body(described, api)
    if schema is None:
        return
    mark = plant(person, "refused.body")
    yield {**right, "content": mark.encode(), "headers": _JSON}
    yield {**right, "json": mark}
    yield {**right, "json": {mark: mark}}
    properties = schema.get("properties", {})
    for value in (f"{mark}{NUL}", f"{mark} \ud800", mark * 400, [mark], {"a": mark}):
        body = dict.fromkeys(properties, value)
        yield {**right, "content": json.dumps(body).encode(), "headers": _JSON}
    for name in properties:
        yield {**right, "json": {name: f"{mark}{NUL}"}}


_JSON = {"content-type": "application/json"}


def _right(stage: Stage, part: str) -> str:
    if part == "handle":
        return stage.handle("eve")
    if part == "kind":
        return "email"
    if part == "key":
        return "p/none/none.mp4"
    return stage.ids["open"] if part == "clip_id" else str(uuid4())


def _body(described: dict[str, Any], api: dict[str, Any]) -> dict[str, Any] | None:
    """The schema of a JSON body, if there is one."""
    content = described.get("requestBody", {}).get("content", {}).get("application/json")
    return _followed(content["schema"], api) if content else None


def _followed(schema: dict[str, Any], api: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        found: Any = api
        for step in schema["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        schema = found
    return schema


async def _unasked(browser: Browser) -> None:
    """What no operation is: addresses, methods and headers of a stranger's making."""
    mark = browser.book.plant(browser.person, "refused.path")
    for method, path in (
        ("GET", f"/{mark}"),
        ("GET", f"/api/{mark}"),
        ("GET", f"/@{mark}"),
        ("GET", f"/assets/{mark}.js"),
        ("GET", f"/media/p/{mark}/{mark}.mp4"),
        ("GET", f"/ledger/{mark}/checkpoint"),
        ("BREW", f"/{mark}"),
        ("POST", f"/{mark}"),
        ("OPTIONS", f"/api/me?{mark}"),
    ):
        await browser.ask(f"{method} {path}", expect=())


# Texts that the play does not mark, each with the reason.
NOT_MARKED = {
    "cursor": "a place in a list, which the cell gave out",
    "purpose": "one of the declared purposes",
    "columns": "names of declared fields",
    "clientDataJSON": "made by a device for this one request",
    "attestationObject": "made by a device for this one request",
    "authenticatorData": "made by a device for this one request",
    "signature": "made by a device for this one request",
    "signature_key": "a public key of a device",
    "packages": "public keys of a device",
    "last_resort": "public keys of a device",
    "group_info": "public keys of devices",
    "commit": "sealed by a device, as `body` is",
    "recall_hash": "the hash of `token`",
    "answer": "written by a moderator for who reported or appealed",
    "ground": "a law or a section of the terms, for everybody",
    "countries": "codes of countries",
    "challenge": "work for a device, which the cell has set",
    "terms": "the version of the cell's terms",
    "version": "the version of the cell's terms",
    "sha256": "the digest of a text that the cell has shown",
    "png": "a picture of words that everybody reads on the film",
    "known_in": "the name of a peer cell",
    "sleep_from": "a time of day",
    "sleep_to": "a time of day",
    "quiet_from": "a time of day",
    "quiet_to": "a time of day",
}


def not_planted(api: dict[str, Any]) -> list[str]:
    """Parts of request bodies that hold text and that no field is about."""
    known = {*PLANTED, *NOT_MARKED}
    return sorted(
        {
            f"{operation}: {name}"
            for operation, described in _each(api)
            for name in _texts(_body(described, api) or {}, "", api)
            if name not in known
        }
    )


def _texts(schema: dict[str, Any], name: str, api: dict[str, Any]) -> Iterator[str]:
    """Names of the properties that hold text, at any depth; those of lists have their list's."""
    schema = _followed(schema, api)
    for inner, kind in schema.get("properties", {}).items():
        yield from _texts(kind, inner, api)
    for one in (*schema.get("oneOf", ()), *schema.get("anyOf", ())):
        yield from _texts(one, name, api)
    if "items" in schema:
        yield from _texts(schema["items"], name, api)
    kinds = schema.get("type", [])
    if "string" in ([kinds] if isinstance(kinds, str) else kinds) and not (
        {"enum", "const"} & set(schema) or schema.get("format") in ("uuid", "date", "date-time")
    ):
        yield name


# Where each text of a body gets its mark; `play` fills them in.
PLANTED = {
    "email": "report.email",
    "explanation": "report.explanation",
    "facts": "decision.facts",
    "words": "review.note",
    "q": "search.query",
    "handle": "person.handle",
    "display_name": "person.display name",
    "bio": "person.bio",
    "address": "person.moved to",
    "known_as": "person.came from",
    "password": "person.password",
    "current": "person.password",
    "code": "recovery.code",
    "recovery_code": "recovery.code",
    "value": "contact.email",
    "name": "passkey.name",
    "caption": "clip.caption for everybody",
    "text": "comment.for everybody",
    "filter_words": "conversation.filter word",
    "hashtag": "clip.hashtag for everybody",
    "captions_vtt": "clip.captions for everybody",
    "captions_language": "clip.captions language",
    "language": "clip.captions language",
    "label_key": "journal.label key",
    "handles": "imported.handle",
    "link": "imported.link",
    "reason": "staff.reason",
    "invitation": "request.ticket",
    "note": "invitation.note",
    "ticket": "request.ticket",
    "members": "person.handle",
    "adds": "person.handle",
    "removes": "person.handle",
    "body": "message.sealed",
    "token": "message.recall token",
    "content": "message.disclosed",
    "endpoint": "push.endpoint",
    # Parts of a passkey's answer.
    "id": "passkey.credential",
    "rawId": "passkey.credential",
    "userHandle": "person.id",
}
