"""A small cell's log `access`, made up by arithmetic: persons, days, seals, witnesses. The same at
each run, so that vectors can be made again and compared."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from luciole.ledger import entry, merkle
from luciole.ledger.entry import Class, Kind, PersonEntry, Scope
from luciole.ledger.merkle import leaf_hash
from luciole.ledger.note import Checkpoint, KeyKind, Signer, to_base64
from luciole.ledger.policy import Policy
from luciole.ledger.seal import Cover

CELL = "0190b6a5-7c00-7000-8000-00000000ce11"
ORIGIN = f"luciole/{CELL}/access"
BEGAN = int(datetime(2026, 11, 28, tzinfo=UTC).timestamp()) // 60
DAY = 24 * 60
WINDOW = 64
# ML-DSA-44 signs differently each time: what was signed once is kept here, and used again.
KEPT = Path(__file__).with_name("browser") / "signatures.json"


def seed(name: str) -> bytes:
    return sha256(f"luciole test seed: {name}".encode()).digest()


LOG = Signer(ORIGIN, KeyKind.ED25519, seed("log"))
BORDER = Signer(f"luciole/{CELL}/border", KeyKind.ED25519, seed("border"))
OLD = Signer("witness-one.example/luciole", KeyKind.COSIGNATURE, seed("one"))
NEW = Signer("witness-two.example/luciole", KeyKind.SUBTREE, seed("two"))
STRANGER = Signer("stranger.example/w", KeyKind.COSIGNATURE, seed("stranger"))
POLICY = f"""\
# Test keys; trust them with nothing.
log {LOG.verifier}
log {BORDER.verifier}
witness one {OLD.verifier}
witness two {NEW.verifier} https://witness-two.example/luciole
group either any one two
quorum either
"""
BOTH = POLICY.replace("group either any", "group both all").replace("quorum either", "quorum both")
ALONE = POLICY.replace("quorum either", "quorum none")


def line(signer: Signer, text: str, time: int) -> str:
    """A cosignature, the kept one where the algorithm would give another each time."""
    if signer.verifier.kind is not KeyKind.SUBTREE:
        return signer.line(text, time)
    kept: dict[str, str] = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    name = sha256(f"{signer.verifier}\n{time}\n{text}".encode()).hexdigest()
    if name not in kept:
        kept[name] = signer.line(text, time)
        KEPT.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")
    found = kept[name]
    Policy.parse(ALONE.encode()).check(LOG.sign(text) + found)  # it verifies, or this raises
    return found


@dataclass
class Person:
    """A person, their label key, and what the cell keeps about their entries."""

    name: str
    indexes: list[int] = field(default_factory=list)
    openings: list[dict[str, Any]] = field(default_factory=list)

    @property
    def label_key(self) -> bytes:
        return seed(f"label key of {self.name}")


@dataclass
class Story:
    """A log as it grows."""

    cover: Cover = field(default_factory=Cover)
    entries: list[bytes] = field(default_factory=list)
    minute: int = BEGAN

    def put(self, raw: bytes) -> None:
        self.cover.take(len(self.entries), raw)
        self.entries.append(raw)

    def note(
        self, person: Person, kind: Kind, cls: Class = Class.SELF, **opening: Any
    ) -> PersonEntry:
        """The person's next entry."""
        n = len(person.indexes)
        at = datetime.fromtimestamp(self.minute * 60 + 7 * n % 60, UTC)
        said = {
            "v": 1, "n": n, "at": f"{at:%Y-%m-%dT%H:%M:%SZ}", "kind": kind.name.lower(),
            "class": cls.name.lower(), **opening,
        }  # fmt: skip
        text = entry.canonical(said)
        nonce = seed(f"nonce of {person.name} {n}")
        label = entry.label_of(person.label_key, n)
        made = PersonEntry(kind, cls, self.minute, label, entry.commitment(nonce, text))
        person.indexes.append(len(self.entries))
        shown = {"n": n, "nonce": to_base64(nonce), "opening": text.decode()}
        person.openings.append(shown)
        self.put(made.encode())
        return made

    def seal(self, first: int, scope: Scope = Scope.DAY) -> None:
        made, _ = self.cover.seal(scope, self.minute, first, len(self.entries))
        self.put(made.encode())

    # What a cell shows

    def leaves(self) -> list[bytes]:
        return [leaf_hash(raw) for raw in self.entries]

    def head(self) -> Checkpoint:
        return Checkpoint(ORIGIN, len(self.entries), merkle.root_of(self.leaves()))

    @property
    def now(self) -> int:
        return self.minute * 60 + 30

    def checkpoint(self, *witnesses: Signer) -> str:
        text = str(self.head())
        return LOG.sign(text) + "".join(line(each, text, self.now) for each in witnesses)

    def path(self, index: int) -> list[str]:
        return [to_base64(hash_) for hash_ in merkle.inclusion_proof(self.leaves(), index)]

    def journal(self, person: Person, note: str) -> dict[str, Any]:
        """The journal proof, as an honest cell makes it."""
        known = len(person.indexes)
        coming = [entry.label_of(person.label_key, known + at) for at in range(WINDOW)]
        return {
            "checkpoint": note,
            "entries": [
                {
                    "n": n,
                    "index": index,
                    "leaf": to_base64(self.entries[index]),
                    "path": self.path(index),
                }
                for n, index in enumerate(person.indexes)
            ],
            "absence": [
                {
                    **span.sealed.absence(span.seal_index, span.seal, coming).as_json(),
                    "path": self.path(span.seal_index),
                }
                for span in self.cover.spans
            ],
        }


def three_days() -> tuple[Story, Person]:
    """From Saturday to Monday over the end of a month, with a few entries after the last seal."""
    story, ana = Story(), Person("ana")
    others = [Person(f"person {n}") for n in range(6)]
    first = 0
    for day in range(3):
        story.minute = BEGAN + day * DAY + 8 * 60
        if day == 0:
            for person in (others[0], ana, *others[1:]):
                story.note(person, Kind.ENROL, actor="you", purpose="sign-up")
        for n, person in enumerate(others):
            story.minute += 7
            story.note(person, Kind.GRANT, actor="you", purpose="session", columns=["*"])
            if n == day:
                story.note(
                    ana, Kind.GRANT, actor="you", purpose="session", note="Chrome on Ändroid"
                )
            if n % 2 == day % 2:
                story.note(person, Kind.GRANT, Class.AUTOMATED, actor="luciole", purpose="feed")
        if day == 1:
            story.note(ana, Kind.READ, Class.STAFF, actor="staff 7", purpose="help", columns=["a"])
        story.minute = BEGAN + (day + 1) * DAY + 1
        story.seal(first)
        if day == 1:  # December begins: November is one range, and stays
            story.seal(first, Scope.MONTH)
            first = len(story.entries) - 1
    story.minute += 3 * 60
    for person in others[:3]:
        story.note(person, Kind.GRANT, actor="you", purpose="session")
    return story, ana
