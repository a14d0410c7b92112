"""Matches a table of least ages with the cell's log, which names by version and digest the one that
the cell goes by.

    python luciole_ages.py FOLDER_OR_URL TABLE [--policy FILE] [--now ISO] [--json]

TABLE is what the cell answers at `/api/cell/ages`, or the file `ages.txt` of a release
(docs/reference/ledger-formats.md). It stands on `luciole_verify.py`, which lies beside it or in
`verifier`; read that first. What that says of a cell does not depend on anything here.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

try:
    from verifier import luciole_verify as v
except ImportError:  # beside each other in one folder, or in the two folders of a checkout
    sys.path.append(str(Path(__file__).resolve().parents[1] / "verifier"))
    import luciole_verify as v  # type: ignore[no-redef, import-not-found]

VERSION = re.compile(r"^# Version ([1-9][0-9]{0,5})\.", re.M)
FINDINGS = """\
ages.format ? The table is malformed, or does not say which version it is. > Take it anew.
ages.none ? The log names no table of least ages yet. > Look again in ten minutes.
ages.entry ! What the log says of tables of least ages is malformed.
ages.twice ! The log names two digests for version {}, in entries {} and {}.
ages.told ! The answer says that its text is version {} with the digest {}, and it is not.
ages.changed ! The table calls itself version {}; entry {} has another digest for that.
ages.unknown ? The log does not name version {}, but {} last. > Take the table of this cell.
ages.older ? The cell goes by version {} since entry {}, and by {} no more. > Take the newest.
ages.place ! The cell points to entry {} for this table, and that does not name it.
ages.beyond ? The cell points to entry {}, and the log as read ends at {}. > Give the newest log.
ages.unplaced ? The cell does not say where its log names this table. > Ask it again in ten minutes.
"""
v.TABLE.update({code: rest for code, *rest in v.ROWS.findall(FINDINGS)})


def read_table(path: Path) -> tuple[int, str, Any]:
    """The version and the digest of a table, and the cell's answer that it came in, if it did."""
    raw = v.read_file(path, v.MOST_TEXT_BYTES)
    with v.formed("ages.format"):
        told = json.loads(raw) if raw.startswith(b"{") else None
        text = raw.decode() if told is None else told["text"]
        found = VERSION.findall(text)
        v.demand(len(found) == 1)
        version, digest = int(found[0]), v.sha256(text.encode()).hex()
    if told is not None:
        said = told.get("version"), told.get("sha256")
        v.require(said == (version, digest), "ages.told", *map(v.shown, said))
    return version, digest, told


def check_ages(path: Path, entries: list[Any]) -> v.Said:
    """The log names this table, by version and digest, as the last one, and where the cell says."""
    # 1. The table.
    version, digest, told = read_table(path)
    # 2. The log: each version has one digest for good, whatever table was given.
    named: dict[int, tuple[int, str]] = {}
    last = 0
    with v.formed("ages.entry"):
        for index, one in enumerate(entries):
            if one.kind == "ages":
                last, sha = v.natural(one.said["version"]), one.said["sha256"]
                v.demand(re.fullmatch("[0-9a-f]{64}", sha) is not None)
                before, known = named.setdefault(last, (index, sha))
                v.require(known == sha, "ages.twice", last, before, index)
                named[last] = index, sha
    v.require(named != {}, "ages.none")
    # 3. Both.
    v.require(version in named, "ages.unknown", version, last)
    at, sha = named[version]
    v.require(sha == digest, "ages.changed", version, at)
    v.require(version == last, "ages.older", last, named[last][0], version)
    if told is not None:
        v.require(told.get("entry") is not None, "ages.unplaced")
        with v.formed("ages.format"):
            v.demand(told["entry"]["log"] == "decisions")
            place = v.natural(told["entry"]["index"])
        v.require(place < len(entries), "ages.beyond", place, len(entries))
        there = entries[place]
        found = there.kind == "ages" and (there.said["version"], there.said["sha256"])
        v.require(found == (version, digest), "ages.place", place)
    return f"The cell goes by this table: version {version}, since entry {at}.", None


def audit(options: argparse.Namespace) -> list[Any]:
    """All claims about the log of decisions, and then the table beside it."""
    claims, where, name = list[Any](), options.source, "decisions"
    check = partial(v.claim, claims)
    source = v.Site(where) if where.startswith(("http://", "https://")) else v.Folder(where)
    if not (policy := check("policy", v.check_policy, options.policy, source)):
        return claims
    if not options.policy:
        claims.append({"claim": "choice of policy", **vars(v.Finding("policy.from-cell"))})
    handed = check("handovers", v.read_handovers, source) or {}
    policy = v.extended(policy, handed)
    if not (point := check(f"{name}: checkpoint", v.check_checkpoint, source, policy, name, "")):
        return claims
    seen = check(f"{name}: witnesses", v.witnessed, point, policy, options.now, v.FRESH_S)
    if not (held := check(f"{name}: tree", v.check_tree, source, name, point)):
        return claims
    log = v.Log(point, held[0], held[1], seen)
    entries = check(f"{name}: entries", v.check_entries, log, options.now)
    if entries is not None:
        check(f"{name}: who signs", v.check_handovers, log, entries, handed.get(name, []))
        check("least ages", check_ages, options.table, entries)
    return claims


def main(arguments: list[str] | None = None) -> int:
    """The exit status."""
    parser = argparse.ArgumentParser("ages", description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("source", metavar="FOLDER_OR_URL")
    parser.add_argument("table", type=Path, metavar="TABLE")
    parser.add_argument("--policy", type=Path, metavar="FILE")
    parser.add_argument("--now", type=v.instant, metavar="ISO", default=int(time.time()))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    return v.report(audit(options), options.json)


if __name__ == "__main__":
    raise SystemExit(main())
