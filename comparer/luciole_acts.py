"""Matches what a cell's staff looked at and did, as its console lists it, with the cell's log.

    python luciole_acts.py FOLDER_OR_URL LIST [--policy FILE] [--now ISO] [--json]

The list is what an auditor takes along from the console: a line of its own, then one line an act
(docs/reference/ledger-formats.md). The log `decisions` has a digest over each day of it. It stands
on `luciole_verify.py`, which lies beside it or in `verifier`; read that first. What that says of a
cell does not depend on anything here.
"""

from __future__ import annotations

import argparse
import json
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

ACT = {"id", "at", "staff", "role", "act", "what"}
FINDINGS = """\
acts.format ? The list of acts is malformed. > Take it from the console again.
acts.cell ? The list is of the cell {}, not of this log's. > Give both of one cell.
acts.short ? The list begins with {} only. > Take the whole list from the console again.
acts.digest ! What the log says of a day of acts is malformed, or there twice.
acts.changed ! The acts of {} are not those over which the log has a digest.
acts.unclosed ! The acts of {} have no digest in the log, although one was due.
acts.differ ! Act {} is not the same in the log and in the list, or in one of them only.
acts.stranger ! Act {} is by somebody whom the log never named as one of the staff.
"""
v.TABLE.update({code: rest for code, *rest in v.ROWS.findall(FINDINGS)})


def check_acts(path: Path, log: Any, entries: list[Any]) -> v.Said:
    """Each day that is over is as the log has it; each act that changes something is there too, and
    everybody who acted is of the staff that the log has named."""
    # 1. The list. Digests are over the bytes of its lines, as they are.
    raw = v.read_file(path, v.MOST_JOURNAL_BYTES).splitlines(keepends=True)
    with v.formed("acts.format"):
        head, *lines = map(json.loads, raw)
        made, start, cell = v.instant(head["at"]), f"{head['from']}T00:00:00Z", head["cell"]
        acts, begins = {one["id"]: one for one in lines}, v.instant(start)
        times = [v.instant(one["at"]) for one in lines if one.keys() == ACT]
        v.demand(
            head["kind"] == "console-acts"
            and len(times) == len(acts) == len(lines)
            and all(begins <= at <= made + v.CLOCK_SLACK_S for at in times)
        )
    v.require(log.point.origin.split("/")[1] == cell, "acts.cell", v.shown(cell))
    # A cell keeps 400 days.
    v.require(begins <= made - 400 * v.DAY_S, "acts.short", start[:10])
    # 2. The days. What is newer than the list or the log, the other one need not have.
    limit = min(made, log.seen or entries[-1].at)
    with v.formed("acts.digest"):
        days = [one.said for one in entries if one.kind == "console-day"]
        closed = {v.instant(f"{d['day']}T00:00:00Z"): (d["acts"], d["sha256"]) for d in days}
        v.demand(len(closed) == len(days))
    judged = {day for day in closed if begins <= day <= made - v.DAY_S - v.CLOCK_SLACK_S}
    for day in sorted(judged | {at - at % v.DAY_S for at in times}):
        ours = [raw[n] for n, at in enumerate(times, 1) if 0 <= at - day < v.DAY_S]
        found, name = (len(ours), v.sha256(b"".join(ours)).hex()), v.clock(day)[:10]
        v.require(day not in judged or closed[day] == found, "acts.changed", name)
        v.require(day in closed or limit < day + v.DAY_S + v.SEAL_DUE_S, "acts.unclosed", name)
    # 3. The acts.
    staff = {one.said.get("staff") for one in entries if one.kind == "staff"}
    told = {
        one.said.get("id"): {key: one.said.get(key) for key in ACT}
        for one in entries
        if one.kind == "console" and begins <= one.at
    }
    for name, one in (told | acts).items():
        if v.instant(one["at"]) <= limit - v.CLOCK_SLACK_S:
            v.require(one["staff"] in staff, "acts.stranger", v.shown(name))
            v.require(
                # Of looks the log has the digest only.
                told.get(name, one["act"] == "look" and one) == one == acts.get(name),
                "acts.differ",
                v.shown(name),
            )
    return f"{len(judged)} days have the acts over which the log has digests.", None


def audit(options: argparse.Namespace) -> list[Any]:
    """All claims about the log of decisions, and then the list beside it."""
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
        check("acts", check_acts, options.list, log, entries)
    return claims


def main(arguments: list[str] | None = None) -> int:
    """The exit status."""
    parser = argparse.ArgumentParser("acts", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("source", metavar="FOLDER_OR_URL")
    parser.add_argument("list", type=Path, metavar="LIST")
    parser.add_argument("--policy", type=Path, metavar="FILE")
    parser.add_argument("--now", type=v.instant, metavar="ISO", default=int(time.time()))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    return v.report(audit(options), options.json)


if __name__ == "__main__":
    raise SystemExit(main())
