#!/usr/bin/env python3
"""Checks from outside what a Luciole cell promises. Trusts neither the cell nor its code.

    python luciole_verify.py FOLDER_OR_URL --policy FILE [--remember FILE]
        [--notices FILE] [--receipt FILE]... [--journal FILE --label-key FILE] [--now ISO] [--json]

For each claim it prints GREEN, RED or CANNOT TELL with one sentence and, unless GREEN, what to do
next; then what it took for granted and what it does not prove. Exit status: 0 all GREEN, 1 at least
one RED, 2 otherwise. Needs Python 3.11 and the package `cryptography`; imports nothing of Luciole.

Read it from top to bottom: 1 limits, 2 verdicts, 3 reading, 4 hash trees, 5 signed checkpoints,
6 policy and witnesses, 7 entries, 8 proofs of absence, 9 the claims, 10 the run.
Sources: RFC 6962 and 9162 (trees); C2SP signed-note, tlog-checkpoint, tlog-cosignature,
tlog-policy, tlog-tiles, tlog-proof (texts of 2026-07-22); for entries, seals and journals Luciole's
docs/reference/ledger-formats.md. `crossings` as the first word matches two cells: see beside it.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import http.client
import importlib
import json
import re
import struct
import sys
import time
import urllib.error
import urllib.request
from bisect import bisect_left
from collections import Counter, namedtuple
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

# --- 1. Limits. Whoever answers may be hostile; beyond them the verdict is CANNOT TELL. -----------

MOST_TEXT_BYTES = 1 << 20  # a checkpoint, a policy, a receipt, a remembered file
MOST_JOURNAL_BYTES, MOST_LOG_BYTES = 64 << 20, 1 << 30
MOST_BUNDLE_BYTES = 256 * (2 + 65_535)
MOST_ENTRIES, MOST_SEALED_LABELS = 2_000_000, 100_000_000  # seals of a year overlap
ANSWER_SECONDS, RUN_SECONDS = 60, 3_600  # one file of a site, and all of them
CLOCK_SLACK_S = 300  # clocks of honest machines differ
FRESH_S = SEAL_DUE_S = 26 * 3_600  # a day and two hours' grace
DISORDER_S, DAY_S = 3_600, 86_400  # how long an entry may take to reach its log; a day
GAG_SLACK_S = 2 * DAY_S  # how long the end of a gag may take to reach the log
WINDOW = 64  # how many labels after the last known one have to be absent

# --- 2. All verdicts other than GREEN -------------------------------------------------------------

GREEN, RED, UNSURE = VERDICTS = ("GREEN", "RED", "CANNOT TELL")  # exit status 0, 1, 2
# The verdict behind each mark, and the usual next step.
MARKS = {
    "=": (GREEN, ""),
    "!": (RED, "Keep this copy: it is evidence. Show it to witnesses, ask the operator in public."),
    "?": (UNSURE, "Get it again, from the cell or from somebody else, and run this once more."),
}
# Code, mark, sentence; behind > the next step where it is not the usual one.
FINDINGS = """\
green = {}
tools.missing ? `cryptography` is missing or too old. > python -m pip install --upgrade cryptography
verifier.fault ? The verifier itself failed here ({}). > Report this with the files.
source.unreadable ? {} cannot be read ({}).
policy.format ? There is no well-formed policy here. > Give the cell's policy with --policy.
policy.from-cell ? The keys come from the cell itself. > Get the policy from a witness: --policy.
memory.format ? The remembered file does not hold checkpoints of these logs.
checkpoint.missing ? There is no checkpoint of this log here. > Give a cell's address or ledger.
checkpoint.format ! The checkpoint is not a well-formed signed note.
checkpoint.origin ! It is of {}, not of a log of the policy. > Are policy and ledger of one cell?
checkpoint.cell ! The logs of this ledger are of different cells.
checkpoint.unknown-key ! The checkpoint is not signed by the log's key.
checkpoint.signature ! The log's signature under the checkpoint is wrong.
witness.none ? The policy asks for no witness beside the cell's own. > Ask for one with others.
witness.signature ! A known witness's signature under the checkpoint is wrong.
witness.future ! A witness's signature is dated {}, which has not come yet. > Is your clock right?
witness.quorum ! {} of {} witnesses signed; the policy asks for more. > Look again in a minute.
witness.stale ? Enough witnesses last saw this at {}. > Get a newer copy, or give the --now of this.
tree.limit ? The log is larger than this verifier reads. > Raise the limits at its top.
tree.missing ? {} is not in this copy. > Copy the whole ledger again.
tree.withheld ! {} is not served, although the checkpoint covers it.
tree.bundle ! {} is malformed.
tree.root ! The {} entries do not give the root that was signed.
tree.tile ! {} does not agree with the entries.
history.truncated ! The log has {} entries, but had {} before.
history.forked ! The first {} entries of the log are not those that it signed before.
entry.format ! Entry {} is malformed.
entry.label-twice ! Two entries carry one label, so that one can hide the other.
entry.future ! Entry {} is dated {}, later than now.
entry.back-dated ! Entry {} is dated {}, yet it stands after one of {}.
seal.cover ! The seal at {} covers [{}, {}), which does not follow what was sealed before.
seal.root ! The seal at {} is not that of the {} entries in its range.
seal.missing ! The entries since {} are not sealed, although a seal was due.
statement.none ? The logs are empty, so that no day can be counted. > Look again tomorrow.
statement.format ! The statement for {} does not say what a statement says.
statement.gap ! In place of the statement for {} there is none, or another.
statement.early ! The statement for {} was made before the end of that day.
statement.counts ! The statement for {} tells of fewer reads than the access log.
handover.format ! The list of who signed before whom is malformed.
handover.missing ? The log was handed over at {}; the list of that is not here. > Copy all of it.
handover.unsigned ! The handover at {} is not signed by who had the log until then.
handover.key ! The checkpoint is not signed by who has the log since {}.
notices.format ? The report is not one of notices and orders. > Save /api/notices/report again.
notices.missing ! {} is in the log or in the report, and not in the other.
notices.differ ! The report says other things about {} than the log.
notices.subject ! What notice {} is about is not what the log holds a commitment to.
notices.ground ! Notice {} rests neither on an order in the log nor on two of the staff.
notices.gag ! The gag on order {} ended on {}, and the log does not tell what it was.
notices.counts ! The numbers of the report are not those of its orders.
receipt.format ! The receipt is not a well-formed tlog-proof.
receipt.no-entry ? The entry of the receipt is not here. > Give the journal or the ledger as well.
receipt.inclusion ! The receipt does not prove that its entry is at {}.
receipt.not-yours ! The receipt is of an entry that is not in your journal.
journal.no-key ? Your label key is missing or unreadable. > Give the 32 bytes with --label-key.
journal.format ! The journal is not a well-formed proof.
journal.gap ! Entry {} about you is missing from the journal.
journal.label ! Entry {} of the journal is not one about you. > Is the key file yours?
journal.inclusion ! What the journal places at {} is not in the log.
journal.opening ! What the export tells of an entry is not what was logged.
journal.no-opening ? The export does not tell what each of the entries means.
journal.lost ? What entry {} means was lost, as the cell says, when it was restored from a backup.
journal.cover ! The seals leave out entries from {} on.
journal.absence ! The seal at {} does not prove that there is no further entry.
journal.hidden ! The log holds an entry {} about you that the journal hides.
journal.unsealed ? No recent seal shows that there is no other. > Ask in a day, or give the ledger.
"""
ROWS = re.compile(r"(?m)^(\S+) ([=!?]) (.+?)(?: > (.+))?$")
TABLE = {code: rest for code, *rest in ROWS.findall(FINDINGS)}


class Finding(Exception):
    """Why a claim is not GREEN. The facts fill the sentence."""

    def __init__(self, code: str, *facts: object) -> None:
        mark, sentence, step = TABLE[code]
        self.verdict, usual = MARKS[mark]
        self.code, self.sentence, self.next = code, sentence.format(*facts), step or usual


def require(condition: bool, code: str, *facts: object) -> None:
    """What must hold, and the finding where it does not."""
    if not condition:
        raise Finding(code, *facts)


MALFORMED: tuple[type[Exception], ...] = (ValueError, LookupError, TypeError, AttributeError)
MALFORMED += (RecursionError, struct.error, OSError, http.client.HTTPException)


@contextmanager
def formed(code: str, *facts: object) -> Iterator[None]:
    """Whatever goes wrong in reading and taking apart hostile bytes is this one finding."""
    try:
        yield
    except MALFORMED as error:
        raise Finding(code, *facts, type(error).__name__) from error


def demand(condition: bool) -> None:
    """Inside `formed`: what well-formed bytes fulfil."""
    if not condition:
        raise ValueError


def shown(text: object) -> str:
    """A stranger's text, fit for a terminal: short, without control characters."""
    return re.sub("[^ -~]", "?", str(text)[:80])


