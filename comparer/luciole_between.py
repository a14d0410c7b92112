"""Checks what operators say of each other, with the logs of all who are named: a sale, that nothing
is left at the seller, that others have destroyed what they held, and a guardian's counts.

    python luciole_between.py FOLDER_OR_URL [--other FOLDER_OR_URL]...
        [--policy FILE]... [--receipt FILE] [--removal FILE] [--now ISO] [--json]

First the cell; then those that guard its keys or have kept its backup, whose logs are read as well.
One policy is for all, several are for each in this order. The receipt is the buyer's, the removal
the seller's statement (docs/reference/ledger-formats.md). It stands on `luciole_verify.py`, which
lies beside it or in `verifier`; read that first. What that says of one cell does not depend on
anything here.
"""

from __future__ import annotations

import argparse
import itertools
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

# A guardian and a keeper say each hour what has changed; clocks differ.
SAID_WITHIN_S = 3_600 + 2 * v.CLOCK_SLACK_S
FINDINGS = """\
sale.format ! What the log says of a sale is malformed, or stands where no sale is.
sale.keys ! The log went to another key than to that of {}, to whom it says that the cell was sold.
sale.adopted ! Who has the log now says to have adopted other contents, or to be another.
sale.open ? The log was handed over to {}, who has not said to have adopted it. > Ask {}.
receipt.note ? The receipt is not a well-formed one of a sale.
receipt.sale ! The receipt is for contents that the log does not name.
receipt.key ! The receipt is not signed by who has the log since.
receipt.more ! The receipt is for {} people, and the log tells of {} who were adopted.
removal.note ? The statement is not a well-formed one of a removal.
removal.sale ! The statement is about contents, or a buyer, that the log does not name.
removal.key ! The statement is not signed by the key that the log names for it.
removal.verdict ! The statement says {}, and its own claims or the log say {}.
removal.unlogged ? The log does not have this statement. > Ask the operator to put it there.
removal.left ! The seller says itself that something is left: {}.
removal.unsure ? The seller cannot tell of {}. > Read the statement, and ask who is named there.
held.format ! What a log says of what cells hold for one another is malformed.
held.untold ? {} has not said to have destroyed {} ({}). > Ask its operator.
held.alone ? {} is said to have destroyed {}. > Give its log with --other.
held.waiting ? The log of {} does not tell yet that it destroyed {}. > Look again in two hours.
held.differs ! {} is said to have destroyed {} of {}; its own log does not tell of so many.
guard.alone ? {} guards keys of this cell. > Give its log with --other.
guard.more ! {} has given {} halves by {}; this cell had asked for {}, and {} were lent.
guard.differs ! {} had told this cell of {} halves that it gave; its own log tells of {}.
guard.restored ? This cell was restored at {}, and counts fewer than {} gave. > Ask both operators.
guard.anew ? This cell has begun to count anew, so that sums cannot be compared. > Ask both.
guard.waiting ? Neither log is newer than the other's counts. > Look again in two hours.
"""
v.TABLE.update({code: rest for code, *rest in v.ROWS.findall(FINDINGS)})

WORDS = {"share": "halves of keys", "backup": "the sealed backup"}
RECEIPT, REMOVAL = "luciole-receipt-v1", "luciole-removal-v1"
Sale = namedtuple("Sale", "said key adopted")  # the entry `divest`, who has the log since, and says
Note = namedtuple("Note", "raw body signatures")
Read = namedtuple("Read", "cell seen entries handed")


def note_of(path: Path) -> Note:
    """A signed note whose text is not a checkpoint's. Inside `formed`."""
    raw = v.read_file(path, v.MOST_TEXT_BYTES)
    body, _, tail = raw.decode("utf-8")[:-1].rpartition("\n\n")
    v.demand(raw.endswith(b"\n") and body != "")
    signatures = []
    for line in tail.split("\n"):
        dash, name, encoded = line.split(" ")
        signature = v.b64(encoded)
        v.demand(dash == "—" and name != "" and len(signature) > 4)
        signatures.append((name, signature[:4], signature[4:]))
    return Note(raw, f"{body}\n", signatures)


