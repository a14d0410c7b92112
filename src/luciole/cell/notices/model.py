"""Notices, orders, and the texts about them that the log holds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any, Literal
from uuid import UUID

import msgspec

from luciole.kit.errors import Conflict, Invalid, NotFound, Problem
from luciole.ledger.entry import canonical

What = Literal["clip", "person", "cell"]
#: A court's judgement, the order of an authority, or the rules of the cell itself.
Ground = Literal["court", "authority", "rules"]
State = Literal["waiting", "in-force", "ended"]
AsksFor = Literal["data", "withhold", "other"]
Outcome = Literal["pending", "complied", "partly", "refused", "withdrawn"]
#: What decisions of moderators are about, and what they do.
Decided = Literal["clip", "comment", "person"]
Effect = Literal["withhold", "adults", "label"]
LabelKind = Literal["sensitive", "misleading", "made-with-ai"]
Settled = Literal["complied", "partly", "refused", "withdrawn"]

EVERYWHERE = "*"
#: Without an order from outside, so many of the staff sign.
SIGNATURES = 2
#: Where the person may appeal in this cell, for whom the operator names nothing else.
COUNTRY = re.compile(r"[A-Z]{2}")
# Of a notice, in characters.
ORDERED_BY, LAW, REASON, APPEAL, ENDED_WHY = (
    range(2, 201),
    range(2, 301),
    range(10, 1001),
    range(5, 301),
    range(301),
)


class Withheld(Problem):
    """451: it would be shown, were it not for an order. Who raises it fills in the sentence."""

    code = "withheld"
    sentence = "This is withheld where you are, by an order."
    next_step = "Read the notice: it says who ordered it, under which law, and how to appeal."
    http_status = 451

    def __init__(self, sentence: str | None = None, *, link: str = "") -> None:
        super().__init__(sentence)
        # RFC 7725, section 4: who implements the block; and the notice, which says who wanted it.
        self.http_headers = {"link": link} if link else {}


class NoSuchNotice(NotFound):
    code = "no-such-notice"
    sentence = "There is no such notice."
    next_step = "All notices of this cell are listed at /notices."


class NoSuchSubject(NotFound):
    code = "nothing-to-withhold"
    sentence = "There is no such clip, person or cell here."
    next_step = "Check the id or the handle; ./luciole peer list names the cells."


class NoSuchOrder(NotFound):
    code = "no-such-order"
    sentence = "There is no such order."
    next_step = "./luciole orders list shows all of them, with their ids."


class BadNotice(Invalid):
    code = "bad-notice"
    sentence = "A notice says who ordered it, which law, why, and how to appeal."
    next_step = "Give --by, --law, --why (10 to 1000 characters) and --appeal."


class BadCountry(Invalid):
    code = "bad-country"
    sentence = "Countries are ISO 3166 codes of two letters, or everywhere."
    next_step = "Write them with commas between, such as FR,DE."


class BadOrder(Invalid):
    code = "bad-order"
    sentence = "An order has an authority, its country, a law, and a number of persons."
    next_step = "Give --by, --country, --law and --persons; dates look like 2026-11-30."


class AlreadyEnded(Conflict):
    code = "notice-ended"
    sentence = "This has ended already."
    next_step = "./luciole withhold list shows what is in force."


class NotWaiting(Conflict):
    code = "notice-not-waiting"
    sentence = "This notice waits for no signature."
    next_step = "Load the list of notices that wait again."


class AlreadySettled(Conflict):
    code = "order-settled"
    sentence = "The outcome of this order is in the log already."
    next_step = "Add the new order as one of its own."


class Measure(msgspec.Struct, frozen=True):
    """What a decision of moderators does to something; `id` is the decision's. `withhold` keeps it
    from the countries, `adults` from minors and visitors there, `label` puts a label on it."""

    id: UUID
    effect: Effect
    what: Decided
    person_id: UUID
    clip_id: UUID | None
    comment_id: UUID | None
    countries: tuple[str, ...]
    label: LabelKind | None
    begun_at: datetime
    until: datetime | None


class Label(msgspec.Struct, frozen=True):
    """A label on a clip, and the decision that put it there."""

    label: LabelKind
    decision_id: UUID


class Subject(msgspec.Struct, frozen=True):
    """What a notice is about. `said` is how the notice calls it, such as `person/ana`."""

    what: What
    said: str
    person_id: UUID | None = None
    clip_id: UUID | None = None
    cell: str | None = None


class Wish(msgspec.Struct, frozen=True):
    """What an operator wants to be withheld, and by what right."""

    countries: tuple[str, ...]
    ground: Ground
    ordered_by: str
    law: str
    reason: str
    appeal: str
    until: datetime | None = None
    is_named: bool = True
    request_id: UUID | None = None
    authority_country: str = ""
    """Of the court or authority; empty: the first of `countries`."""


class Notice(msgspec.Struct, frozen=True):
    """One notice as it is stored. `said` and `nonce` are gone with the person."""

    id: UUID
    what: What
    countries: tuple[str, ...]
    ground: Ground
    ordered_by: str
    law: str
    reason: str
    appeal: str
    until: datetime | None
    request_id: UUID | None
    staff: tuple[UUID, ...]
    state: State
    is_named: bool
    made_at: datetime
    begun_at: datetime | None
    ended_at: datetime | None
    ended_why: str
    commitment: bytes
    said: str | None
    nonce: bytes | None

    def holds_at(self, now: datetime) -> bool:
        """Whether it withholds something then."""
        return self.state == "in-force" and (self.until is None or self.until > now)


class Request(msgspec.Struct, frozen=True):
    """An order or request of an authority."""

    id: UUID
    authority: str
    country: str
    law: str
    asks_for: AsksFor
    persons: int
    received_on: date
    gag_until: date | None
    nonce: bytes
    made_at: datetime
    is_told: bool
    outcome: Outcome
    settled_at: datetime | None
    is_settled_told: bool


def clean_countries(text: Iterable[str]) -> tuple[str, ...]:
    """Codes, each once, sorted. Raises BadCountry."""
    codes = {one.strip().upper() for one in text}
    if {"EVERYWHERE", EVERYWHERE} & codes:
        return (EVERYWHERE,)
    if not codes or not all(COUNTRY.fullmatch(code) for code in codes):
        raise BadCountry
    return tuple(sorted(codes))


def clean_wish(wish: Wish) -> Wish:
    """The wish with clean texts. Raises BadNotice, BadCountry."""
    texts = {
        name: " ".join(getattr(wish, name).split())
        for name in ("ordered_by", "law", "reason", "appeal")
    }
    limits = {"ordered_by": ORDERED_BY, "law": LAW, "reason": REASON, "appeal": APPEAL}
    if any(len(texts[name]) not in limit for name, limit in limits.items()):
        raise BadNotice
    if wish.until is not None and wish.until.tzinfo is None:
        raise BadNotice
    countries = clean_countries(wish.countries)
    return msgspec.structs.replace(wish, countries=countries, **texts)


# --- what the log says -------------------------------------------------------------------------


def instant(at: datetime) -> str:
    """A time as entries of the log write it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def commitment_to_subject(nonce: bytes, said: str, reason: str, appeal: str) -> bytes:
    """Stands in the log for what is not to stay there for ever: whom a notice is about, and the
    operator's own words. Without the nonce it says nothing."""
    text = canonical({"appeal": appeal, "reason": reason, "subject": said})
    return sha256(b"luciole/notice/v1" + nonce + text).digest()


