"""The least age of each country, from `ages.txt`: one line each, with its source.

The digest of each version of the table is here, so that a line that was changed on a server by
itself is noticed at the start. The cell enters the version that it goes by in its log `decisions`
(`luciole.statements`), where `entered` finds it.
"""

from __future__ import annotations

import functools
import hashlib
import re
from pathlib import Path

import msgspec

from luciole.cell.people.model import AGE_BANDS, AgeBand, is_older

TABLE = Path(__file__).with_name("ages.txt")
#: SHA-256 by version. A line that was in a release stays as it is: logs of cells name it.
VERSIONS = {1: "ec401a98c745e3e0f74447149d36a996ff22dd269e2da9be24ed9639cce5a591"}
VERSION = max(VERSIONS)
SHA256 = VERSIONS[VERSION]
_HEADER = re.compile(r"^# Version ([1-9][0-9]{0,5})\.", re.M)
_LINE = re.compile(r"([A-Z]{2}) ([0-9]{1,2}) (\S.*)")


class TableChanged(RuntimeError):
    """The table is not the one that this version was made with."""


class Table(msgspec.Struct, frozen=True):
    """A table by version and digest (hex), with the file's own text."""

    version: int
    sha256: str
    text: str


@functools.cache
def current() -> Table:
    """The table of this release. Raises TableChanged."""
    return read(TABLE, SHA256)


def read(path: Path, sha256: str) -> Table:
    """The table of a file that has this digest. Raises TableChanged."""
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != sha256:
        raise TableChanged(f"{path.name} is not the table of this version; install it again.")
    text = data.decode()
    header = _HEADER.search(text)
    if header is None:
        raise TableChanged(f"{path.name} does not say which version it is.")
    return Table(int(header[1]), sha256, text)


@functools.cache
def table(path: Path = TABLE, sha256: str = SHA256) -> dict[str, int]:
    """The least age in years by ISO 3166 code. Raises TableChanged."""
    lines = [line for line in read(path, sha256).text.splitlines() if not line.startswith("#")]
    found = {}
    for line in lines:
        one = _LINE.fullmatch(line)
        if one is None:
            raise TableChanged(f"{path.name} has a line that cannot be read.")
        found[one[1]] = int(one[2])
    return found


def least_band(country: str, chosen: AgeBand) -> AgeBand:
    """The youngest age band that may have an account in a country: the operator's choice, or a
    higher one where the law wants it. Of a band that the age cuts, nobody may: we know no
    birthday."""
    age = table().get(country, 0)
    by_law = next(band for band in AGE_BANDS if _begins(band) >= age)
    return by_law if is_older(by_law, chosen) else chosen


def _begins(band: AgeBand) -> int:
    return {"under-13": 0, "13-15": 13, "16-17": 16, "18+": 18}[band]