def clock(seconds: int) -> str:
    return datetime.fromtimestamp(min(seconds, 1 << 37), UTC).strftime("%Y-%m-%d %H:%M UTC")


# --- 3. Reading: one folder or one site, and the files that you name ------------------------------


def read_file(path: Path, most: int) -> bytes:
    """The bytes of a plain file of at most `most` bytes; none where there is no such file."""
    with formed("source.unreadable", shown(path.name)):
        if not path.exists():
            return b""
        demand(path.is_file() and path.stat().st_size <= most)
        return path.read_bytes()


class Folder:
    """A copy of a cell's ledger, or a folder with one in `ledger`."""

    absent = "tree.missing"  # a copy may be incomplete through nobody's fault

    def __init__(self, path: str) -> None:
        inner = Path(path or "/dev/null", "ledger")
        self.root = inner if inner.is_dir() else inner.parent

    def read(self, name: str, most: int) -> bytes:
        """One file below the folder; nothing where there is none."""
        return read_file(self.root / name, most)


class StayHere(urllib.request.HTTPRedirectHandler):
    """A redirect is an error like any other: nobody sends the verifier elsewhere."""

    def redirect_request(self, *_: Any) -> None:
        return None


class Site:
    """A cell's public addresses."""

    absent = "tree.withheld"  # a log serves all that its checkpoint covers (tlog-tiles)

    def __init__(self, url: str) -> None:
        self.url = f"{url.rstrip('/').removesuffix('/ledger')}/ledger/"
        self.opener = urllib.request.build_opener(StayHere)
        if "/mirror/" in self.url:  # the copy of another cell, which has what it could get
            self.absent = Folder.absent
        self.until = time.monotonic() + RUN_SECONDS

    def read(self, name: str, most: int) -> bytes:
        """The body at one address; nothing for 404."""
        until, body = min(self.until, time.monotonic() + ANSWER_SECONDS), b""
        with formed("source.unreadable", name):
            try:
                answer = self.opener.open(self.url + name, timeout=ANSWER_SECONDS / 3)
            except urllib.error.HTTPError as error:
                demand(error.code == http.HTTPStatus.NOT_FOUND)
                return b""
            with answer:
                while chunk := answer.read1(1 << 20):
                    body += chunk
                    demand(len(body) <= most and time.monotonic() < until)
                demand(not answer.length and not answer.headers.get("Content-Encoding"))
        return body


# --- 4. Hash trees (RFC 6962 section 2.1, RFC 9162 section 2.1) -----------------------------------


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def leaf_hash(entry: bytes) -> bytes:
    return sha256(b"\x00" + entry)


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right)


def root_of(leaves: list[bytes]) -> bytes:
    """The root over leaf hashes, row by row; the last of an odd row goes up as it is."""
    row = leaves
    while len(row) > 1:
        row = [*map(node_hash, row[::2], row[1::2]), *(row[-1:] if len(row) % 2 else [])]
    return row[0] if row else sha256(b"")


def tile_rows(leaves: list[bytes]) -> list[list[bytes]]:
    """The hashes that tiles hold, by level: each stands for a full tile below (tlog-tiles)."""
    rows = [leaves]
    while full := len(rows[-1]) // 256:
        rows.append([root_of(rows[-1][256 * n : 256 * n + 256]) for n in range(full)])
    return rows


def included(index: int, leaf: bytes, path: list[bytes], point: Point) -> bool:
    """Whether a leaf hash stands at `index` of the tree of a checkpoint (RFC 6962, 2.1.1)."""
    left = list(path)  # from the leaf up: the root's child is the last

    def climb(index: int, size: int) -> bytes:
        if size == 1:
            return leaf
        sibling, middle = left.pop() if left else b"", 1 << (size - 1).bit_length() - 1
        if index < middle:
            return node_hash(climb(index, middle), sibling)
        return node_hash(sibling, climb(index - middle, size - middle))

    return index < point.size and climb(index, point.size) == point.root and left == []


