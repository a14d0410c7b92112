"""Routes of media: uploads (in `api_uploads`) and the bytes of files, with ranges."""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator
from typing import Annotated, Any

import msgspec
from litestar import Response, Router, route
from litestar.enums import HttpMethod
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, FromQuery, QueryParameter
from litestar.response import Stream

from luciole.cell.media import api_uploads, playlists
from luciole.cell.media.service import Media
from luciole.cell.notices.service import Notices
from luciole.cell.people.service import People
from luciole.config import Settings
from luciole.kit.blobs import Blobs, Missing
from luciole.kit.db import Database, Tx
from luciole.kit.errors import NotAllowed, NotFound
from luciole.kit.ranges import wanted
from luciole.kit.web import AnyRequest

ANY = "*/*"  # for the description; each answer names its own
PUBLIC = "public, max-age=31536000, immutable"
PRIVATE = "private, no-store"
# A playlist grows when a better rendition is there.
PUBLIC_LIST = "public, max-age=60"
KEY = re.compile(r"[pr]/[\w-]{1,64}/[\w.-]{1,64}", re.ASCII)

Signature = Annotated[str | None, QueryParameter(max_length=64)]


class NoSuchFile(NotFound):
    code = "no-such-file"
    sentence = "This file does not exist, or is not shared with you."
    next_step = "Open the clip again; its files may have new addresses."


class LinkExpired(NotAllowed):
    code = "link-expired"
    sentence = "This address was good for a few minutes and is not any more."
    next_step = "Load the clip again to get a new one."


class Found(msgspec.Struct, frozen=True):
    """A file to send."""

    object_key: str
    mime: str
    size_bytes: int
    is_public: bool
    body: bytes | None = None
    """The bytes themselves, of what is written for each request."""


def routes(
    db: Database,
    people: People,
    media: Media,
    notices: Notices,
    blobs: Blobs,
    settings: Settings,
) -> list[Router]:
    """The routes of media over their collaborators."""

    async def written(tx: Tx, request: AnyRequest, key: str, *, is_public: bool) -> Found:
        """The playlist behind an address, with addresses for the viewer's session."""
        viewer = None if key.startswith("p/") else await people.whoever(tx, request)
        text = await media.playlist(tx, key, viewer.session_id if viewer else None)
        if text is None:
            raise NoSuchFile
        body = text.encode()
        return Found(key, playlists.MIME, len(body), is_public, body)

    async def find(request: AnyRequest, key: str, exp: int | None, sig: str | None) -> Found:
        """The file behind an address, if the viewer may have it."""
        if not KEY.fullmatch(key):
            raise NoSuchFile
        async with db.read() as tx:
            if key.startswith("r/"):
                viewer = await people.whoever(tx, request)
                session_id = viewer.session_id if viewer else None
                verdict = media.check(key, exp or 0, sig or "", session_id)
                if verdict == "expired":
                    raise LinkExpired
                if verdict == "forged":
                    raise NoSuchFile
            blocked, is_public = await notices.blocked_file(tx, key), key.startswith("p/")
            if blocked is not None:
                viewer = await people.whoever(tx, request)
                # From here on it is asked as this viewer: an adult may see more.
                blocked = await notices.blocked_file(tx, key)
                viewer_id = viewer.person_id if viewer else None
                if blocked is not None and blocked.person_id != viewer_id:
                    await notices.refuse(tx, blocked.notice_id)
                is_public = False  # for who may see it, and for nobody's cache
            if key.endswith(playlists.ENDING):
                return await written(tx, request, key, is_public=is_public)
            file = await media.find(tx, key)
            if file is not None:
                return Found(file.object_key, file.mime, file.size_bytes, is_public)
            # Pictures of people share the public prefix; whose they are, people knows.
            if not key.startswith("p/") or not await people.is_avatar_shown(tx, key):
                raise NoSuchFile
        try:
            stat = await blobs.stat(key)
        except Missing as error:
            raise NoSuchFile from error
        return Found(key, "image/webp", stat.size_bytes, is_public)

    @route(
        "/{key:path}",
        http_method=[HttpMethod.GET, HttpMethod.HEAD],
        status_code=200,
        responses={200: ResponseSpec(Any, False, "The bytes.", ANY)},
    )
    async def fetch(
        request: AnyRequest,
        key: FromPath[str],
        exp: FromQuery[int | None] = None,
        sig: Signature = None,
    ) -> Response[Any]:
        """The bytes of a rendition, playlist, poster or avatar, whole or in part (one range)."""
        key = key.lstrip("/")
        found = await find(request, key, exp, sig)
        headers = {
            "accept-ranges": "bytes",
            "etag": f'"{hashlib.sha256(found.body or key.encode()).hexdigest()[:24]}"',
            "cache-control": _cached(found),
            "x-content-type-options": "nosniff",
            "content-disposition": "inline",
            # Whatever a file claims to be, it runs nothing.
            "content-security-policy": "default-src 'none'; sandbox",
        }
        if settings.media.delivery_url and found.is_public:
            # Whoever fetches for the pages from there passes these on.
            headers["access-control-allow-origin"] = settings.origin
            headers["cross-origin-resource-policy"] = "cross-origin"
        if settings.web.country_header:
            # A cache in front must not give to one country what it fetched for another.
            headers["vary"] = settings.web.country_header
        if _matches(request.headers.get("if-none-match"), headers["etag"]):
            return Response(b"", status_code=304, headers=headers, media_type=found.mime)
        size = found.size_bytes
        asked = request.headers.get("range")
        if request.headers.get("if-range", headers["etag"]) != headers["etag"]:
            asked = None
        part = wanted(asked, size)
        start, end = part or (0, size)
        headers["content-length"] = str(end - start)
        if part:
            headers["content-range"] = f"bytes {start}-{end - 1}/{size}"
        status = 206 if part else 200
        if request.method == "HEAD":
            return Response(b"", status_code=status, headers=headers, media_type=found.mime)
        if found.body is not None:
            part_of = found.body[start:end]
            return Response(part_of, status_code=status, headers=headers, media_type=found.mime)
        body = await _opened(blobs, found.object_key, start, end)
        return Stream(body, status_code=status, headers=headers, media_type=found.mime)

    uploads = api_uploads.handlers(db, people, media, blobs, settings.media.max_upload_bytes)
    return [
        Router("/api", route_handlers=[*uploads], tags=["media"]),
        Router("/media", route_handlers=[fetch], tags=["media"]),
    ]


def _cached(found: Found) -> str:
    if not found.is_public:
        return PRIVATE
    return PUBLIC if found.body is None else PUBLIC_LIST


async def _opened(blobs: Blobs, key: str, start: int, end: int) -> AsyncIterator[bytes]:
    """The stream, with its first chunk read already: a missing object is a 404, not a broken
    200."""
    stream = blobs.stream(key, start, end)
    try:
        first = await anext(stream)
    except Missing as error:
        raise NoSuchFile from error

    async def rest() -> AsyncIterator[bytes]:
        yield first
        async for chunk in stream:
            yield chunk

    return rest()


def _matches(if_none_match: str | None, etag: str) -> bool:
    """RFC 9110, 13.1.2: weak comparison against a list."""
    if if_none_match is None:
        return False
    tags = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    return etag in tags or "*" in tags
