"""Compares a cell's logs with the mirror that another cell keeps of them: whether one was cut, or
tells two stories. Where the cell is gone, what the mirror has is checked for itself.

    python luciole_mirror.py FOLDER_OR_URL FOLDER_OR_URL
        [--policy FILE] [--evidence FOLDER] [--now ISO] [--json]

First the cell, then the mirror, such as https://us.example/mirror/sg. What contradicts is written
into the folder, for others to check. It stands on `luciole_verify.py`, which lies beside it or in
`verifier`; read that first. What that says of one cell does not depend on anything here.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import namedtuple
from functools import partial
from pathlib import Path
from typing import Any

try:
    from verifier import luciole_verify as v
except ImportError:  # beside each other in one folder, or in the two folders of a checkout
    sys.path.append(str(Path(__file__).resolve().parents[1] / "verifier"))
    import luciole_verify as v  # type: ignore[no-redef, import-not-found]

FINDINGS = """\
mirror.none ? The mirror has no head of this log. > Look at the mirrors of its other peers.
mirror.away ? The cell shows no {} to compare with. > What the mirror has holds by itself.
mirror.cut ! The cell shows {} entries; it had signed {}, as the mirror has it: {} | {}
mirror.forked ! From entry {} on the two differ, and the log has signed both: {} | {}
evidence.format ? The mirror's evidence is malformed. > Tell the operator of the mirror.
evidence.proven ! The log has signed two heads that cannot both be true: {} | {}
evidence.open ? {} pairs of heads need the entries of the other side to be judged. > Ask both.
"""
v.TABLE.update({code: rest for code, *rest in v.ROWS.findall(FINDINGS)})

Held = namedtuple("Held", "point leaves entries")


def line(point: Any) -> str:
    """A head in one line: how many entries, and their root."""
    return f"{point.size} {point.root.hex()}"


def newest(source: Any, policy: Any, log: str) -> v.Said:
    """The largest head that a side shows of a log, signed by it: published, or signed just now."""
    points = [
        v.opened(data, policy, log)
        for name in ("checkpoint", "pending")
        if (data := source.read(f"{log}/{name}", v.MOST_TEXT_BYTES))
    ]
    v.require(points != [], "mirror.none")
    point = max(points, key=lambda one: one.size)
    return f"The log's key signed {point.size} entries of {point.origin}.", point


def held(source: Any, log: str, point: Any) -> v.Said:
    """The whole tree under a head."""
    sentence, (leaves, entries) = v.check_tree(source, log, point)
    return sentence, Held(point, leaves, entries)


def check_witnesses(source: Any, policy: Any, log: str, now: int) -> v.Said:
    """Enough witnesses have seen what the mirror publishes, at whatever time: a cell that is gone
    is not seen again."""
    point = v.opened(source.read(f"{log}/checkpoint", v.MOST_TEXT_BYTES), policy, log)
    return v.witnessed(point, policy, now, float("inf"))


def compare(cell: Any, newest_of_cell: Any, mirror: Any, folder: Path | None, log: str) -> v.Said:
    """Whether one of the two continues the other."""
    common = min(len(cell.leaves), len(mirror.leaves))
    differ = next((n for n in range(common) if cell.leaves[n] != mirror.leaves[n]), None)
    if differ is not None:
        keep(folder, log, cell, mirror, differ)
        v.require(False, "mirror.forked", differ, *(line(one.point) for one in (cell, mirror)))
    if newest_of_cell.size < mirror.point.size:
        keep(folder, log, cell, mirror, newest_of_cell.size)
        heads = (line(newest_of_cell), line(mirror.point))
        v.require(False, "mirror.cut", newest_of_cell.size, mirror.point.size, *heads)
    newer = len(cell.leaves) - common
    return f"The {common} entries that both have are the same; {newer} are newer here.", None


def keep(folder: Path | None, log: str, cell: Any, mirror: Any, index: int) -> None:
    """Writes what contradicts: both signed heads, and where both have it the first entry that
    differs."""
    if folder is None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    for name, side in (("cell", cell), ("mirror", mirror)):
        (folder / f"{log}.{name}.head").write_text(side.point.text, encoding="utf-8")
        if index < len(side.entries):
            (folder / f"{log}.{name}.entry-{index}").write_bytes(side.entries[index])


def check_evidence(mirror: Any, policy: Any, mirrors: dict[str, Any]) -> v.Said:
    """Pairs of heads that the mirror's witness has kept. Only what both signatures and the entries
    here prove is RED."""
    raw = mirror.read("evidence", v.MOST_JOURNAL_BYTES)
    with v.formed("evidence.format"):
        pairs = [(one["log"], one["ours"], one["theirs"]) for one in json.loads(raw or b"[]")]
        v.demand(all(log in v.LOGS for log, _, _ in pairs))
    unjudged = 0
    for log, *notes in pairs:
        with v.formed("evidence.format"):
            texts = [note.encode() for note in notes]
        try:
            ours, theirs = (v.opened(text, policy, log) for text in texts)
        except v.Finding as found:
            # Anybody can write two heads; only what the log has signed says something of it.
            raise v.Finding("evidence.format") from found
        kept = mirrors.get(log)
        is_same_size = ours.size == theirs.size and ours.root != theirs.root
        known = kept.leaves if kept else []
        is_ours = ours.size <= len(known) and v.root_of(known[: ours.size]) == ours.root
        is_proven = is_same_size or (
            is_ours and theirs.size <= ours.size and v.root_of(known[: theirs.size]) != theirs.root
        )
        v.require(not is_proven, "evidence.proven", line(ours), line(theirs))
        unjudged += 1
    v.require(unjudged == 0, "evidence.open", unjudged)
    return "The mirror's witness has kept nothing against these logs.", None


def audit(options: argparse.Namespace) -> list[Any]:
    """All claims about the mirror, and about each log beside it."""
    claims, mirrors = list[Any](), dict[str, Any]()
    check = partial(v.claim, claims)
    cell, mirror = (
        v.Site(where) if where.startswith(("http://", "https://")) else v.Folder(where)
        for where in (options.cell, options.mirror)
    )
    if not (policy := check("policy", v.check_policy, options.policy, mirror)):
        return claims
    if not options.policy:
        claims.append({"claim": "choice of policy", **vars(v.Finding("policy.from-cell"))})
    handed = check("handovers", v.read_handovers, mirror) or {}
    policy = v.extended(policy, handed)
    for log in v.LOGS:
        # The mirror first: what the cell has signed by then, it has to have afterwards.
        if point := check(f"{log}: mirror", newest, mirror, policy, log):
            check(f"{log}: witnesses", check_witnesses, mirror, policy, log, options.now)
            mirrors[log] = check(f"{log}: mirror's tree", held, mirror, log, point)
        if not mirrors.get(log):
            continue
        theirs = check_cell(claims, cell, policy, log)
        if theirs:
            given = (*theirs, mirrors[log], options.evidence, log)
            check(f"{log}: cell and mirror", compare, *given)
    check("evidence", check_evidence, mirror, policy, mirrors)
    return claims


def check_cell(claims: list[Any], cell: Any, policy: Any, log: str) -> Any:
    """What the cell itself shows of a log, and its newest head; nothing where it shows none."""
    try:
        _, point = newest(cell, policy, log)
    except v.Finding as found:
        if found.code in ("mirror.none", "source.unreadable"):
            found = v.Finding("mirror.away", log)
        claims.append({"claim": f"{log}: cell", **vars(found)})
        return None
    published = v.claim(claims, f"{log}: cell", v.check_checkpoint, cell, policy, log, "")
    of = published if published else point
    tree = v.claim(claims, f"{log}: cell's tree", held, cell, log, of)
    return (tree, point) if tree else None


def main(arguments: list[str] | None = None) -> int:
    """The exit status."""
    parser = argparse.ArgumentParser("mirror", description=(__doc__ or "").partition("\n")[0])
    for name in ("cell", "mirror"):
        parser.add_argument(name, metavar="FOLDER_OR_URL")
    parser.add_argument("--policy", type=Path, metavar="FILE")
    parser.add_argument("--evidence", type=Path, metavar="FOLDER")
    parser.add_argument("--now", type=v.instant, metavar="ISO", default=int(time.time()))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    return v.report(audit(options), options.json)


if __name__ == "__main__":
    raise SystemExit(main())
