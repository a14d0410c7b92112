"""Matches the logs of crossings of two cells: what one says that it sent, the other has to say that
it received.

    python luciole_verify.py crossings NAME=FOLDER_OR_URL NAME=FOLDER_OR_URL
        [--policy FILE [--policy FILE]] [--now ISO] [--json]

NAME is the short name by which the other cell knows it. One policy is for both, two are for each in
this order. A part of `luciole_verify.py`, which lies beside it; read that first.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter, namedtuple
from functools import partial
from pathlib import Path
from typing import Any

try:
    from verifier import luciole_verify as v
except ImportError:  # beside each other in one folder
    import luciole_verify as v  # type: ignore[no-redef, import-not-found]

# How long something may be on its way, and until when both logs tell what was asked in an hour.
ON_THE_WAY_S = 60
WORKINGS_S = 2 * 3_600 + v.CLOCK_SLACK_S
REASONS = ("published", "addressed", "moving", "court-order", "aggregate", "workings")
NOTHING = v.sha256(b"").hex()
FINDINGS = """\
crossing.format ! Entry {} of {} is malformed.
crossing.twice ! Crossing {} stands twice in the log of {}.
crossing.unannounced ! {} has received {}, which {} does not tell.
crossing.other ! What {} and {} tell of {} differs.
crossing.denied ! {} has received {}, which {} says it never sent.
crossing.waiting ? {} of what {} announced since {} is not in the log of {}. > Ask both operators.
workings.other ! {} tells {} exchanges of kind {} with {} that the other log does not tell.
"""
v.TABLE.update({code: rest for code, *rest in v.ROWS.findall(FINDINGS)})

Crossing = namedtuple("Crossing", "index at other same verdict")


def told(entries: list[Any], name: str) -> dict[str, Any]:
    """What one log tells: `out`, `in` and `unsent` by id, and exchanges by their peer and kind."""
    found: dict[str, Any] = {"out": {}, "in": {}, "unsent": {}, "asked": {}, "answered": {}}
    for index, (at, kind, said) in enumerate(entries):
        if kind not in ("out", "in", "unsent", "workings"):
            continue  # pushes, and what later versions tell
        with v.formed("crossing.format", index, name):
            if kind == "workings":
                which, other = ("asked", "to") if "to" in said else ("answered", "from")
                key = (said[other], said["of"])
                pairs = [(one, two) for one, two in said["bodies"]]
                v.demand(all(len(one) == len(two) == 64 for one, two in pairs))
                found[which].setdefault(key, []).extend((at, *pair) for pair in pairs)
                continue
            other = said["from"] if kind == "in" else said["to"]
            same = tuple(said.get(word) for word in ("wire", "bytes", "sha256"))
            v.demand(kind != "out" or said["reason"] in REASONS)
            crossing = Crossing(index, at, other, same, said.get("verdict", ""))
        v.require(said["id"] not in found[kind], "crossing.twice", said["id"], name)
        found[kind][said["id"]] = crossing
    return found


def check_told(entries: list[Any], name: str) -> v.Said:
    """What one log tells, well-formed, and each crossing once."""
    found = told(entries, name)
    return f"It tells of {len(found['out'])} sent and {len(found['in'])} received.", found


def check_direction(a: str, b: str, logs: dict[str, Any], seen: dict[str, int]) -> v.Said:
    """What crossed from one cell to the other."""
    sent = {id: one for id, one in logs[a]["out"].items() if one.other == b}
    unsent = logs[a]["unsent"]
    came = {id: one for id, one in logs[b]["in"].items() if one.other == a}
    for id, one in came.items():
        if id not in sent:
            # Whoever receives has seen the entry in the sender's published log.
            v.require(one.at > seen[a] - ON_THE_WAY_S, "crossing.unannounced", b, id, a)
            continue
        v.require(id not in unsent, "crossing.denied", b, id, a)
        v.require(one.same == sent[id].same, "crossing.other", a, b, id)
    limit = min(seen[a], seen[b]) - ON_THE_WAY_S
    missing = {id: one for id, one in sent.items() if id not in came and id not in unsent}
    late = [one.at for one in missing.values() if one.at <= limit]
    v.require(late == [], "crossing.waiting", len(late), a, v.clock(min(late, default=0)), b)
    refused = sum(one.verdict != "accepted" for one in came.values())
    bodies = f"{len(came)} crossings from {a} to {b} are in both logs"
    return f"{bodies}, {refused} of them refused; {len(missing)} on their way.", None


def check_workings(a: str, b: str, logs: dict[str, Any], seen: dict[str, int]) -> v.Said:
    """What one cell asked the other at once, by the digests of what was asked and answered."""
    limit, count = min(seen[a], seen[b]) - WORKINGS_S, 0
    asked = {kind: pairs for (other, kind), pairs in logs[a]["asked"].items() if other == b}
    answered = {kind: pairs for (other, kind), pairs in logs[b]["answered"].items() if other == a}
    for kind in sorted({*asked, *answered}):
        ours, theirs = asked.get(kind, []), answered.get(kind, [])
        count += len(ours)
        # Who got no answer cannot tell whether it was asked; who answered can.
        heard = Counter((one, two) for at, one, two in ours if two != NOTHING and at <= limit)
        over = heard - Counter((one, two) for _, one, two in theirs)
        v.require(not over, "workings.other", a, over.total(), kind, b)
        over = Counter(one for at, one, _ in theirs if at <= limit) - Counter(
            one for _, one, _ in ours
        )
        v.require(not over, "workings.other", b, over.total(), kind, a)
    return f"{count} exchanges that {a} began with {b} are told by both.", None


def audit(options: argparse.Namespace) -> list[Any]:
    """All claims about both logs, in order."""
    claims, told_by, seen = list[Any](), dict[str, Any](), dict[str, int]()
    policies = [*options.policy, None, None] if len(options.policy) > 1 else 2 * options.policy
    for (name, where), given in zip(options.cells, policies or (None, None), strict=False):
        check = partial(v.claim, claims)
        source = v.Site(where) if where.startswith(("http://", "https://")) else v.Folder(where)
        if not (policy := check(f"{name}: policy", v.check_policy, given, source)):
            continue
        if not given:
            claims.append({"claim": f"{name}: choice", **vars(v.Finding("policy.from-cell"))})
        point = check(f"{name}: checkpoint", v.check_checkpoint, source, policy, "border", "")
        if not point:
            continue
        at = check(f"{name}: witnesses", v.witnessed, point, policy, options.now, v.FRESH_S)
        if held := check(f"{name}: tree", v.check_tree, source, "border", point):
            log = v.Log(point, held[0], held[1], at)
            entries = check(f"{name}: entries", v.check_entries, log, options.now)
            if entries is not None:
                newest = max((entry.at for entry in entries), default=0)
                seen[name] = at or newest
                told_by[name] = check(f"{name}: crossings", check_told, entries, name)
    names = [name for name, _ in options.cells]
    if all(told_by.get(name) for name in names):
        for a, b in (names, names[::-1]):
            v.claim(claims, f"{a} to {b}", check_direction, a, b, told_by, seen)
            v.claim(claims, f"{a} asks {b}", check_workings, a, b, told_by, seen)
    return claims


def cell(text: str) -> tuple[str, str]:
    name, _, where = text.partition("=")
    if not name or not where:
        raise argparse.ArgumentTypeError("NAME=FOLDER_OR_URL, such as us=https://us.example")
    return name, where


def main(arguments: list[str]) -> int:
    """The exit status."""
    parser = argparse.ArgumentParser("crossings", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("cells", nargs=2, type=cell, metavar="NAME=FOLDER_OR_URL")
    parser.add_argument("--policy", type=Path, metavar="FILE", action="append", default=[])
    parser.add_argument("--now", type=v.instant, metavar="ISO", default=int(time.time()))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    return v.report(audit(options), options.json)
