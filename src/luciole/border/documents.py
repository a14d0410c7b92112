"""JSON from strangers, read with limits, and the one way in which JSON is written to be signed
(JSON Canonicalization Scheme, RFC 8785). Pure."""

from __future__ import annotations

import contextlib
import json
import math
from json.encoder import encode_basestring
from typing import Any

import msgspec

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 24
MAX_VALUES = 20_000
# Whole numbers that every reader of JSON takes for the same (RFC 7493, section 2.2).
MAX_NUMBER = 2**53 - 1

Document = dict[str, Any]


class BadDocument(Exception):
    """Bytes that are no document which a cell takes. `code` says why, in words for a log."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def parsed(raw: bytes) -> Document:
    """The JSON object in `raw`: UTF-8, of bounded size, depth and numbers, no name twice in one
    object, no half characters. Raises BadDocument."""
    if len(raw) > MAX_BYTES:
        raise BadDocument("too-large")
    try:
        value = json.loads(
            raw.decode("utf-8"), object_pairs_hook=_once, parse_constant=_never, parse_int=_whole
        )
    except UnicodeDecodeError:
        raise BadDocument("not-utf-8") from None
    except RecursionError:
        raise BadDocument("too-deep") from None
    except ValueError:
        raise BadDocument("not-json") from None
    if not isinstance(value, dict):
        raise BadDocument("not-an-object")
    _measure(value)
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise BadDocument("name-twice")
    return made


def _never(_: str) -> Any:
    raise BadDocument("not-a-number")


def _whole(text: str) -> int:
    # Before int(), which takes its time over long ones.
    if len(text) > 17 or abs(int(text)) > MAX_NUMBER:
        raise BadDocument("number-too-large")
    return int(text)


def _measure(value: Any) -> None:
    """Raises BadDocument where there is too much, or what cannot be written again."""
    waiting, seen = [(value, 1)], 0
    while waiting:
        each, depth = waiting.pop()
        seen += 1
        if depth > MAX_DEPTH:
            raise BadDocument("too-deep")
        if seen > MAX_VALUES:
            raise BadDocument("too-many-values")
        if isinstance(each, dict):
            waiting += [(one, depth + 1) for one in each.values()]
            waiting += [(name, depth) for name in each]
        elif isinstance(each, list):
            waiting += [(one, depth + 1) for one in each]
        elif isinstance(each, float) and not math.isfinite(each):
            raise BadDocument("not-a-number")
        elif isinstance(each, str) and any("\ud800" <= sign <= "\udfff" for sign in each):
            raise BadDocument("half-a-character")


def jcs(value: Any) -> bytes:
    """`value` as RFC 8785 writes it. Raises BadDocument for what JSON cannot say."""
    try:
        return _written(value).encode("utf-8")
    except (UnicodeEncodeError, RecursionError):
        raise BadDocument("cannot-be-written") from None


def jcs_plain(value: Any) -> bytes:
    """The same, a good deal quicker, for what holds no fraction, no number beyond MAX_NUMBER and
    only names in ASCII: what the strict profile says is so. Of anything else the result is bytes
    that differ from those of `jcs`. Raises BadDocument."""
    try:
        return msgspec.json.encode(value, order="sorted")
    except (UnicodeEncodeError, RecursionError):
        raise BadDocument("cannot-be-written") from None


def parsed_plain(raw: bytes) -> Document:
    """The JSON object in `raw`, if that is exactly as `jcs_plain` writes it. Raises BadDocument."""
    with contextlib.suppress(msgspec.DecodeError, RecursionError, BadDocument):
        value: Document = msgspec.json.decode(raw, type=dict[str, Any])
        if jcs_plain(value) == raw:
            return value
    # What is wrong with it, in the words that are used for everybody's documents.
    parsed(raw)
    raise BadDocument("not-canonical")


def _written(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        # Python escapes what RFC 8785, section 3.2.2.2 does: \b \t \n \f \r \" \\ and other
        # controls as \u00xx in lower case; nothing else.
        return encode_basestring(value)
    if isinstance(value, int):
        if abs(value) > MAX_NUMBER:
            raise BadDocument("number-too-large")
        return str(value)
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, list | tuple):
        return f"[{','.join(map(_written, value))}]"
    if isinstance(value, dict):
        if not all(isinstance(name, str) for name in value):
            raise BadDocument("cannot-be-written")
        # Section 3.2.3: in the order of UTF-16 code units.
        # Which is that of code points for ASCII, and quicker.
        is_plain = "".join(value).isascii()
        names = sorted(value, key=None if is_plain else lambda name: name.encode("utf-16-be"))
        members = (f"{_written(name)}:{_written(value[name])}" for name in names)
        return f"{{{','.join(members)}}}"
    raise BadDocument("cannot-be-written")


def _number(value: float) -> str:
    """As ECMAScript prints a number (ECMA-262, Number::toString): the shortest digits that read
    back, which are Python's too, in its own form."""
    if not math.isfinite(value):
        raise BadDocument("not-a-number")
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    mantissa, _, power = f"{abs(value)!r}".partition("e")
    whole, _, rest = mantissa.partition(".")
    digits = whole + ("" if rest == "0" else rest)
    # The value is 0.digits × 10^point.
    point = len(whole) + int(power or 0)
    stripped = digits.lstrip("0")
    point -= len(digits) - len(stripped)
    digits = stripped.rstrip("0")
    if len(digits) <= point <= 21:
        return f"{sign}{digits}{'0' * (point - len(digits))}"
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    after = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{after}e{'+' if point > 0 else '-'}{abs(point - 1)}"
