"""Matches what a cell's staff looked at and did, as its console lists it, with the cell's log.

    python luciole_verify.py FOLDER_OR_URL --policy FILE --acts FILE

`--acts` is the list that an auditor takes along from the console: a line of its own, then one line
an act (docs/reference/ledger-formats.md). The log `decisions` has a digest over each day of it. A
part of `luciole_verify.py`, which lies beside it; read that first.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

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


def check_acts(path: Path, log: Any, entries: list[Any]) -> tuple[str, None]:
    """Each day that is over is as the log has it; each act that changes something is there too, and
    everybody who acted is of the staff that the log has named."""
    v = sys.modules[type(log).__module__]  # the file beside, under whichever name it runs
    v.TABLE.update({code: rest for code, *rest in v.ROWS.findall(FINDINGS)})
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
