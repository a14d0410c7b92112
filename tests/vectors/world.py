"""The good cell that every vector starts from, and the files of a vector."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.vectors.log_writer import (
    CLASSES,
    KINDS,
    Signer,
    Someone,
    absence,
    audit_path,
    b64,
    canonical,
    iso,
    mth,
    seal,
    seconds,
    tile_files,
)

CELL = "6f1d2a34-9b7c-4e58-8a10-5c3de0b7f921"
OTHER_CELL = "c0ffee00-1111-4222-8333-444455556666"
NOW = seconds("2026-11-26 12:00")
SEEN = NOW - 120
LOGS = ("access", "decisions", "border")
FIRST_DAY = seconds("2026-11-23 00:00")
DAY, HOUR, MINUTE = 86_400, 3_600, 60
# Of the access log's newest entry.
LAST = FIRST_DAY + 3 * DAY + 11 * HOUR + 30 * MINUTE
WINDOW = 64


def origin(log: str, cell: str = CELL) -> str:
    return f"luciole/{cell}/{log}"


def log_key(log: str, cell: str = CELL) -> Signer:
    return Signer.named(origin(log, cell), 1)


OAK = Signer.named("witness.example/oak", 4)
ELM = Signer.named("witness.example/elm", 4)
YEW = Signer.named("witness.example/yew", 6)
STRANGER = Signer.named("witness.example/stranger", 4)


@dataclass(frozen=True)
class Statement:
    """The residency statement of a day; its counts are those of the logs when it is laid out."""

    day: int
    changes: dict[str, Any]

    def encode(self, entries: dict[str, list[Any]], done: dict[str, int]) -> bytes:
        """`done` says how far the statements before this one have counted, and is moved on."""
        ranges = {}
        for log in ("access", "border"):
            end = done[log]
            while end < len(entries[log]) and time_of(entries[log][end]) < self.day + DAY:
                end += 1
            ranges[log], done[log] = [done[log], end], end
        people = entries["access"][slice(*ranges["access"])]
        kinds = Counter(kind_of(entry) for entry in people)
        reads = Counter(entry[2] for entry in people if kind_of(entry) == "read")
        crossings = Counter(kind_of(one) for one in entries["border"][slice(*ranges["border"])])
        said: dict[str, Any] = {
            "v": 1,
            "kind": "residency",
            "at": iso(self.day + DAY + 30),
            "day": iso(self.day)[:10],
            "cell": CELL,
            "jurisdiction": "FR",
            "operator": "Les Lucioles",
            "erasures": kinds["erase"],
            "seals": kinds.pop("seal", 0),
            "entries": {"access": dict(kinds)},
            "ranges": ranges,
            "crossings": {**crossings, "total": sum(crossings.values())},
            "staff_reads": reads[CLASSES.index("staff")],
            "legal_reads": reads[CLASSES.index("legal")],
            "witnesses": 2,
            "exceptions": [],
        }
        return canonical(said | self.changes)


def statement(day: int, changes: dict[str, Any] | None = None) -> Any:
    """The statement of the day that begins at a time, with what it says otherwise."""
    return Statement(day, changes or {})


def time_of(entry: bytes) -> int:
    """When an entry was made; what nobody can read was made before all."""
    try:
        if entry[:1] == b"{":
            return seconds(json.loads(entry)["at"].replace("T", " ").rstrip("Z"))
        return int.from_bytes(entry[3:7], "big") * 60
    except (ValueError, KeyError):
        return 0


def kind_of(entry: bytes) -> str:
    """What an entry is about; `unknown` for what nobody can read."""
    try:
        if entry[:1] == b"{":
            return str(json.loads(entry)["kind"])
        return "seal" if entry[1] == 0x80 else KINDS[entry[1]]
    except (ValueError, KeyError, IndexError):
        return "unknown"


def text(at: int, kind: str, **said: Any) -> bytes:
    return canonical({"v": 1, "at": iso(at), "kind": kind, **said})


@dataclass
class World:
    """A cell's three logs and who watches them. A case changes it, then asks for its files."""

    people: dict[str, Someone] = field(default_factory=dict)
    # Those of `decisions` may be statements that are not made yet.
    entries: dict[str, list[Any]] = field(default_factory=dict)
    policy: str = ""
    # Who signs, by log; a witness with the time at which it saw the checkpoint.
    signers: dict[str, list[Signer]] = field(default_factory=dict)
    witnesses: list[tuple[Signer, int]] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    cell: str = CELL

    def someone(self, name: str) -> Someone:
        return self.people.setdefault(name, Someone(name))

    def log(self, log: str) -> list[bytes]:
        """The entries of a log, with its statements made."""
        done = {"access": 0, "border": 0}
        return [
            entry.encode(self.entries, done) if isinstance(entry, Statement) else entry
            for entry in self.entries[log]
        ]

    def note(self, log: str, size: int | None = None, body: str = "") -> str:
        """The signed and witnessed checkpoint of a log at a size."""
        entries = self.log(log)[:size]
        body = body or f"{origin(log, self.cell)}\n{len(entries)}\n{b64(mth(entries))}\n"
        signed = "".join(signer.signed(body) for signer in self.signers[log])
        return f"{body}\n{signed}" + "".join(one.cosigned(body, at) for one, at in self.witnesses)

    def ledger(self, *logs: str) -> None:
        """Lays the logs into the vector's files."""
        for log in logs or LOGS:
            self.files[f"ledger/{log}/checkpoint"] = self.note(log).encode()
            for name, data in tile_files(self.log(log)).items():
                self.files[f"ledger/{log}/{name}"] = data
        self.files["policy"] = self.policy.encode()

    def receipt(self, log: str, index: int, size: int | None = None, extra: str = "") -> None:
        """Lays a receipt into the vector's files."""
        entries = self.log(log)[:size]
        path = "".join(f"{b64(node)}\n" for node in audit_path(index, entries))
        proof = f"c2sp.org/tlog-proof@v1\n{extra}index {index}\n{path}\n{self.note(log, size)}"
        self.files["receipt.tlog-proof"] = proof.encode()
        self.files["policy"] = self.policy.encode()

    def journal(self, name: str, size: int | None = None) -> dict[str, Any]:
        """Lays a person's journal into the vector's files, as an export holds it; gives the proof,
        for cases that change it."""
        person, every = self.someone(name), self.entries["access"]
        entries = every[: len(every) if size is None else size]
        shown = [(n, one) for n, one in enumerate(person.entries) if one[0] in entries]
        last = len(shown) - 1
        coming = [person.label(n) for n in range(last + 1, last + 1 + WINDOW)]
        proof = {
            "checkpoint": self.note("access", len(entries)),
            "entries": [
                {
                    "n": n,
                    "index": entries.index(leaf),
                    "leaf": b64(leaf),
                    "path": [b64(node) for node in audit_path(entries.index(leaf), entries)],
                }
                for n, (leaf, _, _) in shown
            ],
            "absence": [absence(entries, at, coming, len(entries)) for at in cover(entries)],
        }
        lines = [
            {
                "n": n,
                "index": entries.index(leaf),
                "leaf": b64(leaf),
                "nonce": b64(nonce),
                "opening": canonical(opening).decode(),
            }
            for n, (leaf, nonce, opening) in shown
        ]
        self.files["journal/journal.jsonl"] = b"".join(canonical(line) + b"\n" for line in lines)
        self.files["journal/label-key.txt"] = f"{b64(person.label_key)}\n".encode()
        self.files["policy"] = self.policy.encode()
        self.put_proof(proof)
        return proof

    def put_proof(self, proof: dict[str, Any]) -> None:
        text = json.dumps(proof, ensure_ascii=False, separators=(",", ":"))
        self.files["journal/proof.json"] = text.encode() + b"\n"


