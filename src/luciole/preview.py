"""What a link to a clip shows where it is pasted: Open Graph tags in the clip's own page; and where
a link to somebody who has moved leads on.

Whoever previews a link is a stranger: there are tags for what every visitor may see, and none for
anything else. They name addresses of this cell only.
"""

from __future__ import annotations

import html
from collections.abc import Iterator
from urllib.parse import urljoin
from uuid import UUID

from luciole.cell.abroad.moving.service import Moving, is_page_of
from luciole.cell.clips.model import Card, NoSuchClip, is_for_all
from luciole.cell.people.model import NoSuchPerson
from luciole.parts import Parts

MAX_WORDS_CHARS = 200


async def of(parts: Parts, clip_id: UUID) -> bytes:
    """The tags for a clip, as bytes of HTML; none where not everybody may see it. Raises Withheld
    where an order keeps it from where is asked from."""
    async with parts.db.read() as tx:
        try:
            card = await parts.clips.see(tx, clip_id, None)
        except NoSuchClip:
            return b""
    if not is_for_all(card) or not card.renditions:
        return b""
    settings = parts.settings
    found = _tags(parts, card, settings.origin, settings.cell.name)
    return "".join(
        f'<meta {"name" if name.startswith("twitter:") else "property"}="{name}" '
        f'content="{html.escape(value)}">'
        for name, value in found
    ).encode()


async def of_person(parts: Parts, handle: str) -> str | None:
    """Where a visitor of a profile is sent on to, since the person has moved: the page that they
    named and that both cells stand for; else None. Raises Withheld where an order keeps a person
    from where is asked from."""
    async with parts.db.read() as tx:
        try:
            person = await parts.people.by_handle(tx, handle)
        except NoSuchPerson:
            return None
        await parts.notices.refuse_person(tx, person.id, None)
        page = await parts.people.moved_to(tx, person.id)
        gone = await Moving(parts.abroad, parts.clock).gone(tx, person.id) if page else None
        if page is None or gone is None:
            return None
        uri, to_id = gone
        new = (await parts.people.cards(tx, [to_id])).get(to_id)
    return page if new is not None and is_page_of(page, uri, new.handle) else None


def _tags(parts: Parts, card: Card, origin: str, cell_name: str) -> Iterator[tuple[str, str]]:
    by = f"{card.display_name} (@{card.handle})"
    words = " ".join(card.caption.split())
    size = (("width", str(card.width)), ("height", str(card.height)))
    yield "og:type", "video.other"
    yield "og:site_name", cell_name or "Luciole"
    yield "og:url", f"{origin}/c/{card.id}"
    yield "og:title", by
    yield "og:description", _short(words) or by
    if card.poster_key:
        yield "og:image", urljoin(origin, parts.media.url(card.poster_key, None))
        yield "og:image:type", "image/webp"
        yield from ((f"og:image:{name}", value) for name, value in size)
        yield "og:image:alt", _short(words) or by
    first = card.renditions[0]
    yield "og:video", urljoin(origin, parts.media.url(first.key, None))
    yield "og:video:type", first.mime
    yield "og:video:width", str(first.width)
    yield "og:video:height", str(first.height)
    yield "twitter:card", "summary_large_image"


def _short(words: str) -> str:
    return words if len(words) <= MAX_WORDS_CHARS else words[: MAX_WORDS_CHARS - 1].rstrip() + "…"