def facts_of(notice: Notice) -> dict[str, Any]:
    """What the log and the public list say alike of a notice. This text is what staff sign."""
    return {
        "notice": str(notice.id),
        "what": notice.what,
        "countries": list(notice.countries),
        "ground": notice.ground,
        "by": notice.ordered_by,
        "law": notice.law,
        "until": instant(notice.until) if notice.until else "",
        "order": str(notice.request_id) if notice.request_id else "",
        "commit": notice.commitment.hex(),
    }


def signed_text(notice: Notice) -> bytes:
    """What two of the staff sign before a notice holds that nobody outside has ordered."""
    return canonical(
        {
            "v": 1,
            "kind": "withhold",
            **facts_of(notice),
            "at": instant(notice.made_at),
            "subject": notice.said or "",
            "reason": notice.reason,
            "appeal": notice.appeal,
        }
    )


def begun_entry(notice: Notice, now: datetime) -> bytes:
    said = {"v": 1, "kind": "withheld", "at": instant(now), **facts_of(notice)}
    return canonical(said | {"staff": [str(one) for one in notice.staff]})


def ended_entry(notice_id: UUID, why: str, now: datetime) -> bytes:
    said = {"v": 1, "kind": "withheld-ended", "at": instant(now), "notice": str(notice_id)}
    return canonical(said | {"ended_why": why})