def cover(entries: list[bytes]) -> list[int]:
    """Indexes of the seals that stand, in the order of their ranges."""
    standing: list[tuple[int, int]] = []
    for index, entry in enumerate(entries):
        if entry[1] == 0x80:
            first = int.from_bytes(entry[7:15], "big")
            standing = [part for part in standing if part[0] < first] + [(first, index)]
    return [index for _, index in standing]


def policy_of(*witnesses: Signer, quorum: str = "", cells: tuple[str, ...] = (CELL,)) -> str:
    """A policy that asks for all of the witnesses, or for what `quorum` says."""
    lines = ["# Who signs, who watches, and how many of them suffice."]
    lines += [f"log {log_key(log, cell).vkey()}" for cell in cells for log in LOGS]
    names = [witness.name.split("/")[1] for witness in witnesses]
    lines += [
        f"witness {name} {witness.vkey()} https://{witness.name}"
        for name, witness in zip(names, witnesses, strict=True)
    ]
    lines.append(quorum or f"group both all {' '.join(names)}\nquorum both")
    return "\n".join(lines) + "\n"


def access_log(world: World, days: int = 3) -> list[bytes]:
    """Three people's days, sealed at the beginning of the next; then a morning, not yet sealed."""
    entries: list[bytes] = []
    you = "you" if world.cell == CELL else "you, over there"
    ben_or_not = "ben" if world.cell == CELL else "bea"
    ana, ben, cleo = (world.someone(name) for name in ("ana", ben_or_not, "cleo"))
    for number in range(days + 1):
        day = FIRST_DAY + number * DAY
        if number:
            entries.append(seal(entries, 0, len(entries), day + 5 * MINUTE))
        if number == 0:
            entries.append(ana.entry("enrol", "self", day + 8 * HOUR, actor=you))
            entries.append(ben.entry("enrol", "self", day + 8 * HOUR + MINUTE, actor=you))
        if number == 1:
            entries.append(cleo.entry("enrol", "self", day + 7 * HOUR, actor=you))
        for person in (ana, ben):
            at = day + 9 * HOUR + len(person.entries) * MINUTE
            entries.append(person.entry("grant", "self", at, actor=you, purpose="session"))
        at = day + 11 * HOUR + 30 * MINUTE
        entries.append(ben.entry("read", "staff", at, actor="desk 4", purpose="a report"))
    return entries


