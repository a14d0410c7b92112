"""What an author may do to a film before it is made: pieces of it in an order, no sound, and
pictures laid over it (their text, drawn by the browser). Bounded, and checked before anything is
stored."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

import msgspec

from luciole.cell.media.model import Layer, Piece
from luciole.kit.errors import Invalid

MOST_PIECES = 16
SHORTEST_PIECE_MS = 100
MOST_LAYERS = 4
MOST_LAYER_BYTES = 256 * 1024
MOST_LAYERS_BYTES = 512 * 1024
SMALLEST_SIDE, LARGEST_SIDE = 16, 1920

# PNG, third edition: the signature (5.2), and IHDR as we take it (11.2.1): eight bits of red,
# green, blue and alpha, the one compression and filter method that there is, no interlacing.
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_RGBA = (8, 6, 0, 0, 0)
_BYTES_A_PIXEL = 4


class BadPieces(Invalid):
    code = "bad-pieces"
    sentence = (
        f"A film is cut into at most {MOST_PIECES} pieces, each a tenth of a second long or more, "
        "each with its end after its start."
    )
    next_step = "Leave out or join some pieces, and choose either pieces or a trim."


class BadLayer(Invalid):
    code = "bad-layer"
    sentence = (
        f"At most {MOST_LAYERS} pictures can be laid over a film: whole PNG files with eight bits "
        f"of red, green, blue and alpha, {LARGEST_SIDE} pixels on a side and 256 KiB at most, "
        "512 KiB together."
    )
    next_step = "Use less text, or draw it smaller, then publish again."


def check_pieces(pieces: Sequence[Piece], longest_ms: int) -> None:
    """Raises BadPieces. That they are inside the film is seen when that is looked at."""
    if len(pieces) > MOST_PIECES:
        raise BadPieces
    if any(one.end_ms - one.start_ms < SHORTEST_PIECE_MS for one in pieces):
        raise BadPieces
    if sum(one.end_ms - one.start_ms for one in pieces) > longest_ms + 500:
        raise BadPieces(
            "The pieces are longer than three minutes together.",
            next_step="Leave out or shorten some of them, then publish again.",
        )


def checked_layers(layers: Sequence[Layer]) -> tuple[Layer, ...]:
    """The layers with nothing in their files but the picture. Raises BadLayer."""
    if len(layers) > MOST_LAYERS or sum(len(one.png) for one in layers) > MOST_LAYERS_BYTES:
        raise BadLayer
    if any(one.end_ms is not None and one.end_ms <= one.start_ms for one in layers):
        raise BadLayer
    return tuple(msgspec.structs.replace(one, png=plain_png(one.png)) for one in layers)


def plain_png(data: bytes) -> bytes:
    """The same picture in a file of IHDR, IDAT and IEND alone: what else a browser or a hand has
    put in is dropped. Nothing is decoded here; but that the pixels are all there, and no more, is
    seen by inflating them into a bounded buffer. Raises BadLayer."""
    if len(data) > MOST_LAYER_BYTES or not data.startswith(_SIGNATURE):
        raise BadLayer
    head: bytes | None = None
    pixels: list[bytes] = []
    at = len(_SIGNATURE)
    while True:
        if at + 12 > len(data):
            raise BadLayer
        size_bytes, kind = struct.unpack_from(">I4s", data, at)
        body = data[at + 8 : at + 8 + size_bytes]
        at += 12 + size_bytes
        if at > len(data) or struct.unpack_from(">I", data, at - 4)[0] != zlib.crc32(kind + body):
            raise BadLayer
        if head is None:
            if kind != b"IHDR" or size_bytes != 13:
                raise BadLayer
            head = body
        elif kind == b"IDAT":
            pixels.append(body)
        elif kind == b"IEND":
            break
        elif kind in (b"IHDR", b"PLTE", b"acTL", b"fcTL", b"fdAT"):
            raise BadLayer
    width, height, *form = struct.unpack(">IIBBBBB", head)
    if tuple(form) != _RGBA or not all(
        SMALLEST_SIDE <= side <= LARGEST_SIDE for side in (width, height)
    ):
        raise BadLayer
    packed = b"".join(pixels)
    _require_pixels(packed, height * (1 + width * _BYTES_A_PIXEL))
    chunks = ((b"IHDR", head), (b"IDAT", packed), (b"IEND", b""))
    return _SIGNATURE + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


def _require_pixels(packed: bytes, size_bytes: int) -> None:
    inflating = zlib.decompressobj()
    try:
        found = len(inflating.decompress(packed, size_bytes + 1))
    except zlib.error as error:
        raise BadLayer from error
    if found != size_bytes or not inflating.eof or inflating.unused_data:
        raise BadLayer