# --- 5. Signed checkpoints (C2SP signed-note, tlog-checkpoint) ------------------------------------

ED25519, COSIGNED_ED25519, COSIGNED_MLDSA = 0x01, 0x04, 0x06
KEY_KINDS = {"log": (ED25519,), "witness": (COSIGNED_ED25519, COSIGNED_MLDSA)}
Key = namedtuple("Key", "name id kind public")
Point = namedtuple("Point", "text body origin size root signatures")


def b64(text: str, size: int | None = None) -> bytes:
    """Bytes of standard base64 in its one canonical form."""
    data = base64.b64decode(text, validate=True)
    demand(base64.b64encode(data).decode() == text and size in (None, len(data)))
    return data


def number(text: str) -> int:
    """A decimal number without leading zeroes, below 10^18."""
    demand(re.fullmatch("0|[1-9][0-9]{0,17}", text) is not None)
    return int(text)


def key_of(text: str, kinds: tuple[int, ...]) -> Key:
    """A verifier key (vkey) of one of these kinds. Its id has to be the one that it makes."""
    name, key_id, material = text.split("+", 2)
    data = b64(material)
    demand(data[0] in kinds and len(data) == (1313 if data[0] == COSIGNED_MLDSA else 33))
    raw = name.encode("utf-8", "surrogateescape")
    hashed = sha256(raw + b"\n" + data)[:4]
    demand(name == "".join(name.split()) != "" and len(raw) < 256 and key_id == hashed.hex())
    return Key(name, hashed, data[0], data[1:])


