"""A journal as a cell tells it to a page, with a log and a witness of its own: honest, or lying in
a way that the test chooses."""

from __future__ import annotations

import base64
import json
import re
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from playwright.async_api import Page, Route

from luciole.ledger import entry, merkle, tiles
from luciole.ledger.entry import Class, Kind, Scope
from luciole.ledger.note import Checkpoint, KeyKind, Signer, to_base64
from luciole.ledger.proof import Proof
from luciole.ledger.seal import Cover
from luciole.ledger.tiles import Edge, Tile

ORIGIN = "luciole/0190f3a2-0000-4000-8000-000000000001/access"
WINDOW = 64
DAY_S = 86_400


@dataclass
class Told:
    """What the cell says about one person, with the label key that their client has."""

    label_key: bytes = bytes(range(32))
    started: int = field(default_factory=lambda: int(time.time()) - 40 * DAY_S)
    cosigned: bool = True
    log_seed: bytes = b"\1"
    shown: list[dict[str, Any]] = field(default_factory=list)
    entries: list[bytes] = field(default_factory=list)
    edge: Edge = field(default_factory=Edge)
    cover: Cover = field(default_factory=Cover)
    objects: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._log = Signer(ORIGIN, KeyKind.ED25519, bytes(31) + self.log_seed)
        self._witness = Signer("witness.example", KeyKind.COSIGNATURE, bytes(31) + b"\2")

    # What happens

    def add(self, kind: str, cls: str, after_s: int, **said: Any) -> None:
        """One more entry about the person, so long after the beginning; and one about another."""
        n, at = len(self.shown), self.started + after_s
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
        said = {"v": 1, "n": n, "at": stamp, "kind": kind, "class": cls, **said}
        opening, nonce = entry.canonical(said), bytes([n % 256]) * 32
        leaf = entry.PersonEntry(
            Kind[kind.upper()],
            Class[cls.upper()],
            at // 60,
            entry.label_of(self.label_key, n),
            entry.commitment(nonce, opening),
        ).encode()
        self.shown.append(
            {
                "n": n,
                **{key: said.get(key) for key in ("kind", "class", "at", "actor", "purpose")},
                **{key: said.get(key) for key in ("expires", "note")},
                "columns": said.get("columns", []),
                "leaf": base64.b64encode(leaf).decode(),
                "nonce": base64.b64encode(nonce).decode(),
                "opening": opening.decode(),
                "index": self.edge.size,
            }
        )
        other = entry.label_of(b"\7" * 32, n)
        stranger = entry.PersonEntry(Kind.GRANT, Class.SELF, at // 60, other, bytes(32)).encode()
        self._append([leaf, stranger])

    def seal(self, after_s: int) -> None:
        """Seals all that is there."""
        first = self.cover.spans[0].seal.first if self.cover.spans else 0
        minute = (self.started + after_s) // 60
        made, _ = self.cover.seal(Scope.DAY, minute, first, self.edge.size)
        self._append([made.encode()])

    def _append(self, added: list[bytes]) -> None:
        start = self.edge.size
        self.edge, objects = self.edge.append(added)
        self.objects.update(objects)
        for at, each in enumerate(added):
            self.cover.take(start + at, each)
        self.entries += added

    # What the cell says

    @property
    def policy(self) -> str:
        lines = [f"log {self._log.verifier}", f"witness w {self._witness.verifier}", "quorum w", ""]
        return "\n".join(lines)

    def checkpoint(self) -> str:
        text = str(Checkpoint(ORIGIN, self.edge.size, self.edge.root()))
        note = self._log.sign(text)
        return note + self._witness.line(text, int(time.time())) if self.cosigned else note

    def path(self, index: int) -> list[bytes]:
        def read(tile: Tile) -> bytes:
            return self.objects[tile.path]

        size = self.edge.size
        ranges = merkle.inclusion_ranges(index, size)
        return [tiles.range_hash(*part, size, read) for part in ranges]

    def receipt(self, n: int) -> str:
        index = self.shown[n]["index"]
        return str(Proof(index, tuple(self.path(index)), self.checkpoint()))

    def proof(self, shown: list[dict[str, Any]]) -> dict[str, Any]:
        """The journal proof over what is shown, as far as the log allows one."""
        entries = [
            {**{key: each[key] for key in ("n", "index", "leaf")}, "path": self._path(each)}
            for each in shown
        ]
        above = len(shown)
        labels = [entry.label_of(self.label_key, n) for n in range(above, above + WINDOW)]
        absence = []
        for span in self.cover.spans:
            known = [label for label in labels if label not in span.sealed]
            made = span.sealed.absence(span.seal_index, span.seal, known)
            path = [to_base64(hash_) for hash_ in self.path(span.seal_index)]
            absence.append({**made.as_json(), "path": path})
        return {"checkpoint": self.checkpoint(), "entries": entries, "absence": absence}

    def _path(self, each: dict[str, Any]) -> list[str]:
        return [to_base64(hash_) for hash_ in self.path(each["index"])]

    def summary(self, shown: list[dict[str, Any]]) -> dict[str, Any]:
        days: dict[str, dict[str, int]] = {}
        for each in shown:
            counts = days.setdefault(each["at"][:10], {})
            counts[each["class"]] = counts.get(each["class"], 0) + 1
        return {"days": [{"day": day, "counts": days[day]} for day in sorted(days, reverse=True)]}

    async def stand_in(self, page: Page, shown: list[dict[str, Any]] | None = None) -> None:
        """Answers for the cell from now on; `shown` instead of the truth, where given."""

        async def answer(route: Route) -> None:
            url = urlsplit(route.request.url)
            said = self.shown if shown is None else shown
            if url.path == "/ledger/policy":
                await route.fulfill(body=self.policy, content_type="text/plain")
            elif url.path.startswith("/ledger/access/"):
                found = self.objects.get(url.path.removeprefix("/ledger/access/"))
                await route.fulfill(status=200 if found else 404, body=found or b"{}")
            elif url.path.endswith("/label-key"):
                key = base64.b64encode(self.label_key).decode()
                await route.fulfill(json={"label_key": key})
            elif url.path.endswith("/summary"):
                await route.fulfill(json=self.summary(said))
            elif url.path.endswith("/proof"):
                first = int(parse_qs(url.query).get("from", ["0"])[0])
                proof = self.proof(said)
                proof["entries"] = [each for each in proof["entries"] if each["n"] >= first]
                await route.fulfill(body=json.dumps(proof), content_type="application/json")
            elif match := re.search(r"/journal/(\d+)/receipt$", url.path):
                await route.fulfill(body=self.receipt(int(match[1])), content_type="text/plain")
            else:
                before = int(parse_qs(url.query).get("before", ["1000000"])[0])
                items = [each for each in reversed(said) if each["n"] < before]
                await route.fulfill(json={"items": items, "next": None})

        await page.route(re.compile(r"/ledger/|/api/me/(journal|label-key)"), answer)


def lived(log_seed: bytes = b"\1") -> Told:
    """A month of somebody's life here."""
    told = Told(log_seed=log_seed)
    told.add("enrol", "self", 0, key_made_by="you")
    phone = {"actor": "you", "purpose": "session", "columns": ["*"], "note": "Chrome on Android"}
    told.add("grant", "self", 60, **phone, expires="2027-01-26T12:00:00Z")
    for week in range(5):
        told.add("grant", "self", (week * 7 + 3) * DAY_S, **{**phone, "note": "Firefox on Linux"})
        backup = {"actor": "luciole", "purpose": "backup", "columns": ["*"]}
        told.add("grant", "automated", (week * 7 + 4) * DAY_S, **backup)
    mail = {"actor": "Imani, support", "columns": ["contact.email"]}
    told.add("read", "staff", 37 * DAY_S, **mail, purpose="support", note="you asked for help")
    told.add("export", "export", 38 * DAY_S, actor="luciole", purpose="export", columns=["*"])
    told.add("import", "self", 39 * DAY_S, actor="you", purpose="bring-along", note="8 from TikTok")
    told.seal(40 * DAY_S - 600)
    return told
