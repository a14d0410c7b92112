"""Looks for all marks in all places, and says which findings the catalogue does not allow."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Literal

import msgspec

from luciole.audit.canary import fields, marks, peel
from luciole.audit.canary.fields import BY_NAME
from luciole.audit.canary.marks import AS_WRITTEN, Form, Mark
from luciole.audit.canary.search import Search
from luciole.audit.canary.stage import SAME_PERSON, STAFF
from luciole.kit.catalogue import DataClass

Kind = Literal[
    "column",  # what a column holds, or held at any time of the run
    "remains",  # what columns hold at the end, of persons who have left
    "database files",  # tables, indexes and the write-ahead log as they lie on the disk
    "objects",
    "answer",  # body of an HTTP answer
    "headers",  # of an HTTP answer
    "announcements",  # NOTIFY
    "statements",  # what the database shows of running statements
    "logs",
    "console",
    "metrics",
    "processes",  # their titles and environments
    "keys",
    "files",  # anything else in the cell's folder, its temporary folder and its home
    "ledger",
    "export",
    "backup",
    "network",  # connections to other machines
    "tampering",  # what the cell gave out after its rows had been exchanged
]
PAGE = "GET a page"
# With what a preview of its link shows: of a clip for everybody, what everybody may see.
PREVIEW = "GET the page of a clip"
# Where staff read what two of them have signed for.
APPROVED = "POST /api/staff/reads/{read_id}/contacts"
# What stays of a person who has left: that nobody else may take the handle.
# The hash of the ticket by which its holder can ask for the erasure.
KEPT_FOR_GOOD = frozenset({"people.handle_taken.likeness", "rights.erasure.ticket_hash"})
# Forms that a person's own data may have in what that person is given.
_RAW = frozenset({"raw", "hex", "base64", "plain"})


class Place(msgspec.Struct, frozen=True):
    """Where something was found. `name`: a column, a file, an address. `viewer`: who was given it,
    empty for nobody in particular."""

    kind: Kind
    name: str
    viewer: str = ""
    status: int = 0


class Finding(msgspec.Struct, frozen=True):
    """A mark in a place; never the value itself. `how`: the way there, from the outside in."""

    place: Place
    field: str
    person: str
    form: str
    how: str
    at: int
    count: int


class Scanned(msgspec.Struct):
    """How much was looked at in one kind of place."""

    items: int = 0
    size_bytes: int = 0


class Scanner:
    """All forms of all marks. `allowed` by the classes of the catalogue."""

    def __init__(
        self,
        planted: Sequence[Mark],
        classes: Mapping[str, DataClass],
        salts: Sequence[bytes] = (),
        gone: Set[str] = frozenset(),
    ) -> None:
        """`salts`: what a cell could stir into a hash. `gone`: persons who have been erased."""
        self._classes, self._gone = classes, gone
        self._parts: list[tuple[bool, Search, list[tuple[Mark, Form]]]] = []
        known = [(mark, form) for mark in planted for form in marks.forms(mark, salts)]
        for is_folded in (True, False):
            some = [(mark, form) for mark, form in known if form.is_folded is is_folded]
            self._parts.append((is_folded, Search([form.pattern for _, form in some]), some))
        self.forms = len(known)
        self.scanned: dict[str, Scanned] = defaultdict(Scanned)
        self.leaks: list[Finding] = []
        self.allowed = 0

    def look(self, place: Place, data: bytes, *, opened: bool = True) -> None:
        """Looks into one text; with `opened`, also into what is wrapped in it."""
        here = self.scanned[place.kind]
        here.items += 1
        here.size_bytes += len(data)
        told = self._one(place, data, "", set())
        if opened:
            for how, inner in peel.layers(data):
                told |= self._one(place, inner, how, told)

    def add(self, findings: Iterable[Finding]) -> None:
        """Leaks that were found in another way."""
        self.leaks.extend(findings)

    def _one(
        self, place: Place, data: bytes, how: str, told: set[tuple[str, str, str]]
    ) -> set[tuple[str, str, str]]:
        """Looks into one layer; what an outer layer has `told` already is not told again."""
        found: dict[tuple[str, str, str], list[int]] = defaultdict(list)
        for is_folded, search, known in self._parts:
            for hit in search.hits(data.lower() if is_folded else data):
                mark, form = known[hit.pattern]
                found[mark.field, mark.person, form.name].append(hit.at)
        for key in set(found) - told:
            field, person, form_name = key
            places = found[key]
            if self.is_allowed(place, field, person, form_name, how):
                self.allowed += len(places)
            else:
                self.leaks.append(
                    Finding(place, field, person, form_name, how, min(places), len(places))
                )
        return set(found)

    def is_allowed(self, place: Place, field: str, person: str, form: str, how: str) -> bool:
        """Whether the catalogue lets this field be in that place, in that form."""
        one = BY_NAME[field]
        match place.kind:
            case "column":
                return self._may_be_held(one, place.name, form)
            case "remains":
                return person not in self._gone or place.name in KEPT_FOR_GOOD
            case "database files":
                # Rows as the columns hold them, so as much as any column of the field may hold.
                if one.is_id:
                    return form in _RAW
                if any("." in where for where in one.stored):
                    return form in AS_WRITTEN or (one.is_bytes and form in _RAW)
                return bool(one.kept_as) and form not in AS_WRITTEN
            case "objects":
                return any(
                    where.startswith("blob:") and place.name.startswith(where[5:])
                    for where in one.stored
                )
            case "keys":
                # Each wrapped key lies beside the number of the person to whom it belongs.
                return one.is_id and form == "raw" and "file:keys/wraps" in self._classes
            case "announcements":
                return one.is_id and form in AS_WRITTEN and not how
            case "answer":
                # A page is the same for everybody, and kept by caches.
                if place.name == PREVIEW:
                    is_public = one.readers(self._classes) == "everyone"
                    return is_public and form in AS_WRITTEN and not how
                return place.name != PAGE and self._may_see(one, person, place, form, how)
            case "export":
                # An archive of files, so packed.
                return self._may_see(one, person, place, form, how.removeprefix("zip").strip(", "))
            case "headers":
                return self._may_be_header(one, person, place, form, how)
            case _:
                return False

    def _may_be_held(self, field: fields.Field, column: str, form: str) -> bool:
        if field.is_id:
            known = self._classes.get(column)
            return known not in (None, DataClass.TELEMETRY) and form in _RAW
        if column in field.stored:
            return form in AS_WRITTEN or (field.is_bytes and form in _RAW)
        return column in field.kept_as and form not in AS_WRITTEN

    def _may_see(self, field: fields.Field, person: str, place: Place, form: str, how: str) -> bool:
        if place.status >= 400:
            # A refusal quotes nothing, not even to the person who sent it.
            return False
        is_own = person in (place.viewer, SAME_PERSON.get(place.viewer))
        if form not in AS_WRITTEN or how:
            # Keys and passkeys are bytes, and JSON has no other way to hold those.
            may_see = (
                is_own
                or (field.is_bytes and place.viewer in field.audience)
                # A key package names its person, whose number is no secret.
                or (field.is_id and field.shown_to == "everyone")
            )
            return may_see and (field.is_bytes or field.is_id) and form in _RAW
        readers = field.readers(self._classes)
        if readers in ("everyone", "nobody"):
            return readers == "everyone"
        if place.name == APPROVED and place.viewer in STAFF:
            return field.name.startswith("contact.")
        return is_own or place.viewer in field.audience

    def _may_be_header(
        self, field: fields.Field, person: str, place: Place, form: str, how: str
    ) -> bool:
        """Addresses and headers are written down by proxies and browsers: nothing of a person but
        the cookies that sign in, and the name of one's own export."""
        if form not in AS_WRITTEN or how or place.viewer != person:
            return False
        _, _, header = place.name.rpartition(" ")
        if header == "set-cookie":
            return field.name in ("session.token", "session.device")
        return header == "content-disposition" and field.name == "person.handle"
