"""What does it cost a person to check a receipt, and to see that a year's journal is complete?

Expected: a receipt is one Ed25519 verification (about 100 µs) and 20 hashes: at most 250 µs in
Python, 500 µs in a browser. A year of a cell in which others have 3,650,000 entries and the person
1,000: absence of the next 64 labels in two sealed ranges is about 2 x 64 x (two labels and 16
hashes), below 100 kB of JSON, and its check below 100 ms. The peer is `tlog-scales`, the floor the
same signature and hashes by the libraries below. Every root is compared with one that this file
computes by itself.

    PYTHONPATH=src .venv/bin/python -m bench.receipts

Results are written to bench/results/receipts.md.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from playwright.sync_api import sync_playwright
from tests.browser import find as browser
from tlog_scales import signing, tlog

from bench import machine
from luciole.ledger import entry, merkle, tiles
from luciole.ledger.entry import Class, Kind, PersonEntry, Scope, SealEntry
from luciole.ledger.merkle import leaf_hash
from luciole.ledger.note import Checkpoint, KeyKind, Note, Signer, from_base64, to_base64
from luciole.ledger.policy import Policy
from luciole.ledger.proof import Proof
from luciole.ledger.seal import Absence, SealedIndex

RESULTS = Path(__file__).with_name("results") / "receipts.md"
PAGE = Path(__file__).with_name("receipts_page.ts")
ROLLDOWN = machine.ROOT / "web" / "node_modules" / "rolldown" / "bin" / "cli.mjs"
ORIGIN = "luciole/00000000-0000-7000-8000-000000000000/access"
NOW = 1_798_632_000
OWN, WINDOW, LEVELS = 1_000, 64, 20
BATCH = 10_000
LABEL_KEY = bytes(range(32))
LOG = Signer(ORIGIN, KeyKind.ED25519, b"l" * 32)
OLD = Signer("old.example", KeyKind.COSIGNATURE, b"o" * 32)
NEW = Signer("new.example", KeyKind.SUBTREE, b"n" * 32)
ALONE = Policy.parse(f"log {LOG.verifier}\nquorum none\n".encode())
POLICY = (
    f"log {LOG.verifier}\nwitness old {OLD.verifier}\nwitness new {NEW.verifier}\n"
    "group both all old new\nquorum both\n"
)
Rows = list[tuple[str, ...]]


def plain_root(hashes: Iterable[bytes]) -> bytes:
    """The root over leaf hashes by RFC 9162 section 2.1.2: a stack of whole subtrees."""
    stack: list[bytes] = []
    for count, hash_ in enumerate(hashes, 1):
        node, below = hash_, count
        while below % 2 == 0:
            node, below = sha256(b"\x01" + stack.pop() + node).digest(), below // 2
        stack.append(node)
    node = stack.pop()
    while stack:
        node = sha256(b"\x01" + stack.pop() + node).digest()
    return node


# The log


@dataclass
class Log:
    """A log in memory: its tiles, its head, what of it is about the person."""

    stored: dict[str, bytes]
    head: Checkpoint
    own: dict[int, bytes]
    seals: list[tuple[int, SealEntry, SealedIndex]]

    def path(self, index: int) -> list[bytes]:
        size = self.head.size
        read = lambda tile: self.stored[tile.path]  # noqa: E731
        return [
            tiles.range_hash(low, high, size, read)
            for low, high in merkle.inclusion_ranges(index, size)
        ]

    def note(self, *witnesses: Signer) -> str:
        text = str(self.head)
        return LOG.sign(text) + "".join(each.line(text, NOW) for each in witnesses)


def person_entries(count: int, draw: random.Random) -> Iterator[bytes]:
    """Entries about others."""
    head = PersonEntry(Kind.GRANT, Class.SELF, NOW // 60 - 60, bytes(32), bytes(32)).encode()[:7]
    for _ in range(count):
        yield head + draw.randbytes(64)


def grown(parts: list[int], own: int) -> Log:
    """A log whose parts are each sealed at their end, with `own` entries of the person."""
    draw = random.Random(5)
    edge, stored = tiles.Edge(), dict[str, bytes]()
    hashes: list[bytes] = []
    log = Log(stored, Checkpoint(ORIGIN, 0, b""), {}, [])
    first, n = 0, 0

    def put(batch: list[bytes]) -> None:
        nonlocal edge
        edge, objects = edge.append(batch)
        hashes.extend(leaf_hash(each) for each in batch)
        stored.update((path, each) for path, each in objects.items() if "entries" not in path)

    for number, count in enumerate(parts):
        batch = list(person_entries(count, draw))
        mine = own // len(parts) if number else own - own // len(parts) * (len(parts) - 1)
        for at in sorted(draw.sample(range(len(batch)), mine)):
            label = entry.label_of(LABEL_KEY, n)
            kind = Kind.GRANT if n else Kind.ENROL
            batch[at] = PersonEntry(kind, Class.SELF, NOW // 60 - 60, label, bytes(32)).encode()
            log.own[edge.size + at] = batch[at]
            n += 1
        for at in range(0, len(batch), BATCH):
            put(batch[at : at + BATCH])
        sealed = SealedIndex.build(each[7:39] for each in batch)
        labels = sorted(each[7:39] for each in batch)
        root = plain_root(sha256(b"\x00" + label).digest() for label in labels)
        assert root == sealed.root(), "the seal's root is wrong"
        seal = SealEntry(Scope.MONTH, NOW // 60 - 30, first, edge.size, sealed.count, root)
        log.seals.append((edge.size, seal, sealed))
        first = edge.size
        put([seal.encode()])
    log.head = Checkpoint(ORIGIN, edge.size, edge.root())
    assert plain_root(hashes) == log.head.root, "the log's root is wrong"
    return log


# Timing


def timed(rounds: int, *runs: Callable[[], None]) -> list[list[float]]:
    """Milliseconds of CPU of each run, taking turns: the time on a core of its own. Others on the
    machine lengthen it by what they take of the caches, but not by their turns."""
    times: list[list[float]] = [[] for _ in runs]
    for round_ in range(rounds + rounds // 10):
        for run, into in zip(runs, times, strict=True):
            began = time.thread_time()
            run()
            if round_ >= rounds // 10:
                into.append((time.thread_time() - began) * 1000)
    return times


def row(name: str, times_ms: list[float], goal: str = "", unit: str = "µs") -> tuple[str, ...]:
    scale = 1000 if unit == "µs" else 1
    p99 = statistics.quantiles(times_ms, n=100)[98]
    told = (min(times_ms), statistics.median(times_ms), p99)
    return name, *(f"{each * scale:,.0f} {unit}" for each in told), goal


def receipts(log: Log, rounds: int) -> Rows:
    index, raw = next(iter(log.own.items()))
    path = tuple(log.path(index))
    text = str(Proof(index, path, log.note()))
    with_both = log.note(OLD, NEW)
    head, signature = log.head, Note.parse(log.note()).lines[0][2]
    key = Ed25519PublicKey.from_public_bytes(LOG.verifier.public)
    theirs = signing.Vkey.from_string(str(LOG.verifier))

    def ours() -> None:
        Proof.parse(text).verify(leaf_hash(raw), ALONE)

    def floor() -> None:
        key.verify(signature, str(head).encode())
        seen = sha256(b"\x00" + raw).digest()
        for hash_ in path:
            seen = sha256(b"\x01" + hash_ + seen).digest()

    def peer() -> None:
        lines, _, note = text.partition("\n\n")
        tlog.Checkpoint.from_text(note).verify(theirs)
        hashes = [from_base64(each) for each in lines.split("\n")[2:]]
        tlog.InclusionProof(index, head.size, hashes).check(leaf_hash(raw), head.root)

    def walk() -> None:
        merkle.verify_inclusion(index, head.size, leaf_hash(raw), path, head.root)

    old, new = ([Note.parse(with_both), each.verifier] for each in (OLD, NEW))
    runs = (
        ours, peer, floor, walk,
        lambda: old[0].verify([old[1]]), lambda: new[0].verify([new[1]]),
    )  # fmt: skip
    names = (
        (f"a receipt: path of {len(path)}, signature of the log", "250 µs"),
        ("peer: the same by tlog-scales", ""),
        ("floor: one Ed25519 and as many hashes, nothing read or compared", ""),
        ("of it, the path", ""),
        ("beside it, a witness's cosignature (Ed25519)", ""),
        ("beside it, a witness's cosignature (ML-DSA-44)", ""),
    )
    return [
        row(name, ms, goal) for (name, goal), ms in zip(names, timed(rounds, *runs), strict=True)
    ]


def journal_of(log: Log) -> tuple[str, int]:
    """The journal proof as it goes over the wire, and how many bytes of it are about absence."""
    asked = [entry.label_of(LABEL_KEY, OWN + at) for at in range(WINDOW)]
    absence = [
        {**sealed.absence(at, seal, asked).as_json(), "path": list(map(to_base64, log.path(at)))}
        for at, seal, sealed in log.seals
    ]
    entries = [
        {"n": n, "index": at, "leaf": to_base64(raw), "path": list(map(to_base64, log.path(at)))}
        for n, (at, raw) in enumerate(log.own.items())
    ]
    note = log.note(OLD, NEW)
    whole = {"checkpoint": note, "entries": entries, "absence": absence}
    return entry.canonical(whole).decode(), len(entry.canonical(absence))


def check_absence(shape: dict[str, Any], head: Checkpoint) -> None:
    """That the next labels are in no sealed range, and that each seal is in the log."""
    asked = [entry.label_of(LABEL_KEY, OWN + at) for at in range(WINDOW)]
    end = 0
    for each in shape["absence"]:
        proof = Absence.parse({name: part for name, part in each.items() if name != "path"})
        assert proof.seal.first == end <= proof.seal.end <= proof.seal_index
        proof.verify(asked)
        path = [from_base64(hash_) for hash_ in each["path"]]
        leaf = leaf_hash(proof.seal.encode())
        merkle.verify_inclusion(proof.seal_index, head.size, leaf, path, head.root)
        end = proof.seal.end


def check_journal(text: str, policy: Policy) -> None:
    """The whole: checkpoint with its witnesses, each entry with its label, absence."""
    shape = json.loads(text)
    head = policy.check(shape["checkpoint"]).checkpoint
    for n, each in enumerate(shape["entries"]):
        raw = from_base64(each["leaf"])
        held = entry.decode(raw)
        assert isinstance(held, PersonEntry)
        assert held.label == entry.label_of(LABEL_KEY, n)
        path = [from_base64(hash_) for hash_ in each["path"]]
        merkle.verify_inclusion(each["index"], head.size, leaf_hash(raw), path, head.root)
    check_absence(shape, head)


def in_browser(given: dict[str, Any]) -> tuple[str, dict[str, list[float]]] | None:
    """The browser's name and its times; None where there is no browser."""
    program = browser.find()
    if program is None:
        return None
    with tempfile.TemporaryDirectory(prefix="bench-receipts-") as folder:
        bundle = Path(folder) / "page.js"
        subprocess.run(
            [browser.NODE, ROLLDOWN, PAGE, "--format", "iife", "--file", bundle],
            check=True, capture_output=True, cwd=folder,
        )  # fmt: skip
        script = bundle.read_text(encoding="utf-8")
    with sync_playwright() as playwright:
        options = ["--no-sandbox"]
        chromium = playwright.chromium.launch(executable_path=program, args=options)
        page = chromium.new_page()
        # A secure context, as every cell is: only there a browser has its own Ed25519.
        page.route("**/*", lambda route: route.fulfill(body="<!doctype html><title>bench</title>"))
        page.goto("https://bench.example/")
        page.add_script_tag(content=script)
        times: dict[str, list[float]] = page.evaluate("(given) => bench(given)", given)
        name = f"Chromium {chromium.version}"
        chromium.close()
    return name, times