def is_by(key: Any, note: Note) -> bool:
    """Whether a key has signed a note."""
    return any(
        (name, key_id) == (key.name, key.id) and v.is_signed(key, signature, note.body.encode())
        for name, key_id, signature in note.signatures
    )


# --- 1. What was sold, and who adopted it ---------------------------------------------------------


def check_sales(mine: Read) -> v.Said:
    """Each handover is to whom the log says that the cell was sold; who has it since says to have
    adopted just that. Gives the sales."""
    sales = list[Sale]()
    divested: Any = None
    for one in mine.entries:
        with v.formed("sale.format"):
            if one.kind == "divest":
                divested, _ = one.said, (one.said["to"], one.said["contents"], one.said["keys"])
            elif one.kind == "handover":
                v.demand(divested is not None)
                key = v.key_of(one.said["key"], v.KEY_KINDS["log"])
                is_right = one.said["key"] == divested["keys"]["decisions"]
                v.require(is_right, "sale.keys", v.shown(divested["to"]))
                sales.append(Sale(divested, key, None))
                divested = None
            elif one.kind == "adopted":
                v.demand(sales != [] and sales[-1].adopted is None)
                last = sales[-1].said
                named = [last[word] for word in ("contents", "to", "jurisdiction")]
                told = [one.said[word] for word in ("contents", "operator", "jurisdiction")]
                v.require(named == told, "sale.adopted")
                sales[-1] = sales[-1]._replace(adopted=one.said)
    for sale in sales:
        name = v.shown(sale.said["to"])
        v.require(sale.adopted is not None, "sale.open", name, name)
    return f"The cell was sold {len(sales)} times; each buyer has adopted what was sold.", sales


def check_receipt(path: Path, sales: list[Sale]) -> v.Said:
    """The buyer has signed to have opened all of what was sold."""
    with v.formed("receipt.note"):
        note = note_of(path)
        form, *lines = note.body.removesuffix("\n").split("\n")
        words = dict(line.split(" ") for line in lines)
        v.demand(form == RECEIPT and list(words) == ["contents", "persons", "rows", "objects"])
        counts = {name: v.number(words[name]) for name in ("persons", "rows", "objects")}
    sold = [one for one in sales if one.said["contents"] == words["contents"]]
    v.require(sold != [], "receipt.sale")
    v.require(is_by(sold[-1].key, note), "receipt.key")
    if sold[-1].adopted is not None:
        with v.formed("sale.format"):
            adopted = v.natural(sold[-1].adopted["persons"])
        v.require(counts["persons"] <= adopted, "receipt.more", counts["persons"], adopted)
    said = ", ".join(f"{count} {name}" for name, count in counts.items())
    return f"Who has the log since has signed to have opened {said}.", None


# --- 2. That nothing is left at the seller --------------------------------------------------------


def check_removal(path: Path, mine: Read, sales: list[Sale]) -> v.Said:
    """The seller's statement is of this sale, signed by the key that the log named for it, and the
    log has it since; then what it says."""
    with v.formed("removal.note"):
        note = note_of(path)
        form, text = note.body.removesuffix("\n").split("\n")
        said = json.loads(text)
        claims = [(one["claim"], one["verdict"]) for one in said["claims"]]
        v.demand(form == REMOVAL and claims != [] and v.instant(said["at"]) > 0)
        v.demand({said["verdict"], *(one for _, one in claims)} <= {*v.VERDICTS})
    sold = [one.said for one in sales if one.said["contents"] == said["contents"]]
    v.require(sold != [] and sold[-1]["to"] == said["buyer"], "removal.sale")
    with v.formed("removal.key"):
        v.demand(is_by(v.key_of(sold[-1]["statement_key"], v.KEY_KINDS["log"]), note))
    whole = v.verdict_of([{"verdict": one} for _, one in claims])
    v.require(said["verdict"] == whole, "removal.verdict", said["verdict"], whole)
    digest = v.sha256(note.raw).hex()
    logged = [
        v.shown(one.said.get("verdict"))
        for one in mine.entries
        if one.kind == "removal" and one.said.get("sha256") == digest
    ]
    differs = next((one for one in logged if one != whole), "")
    v.require(not differs, "removal.verdict", whole, differs)
    left = ", ".join(v.shown(name) for name, one in claims if one == whole)
    v.require(whole != v.RED, "removal.left", left)
    v.require(logged != [], "removal.unlogged")
    v.require(whole == v.GREEN, "removal.unsure", left)
    return f"At {said['at']} the seller signed {len(claims)} claims; the log has the digest.", None