def is_signed(key: Key, signature: bytes, message: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import ed25519, mldsa

    kind: Any = mldsa.MLDSA44PublicKey if key.kind == COSIGNED_MLDSA else ed25519.Ed25519PublicKey
    with suppress(InvalidSignature, ValueError):
        kind.from_public_bytes(key.public).verify(signature, message)
        return True
    return False


def point_of(data: bytes) -> Point:
    """Takes a checkpoint apart, strictly."""
    demand(len(data) <= MOST_TEXT_BYTES)
    text = data.decode("utf-8")
    demand(not re.search(r"[\x00-\x09\x0b-\x1f]", text) and text.endswith("\n"))
    body, _, tail = text[:-1].rpartition("\n\n")
    origin, size, root = body.split("\n")  # this ledger's checkpoints have no extension lines
    signatures = []
    for line in tail.split("\n"):
        dash, name, encoded = line.split(" ")
        signature = b64(encoded)
        demand(dash == "—" and name != "" and len(signature) > 4)
        signatures.append((name, signature[:4], signature[4:]))
    return Point(text, f"{body}\n".encode(), origin, number(size), b64(root, 32), signatures)


def signatures_by(key: Key, point: Point) -> list[bytes]:
    """What is signed under the key's name and id; others are ignored (signed-note)."""
    return [s for name, key_id, s in point.signatures if (name, key_id) == (key.name, key.id)]


# --- 6. Policy and witnesses (C2SP tlog-policy, tlog-cosignature) ---------------------------------

Policy = namedtuple("Policy", "logs witnesses groups quorum")


def policy_of(data: bytes) -> Policy:
    """Takes a policy apart. Its octets above 0x7f stay opaque: surrogateescape keeps them."""
    demand(not re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", data) and data.endswith(b"\n"))
    keys: dict[str, dict[str, list[Key]]] = {"log": {}, "witness": {}}
    groups: dict[str, tuple[int, list[str]]] = {}
    quorum, public = "", set()
    for line in data.decode("utf-8", "surrogateescape").split("\n"):
        what, *words = re.split("[ \t]+", line.strip(" \t"))
        names = {"none", *keys["witness"], *groups}
        if what in KEY_KINDS:
            name = words.pop(0) if what == "witness" else ""
            key = key_of(words[0], KEY_KINDS[what])
            demand(len(words) < 3 and name not in names and (what, key.public) not in public)
            public.add((what, key.public))
            keys[what].setdefault(name or key.name, []).append(key)
        elif what == "group":
            name, least, *members = words
            count = {"any": 1, "all": len(members)}.get(least) or number(least)
            demand(1 <= count <= len(members) and name not in names)
            demand(set(members) <= names - {"none"})
            groups[name] = (count, members)
        elif what == "quorum":
            demand(len(words) == 1 and words[0] in names and quorum == "")
            quorum = words[0]
        else:
            demand(what[:1] in ("", "#"))
    grouped = [member for _, members in groups.values() for member in members]
    demand(quorum != "" and len(set(grouped)) == len(grouped))  # each in one group at most
    return Policy(keys["log"], keys["witness"], groups, quorum)


def is_met(policy: Policy, names: set[str]) -> bool:
    """Whether these witnesses suffice. Groups stand in the order of their definition."""
    met = set(names)
    for name, (least, members) in policy.groups.items():
        if sum(member in met for member in members) >= least:
            met.add(name)
    return policy.quorum in met


def cosigned_message(key: Key, at: int, point: Point) -> bytes:
    """What a witness signs at a time (Unix seconds)."""
    if key.kind == COSIGNED_ED25519:
        return b"".join((b"cosignature/v1\n", f"time {at}\n".encode(), point.body))
    name, origin = key.name.encode(), point.origin.encode()
    head = (b"subtree/v1\n\x00", bytes([len(name)]), name, at.to_bytes(8), bytes([len(origin)]))
    return b"".join((*head, origin, bytes(8), point.size.to_bytes(8), point.root))


Said = tuple[str, Any]  # a GREEN sentence, and what later claims need


def opened(data: bytes, policy: Policy, *logs: str) -> Point:
    """A checkpoint of one of these logs, signed by the log's own key."""
    with formed("checkpoint.format"):
        point = point_of(data)
    named = re.fullmatch(f"luciole/[0-9a-f-]{{36}}/({'|'.join(logs)})", point.origin)
    keys = policy.logs.get(point.origin, []) if named else []
    require(keys != [], "checkpoint.origin", shown(point.origin))
    known = [(key, signature) for key in keys for signature in signatures_by(key, point)]
    require(known != [], "checkpoint.unknown-key")
    for key, signature in known:
        require(is_signed(key, signature, point.body), "checkpoint.signature")
    return point


def witnessed(point: Point, policy: Policy, now: int, fresh_s: float) -> Said:
    """The newest time at which enough witnesses had seen this checkpoint."""
    times: dict[str, int] = {}
    for name, (key,) in policy.witnesses.items():
        for signature in signatures_by(key, point):
            at = int.from_bytes(signature[:8])
            message = cosigned_message(key, at, point)
            require(at > 0 and is_signed(key, signature[8:], message), "witness.signature")
            require(at <= now + CLOCK_SLACK_S, "witness.future", clock(at))
            times[name] = max(at, times.get(name, 0))
    require(not is_met(policy, {"none", "local", "local-pq"}), "witness.none")
    for at in sorted(times.values(), reverse=True):
        if is_met(policy, {name for name, seen in times.items() if seen >= at}):
            require(at >= now - fresh_s, "witness.stale", clock(at))
            return f"Enough witnesses had seen this checkpoint at {clock(at)}.", at
    raise Finding("witness.quorum", len(times), len(policy.witnesses))


# --- 7. Entries (the cell's own formats) ----------------------------------------------------------

# What follows from an entry of one of these kinds, besides what it says.
NOTICE_SAYS: dict[str, dict[str, Any]] = {
    "withheld": {"state": "in-force"},
    "withheld-ended": {"state": "ended"},
    "order": {"told": True, "outcome": "pending"},
    "order-gagged": {"told": False},
    "order-told": {"told": True, "outcome": "pending"},
    "order-settled": {},
}
NOTICE_TIMES = ("at", "ended", "settled")
SUBJECT = ("appeal", "reason", "subject")  # what the commitment in a notice's entry is to
ORDER = ("order", "received", "by", "country", "law", "asks_for", "persons")
LOGS = ("decisions", "access", "border")  # in this order a statement is never newer than its logs
KINDS = ("", "enrol", "grant", "read", "export", "import", "erase", "decision", "crossing", "key")
CLASSES = ("", "self", "automated", "staff", "legal", "export")
SEAL, HANDOVER = 0x80, 0x81
Person = namedtuple("Person", "at kind cls label commit")  # about one person, who alone can tell
Seal = namedtuple("Seal", "at kind cls first end count root")  # of labels in [first, end)
Text = namedtuple("Text", "at kind said")  # of the logs `decisions` and `border`
Handed = namedtuple("Handed", "at kind cls public")  # the log goes to another operator's key


def person_of(entry: bytes) -> Person:
    version, kind, cls, minute, label, commit = struct.unpack(">BBBI32s32s", entry)
    demand(version == 1 and kind > 0 and cls > 0)
    return Person(60 * minute, KINDS[kind], CLASSES[cls], label, commit)


def seal_of(entry: bytes) -> Seal:
    version, kind, _, minute, *rest = struct.unpack(">BBBIQQQ32s", entry)
    demand(version == 1 and kind == SEAL)
    return Seal(60 * minute, "seal", "", *rest)


def handed_of(entry: bytes) -> Handed:
    version, kind, of, minute, public = struct.unpack(">BBBI32s", entry)
    demand((version, kind, of) == (1, HANDOVER, ED25519))
    return Handed(60 * minute, "handover", "", public)


def access_of(entry: bytes) -> Person | Seal | Handed:
    if entry[1] == SEAL:
        return seal_of(entry)
    return handed_of(entry) if entry[1] == HANDOVER else person_of(entry)


def next_public(one: Any, origin: str) -> bytes:
    """The public key to which an entry hands its log over; nothing for another entry."""
    if isinstance(one, Handed):
        return bytes(one.public)
    if isinstance(one, Text) and one.kind == "handover":
        key = key_of(one.said["key"], KEY_KINDS["log"])
        demand(key.name == origin)
        return bytes(key.public)
    return b""


def natural(value: Any) -> int:
    demand(type(value) is int and 0 <= value < 1 << 53)
    return int(value)


def instant(text: str) -> int:
    """Unix seconds of 2026-11-26T12:00:00Z, in this one form."""
    at = datetime.fromisoformat(text)
    demand(f"{at:%Y-%m-%dT%H:%M:%SZ}" == text)
    return int(at.timestamp())


def whole(text: str) -> int:
    demand(abs(int(text)) < 1 << 53)
    return int(text)


def text_of(entry: bytes) -> Text:
    """Canonical JSON with version, time and kind."""
    said = json.loads(entry, parse_int=whole, parse_float=number, parse_constant=number)
    text = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    demand(text.encode() == entry and natural(said["v"]) == 1)
    demand(re.fullmatch("[a-z][a-z-]{0,31}", said["kind"]) is not None)
    return Text(instant(said["at"]), said["kind"], said)


# --- 8. Proofs that labels are absent from a sealed range -----------------------------------------

Absence = namedtuple("Absence", "index entry path seal positions labels nodes")


def hashes(values: list[str]) -> list[bytes]:
    return [b64(value, 32) for value in values]


def absence_of(shape: dict[str, Any]) -> Absence:
    entry = b64(shape["seal"])
    positions = [natural(position) for position, _ in shape["leaves"]]
    labels = hashes([label for _, label in shape["leaves"]])
    index, path, nodes = natural(shape["seal_index"]), hashes(shape["path"]), hashes(shape["nodes"])
    return Absence(index, entry, path, seal_of(entry), positions, labels, nodes)


def absence_root(absence: Absence) -> bytes:
    """The root that leaves and nodes give. Inside `formed`: fails where they do not fit."""
    positions, labels, nodes = absence.positions, absence.labels, absence.nodes[::-1]

    def walk(low: int, high: int) -> bytes:
        at = bisect_left(positions, low)
        if at == len(positions) or positions[at] >= high:
            return bytes(nodes.pop())
        if high - low == 1:
            return leaf_hash(labels[at])
        middle = low + (1 << (high - low - 1).bit_length() - 1)
        return node_hash(walk(low, middle), walk(middle, high))

    demand(positions == sorted(set(positions)) and labels == sorted(set(labels)))
    root = walk(0, absence.seal.count) if absence.seal.count else sha256(b"")
    demand(nodes == [] and (positions == [] or positions[-1] < absence.seal.count))
    return root


def is_absent(label: bytes, absence: Absence) -> bool:
    """Whether the label falls between two neighbours, or before or after all."""
    at, places = bisect_left(absence.labels, label), absence.positions
    return bool([-1, *places][at] + 1 == [*places, absence.seal.count][at])


def label_of(key: bytes, n: int) -> bytes:
    """The label of a person's n-th entry; of the 0th, the commitment to their label key."""
    named = b"luciole/access/v1" + n.to_bytes(8)
    return hmac.digest(key, named, "sha256") if n else sha256(b"luciole/label-key/v1" + key)


# --- 9. The claims: each gives a sentence and what later claims need, or raises its finding -------

Log = namedtuple("Log", "point leaves entries seen")


def check_policy(given: Path | None, source: Any) -> Said:
    data = read_file(given, MOST_TEXT_BYTES) if given else source.read("policy", MOST_TEXT_BYTES)
    with formed("policy.format"):
        policy = policy_of(data)
    return f"The policy names {len(policy.logs)} logs, {len(policy.witnesses)} witnesses.", policy


def check_memory(path: Path, policy: Policy) -> Said:
    """Checkpoints that earlier runs or you have kept, one behind the other in a file."""
    data = read_file(path, MOST_TEXT_BYTES)
    with formed("memory.format"):
        head, *notes = re.split("(?m)^(?=luciole/)", data.decode("utf-8"))
        demand(head == "")
    points = [opened(note.encode(), policy, *LOGS) for note in notes]
    return f"{len(points)} checkpoints of earlier runs are known.", {p.origin: p for p in points}


def check_checkpoint(source: Any, policy: Policy, log: str, cell: str) -> Said:
    data = source.read(f"{log}/checkpoint", MOST_TEXT_BYTES)
    require(data != b"", "checkpoint.missing")
    point = opened(data, policy, log)
    require(point.origin.startswith(cell), "checkpoint.cell")
    return f"The log's key signed {point.size} entries of {point.origin}.", point


def tile(source: Any, log: str, level: object, n: int, width: int) -> tuple[str, int, bytes]:
    """Name, width and bytes of a tile or bundle; of the full one where the partial one is gone."""
    name, rest = f"{n % 1000:03d}", n // 1000
    while rest:
        name, rest = f"x{rest % 1000:03d}/{name}", rest // 1000
    name = f"{log}/tile/{level}/{name}"
    data = source.read(f"{name}.p/{width}", MOST_BUNDLE_BYTES) if width < 256 else b""
    if data == b"":
        data, width = source.read(name, MOST_BUNDLE_BYTES), 256
    require(data != b"", source.absent, name)
    return name, width, data


def unbundled(bundle: bytes, count: int) -> list[bytes]:
    """The entries of a bundle: each behind its length in two bytes (tlog-tiles)."""
    entries, at = [], 0
    while at < len(bundle):
        end = at + 2 + int.from_bytes(bundle[at : at + 2])
        entries.append(bundle[at + 2 : end])
        at = end
    demand(at == len(bundle) and len(entries) == count)
    return entries


def check_tree(source: Any, log: str, point: Point) -> Said:
    """Recomputes the tree from all entries, and compares every tile with it."""
    entries: list[bytes] = []
    taken = 0
    for start in range(0, point.size, 256):
        name, width, data = tile(source, log, "entries", start // 256, min(256, point.size - start))
        taken += len(data)
        require(point.size <= MOST_ENTRIES and taken <= MOST_LOG_BYTES, "tree.limit")
        with formed("tree.bundle", name):
            entries += unbundled(data, width)[: point.size - start]
    leaves = [leaf_hash(entry) for entry in entries]
    require(root_of(leaves) == point.root, "tree.root", point.size)
    for level, row in enumerate(tile_rows(leaves)):
        for start in range(0, len(row), 256):
            hashed = b"".join(row[start : start + 256])
            name, width, data = tile(source, log, level, start // 256, len(hashed) // 32)
            require(len(data) == 32 * width and data.startswith(hashed), "tree.tile", name)
    return f"Its {point.size} entries give the signed root; all tiles agree.", (leaves, entries)


def read_handovers(source: Any) -> Said:
    """Who signed each log before whom, as the ledger tells it; believed only once the log itself
    bears it out (`check_handovers`)."""
    found: dict[str, list[Any]] = {}
    for log in LOGS:
        data = source.read(f"{log}/handover", MOST_TEXT_BYTES)
        with formed("handover.format"):
            shape = json.loads(data or b"[]")
            demand(isinstance(shape, list))
            found[log] = [
                (*(key_of(one[k], KEY_KINDS["log"]) for k in ("from", "to")), one["head"].encode())
                for one in shape
            ]
    count = sum(map(bool, found.values()))
    return f"{count} logs were handed over to another operator.", found


def extended(policy: Policy, handed: dict[str, list[Any]]) -> Policy:
    """The policy with the keys of those who came before and after the keys that it names."""
    logs = {name: list(keys) for name, keys in policy.logs.items()}
    for old, new, _ in (one for several in handed.values() for one in several):
        if old in logs.get(old.name, []) or new in logs.get(old.name, []):
            logs[old.name] = [*dict.fromkeys([*logs[old.name], old, new])]
    return policy._replace(logs=logs)


def check_handovers(log: Log, parsed: list[Any], handed: list[Any]) -> Said:
    """Each operator signed up to the entry that hands the log over, and the next from there on."""
    origin, signers, size = log.point.origin, list[Any](), 0
    with formed("handover.unsigned", len(parsed)):
        named = [(n + 1, key) for n, one in enumerate(parsed) if (key := next_public(one, origin))]
    require(handed != [] or named == [], "handover.missing", named and named[0][0])
    for at, (old, new, note) in enumerate(handed):
        size, public = named[at] if at < len(named) else (len(parsed), b"")
        with formed("handover.unsigned", size):
            point = point_of(note)
            demand((point.origin, point.size) == (origin, size) and new.public == public)
            demand(point.root == root_of(log.leaves[:size]) and signers[-1:] in ([], [old]))
            demand(any(is_signed(old, s, point.body) for s in signatures_by(old, point)))
        signers = [old, new]
    require(len(named) == len(handed), "handover.unsigned", named and named[-1][0])
    allowed = signers if size == log.point.size else signers[1:]
    is_right = any(signatures_by(key, log.point) for key in allowed)
    require(is_right or handed == [], "handover.key", size)
    return f"It was handed over {len(handed)} times; each holder signed up to there.", None


def check_history(earlier: Point, log: Log) -> Said:
    """Whether another signed checkpoint of the same log is a part of this one."""
    size = earlier.size
    require(size <= log.point.size, "history.truncated", log.point.size, size)
    require(root_of(log.leaves[:size]) == earlier.root, "history.forked", size)
    return f"The {size} entries of an earlier checkpoint are still the first ones.", None


def check_entries(log: Log, now: int) -> Said:
    """Each entry is well-formed and in its time: entries overtake each other by minutes only."""
    parse: Any = access_of if log.point.origin.endswith("/access") else text_of
    parsed, newest = [], 0
    for index, entry in enumerate(log.entries):
        with formed("entry.format", index):
            parsed.append(parse(entry))
        at = parsed[-1].at
        require(at <= now + CLOCK_SLACK_S, "entry.future", index, clock(at))
        require(at >= newest - DISORDER_S, "entry.back-dated", index, clock(at), clock(newest))
        newest = newest if isinstance(parsed[-1], Seal) else max(newest, at)  # seals go first
    return f"All {len(parsed)} entries are well-formed and in order of time.", parsed


def check_seals(entries: list[Person | Seal | Handed]) -> Said:
    """Replays every seal over the entries before it."""
    labels: list[bytes] = []  # of person entries, in the order of the log
    before = [0]  # before[i]: how many person entries have an index below i
    cover = [(0, 0)]  # adjacent ranges from 0 on
    work = 0
    for index, one in enumerate(entries):
        if isinstance(one, Seal):
            end, starts = cover[-1][1], {cover[-1][1], *(first for first, _ in cover)}
            is_next = one.first in starts and end <= one.end <= index
            require(is_next, "seal.cover", index, one.first, one.end)
            sealed = sorted(labels[before[one.first] : before[one.end]])
            work += len(sealed)
            require(work <= MOST_SEALED_LABELS, "tree.limit")
            root = root_of([leaf_hash(label) for label in sealed])
            require((one.count, one.root) == (len(sealed), root), "seal.root", index, len(sealed))
            cover = [part for part in cover if part[0] < one.first] + [(one.first, one.end)]
        elif isinstance(one, Person):
            labels.append(one.label)
        before.append(len(labels))
    require(len(set(labels)) == len(labels), "entry.label-twice")
    end, newest = cover[-1][1], max((entry.at for entry in entries), default=0)
    oldest = min((one.at for one in entries[end:] if isinstance(one, Person)), default=newest)
    require(newest - oldest <= SEAL_DUE_S, "seal.missing", clock(oldest))
    return f"{before[end]} of {len(labels)} entries about people are sealed, each seal right.", None


def check_statements(log: Log, parsed: dict[str, Any]) -> Said:
    """One statement for each day from the first entry on, with the counts that the logs have."""
    ends = [(entries[0].at, entries[-1].at) for entries in parsed.values() if entries]
    require(ends != [], "statement.none")
    people, border = parsed.get("access"), parsed.get("border")
    made = [text for text in parsed["decisions"] if text.kind == "residency"]
    expected, done = min(ends)[0] // DAY_S, [0, 0]  # a day since 1970; how far the logs are counted
    for at, _, said in made:
        with formed("statement.format", shown(said.get("day"))):
            day = instant(f"{said['day']}T00:00:00Z") // DAY_S
            # The ranges [a, b) of `access` and [c, d) of `border` are what it counts.
            (a, b), (c, d) = said["ranges"]["access"], said["ranges"]["border"]
            demand(said["cell"] == log.point.origin.split("/")[1])
        expected = min(day, expected) if said is made[0].said else expected
        require(day == expected, "statement.gap", clock(DAY_S * expected)[:10])
        expected += 1
        require(at >= DAY_S * expected, "statement.early", said["day"])
        if people is None or border is None:
            continue
        with formed("statement.counts", said["day"]):
            demand([a, c] == done and a <= b <= len(people) and c <= d <= len(border))
            kinds = Counter(one[1] for one in people[a:b])
            reads = Counter(one[2] for one in people[a:b] if one[1] == "read")
            told = [natural(said[k]) for k in ("staff_reads", "legal_reads", "erasures", "seals")]
            demand(told == [reads["staff"], reads["legal"], kinds["erase"], kinds.pop("seal", 0)])
            demand(said["entries"]["access"] == kinds)
            crossings = Counter(one.kind for one in border[c:d])
            demand(said["crossings"] == {**crossings, "total": d - c})
            done = [b, d]
    due = ((log.seen or max(last for _, last in ends)) - DISORDER_S) // DAY_S
    require(expected >= due, "statement.gap", clock(DAY_S * expected)[:10])
    return f"There are {len(made)} daily statements, without a gap.", None


def check_grounds(entries: list[Text], now: int) -> Said:
    """What is withheld rests on an order that the log counts, or on two of the staff; what was
    under a gag is told when the gag is over."""
    orders = {one.said.get("order") for one in entries if one.kind in ("order", "order-gagged")}
    told = {one.said.get("order") for one in entries if one.kind == "order-told"}
    made = [one.said for one in entries if one.kind == "withheld"]
    for said in made:
        with formed("notices.ground", shown(said.get("notice"))):
            is_own = said["ground"] == "rules"
            demand(len(set(said["staff"])) == 2 if is_own else said["order"] in orders)
    for said in (one.said for one in entries if one.kind == "order-gagged"):
        with formed("notices.gag", shown(said.get("order")), shown(said.get("gag_until"))):
            ends = instant(f"{said['gag_until']}T00:00:00Z")
            demand(said["order"] in told or now <= ends + GAG_SLACK_S)
    return f"{len(made)} notices of withholding rest on an order or on two of the staff.", None


def commitment(kind: str, nonce: str, said: dict[str, Any]) -> str:
    text = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return sha256(f"luciole/{kind}/v1".encode() + bytes.fromhex(nonce) + text.encode()).hex()


def check_notices(path: Path, log: Log, entries: list[Text]) -> Said:
    """The public report of notices and orders says what the log says, one for one. What changed in
    the minutes before it was made, or since the log was seen, is not judged, and counted."""
    with formed("notices.format"):
        report = json.loads(read_file(path, MOST_JOURNAL_BYTES))
        cut = instant(report["at"]) - CLOCK_SLACK_S
        public = {one["notice"]: one for one in report["notices"]}
        public |= {one["order"]: one for one in report["orders"]}
        demand(len(public) == len(report["notices"]) + len(report["orders"]))
        times = [(name, one.get(k)) for name, one in public.items() for k in NOTICE_TIMES]
        # What is newer than this copy of the log cannot be in it.
        limit = min(cut, log.seen or cut)
        fresh = {name for name, at in times if at and instant(at) > limit}
    logged: dict[str, dict[str, Any]] = {}  # by id: all that the log says of it
    for at, kind, said in entries:
        if kind in NOTICE_SAYS:
            name = str(said.get("notice") or said.get("order"))
            fresh |= {name} if at > cut else set()
            told = {k: v for k, v in said.items() if k not in ("v", "at", "kind")}
            logged[name] = logged.get(name, {}) | NOTICE_SAYS[kind] | told
    for name in sorted((public.keys() ^ logged.keys()) - fresh):
        raise Finding("notices.missing", shown(name))
    for name in sorted(public.keys() - fresh):
        ours, said = public[name], logged[name]
        with formed("notices.differ", shown(name)):
            demand(all(ours[key] == value for key, value in said.items()))
        with formed("notices.subject", shown(name)):
            if ours.get("nonce") or ours.get("subject"):  # else unnamed, gone, or under a gag
                kind, keys = ("notice", SUBJECT) if "notice" in ours else ("order", ORDER)
                known = commitment(kind, ours["nonce"], {key: ours[key] for key in keys})
                demand(known == said["commit"])
    with formed("notices.counts"):
        named = [one for one in report["orders"] if one["told"]]
        counts: dict[str, Any] = {"orders": len(report["orders"])}
        counts["gagged"] = len(report["orders"]) - len(named)
        counts["persons"] = sum(natural(one["persons"]) for one in named)
        for key in ("country", "asks_for", "outcome"):
            counts[f"by_{key}"] = Counter(one[key] for one in named)
        demand(report["counts"] == counts)
    return f"{len(public)} notices and orders are as in the log; {len(fresh)} are too new.", None


def check_journal(options: Any, policy: Policy, logs: Any, people: Any) -> Said:
    """All entries about one person are shown, and there is no further one."""
    # 1. The proof is well-formed, and about a checkpoint that was signed and seen.
    with formed("journal.no-key"):
        key = read_file(options.label_key, MOST_TEXT_BYTES)
        key = key if len(key) == 32 else b64(key.decode("ascii").strip(), 32)
    with formed("journal.format"):
        shape = json.loads(read_file(options.journal, MOST_JOURNAL_BYTES))
        note, entries = shape["checkpoint"].encode(), shape["entries"]
        absences = [absence_of(absence) for absence in shape["absence"]]
        numbered = [(natural(e["n"]), person_of(b64(e["leaf"]))) for e in entries]
        proofs = [(natural(e["index"]), b64(e["leaf"]), hashes(e["path"])) for e in entries]
        leaves = [leaf for _, leaf in numbered]
    point = opened(note, policy, "access")
    _, seen = witnessed(point, policy, options.now, FRESH_S)
    # 2. Entries 0, 1, 2 … without a gap, each with its label; they and the seals are in the log.
    for n, it in numbered:
        require((it.label, it.kind == "enrol") == (label_of(key, n), n == 0), "journal.label", n)
    gap = next((n for n, one in enumerate(numbered) if n != one[0]), len(numbered))
    require(gap == len(numbered) > 0, "journal.gap", gap)
    for index, entry, hashed in [*proofs, *(absence[:3] for absence in absences)]:
        require(included(index, leaf_hash(entry), hashed, point), "journal.inclusion", index)
    # 3. What the export tells beside the proof (where it lies there) is what each entry commits to.
    lines = read_file(options.journal.with_name("journal.jsonl"), MOST_JOURNAL_BYTES).splitlines()
    known, told = {(n, n, *leaf[:3], leaf.commit) for n, leaf in enumerate(leaves)}, set()
    lost = []
    with formed("journal.opening"):
        for line in map(json.loads, lines):
            n, said, opening = line["n"], json.loads(line["opening"]), line["opening"].encode()
            if n >= len(leaves):
                continue  # newer than the proof
            if line["nonce"]:
                commit = sha256(b"luciole/open/v1" + b64(line["nonce"], 32) + opening)
            else:
                commit = leaves[n].commit
                lost.append(n)
            told.add(
                (n, said["n"], instant(said["at"]) // 60 * 60, said["kind"], said["class"], commit)
            )
        demand(told <= known)
    require(lines == [] or known <= told, "journal.no-opening")
    # 4. The labels that would come next are absent from each sealed range, from 0 on.
    coming = {label_of(key, n): n for n in range(len(leaves), len(leaves) + WINDOW)}
    end = sealed = 0
    for absence in absences:
        seal = absence.seal
        require(seal.first == end <= seal.end <= absence.index, "journal.cover", end)
        with formed("journal.absence", absence.index):
            demand(absence_root(absence) == seal.root)
        for label in coming:
            require(label not in absence.labels, "journal.hidden", coming[label])
            require(is_absent(label, absence), "journal.absence", absence.index)
        end, sealed = seal.end, seal.at
    # 5. Where the whole log is here, look through it as well; else the newest seal is the limit.
    sentence, held = f"All {len(leaves)} entries about you are shown", {p[0]: p[1] for p in proofs}
    if people and logs["access"].point.origin == point.origin:
        check_history(point, logs["access"])
        labels = [one.label for one in people[: point.size] if isinstance(one, Person)]
        hidden = [coming[label] for label in labels if label in coming]
        require(hidden == [], "journal.hidden", *hidden)
        require(lost == [], "journal.lost", *lost)
        return f"{sentence}; the log of {point.size} at {clock(seen)} has no other.", held
    is_all = absences != [] and end == absences[-1].index == point.size - 1
    require(is_all or -CLOCK_SLACK_S <= seen - sealed <= SEAL_DUE_S, "journal.unsealed")
    require(lost == [], "journal.lost", *lost)
    return f"{sentence}; the {end} sealed at {clock(sealed)} have no other.", held


def check_receipt(path: Path, policy: Policy, now: int, logs: Any, mine: Any) -> Said:
    """A tlog-proof: its entry is in its checkpoint, which is signed, seen, and still true."""
    with formed("receipt.format"):
        head, _, note = read_file(path, MOST_TEXT_BYTES).partition(b"\n\n")
        first, *lines = head.decode("ascii").split("\n")
        lines = lines[lines[0].startswith("extra ") :]  # nothing vouches for extra data
        word, index_text = lines.pop(0).split(" ")
        index, hashed = number(index_text), hashes(lines)
        demand(first == "c2sp.org/tlog-proof@v1" and word == "index")
    point = opened(note, policy, *LOGS)
    _, seen = witnessed(point, policy, now, float("inf"))
    log = next((log for log in logs.values() if log.point.origin == point.origin), None)
    if log:
        check_history(point, log)
    is_access = point.origin.endswith("/access")
    require(not is_access or mine is None or index in mine, "receipt.not-yours")
    ours = dict(enumerate(log.entries)) if log else (mine or {}) if is_access else {}
    require(index in ours, "receipt.no-entry")
    require(included(index, leaf_hash(ours[index]), hashed, point), "receipt.inclusion", index)
    return f"Witnesses saw entry {index} of {point.origin} at {clock(seen)}.", None


def keep_memory(path: Path, points: dict[str, Point]) -> Said:
    """Keeps the newest checkpoints for the history check of the next run."""
    with formed("source.unreadable", shown(path.name)):
        beside = path.with_name(f"{path.name}.new")
        beside.write_bytes(b"".join(point.text.encode() for point in points.values()))
        beside.replace(path)
    return f"{len(points)} checkpoints are kept for the next run.", None


# --- 10. The run ----------------------------------------------------------------------------------

ASSUMED = """\
- The policy's keys are right; your label key is in nobody else's hands.
- Of witnesses that suffice, one is honest, not the operator's, and recomputed the seals.
- SHA-256, HMAC, Ed25519 and ML-DSA-44 hold; this computer, its clock and this file are right."""
NOT_PROVED = """\
- That nobody with power over the home machine looked at its memory or its keys.
- That each access left an entry: a log shows that what is in it stays, and that none is hidden.
- That no copy exists elsewhere, and that a deletion reached every copy, disk or sheet of paper.
- That nothing left the cell by another road than its border."""


def claim(claims: list[Any], name: str, step: Any, *given: Any) -> Any:
    """Runs one step and gives its result. Nothing that hostile bytes do ends in a traceback."""
    result = None
    try:
        sentence, result = step(*given)
        found = Finding("green", sentence)
    except Exception as error:
        kind = type(error).__name__
        code = "tools.missing" if re.search("Import|Module|Unsupported", kind) else "verifier.fault"
        found = error if isinstance(error, Finding) else Finding(code, kind)
    claims.append({"claim": name, **vars(found)})
    return result


def verdict_of(claims: list[Any]) -> str:
    found = {claim["verdict"] for claim in claims}
    return RED if RED in found else GREEN if found == {GREEN} else UNSURE


def audit(options: argparse.Namespace) -> list[Any]:
    """All claims about one source, in order."""
    claims, logs, parsed, cell = list[Any](), dict[str, Log](), dict[str, Any](), ""
    check, now, where = partial(claim, claims), options.now, options.source
    source = Site(where) if where.startswith(("http://", "https://")) else Folder(where)
    if not (policy := check("policy", check_policy, options.policy, source)):
        return claims
    if not options.policy:
        claims.append({"claim": "choice of policy", **vars(Finding("policy.from-cell"))})
    handed = (check("handovers", read_handovers, source) if where else None) or {}
    policy = extended(policy, handed)
    memory = check("memory", check_memory, options.remember, policy) if options.remember else {}
    for name in LOGS if where else ():
        if point := check(f"{name}: checkpoint", check_checkpoint, source, policy, name, cell):
            cell = point.origin.removesuffix(name)
            seen = check(f"{name}: witnesses", witnessed, point, policy, now, FRESH_S)
            if held := check(f"{name}: tree", check_tree, source, name, point):
                log = logs[name] = Log(point, held[0], held[1], seen)
                if memory and point.origin in memory:
                    check(f"{name}: history", check_history, memory[point.origin], log)
                parsed[name] = check(f"{name}: entries", check_entries, log, now)
                if parsed[name] is not None:
                    given = (log, parsed[name], handed.get(name, []))
                    check(f"{name}: who signs", check_handovers, *given)
    if (people := parsed.get("access")) is not None:
        check("access: seals", check_seals, people)
    if parsed.get("decisions") is not None:
        check("daily statements", check_statements, logs["decisions"], parsed)
        check("grounds", check_grounds, parsed["decisions"], now)
        if options.notices:
            given = options.notices, logs["decisions"], parsed["decisions"]
            check("notices and orders", check_notices, *given)
    mine = options.journal and check("journal", check_journal, options, policy, logs, people)
    for path in options.receipt:
        check(f"receipt {shown(path.name)}", check_receipt, path, policy, now, logs, mine)
    if options.remember and verdict_of(claims) != RED:
        points = (memory or {}) | {log.point.origin: log.point for log in logs.values()}
        check("remembering", keep_memory, options.remember, points)
    return claims


def report(claims: list[Any], is_json: bool) -> int:
    """Prints what was found, and gives the exit status."""
    verdict = verdict_of(claims)
    if is_json:
        texts = {"assumed": ASSUMED, "not_proved": NOT_PROVED}
        print(json.dumps({"verdict": verdict, "claims": claims, **texts}, indent=1))
    for one in claims if not is_json else ():
        step = f"\n{'':12} What to do: {one['next']}  [{one['code']}]" if one["next"] else ""
        print(f"{one['verdict']:12} {one['claim']}: {one['sentence']}{step}")
    if not is_json:
        print(f"\n{verdict}\n\nTaken for granted:\n{ASSUMED}\n\nNot proved:\n{NOT_PROVED}")
    return VERDICTS.index(verdict)


def main(arguments: list[str] | None = None) -> int:
    """The exit status."""
    words = sys.argv[1:] if arguments is None else arguments
    if words[:1] == ["crossings"]:  # of two cells, in a second file beside this one
        name = f"{__package__}.luciole_crossings".removeprefix("None.")
        return int(importlib.import_module(name).main(words[1:]))
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("source", nargs="?", default="", metavar="FOLDER_OR_URL")
    for name in ("policy", "remember", "notices", "journal", "label-key"):
        parser.add_argument(f"--{name}", type=Path, metavar="FILE")
    parser.add_argument("--receipt", type=Path, metavar="FILE", action="append", default=[])
    parser.add_argument("--now", type=instant, metavar="ISO", default=int(time.time()))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(words)
    return report(audit(options), options.json)


if __name__ == "__main__":
    raise SystemExit(main())