def good(cell: str = CELL) -> World:
    """A cell that keeps every promise."""
    world = World(cell=cell)
    world.entries["access"] = access_log(world)
    world.entries["decisions"] = [
        text(
            FIRST_DAY + 8 * HOUR - MINUTE,
            "release",
            version="0.3.0",
            server_sha256="5e" * 32,
            web_sha256="a1" * 32,
        ),
        *(statement(FIRST_DAY + number * DAY) for number in range(3)),
    ]
    world.entries["border"] = [
        text(FIRST_DAY + number * DAY + 11 * HOUR, "out", transfer=f"{number:08x}", bytes=4096)
        for number in range(3)
    ]
    world.signers = {log: [log_key(log, cell)] for log in LOGS}
    world.witnesses = [(OAK, SEEN), (ELM, SEEN + 1)]
    world.policy = policy_of(OAK, ELM)
    return world


def split_seals(world: World) -> None:
    """Two more seals, so that the cover has three ranges: [0, 14), [14, 18), [18, 20)."""
    entries, cleo = world.entries["access"], world.someone("cleo")
    entries.append(seal(entries, 14, 18, LAST + MINUTE))
    entries.append(cleo.entry("grant", "self", LAST + 2 * MINUTE))
    entries.append(seal(entries, 18, 20, LAST + 3 * MINUTE))


def many(world: World, count: int = 300) -> None:
    """So many entries in the access log: more than a tile holds."""
    dora, access = world.someone("dora"), world.entries["access"]
    access.append(dora.entry("enrol", "self", LAST))
    access += [dora.entry("grant", "automated", LAST) for _ in range(count - len(access))]


def seal_many(world: World) -> None:
    """300 entries and their seal: proofs of absence need nodes beside their leaves."""
    many(world)
    world.entries["access"].append(seal(world.entries["access"], 0, 300, LAST + MINUTE))
