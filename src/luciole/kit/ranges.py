"""The Range header (RFC 9110, section 14), as far as we serve it: one range of bytes."""

from __future__ import annotations

import re

from luciole.kit.errors import Invalid

_ONE_RANGE = re.compile(r"bytes=\s*(\d{0,15})\s*-\s*(\d{0,15})\s*", re.ASCII)


class RangeOutside(Invalid):
    code = "range-outside"
    sentence = "The file ends before the part that was asked for."
    next_step = "Ask for a part within the file."
    http_status = 416

    def __init__(self, size_bytes: int = 0) -> None:
        super().__init__()
        self.http_headers = {"content-range": f"bytes */{size_bytes}"}


def wanted(header: str | None, size_bytes: int) -> tuple[int, int] | None:
    """The part [start, end) that a Range header asks for, None for the whole.

    A header that is no valid single range of bytes is ignored, as the standard allows. Raises
    RangeOutside.
    """
    match = _ONE_RANGE.fullmatch(header or "")
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:
        length = min(int(match[2]), size_bytes)
        if length == 0:
            raise RangeOutside(size_bytes)
        return size_bytes - length, size_bytes
    start = int(match[1])
    if match[2] and int(match[2]) < start:
        return None
    if start >= size_bytes:
        raise RangeOutside(size_bytes)
    end = int(match[2]) + 1 if match[2] else size_bytes
    return start, min(end, size_bytes)