def writing() -> Rows:
    """What the log itself does with its entries, by CPU time."""
    draw = random.Random(7)
    entries = [draw.randbytes(200) for _ in range(200_000)]
    labels = [draw.randbytes(32) for _ in range(1_000_000)]
    rates, floors = list[float](), list[float]()
    for _ in range(5):
        began = time.thread_time()
        hashes = [sha256(b"\x00" + each).digest() for each in entries]
        floors.append(len(entries) / (time.thread_time() - began))
        edge = tiles.Edge()
        began = time.thread_time()
        for at in range(0, len(entries), BATCH):
            edge, _ = edge.append(entries[at : at + BATCH])
            edge.root()
        rates.append(len(entries) / (time.thread_time() - began))
        assert edge.root() == plain_root(hashes), "the log's root is wrong"
    took = []
    for _ in range(3):
        began = time.thread_time()
        sealed = SealedIndex.build(labels)
        took.append(time.thread_time() - began)
    assert sealed.root() == plain_root(leaf_hash(each) for each in sorted(labels))
    return [
        ("entries of 200 bytes to tiles and root", f"{max(rates):,.0f} /s", "600,000 /s"),
        ("floor: their leaf hashes only", f"{max(floors):,.0f} /s", ""),
        ("seal over 1,000,000 labels", f"{min(took):.2f} s", "2.50 s"),
    ]  # fmt: skip


