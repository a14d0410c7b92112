"""The least age of each country, from `ages.txt`: one line each, with its source.

The digest of the table is here, so that a line that was changed on a server by itself is noticed at
the start; both files are part of the release, whose digest the cell's log has.
"""

from __future__ import annotations

import functools
import hashlib
import re
from pathlib import Path

from luciole.cell.people.model import AGE_BANDS, AgeBand, is_older

TABLE = Path(__file__).with_name("ages.txt")
SHA256 = "bbd2756998d314085adbc9d920eecc2506ed1690e776bba3d5bada97b9d0efaa"
_LINE = re.compile(r"([A-Z]{2}) ([0-9]{1,2}) (\S.*)")


class TableChanged(RuntimeError):
    """The table is not the one that this version was made with."""


@functools.cache
def table(path: Path = TABLE, sha256: str = SHA256) -> dict[str, int]:
    """The least age in years by ISO 3166 code. Raises TableChanged."""
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != sha256:
        raise TableChanged(f"{path.name} is not the table of this version; install it again.")
    lines = [line for line in data.decode().splitlines() if not line.startswith("#")]
    found = {}
    for line in lines:
        read = _LINE.fullmatch(line)
        if read is None:
            raise TableChanged(f"{path.name} has a line that cannot be read.")
        found[read[1]] = int(read[2])
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