def order_facts(request: Request) -> dict[str, Any]:
    """What the log and the public report say alike of an order that may be told."""
    return {
        "order": str(request.id),
        "received": request.received_on.isoformat(),
        "by": request.authority,
        "country": request.country,
        "law": request.law,
        "asks_for": request.asks_for,
        "persons": request.persons,
    }


def commitment_to_order(request: Request) -> bytes:
    """Stands in the log for an order about which nothing may be told yet."""
    return sha256(b"luciole/order/v1" + request.nonce + canonical(order_facts(request))).digest()


def order_entry(request: Request, now: datetime) -> bytes:
    """The entry that counts an order: all of it, or under a gag its commitment."""
    said: dict[str, Any] = {"v": 1, "at": instant(now)}
    if request.is_told:
        return canonical(said | {"kind": "order"} | order_facts(request))
    assert request.gag_until is not None
    said |= {"kind": "order-gagged", "order": str(request.id)}
    gag = {"gag_until": request.gag_until.isoformat()}
    return canonical(said | gag | {"commit": commitment_to_order(request).hex()})


def told_entry(request: Request, now: datetime) -> bytes:
    """The entry that says the rest when a gag has ended."""
    said = {"v": 1, "kind": "order-told", "at": instant(now), "nonce": request.nonce.hex()}
    return canonical(said | order_facts(request))


def settled_entry(request: Request, now: datetime) -> bytes:
    return canonical(
        {
            "v": 1,
            "kind": "order-settled",
            "at": instant(now),
            "order": str(request.id),
            "outcome": request.outcome,
        }
    )


# --- what everybody may read ---------------------------------------------------------------------


def public_notice(notice: Notice, origin: str) -> dict[str, Any]:
    """A notice for everybody. It names whom it is about where the operator lets it, as long as
    that person is here; the nonce goes with the name."""
    is_named = notice.is_named and notice.said is not None and notice.nonce is not None
    return facts_of(notice) | {
        "at": instant(notice.begun_at or notice.made_at),
        "state": notice.state,
        "reason": notice.reason,
        "appeal": notice.appeal,
        "subject": notice.said if is_named else "",
        "nonce": notice.nonce.hex() if is_named and notice.nonce else "",
        "staff": [str(one) for one in notice.staff],
        "ended": instant(notice.ended_at) if notice.ended_at else "",
        "ended_why": notice.ended_why,
        "url": f"{origin}/notices/{notice.id}",
    }


def public_order(request: Request) -> dict[str, Any]:
    """An order for everybody; under a gag that there is one, and until when nothing is told."""
    made = {
        "order": str(request.id),
        "at": instant(request.made_at),
        "told": request.is_told,
    }
    if request.gag_until is not None:
        gag = {"gag_until": request.gag_until.isoformat()}
        made |= gag | {"commit": commitment_to_order(request).hex()}
        if not request.is_told:
            return made
        made["nonce"] = request.nonce.hex()
    if request.is_settled_told and request.settled_at is not None:
        settled = {"outcome": request.outcome, "settled": instant(request.settled_at)}
    else:
        settled = {"outcome": "pending", "settled": ""}
    return made | settled | order_facts(request)


def counted(orders: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The numbers over public orders that a report shows."""
    told = [one for one in orders if one["told"]]
    tallies: dict[str, dict[str, int]] = {"by_country": {}, "by_asks_for": {}, "by_outcome": {}}
    for name, tally in tallies.items():
        for one in told:
            key = str(one[name.removeprefix("by_")])
            tally[key] = tally.get(key, 0) + 1
    return {
        "orders": len(orders),
        "gagged": len(orders) - len(told),
        "persons": sum(int(one["persons"]) for one in told),
        **{name: dict(sorted(tally.items())) for name, tally in tallies.items()},
    }