# --- 3. What other cells held ---------------------------------------------------------------------


def check_held(mine: Read, others: dict[str, Read]) -> v.Said:
    """Whoever held something of the cell when it was sold has destroyed it, as its own log says."""
    last: dict[tuple[str, str], Any] = {}
    with v.formed("held.format"):
        for one in mine.entries:
            if one.kind == "held-elsewhere":
                v.demand(one.said["of"] in WORDS and ("destroyed" in one.said or one.said["code"]))
                last[one.said["cell"], one.said["of"]] = one
    for (cell, of), one in sorted(last.items()):
        name, what = v.shown(one.said["peer"]), WORDS[of]
        v.require("destroyed" in one.said, "held.untold", name, what, v.shown(one.said.get("code")))
        v.require(cell in others, "held.alone", name, what)
        with v.formed("held.format"):
            count = v.natural(one.said["destroyed"])
            most = max((said["destroyed"] for _, said in told(others[cell], mine, of)), default=0)
        if most < count:
            is_late = newest(others[cell]) > one.at + SAID_WITHIN_S
            v.require(is_late, "held.waiting", name, what)
            v.require(False, "held.differs", name, count, what)
    return f"{len(last)} things that others held are destroyed, as their own logs say.", None


def told(other: Read, mine: Read, of: str) -> list[tuple[int, Any]]:
    """What another cell's log says of what it holds of ours, and when; without what it lent."""
    kind = "guarding" if of == "share" else "keeping"
    return [
        (one.at, one.said)
        for one in other.entries
        if one.kind == kind and one.said["cell"] == mine.cell and "act" not in one.said
    ]


def newest(one: Read) -> int:
    """Until when a log tells."""
    return one.seen or max((entry.at for entry in one.entries), default=0)


# --- 4. What a guardian gave, and what was asked --------------------------------------------------


def check_guard(mine: Read, others: dict[str, Read]) -> v.Said:
    """A guardian gave no half that the cell had not asked for, but those that it says it lent."""
    with v.formed("held.format"):
        counted: dict[str, list[Any]] = {}
        for one in mine.entries:
            if one.kind == "guardian" and one.said["act"] == "counts":
                pair = v.natural(one.said["asked"]), v.natural(one.said["given"])
                counted.setdefault(one.said["cell"], []).append((one.at, one.said, *pair))
        restores = [
            one.at
            for one in mine.entries
            if one.kind == "restore" and v.natural(one.said["from"]) < v.natural(one.said["to"])
        ]
    compared = 0
    for cell, counts in sorted(counted.items()):
        name = v.shown(counts[-1][1]["guardian"])
        v.require(cell in others, "guard.alone", name)
        with v.formed("held.format"):
            gave = [(at, v.natural(one["given"])) for at, one in told(others[cell], mine, "share")]
            lent = [
                (one.at, v.natural(one.said["halves"]))
                for one in others[cell].entries
                if one.kind == "guarding"
                and one.said.get("act") == "lent"
                and one.said["cell"] == mine.cell
            ]
        sure, excused = unbroken(counts, restores)
        # What was given by a time, was asked for by then: the next count here has it.
        for at, given in gave:
            by_then = sum(halves for when, halves in lent if when <= at)
            later, asks = next(
                ((one[0], one[2]) for one in sure if one[0] >= at + v.CLOCK_SLACK_S), (0, 0)
            )
            if not later:
                continue
            compared += 1
            if given > asks + by_then:
                # What was given until a restore may be forgotten; what was given since is not.
                back = put_back(restores, later)
                most = min((one for when, one in gave if when >= back), default=given)
                most += asks + sum(halves for when, halves in lent if back < when <= at)
                facts = (name, given, v.clock(at), asks, by_then)
                v.require(back > 0 and given <= most, "guard.more", *facts)
                excused = max(excused, back)
        # And what it told us, its own log tells, the hour after.
        most = max((given for _, given in gave), default=0)
        for at, _, _, given in counts:
            if newest(others[cell]) > at + SAID_WITHIN_S:
                v.require(given <= most, "guard.differs", name, given, most)
        v.require(len(sure) == len(counts), "guard.anew")
        v.require(excused == 0, "guard.restored", v.clock(excused), name)
    v.require(compared > 0 or counted == {}, "guard.waiting")
    return f"{len(counted)} guardians gave no more than was asked for, {compared} times.", None


