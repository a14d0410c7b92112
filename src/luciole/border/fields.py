"""Fields of HTTP as signatures use them: structured fields (RFC 9651, as much as is needed), and
what all kinds of signatures share. Pure."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

MAX_HEADER_CHARS = 8192
MAX_COMPONENTS = 32
# Of the registry of RFC 9421, section 6.2.2.
Algorithm = Literal["ed25519", "rsa-v1_5-sha256"]


class BadSignature(Exception):
    """The request is not signed as it has to be. `code` says how, in words for a log."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class PublicKey(NamedTuple):
    """With what a signature is checked: `verifies(signature, message)` of the key's algorithm."""

    algorithm: Algorithm
    verifies: Callable[[bytes, bytes], bool]


def check_time(created: int, now: int, skew_s: int) -> None:
    if abs(now - created) > skew_s:
        raise BadSignature("not-of-now")


class Told(NamedTuple):
    """One member of Signature-Input: covered components, its parameters, and its exact text."""

    covered: tuple[str, ...]
    parameters: dict[str, str | int]
    text: str

    @property
    def key_id(self) -> str:
        key_id = self.parameters.get("keyid")
        if not isinstance(key_id, str):
            raise BadSignature("no-key-id")
        return key_id


_KEY = re.compile(r"[a-z*][a-z0-9_.*-]*")
_STRING = re.compile(r'"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"')
_BYTES = re.compile(r":([A-Za-z0-9+/=]*):")
_INTEGER = re.compile(r"-?[0-9]{1,15}(?![0-9.])")
_TOKEN = re.compile(r"[A-Za-z*][!#$%&'*+.^_`|~A-Za-z0-9:/-]*")


class _Reader:
    """Reads a field from left to right; whatever it does not know is an error."""

    def __init__(self, text: str) -> None:
        if len(text) > MAX_HEADER_CHARS:
            raise BadSignature("header-too-long")
        self.text, self.at = text, 0

    def blanks(self, which: str = " ") -> None:
        while self.at < len(self.text) and self.text[self.at] in which:
            self.at += 1

    def is_next(self, sign: str) -> bool:
        """Takes `sign` where it comes next."""
        if self.text.startswith(sign, self.at):
            self.at += len(sign)
            return True
        return False

    def need(self, pattern: re.Pattern[str]) -> re.Match[str]:
        found = pattern.match(self.text, self.at)
        if found is None:
            raise BadSignature("header-not-read")
        self.at = found.end()
        return found

    def is_at_end(self) -> bool:
        return self.at >= len(self.text)

    def bare(self) -> str | int | bytes:
        sign = self.text[self.at : self.at + 1]
        if sign == '"':
            return self.string()
        if sign == ":":
            return from_base64(self.need(_BYTES).group(1))
        if sign.isdigit() or sign == "-":
            return int(self.need(_INTEGER).group())
        return self.need(_TOKEN).group()

    def string(self) -> str:
        return re.sub(r"\\(.)", r"\1", self.need(_STRING).group(1))

    def parameters(self) -> dict[str, str | int]:
        found = dict[str, str | int]()
        while self.is_next(";"):
            self.blanks()
            name = self.need(_KEY).group()
            value = self.bare() if self.is_next("=") else 1
            if name in found or isinstance(value, bytes):
                raise BadSignature("header-not-read")
            found[name] = value
        return found

    def told(self) -> Told:
        began = self.at
        self.at += 1
        covered = list[str]()
        while True:
            self.blanks()
            if self.is_next(")"):
                break
            covered.append(self.string())
            # A component with parameters is another one, which we do not make or take.
            if self.text[self.at : self.at + 1] not in (" ", ")"):
                raise BadSignature("component-unknown")
        if len(covered) > MAX_COMPONENTS or len(set(covered)) != len(covered):
            raise BadSignature("header-not-read")
        if any(name != name.lower() for name in covered):
            raise BadSignature("header-not-read")
        parameters = self.parameters()
        return Told(tuple(covered), parameters, self.text[began : self.at])


def dictionary(text: str) -> dict[str, Told | bytes | str | int]:
    """Members of a dictionary by key; one that comes twice is refused, though the RFC would take
    the last: two parties would read two things. Raises BadSignature."""
    reader = _Reader(text.strip(" "))
    found = dict[str, Told | bytes | str | int]()
    while not reader.is_at_end():
        name = reader.need(_KEY).group()
        value: Told | bytes | str | int = 1
        if reader.is_next("="):
            is_list = reader.text.startswith("(", reader.at)
            value = reader.told() if is_list else reader.bare()
        if not isinstance(value, Told):
            reader.parameters()
        if name in found:
            raise BadSignature("header-not-read")
        found[name] = value
        reader.blanks(" \t")
        if reader.is_at_end():
            return found
        if not reader.is_next(","):
            raise BadSignature("header-not-read")
        reader.blanks(" \t")
        if reader.is_at_end():
            raise BadSignature("header-not-read")
    return found


def lower(headers: Mapping[str, str]) -> dict[str, str]:
    made = {name.lower(): value for name, value in headers.items()}
    if any(sign in value for value in made.values() for sign in "\r\n\0"):
        raise BadSignature("header-not-read")
    return made


def quoted(text: str) -> str:
    if not text.isascii() or not text.isprintable():
        raise ValueError("the id of a key is visible ASCII")
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def to_base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def from_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadSignature("header-not-read") from None
