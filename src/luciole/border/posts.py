"""Posts of the Fediverse: clips where they have films, comments where they are answers. Pure."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, NamedTuple

from luciole.border import proofs
from luciole.border.activities import MP4
from luciole.border.addresses import is_same_origin
from luciole.border.documents import Document
from luciole.border.lenient import (
    NotTaken,
    id_of,
    is_address,
    listed,
    moment_of,
    number,
    string,
    type_of,
)
from luciole.border.plain import cleaned, text_of
from luciole.border.proofs import BadProof

NOTES = ("Note", "Video")
MAX_TEXT_CHARS = 2200
MAX_TAGS, MAX_FILMS = 30, 8
MAX_FILM_BYTES = 100 * 1024 * 1024
_DURATION = re.compile(r"PT(?:(\d{1,3})H)?(?:(\d{1,5})M)?(?:(\d{1,6})(?:\.\d{1,9})?S)?")


class Film(NamedTuple):
    """A film as its server offers it; what it does not say is 0 or None."""

    url: str
    width: int
    height: int
    size_bytes: int
    sha256: str | None


class Note(NamedTuple):
    """A post: a clip where it has films, a comment where it is an answer."""

    uri: str
    by: str
    text: str
    warning: str
    answers: str | None
    published_at: datetime | None
    films: tuple[Film, ...]
    duration_s: int
    hashtags: tuple[str, ...]
    mentions: tuple[str, ...]
    language: str | None


def note_in(said: Document, actor: str) -> Note:
    """The post of this actor. Raises NotTaken."""
    kind = type_of(said, NOTES)
    if kind not in NOTES:
        raise NotTaken("object-not-taken")
    uri = id_of(said.get("id"))
    if uri is None:
        raise NotTaken("no-id")
    if not is_same_origin(uri, actor):
        raise NotTaken("object-of-another-origin")
    authors = [id_of(one) for one in listed(said.get("attributedTo"))]
    if actor not in authors:
        raise NotTaken("of-another-actor")
    answers = id_of(said.get("inReplyTo"))
    text = _text(said, kind)
    films = tuple(_films(said))[:MAX_FILMS]
    return Note(
        uri=uri,
        by=actor,
        text=text,
        warning=text_of(string(said.get("summary")), 200) if kind == "Note" else "",
        answers=answers,
        published_at=moment_of(said.get("published")),
        films=films,
        duration_s=_duration(said),
        hashtags=tuple(_hashtags(said)),
        mentions=tuple(_mentions(said)),
        language=_language(said),
    )


def _text(said: Document, kind: str) -> str:
    content = said.get("content")
    if not isinstance(content, str):
        by_language = said.get("contentMap")
        said_in = by_language.values() if isinstance(by_language, dict) else ()
        content = next((one for one in said_in if isinstance(one, str)), "")
    if said.get("mediaType") in ("text/plain", "text/markdown"):
        text = cleaned(content, MAX_TEXT_CHARS)
    else:
        text = text_of(content, MAX_TEXT_CHARS)
    name = text_of(string(said.get("name")), 200)
    return cleaned(f"{name}\n\n{text}", MAX_TEXT_CHARS) if kind == "Video" and name else text


def _films(said: Document) -> list[Film]:
    """MP4 films of a post: attachments of Loops, Pixelfed and Mastodon, links of PeerTube."""
    found = []
    for one in [*listed(said.get("attachment")), *listed(said.get("url"))]:
        if not isinstance(one, dict):
            continue
        places = [each for each in listed(one.get("url")) if each is not None] or [one.get("href")]
        for place in places:
            words = {**one, **place} if isinstance(place, dict) else one
            url = place.get("href") if isinstance(place, dict) else place
            if words.get("mediaType") != MP4 or not isinstance(url, str) or not is_address(url):
                continue
            size = number(words.get("size"))
            if size <= MAX_FILM_BYTES:
                found.append(
                    Film(
                        url,
                        number(words.get("width")),
                        number(words.get("height")),
                        size,
                        _digest(words.get("digestMultibase")),
                    )
                )
    return found


def _digest(name: Any) -> str | None:
    try:
        return proofs.digest_in(name).hex() if isinstance(name, str) else None
    except BadProof:
        return None


def _duration(said: Document) -> int:
    for one in [said, *listed(said.get("attachment"))]:
        if isinstance(one, dict) and isinstance(one.get("duration"), str):
            found = _DURATION.fullmatch(one["duration"])
            if found and any(found.groups()):
                hours, minutes, seconds = (int(part or 0) for part in found.groups())
                return hours * 3600 + minutes * 60 + seconds
    return 0


def _hashtags(said: Document) -> list[str]:
    names = []
    for one in listed(said.get("tag")):
        if isinstance(one, dict) and type_of(one, ("Hashtag",)) == "Hashtag":
            name = cleaned(string(one.get("name")).removeprefix("#"), 60).lower()
            if re.fullmatch(r"\w+", name):
                names.append(name)
    return list(dict.fromkeys(names))[:MAX_TAGS]


def _mentions(said: Document) -> list[str]:
    found = [
        id_of(one.get("href"))
        for one in listed(said.get("tag"))
        if isinstance(one, dict) and type_of(one, ("Mention",)) == "Mention"
    ]
    return list(dict.fromkeys(one for one in found if one))[:MAX_TAGS]


def _language(said: Document) -> str | None:
    by_language = said.get("contentMap")
    if isinstance(by_language, dict) and len(by_language) == 1:
        (name,) = by_language
        if re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,2}", name):
            return str(name)
    return None
