"""A folder of built files, served from memory: it is small, and never changes while we run."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
from litestar import Response

from luciole.kit.errors import NotFound
from luciole.kit.web import AnyRequest

# Names with a hash of their content in them.
FOR_EVER = "public, max-age=31536000, immutable"
ASK_FIRST = "no-cache"
MAX_TOTAL_BYTES = 64 * 1024 * 1024
SMALLEST_ZIPPED_BYTES = 512
# Where the machine's own table is silent or wrong.
MIME = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}
Change = Callable[[bytes], bytes]


class Built(msgspec.Struct, frozen=True):
    """One file, ready to be sent."""

    content: bytes
    zipped: bytes | None
    mime: str
    etag: str


class Folder:
    """The files below a folder by their relative paths."""

    def __init__(self, place: Path, change: Mapping[str, Change] | None = None) -> None:
        """Reads everything; `change` gives files their last touch, by their path.

        Raises ValueError above MAX_TOTAL_BYTES, which a built client never has: the folder is then
        somebody's home.
        """
        self._files: dict[str, Built] = {}
        total = 0
        for path in sorted(place.rglob("*")) if place.is_dir() else []:
            if path.is_file():
                total += path.stat().st_size
                if total > MAX_TOTAL_BYTES:
                    raise ValueError(f"{place} holds more than a built web client")
                name = path.relative_to(place).as_posix()
                self._files[name] = _built(path, (change or {}).get(name))

    def __contains__(self, name: str) -> bool:
        return name in self._files

    def content(self, name: str) -> bytes:
        """The bytes of a file, for who sends it changed. Raises KeyError."""
        return self._files[name].content

    def answer(
        self, request: AnyRequest, name: str, *, is_immutable: bool = False, status: int = 200
    ) -> Response[bytes]:
        """The file as a response. Raises NotFound."""
        file = self._files.get(name)
        if file is None:
            raise NotFound
        headers = {
            "cache-control": FOR_EVER if is_immutable else ASK_FIRST,
            "etag": file.etag,
            "vary": "accept-encoding",
        }
        if status == 200 and file.etag in request.headers.get("if-none-match", ""):
            return Response(b"", status_code=304, headers=headers, media_type=file.mime)
        content = file.content
        if file.zipped is not None and "gzip" in request.headers.get("accept-encoding", ""):
            content = file.zipped
            headers["content-encoding"] = "gzip"
        return Response(content, status_code=status, headers=headers, media_type=file.mime)


def _built(path: Path, change: Change | None) -> Built:
    content = path.read_bytes()
    content = change(content) if change else content
    mime = MIME.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    is_text = mime.startswith("text/") or mime in MIME.values()
    if is_text:
        mime += "; charset=utf-8" if mime.startswith("text/") else ""
    zipped = gzip.compress(content, 9, mtime=0) if is_text else None
    if zipped is not None and (len(content) < SMALLEST_ZIPPED_BYTES or len(zipped) >= len(content)):
        zipped = None
    etag = f'"{hashlib.sha256(content).hexdigest()[:24]}"'
    return Built(content, zipped, mime, etag)