def measure(labels: int, rounds: int) -> str:
    small = grown([(1 << LEVELS) - 1], 1)
    assert small.head.size == 1 << LEVELS
    for_receipts = receipts(small, rounds)
    index, raw = next(iter(small.own.items()))
    receipt = str(Proof(index, tuple(small.path(index)), small.note(OLD, NEW)))
    year = grown([labels * 11 // 12, labels - labels * 11 // 12], OWN)
    text, absence_bytes = journal_of(year)
    policy = Policy.parse(POLICY.encode())
    shape = json.loads(text)
    whole, absence = timed(
        20, lambda: check_journal(text, policy), lambda: check_absence(shape, year.head)
    )
    for_year = [
        row(f"{OWN:,} entries, their labels and paths, and the absence", whole, "", "ms"),
        row(f"the absence alone: {WINDOW} labels, 2 ranges", absence, "100 ms", "ms"),
    ]
    given = {
        "policy": POLICY, "receipt": receipt, "entry": to_base64(raw), "journal": text,
        "labelKey": to_base64(LABEL_KEY), "now": NOW + 60,
    }  # fmt: skip
    there = in_browser(given)
    head = ("what", "best", "median", "p99", "goal")
    told = (
        f"# Receipts and a year's journal\n\n{machine.described()} {os.getloadavg()[0]:.0f} other "
        "programs wanted the cores at its end; in Python, CPU time, and in the browser, by the "
        "clock. Signatures by `cryptography`; "
        f"the log of the receipt has {small.head.size:,} entries, that of the year "
        f"{year.head.size:,}.\n\n## A receipt, in Python\n\n{machine.table(head, for_receipts)}\n"
        f"## A year, in Python\n\nThe absence part has {absence_bytes:,} bytes of JSON (goal: "
        f"100,000), the whole proof {len(text.encode()):,}.\n\n{machine.table(head, for_year)}\n"
    )
    if there is None:
        told += "No browser was found.\n\n"
    else:
        name, times = there
        browser_rows = [
            row("a receipt: path of 20, signature of the log", times["receipt"], "500 µs"),
            row("the first one of a page, before the browser compiled it", times["first"] * 2),
            row("of it, the path", times["path"]),
            row("beside it, a witness's cosignature (Ed25519)", times["old"]),
            row("beside it, a witness's cosignature (ML-DSA-44)", times["new"]),
            row(f"a year: {OWN:,} entries and the absence", times["journal"], "", "ms"),
        ]
        told += f"## In {name}\n\n{machine.table(head, browser_rows)}\n"
    return told + f"## Writing\n\n{machine.table(('what', 'best', 'goal'), writing())}"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--labels", type=int, default=3_650_000)
    arguments.add_argument("--rounds", type=int, default=2000)
    asked = arguments.parse_args()
    told = measure(asked.labels, asked.rounds)
    RESULTS.write_text(told, encoding="utf-8")
    print(told)


if __name__ == "__main__":
    main()
