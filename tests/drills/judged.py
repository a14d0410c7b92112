"""The wire between two cells beside their logs, in both directions: what was on it that they do not
tell or that is of no declared shape, and what they tell that was not on it.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from tests.drills import allowed, wire
from tests.drills.shown import Shown
from tests.drills.wire import Message, Wire

from luciole.audit.canary import marks, peel
from luciole.audit.canary.marks import Mark
from luciole.audit.canary.search import Search
from luciole.border import batch, crossing
from luciole.border.crossing import BadCrossing
from luciole.ledger.entry import canonical
from luciole.ledger.note import Note, VerifierKey

NOTHING = sha256(b"").hexdigest()
PROVES = {"luciole-entry", "luciole-proof"}
MEDIA_PATH = re.compile(r"/media/p/[A-Za-z0-9_-]{16,64}/[a-z0-9_.-]{1,40}")


@dataclass(frozen=True)
class Spoken:
    """A request and its answer, if there was one; whose they are, by the names of the cells."""

    of: str
    to: str
    request: Message
    answer: Message | None

    @property
    def path(self) -> str:
        return self.request.path


@dataclass
class Judge:
    """`ends`: the cells' names by their addresses. `doors`: their inward doors, address and port,
    by name. `entries`: of their logs of crossings, read after the wire was."""

    ends: dict[str, str]
    doors: dict[str, str]
    behind_caddy: bool
    marks: list[Mark]
    shown: Shown
    entries: dict[str, list[dict[str, Any]]]

    def __post_init__(self) -> None:
        self._keys = {name: one.border_key for name, one in self.shown.read.items()}
        known = [(mark, form) for mark in self.marks for form in marks.forms(mark, [])]
        self._parts = list[tuple[bool, Search, list[str]]]()
        for is_folded in (True, False):
            some = [(mark, form) for mark, form in known if form.is_folded is is_folded]
            patterns = [form.pattern.lower() if is_folded else form.pattern for _, form in some]
            self._parts.append((is_folded, Search(patterns), [mark.field for mark, _ in some]))
        self._named = dict[str, list[bytes]]()

    # --- what is on the wire ---------------------------------------------------------------------

    def faults(self, seen: Wire) -> list[str]:
        """What is on the wire and neither in both logs nor open to everybody, or not of a declared
        shape, or a mark of somebody."""
        found = [f"{other} on the wire" for other in seen.others - {"ARP", wire.KERNELS}]
        found += seen.cut_off
        found += [
            f"a connection to {to}" for _, to in seen.connections if to not in self.doors.values()
        ]
        for one in self.spoken(seen):
            self._named.setdefault(one.of, []).extend(_carried(one))
        for one in self.spoken(seen):
            for message in filter(None, (one.request, one.answer)):
                found += self._shape_faults(one, message)
            if fault := self._request_fault(one):
                found.append(f"request of {one.request.first}: {fault}")
            if one.answer and (fault := self._answer_fault(one, one.answer)):
                found.append(f"answer of {one.request.first}: {fault}")
        for raw in seen.raw:
            found += [f"a mark of {field}" for field in self.marked(raw)]
        return sorted(Counter(found))

    def spoken(self, seen: Wire) -> Iterator[Spoken]:
        answers = {id(one.request): one for one in seen.messages if one.request}
        for one in seen.messages:
            if one.is_request:
                of, to = (self.ends[end.rpartition(":")[0]] for end in (one.source, one.target))
                yield Spoken(of, to, one, answers.get(id(one)))

    def _shape_faults(self, one: Spoken, message: Message) -> list[str]:
        kind = "a request" if message.is_request else "an answer"
        words = (message, self.doors[one.to], self._keys[one.of].name)
        found = [
            f"{fault} {kind}"
            for fault in allowed.wrong_headers(*words, behind_caddy=self.behind_caddy)
        ]
        if not allowed.is_first_line(message):
            found.append(f"a first line of {kind} that is none")
        if PROVES & message.headers.keys():
            # In a request with one crossing, and in the answer that is a film.
            carries = one.path == ("/border/inbox" if message.is_request else "/border/media")
            if not carries or self._entry_fault(message, one.of if message.is_request else one.to):
                found.append(f"the value of header luciole-entry of {kind}")
        return found

    def _request_fault(self, one: Spoken) -> str:
        body, digest = one.request.body, sha256(one.request.body).hexdigest()
        match one.path.split("/")[1:]:
            case ["border", "inbox"]:
                return "" if self._are_told([digest], one.of, one.to) else "not in both logs"
            case ["border", "crossings"]:
                return self._load_fault(one)
            case ["border", "media"]:
                return self._wanted_fault(one)
            case ["border", "ask", kind]:
                return self._asked_fault(one, kind, digest)
        return "" if one.request.first.startswith("GET ") and not body else "no plain request"

    def _answer_fault(self, one: Spoken, answer: Message) -> str:
        is_done = answer.first.startswith("HTTP/1.1 200 ")
        if not is_done:
            return allowed.refusal(answer, behind_caddy=self.behind_caddy)
        match one.path.split("/")[1:]:
            case ["border", "inbox"]:
                entry = b64decode(one.request.headers["luciole-entry"])
                return self._receipt_fault(answer.body, entry, one.to)
            case ["border", "crossings"]:
                return self._answers_fault(one, answer)
            case ["border", "media"]:
                digest = sha256(answer.body).hexdigest()
                return "" if self._are_told([digest], one.to, one.of) else "not in both logs"
            case ["border", "ask", _]:
                return ""  # with its request
        return self.shown.fault(one.to, one.path, answer.body)

    def _are_told(self, digests: list[str], of: str, to: str) -> bool:
        out = [one for one in self.entries[of] if one["kind"] == "out" and one["to"] == to]
        into = [one for one in self.entries[to] if one["kind"] == "in" and one["from"] == of]
        both = [{one["sha256"] for one in entries} for entries in (out, into)]
        return all(digest in one for one in both for digest in digests)

    def _entry_fault(self, message: Message, of: str) -> str:
        """Of the entry and the proof in the headers of a message."""
        log = self.shown.logs[of, "border"]
        try:
            entry, proof = (
                b64decode(message.headers[name], validate=True) for name in sorted(PROVES)
            )
        except (KeyError, ValueError):
            return "no entry, or no proof"
        digest = sha256(message.body).hexdigest()
        if entry not in log.entries or json.loads(entry)["sha256"] != digest:
            return "an entry that the log does not have"
        is_proof = self.shown.is_proof(proof.decode("utf-8", "replace"), entry, log)
        return "" if is_proof else "a proof of something else"

    def _wanted_fault(self, one: Spoken) -> str:
        try:
            said = json.loads(one.request.body)
            path, digest, size = said["path"], said["sha256"], said["size_bytes"]
        except (ValueError, TypeError, KeyError):
            return "not what is declared"
        form = {"path": path, "sha256": digest, "size_bytes": size}
        if json.dumps(form, separators=(",", ":")).encode() != one.request.body:
            return "a request for more"
        if one.answer and one.answer.first.startswith("HTTP/1.1 200 "):
            given = one.answer.body
            is_it = (digest, size) == (sha256(given).hexdigest(), len(given))
            return "" if is_it and MEDIA_PATH.fullmatch(path) else "a request for something else"
        # Refused; but it was told of that file by the cell that it asks, or knows it from nowhere.
        is_named = any(str(digest).encode() in body for body in self._named.get(one.to, []))
        return "" if is_named else "a request for what nobody has named"

    def _asked_fault(self, one: Spoken, kind: str, digest: str) -> str:
        """Of a question and its answer together: both logs tell the pair. Where it was refused
        before anything was done, only who asked counts it; where nothing had come back when the
        wire was read, who asked counts the question. Who waits no more counts that nothing came:
        then who answered has to tell what."""
        ours = self._pairs(one.of, "to", one.to, kind)
        if one.answer is None:
            return "" if any(digest == asked for asked, _ in ours) else "not in both logs"
        pair = [digest, sha256(one.answer.body).hexdigest()]
        if pair not in ours and [digest, NOTHING] not in ours:
            return "not in both logs"
        if pair in ours and allowed.is_undone(one.answer):
            return ""
        is_told = pair in self._pairs(one.to, "from", one.of, kind)
        return "" if is_told else "not in both logs"

    def _pairs(self, cell: str, way: str, other: str, kind: str) -> list[list[str]]:
        return [
            pair
            for one in self.entries[cell]
            if one["kind"] == "workings" and one.get(way) == other and one["of"] == kind
            for pair in one["bodies"]
        ]

    def _load_fault(self, spoken: Spoken) -> str:
        """Of many crossings in one request: nothing but entries, bodies, and what proves them."""
        body, log = spoken.request.body, self.shown.logs[spoken.of, "border"]
        try:
            # The bodies as they stand in the request, by a reader that changes no byte of them.
            load = batch.decode(body)
            paths = [one.hashes for one in load.crossings]
        except BadCrossing:
            return "not what is declared"
        if batch.encode(load) != body:
            return "not what is declared"
        for one, path in zip(load.crossings, paths, strict=True):
            entry = bytes(one.entry)
            if log.entries[one.index : one.index + 1] != [entry]:
                return "an entry that the log does not have"
            if json.loads(entry)["sha256"] != sha256(bytes(one.body)).hexdigest():
                return "an entry of something else"
            if not self.shown.leads(load.checkpoint, log, entry, one.index, path):
                return "a path of something else"
        digests = [sha256(bytes(one.body)).hexdigest() for one in load.crossings]
        return "" if self._are_told(digests, spoken.of, spoken.to) else "not in both logs"

    def _answers_fault(self, one: Spoken, answer: Message) -> str:
        try:
            asked = batch.decode(one.request.body).crossings
            answers = batch.answers_in(answer.body, len(asked))
        except BadCrossing as error:
            return error.code
        for each, said in zip(asked, answers, strict=True):
            if not said.receipt:
                if said.code not in allowed.REFUSALS.get(said.status, ()):
                    return "an answer of more"
            elif fault := self._receipt_fault(said.receipt.encode(), bytes(each.entry), one.to):
                return fault
        return ""

    def _receipt_fault(self, receipt: bytes, entry: bytes, by: str) -> str:
        """A receipt is what the receiver's log says, signed once."""
        try:
            crossing.verdict_of(receipt, key := self._keys[by], entry)
        except BadCrossing as error:
            return error.code
        return "" if self._is_noted(Note.parse(receipt), key, by) else "a receipt of more"

    def _is_noted(self, note: Note, key: VerifierKey, by: str) -> bool:
        said = json.loads(note.text) | {"kind": "in"}
        is_told = canonical(said) in self.shown.logs[by, "border"].entries
        return is_told and [line[:2] for line in note.lines] == [(key.name, key.id)]

    def marked(self, raw: bytes) -> set[str]:
        """Of whom or what there is a mark in some bytes."""
        return {
            fields[hit.pattern]
            for layer in (raw, *(inner for _, inner in peel.layers(raw)))
            for is_folded, search, fields in self._parts
            for hit in search.hits(layer.lower() if is_folded else layer)
        }

    # --- what the logs tell ----------------------------------------------------------------------

    def missing(self, seen: Wire) -> list[str]:
        """What the logs tell and was not on the wire, which was read after them."""
        crossed = defaultdict[tuple[str, str], set[str]](set)
        asked = defaultdict[tuple[str, str, str], set[tuple[str, str]]](set)
        questions = set[str]()
        for one in self.spoken(seen):
            digests = [sha256(body).hexdigest() for body in _carried(one)]
            crossed[one.of, one.to].update(digests)
            if one.answer and one.path == "/border/media":
                crossed[one.to, one.of].add(sha256(one.answer.body).hexdigest())
            if one.path.startswith("/border/ask/"):
                bodies = (one.request.body, one.answer.body if one.answer else b"")
                pair = sha256(bodies[0]).hexdigest(), sha256(bodies[1]).hexdigest()
                asked[one.of, one.to, one.path.split("/")[3]].add(pair)
                questions.add(pair[0])
        found = list[str]()
        for cell, entries in self.entries.items():
            given_up = {said["id"] for said in entries if said["kind"] == "unsent"}
            for entry in entries:
                match entry["kind"]:
                    case "out" if entry["id"] not in given_up:
                        is_there = entry["sha256"] in crossed[cell, entry["to"]]
                    case "in":
                        is_there = entry["sha256"] in crossed[entry["from"], cell]
                    case "workings":
                        ends = (cell, entry["to"]) if "to" in entry else (entry["from"], cell)
                        # One that was told to have had no answer, or was given none in time.
                        is_there = all(
                            {(question, other), (question, NOTHING)} & asked[*ends, entry["of"]]
                            or (other == NOTHING and question in questions)
                            for question, other in entry["bodies"]
                        )
                    case kind:
                        is_there = kind in ("unsent", "out")
                if not is_there:
                    found.append(f"an entry of {cell} ({entry['kind']}) of what was on no wire")
        return sorted(Counter(found))


def _carried(one: Spoken) -> list[bytes]:
    """The bodies that cross in a request."""
    if one.path == "/border/inbox":
        return [one.request.body]
    if one.path != "/border/crossings":
        return []
    try:
        return [bytes(each.body) for each in batch.decode(one.request.body).crossings]
    except BadCrossing:
        return []
