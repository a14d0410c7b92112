"""tus 1.0 (resumable uploads) as far as HTTP goes: its headers, its refusals, a body in pieces.

What is stored, and when an offset moves, is up to whoever serves the upload.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from datetime import datetime

from litestar import Response
from litestar.exceptions import HTTPException

from luciole.kit.errors import Invalid, Problem
from luciole.kit.web import AnyRequest

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,expiration,termination"
PIECE_TYPE = "application/offset+octet-stream"
MAX_LENGTH_DIGITS = 15


class WrongVersion(Invalid):
    code = "tus-version"
    sentence = "This cell speaks version 1.0.0 of the tus protocol."
    next_step = "Send the header Tus-Resumable: 1.0.0."
    http_status = 412


class WrongPieceType(Invalid):
    code = "wrong-content-type"
    sentence = "A piece of an upload has the content type application/offset+octet-stream."
    next_step = "Send it with that content type."
    http_status = 415


class BadHeader(Invalid):
    code = "bad-header"


class PieceTooLong(Invalid):
    code = "more-than-announced"
    sentence = "There are more bytes than the upload was announced with."
    next_step = "Start a new upload with the right length."
    http_status = 413


async def pieces(request: AnyRequest, size_bytes: int) -> AsyncIterator[bytes]:
    """The body in pieces of that size; the last, or what came before the connection broke, is
    shorter."""
    gathered = bytearray()
    try:
        async for part in request.stream():
            gathered += part
            while len(gathered) >= size_bytes:
                yield bytes(gathered[:size_bytes])
                del gathered[:size_bytes]
    except HTTPException as gone:
        # The library's word for a client that went away.
        if gone.status_code != 500:
            raise
    if gathered:
        yield bytes(gathered)


@contextlib.contextmanager
def speaking(request: AnyRequest) -> Iterator[None]:
    """Checks the protocol's version, and marks refusals as tus answers."""
    try:
        if request.headers.get("tus-resumable") != VERSION:
            raise WrongVersion
        yield
    except Problem as problem:
        marked = {"tus-resumable": VERSION}
        if isinstance(problem, WrongVersion):
            marked["tus-version"] = VERSION
        problem.http_headers = marked  # type: ignore[attr-defined]
        raise


def number(request: AnyRequest, name: str) -> int:
    text = request.headers.get(name, "")
    if not (text.isascii() and text.isdecimal() and len(text) <= MAX_LENGTH_DIGITS):
        raise BadHeader(
            f"The header {name.title()} is missing or is not a whole number.",
            next_step="Send it with the number of bytes.",
        )
    return int(text)


def expiry(at: datetime) -> dict[str, str]:
    """RFC 9110 date, as the expiration extension wants it."""
    return {"upload-expires": at.strftime("%a, %d %b %Y %H:%M:%S GMT")}


def answer(status: int, headers: dict[str, str]) -> Response[None]:
    """An empty answer, marked as one of this protocol."""
    return Response(
        None,
        status_code=status,
        headers={"tus-resumable": VERSION, "cache-control": "no-store", **headers},
    )
