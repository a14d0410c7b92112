"""Opaque keyset cursors: where a page ended, in a form that clients carry and cannot make up.

A cursor is `base64url(json(values) ‖ mac)`, where the mac is the first 12 bytes of
HMAC-SHA256(key, scope ‖ 0 ‖ json). The scope names the list, so that a cursor of one list is
refused by another.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import TypeVar

import msgspec

from luciole.kit.errors import Invalid

MAC_BYTES = 12
MAX_CHARS = 512

T = TypeVar("T", bound=msgspec.Struct)


class BadCursor(Invalid):
    code = "bad-cursor"
    sentence = "This place in the list is not one that the cell gave out."
    next_step = "Start again from the top of the list."


class Cursors:
    """Makes and reads cursors under one key of the cell."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def make(self, scope: str, place: msgspec.Struct) -> str:
        """The cursor that continues `scope` after `place`."""
        body = msgspec.json.encode(place)
        return base64.urlsafe_b64encode(body + self._mac(scope, body)).decode().rstrip("=")

    def read(self, scope: str, text: str | None, shape: type[T]) -> T | None:
        """The place behind a cursor, or None for the top of the list.

        Raises BadCursor for anything that `make` did not produce for this scope.
        """
        if not text:
            return None
        if len(text) > MAX_CHARS:
            raise BadCursor
        try:
            raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError) as error:
            raise BadCursor from error
        body, mac = raw[:-MAC_BYTES], raw[-MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(scope, body)):
            raise BadCursor
        try:
            return msgspec.json.decode(body, type=shape)
        except msgspec.DecodeError as error:
            raise BadCursor from error

    def _mac(self, scope: str, body: bytes) -> bytes:
        return hmac.digest(self._key, scope.encode() + b"\0" + body, hashlib.sha256)[:MAC_BYTES]