def unbroken(counts: list[Any], restores: list[int]) -> tuple[list[Any], int]:
    """The cell's counts up to where it began anew, and the last time that it was put back from a
    copy, which counts on from an older number; that is 0 where none of them is smaller for it."""
    back, sure = 0, counts[:1]
    for before, after in itertools.pairwise(counts):
        if after[2] < before[2]:
            last = put_back(restores, after[0])
            if last < before[0]:
                break
            back = last
        sure.append(after)
    return sure, back


def put_back(restores: list[int], at: int) -> int:
    """When the cell was last put back from a copy before a time, as its log says; else 0."""
    return max((when for when in restores if when <= at), default=0)


# --- 5. The run -----------------------------------------------------------------------------------


def read(claims: list[Any], where: str, given: Path | None, now: int, name: str) -> Any:
    """The log of decisions of one cell; nothing where it cannot be believed."""
    check = partial(v.claim, claims)
    source = v.Site(where) if where.startswith(("http://", "https://")) else v.Folder(where)
    if not (policy := check(f"{name}: policy", v.check_policy, given, source)):
        return None
    if not given:
        claims.append({"claim": f"{name}: choice of policy", **vars(v.Finding("policy.from-cell"))})
    handed = (check(f"{name}: handovers", v.read_handovers, source) or {}).get("decisions", [])
    policy = v.extended(policy, {"decisions": handed})
    point = check(f"{name}: checkpoint", v.check_checkpoint, source, policy, "decisions", "")
    if not point:
        return None
    seen = check(f"{name}: witnesses", v.witnessed, point, policy, now, v.FRESH_S)
    if not (held := check(f"{name}: tree", v.check_tree, source, "decisions", point)):
        return None
    log = v.Log(point, held[0], held[1], seen)
    entries = check(f"{name}: entries", v.check_entries, log, now)
    if entries is None:
        return None
    check(f"{name}: who signs", v.check_handovers, log, entries, handed)
    return Read(point.origin.split("/")[1], seen, entries, handed)


def audit(options: argparse.Namespace) -> list[Any]:
    """All claims about the cell, and about what the others say of it."""
    claims, others = list[Any](), dict[str, Read]()
    count = 1 + len(options.other)
    policies = options.policy * count if len(options.policy) == 1 else [*options.policy]
    policies += [None] * (count - len(policies))
    mine = read(claims, options.source, policies[0], options.now, "cell")
    for n, where in enumerate(options.other, 1):
        if found := read(claims, where, policies[n], options.now, f"other {n}"):
            others[found.cell] = found
    if mine is None:
        return claims
    sales = v.claim(claims, "sales", check_sales, mine)
    if options.receipt:
        v.claim(claims, "receipt of the sale", check_receipt, options.receipt, sales or [])
    if options.removal:
        v.claim(claims, "removal", check_removal, options.removal, mine, sales or [])
    v.claim(claims, "held elsewhere", check_held, mine, others)
    v.claim(claims, "guardian", check_guard, mine, others)
    return claims


def parsed(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser("between", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("source", metavar="FOLDER_OR_URL")
    parser.add_argument("--other", metavar="FOLDER_OR_URL", action="append", default=[])
    parser.add_argument("--policy", type=Path, metavar="FILE", action="append", default=[])
    for name in ("receipt", "removal"):
        parser.add_argument(f"--{name}", type=Path, metavar="FILE")
    parser.add_argument("--now", type=v.instant, metavar="ISO", default=int(time.time()))
    parser.add_argument("--json", action="store_true")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """The exit status."""
    options = parsed(arguments)
    return v.report(audit(options), options.json)


if __name__ == "__main__":
    raise SystemExit(main())
