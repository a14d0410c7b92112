"""A cell that was sold and the one that guarded its keys, laid out for `luciole_between`."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.vectors.log_writer import Signer, b64, canonical, iso, mth, sha256, tile_files
from tests.vectors.world import CELL, NOW, OAK, OTHER_CELL, SEEN

HOUR = 3_600
START = SEEN - 40 * HOUR
CONTENTS = sha256(b"contents").hex()
OLD, NEW = (Signer.named(f"luciole/{CELL}/decisions", 1, who) for who in ("old", "new"))
THIEF = Signer.named(f"luciole/{CELL}/decisions", 1, "thief")
SELLER, FORGER = (Signer.named(f"luciole/{CELL}/seller", 1, who) for who in ("seller", "forger"))
GUARD = Signer.named(f"luciole/{OTHER_CELL}/decisions", 1)


def at(hours: float, kind: str, **said: Any) -> dict[str, Any]:
    return {"v": 1, "at": iso(START + int(hours * HOUR)), "kind": kind, **said}


def receipt_text(persons: int = 3, contents: str = CONTENTS) -> str:
    return f"luciole-receipt-v1\ncontents {contents}\npersons {persons}\nrows 40\nobjects 5\n"


def signed(text: str, signer: Signer) -> bytes:
    return f"{text}\n{signer.signed(text)}".encode()


@dataclass
class World:
    """A cell that was sold, the one that guarded its keys and kept its backup, and two notes."""

    mine: list[dict[str, Any]] = field(default_factory=list)
    theirs: list[dict[str, Any]] = field(default_factory=list)
    claims: list[tuple[str, str]] = field(default_factory=list)
    verdict: str = "GREEN"
    contents: str = CONTENTS
    buyer: str = "New House"
    by: Signer = SELLER
    holder: Signer = NEW
    receipt: bytes = b""
    removal: bytes = b""
    is_logged: bool = True
    is_other_given: bool = True

    def entry(self, kind: str, of: str = "") -> dict[str, Any]:
        """The last of a kind."""
        entries = [*self.mine, *self.theirs]
        return [one for one in entries if one["kind"] == kind and of in ("", one.get("of"))][-1]

    def statement(self) -> bytes:
        said = {
            "contents": self.contents,
            "seller": "Old House",
            "buyer": self.buyer,
            "at": iso(START + 30 * HOUR),
            "verdict": self.verdict,
            "claims": [
                {"claim": claim, "verdict": verdict, "sentence": "…", "next": ""}
                for claim, verdict in self.claims
            ],
            "not_proved": "- That no copy exists.",
        }
        text = f"luciole-removal-v1\n{json.dumps(said, ensure_ascii=False)}\n"
        return signed(text, self.by)


def counts(hours: float, asked: int, given: int) -> dict[str, Any]:
    return at(hours, "guardian", act="counts", guardian="sg", cell=OTHER_CELL, asked=asked,
              given=given, refused=0, held=3)  # fmt: skip


def guarding(hours: float, given: int, destroyed: int = 0) -> dict[str, Any]:
    return at(hours, "guarding", cell=CELL, held=3 - destroyed, given=given, given_persons=2,
              refused=0, destroyed=destroyed)  # fmt: skip


def restore(hours: float, until: int = 60) -> dict[str, Any]:
    """The database was put back to 40 entries of a log that has so many."""
    return at(hours, "restore", log="access", to=until, **{"from": 40, "taken-over": until - 40,
              "came-back": 0, "set-aside": 0})  # fmt: skip


def world() -> World:
    """All is as it should be."""
    made = World(claims=[("keys", "GREEN"), ("canaries", "GREEN")])
    made.mine = [
        counts(1, asked=4, given=3),
        counts(9, asked=12, given=10),
        at(20, "divest", to="New House", jurisdiction="FR", contents=CONTENTS,
           keys={"decisions": NEW.vkey()}, statement_key=SELLER.vkey()),
        at(20.1, "held-elsewhere", peer="sg", cell=OTHER_CELL, of="share", destroyed=3),
        at(20.1, "held-elsewhere", peer="sg", cell=OTHER_CELL, of="backup", code="peer-away"),
        at(20.2, "handover", key=NEW.vkey()),
        at(21, "adopted", operator="New House", jurisdiction="FR", contents=CONTENTS, persons=3,
           **{"from": "Old House"}, border=""),
        at(22, "held-elsewhere", peer="sg", cell=OTHER_CELL, of="backup", destroyed=7),
    ]  # fmt: skip
    made.theirs = [
        guarding(0.5, given=2),
        guarding(8.5, given=9),
        at(19, "guarding", act="lent", cell=CELL, halves=3),
        guarding(20.5, given=13, destroyed=3),
        at(22.5, "keeping", cell=CELL, destroyed=7),
        at(39, "release", version="0.1"),
    ]
    made.receipt = signed(receipt_text(), NEW)
    return made


def lay(place: Path, made: World) -> list[str]:
    """The two ledgers and the notes; the arguments for them."""
    made.removal = made.removal or made.statement()
    if made.is_logged:
        digest = sha256(made.removal).hex()
        made.mine.append(at(31, "removal", sha256=digest, verdict="GREEN"))
    mine = [canonical(one) for one in made.mine]
    sold = [n for n, one in enumerate(made.mine, 1) if one["kind"] == "handover"]
    files = ledger(mine, made.holder if sold else OLD, CELL)
    for size in sold:
        head = note(mine[:size], OLD, CELL)
        handed = [{"from": OLD.vkey(), "to": made.holder.vkey(), "head": head}]
        files["decisions/handover"] = json.dumps(handed, ensure_ascii=False).encode()
    other = ledger([canonical(one) for one in made.theirs], GUARD, OTHER_CELL)
    policy = f"log {OLD.vkey()}\nlog {GUARD.vkey()}\nwitness oak {OAK.vkey()}\nquorum oak\n"
    every = {"policy": policy.encode(), "receipt": made.receipt, "removal": made.removal}
    every |= {f"us/ledger/{name}": data for name, data in files.items()}
    every |= {f"sg/ledger/{name}": data for name, data in other.items()}
    for name, data in every.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(data)
    words = [str(place / "us"), "--policy", str(place / "policy"), "--now", iso(NOW)]
    words += ["--other", str(place / "sg")] if made.is_other_given else []
    notes = ["--receipt", str(place / "receipt"), "--removal", str(place / "removal")]
    return words + (notes if sold else [])


def note(entries: list[bytes], signer: Signer, cell: str) -> str:
    body = f"luciole/{cell}/decisions\n{len(entries)}\n{b64(mth(entries))}\n"
    return f"{body}\n{signer.signed(body)}{OAK.cosigned(body, SEEN)}"


def ledger(entries: list[bytes], signer: Signer, cell: str) -> dict[str, bytes]:
    files = {f"decisions/{name}": data for name, data in tile_files(entries).items()}
    return files | {"decisions/checkpoint": note(entries, signer, cell).encode()}
