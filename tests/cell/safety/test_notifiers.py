"""Who sends a notice without an account and gives an address is written to, and then forgotten."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from tests.cell.house import Browser, House
from tests.cell.safety.bench import ANSWER, REVIEW, at_work, decide, take
from tests.cell.safety.test_reports import FORM, NOTICE

from luciole.ask.gateway import PeerRefused, PeerUnreachable
from luciole.border.wire import NoticeMail
from luciole.cell.safety import model, notifying
from luciole.cell.safety.notifying import Notifying

ZOE = "zoe@example.org"


class MailServer:
    """Stands in for the gateway and the operator's mail server."""

    def __init__(self) -> None:
        self.taken: list[NoticeMail] = []
        self.problem: Exception | None = None
        self.refused_for_now: set[str] = set()

    async def send_notice(self, mail: NoticeMail) -> None:
        if self.problem is not None:
            raise self.problem
        if mail.to in self.refused_for_now:
            raise PeerRefused("not-sent", 451)
        self.taken.append(mail)


@pytest_asyncio.fixture(loop_scope="session")
async def mails(house: House, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[MailServer]:
    """A cell that can send mail."""
    server = MailServer()
    made = Notifying(
        server, takes_email=True, cell="Luciole", origin="https://us.test", clock=house.clock
    )
    monkeypatch.setattr(house.parts.safety, "notifying", made)
    yield server


async def notice(visitor: Browser, **fields: Any) -> dict[str, Any]:
    body = {**NOTICE, "address": "/@ana", "email": ZOE, **fields}
    answer = await visitor.post(FORM, json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def dismiss(moderator: Browser) -> None:
    case = await take(moderator)
    assert case is not None
    place = f"{REVIEW}/cases/{case['id']}/dismissal"
    assert (await moderator.post(place, json={"answer": ANSWER})).status_code == 204


async def tell(house: House) -> None:
    await house.parts.queue.run_periodic("safety.settle")
    await house.parts.queue.run_periodic("safety.tell")


async def held(house: House) -> list[str]:
    return [row["email"] for row in await house.rows("SELECT email FROM safety.notifier")]


async def test_receipt_outcome_and_appeal_are_written_once_each(
    house: House, ana: Browser, owner_url: str, mails: MailServer
) -> None:
    max_, eve = [await at_work(house, owner_url, name) for name in ("max", "eve")]
    visitor = house.visitor()
    assert (await visitor.get(FORM)).json() == {"takes_email": True}
    made = await notice(visitor, locale="fr")
    code = made["code"]
    assert made["is_mailed"] is True
    receipt = NoticeMail(ZOE, "received", "Luciole", "fr", f"https://us.test/report#{code}")
    assert mails.taken == [receipt]
    await tell(house)
    assert len(mails.taken) == 1  # nothing has been decided

    await dismiss(max_)
    until = (house.clock.now() + timedelta(days=model.APPEAL_DAYS)).date().isoformat()
    for _ in range(2):
        await tell(house)
    page = "https://us.test/report"
    assert mails.taken[1:] == [NoticeMail(ZOE, "no-violation", "Luciole", "fr", page, until)]

    place = f"{FORM}/{code}/appeal"
    answer = await visitor.post(place, json={"explanation": "Listen again."})
    assert answer.status_code == 201, answer.text
    await tell(house)
    assert len(mails.taken) == 2
    await decide(eve, act="limit", acts=["comment"], is_illegal=True)
    for _ in range(2):
        await tell(house)
    assert mails.taken[2:] == [NoticeMail(ZOE, "reversed", "Luciole", "fr", page)]
    # No mail has a word of who was reported, of the notice, or of the answer.
    said = str(mails.taken)
    assert not [word for word in ("ana", "violence", ANSWER) if word in said]


async def test_address_is_kept_until_the_appeal_is_answered_and_told(
    house: House, ana: Browser, owner_url: str, mails: MailServer
) -> None:
    max_, eve = [await at_work(house, owner_url, name) for name in ("max", "eve")]
    visitor = house.visitor()
    code = (await notice(visitor))["code"]
    await dismiss(max_)
    house.clock.advance(timedelta(days=model.APPEAL_DAYS - 1))
    answer = await visitor.post(f"{FORM}/{code}/appeal", json={"explanation": "Listen again."})
    assert answer.status_code == 201, answer.text
    house.clock.advance(timedelta(days=10))
    await tell(house)
    assert await held(house) == [ZOE]
    key = await at_work(house, owner_url, "gil")
    await dismiss(key)
    await tell(house)
    assert mails.taken[-1].what == "upheld"
    house.clock.advance(timedelta(days=model.MAIL_TRIED_DAYS + 1))
    await tell(house)
    assert await held(house) == []
    assert eve is not None


async def test_server_that_is_away_is_asked_again_and_one_that_refuses_is_not(
    house: House, ana: Browser, owner_url: str, mails: MailServer
) -> None:
    max_ = await at_work(house, owner_url, "max")
    mails.problem = PeerUnreachable()
    made = await notice(house.visitor())
    assert made["is_mailed"] is False
    await dismiss(max_)
    await tell(house)
    # Greylisted: not for good.
    mails.problem = PeerRefused("not-sent", 451)
    await tell(house)
    assert await held(house) == [ZOE]
    mails.problem = None
    await tell(house)
    assert [one.what for one in mails.taken] == ["no-violation"]

    mails.problem = PeerRefused("not-sent", 550)
    await notice(house.visitor(), email="nobody@example.org")
    await dismiss(max_)
    await tell(house)
    assert sorted(await held(house)) == ["", ZOE]
    mails.problem = None
    await tell(house)
    assert len(mails.taken) == 1


async def test_addresses_that_are_refused_for_now_keep_no_other_from_being_written_to(
    house: House, ana: Browser, owner_url: str, mails: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifying, "AT_ONCE", 1)
    mails.refused_for_now = {"grey@example.org"}
    max_ = await at_work(house, owner_url, "max")
    for email in ("grey@example.org", ZOE):
        await notice(house.visitor(), email=email)
        await dismiss(max_)
    mails.taken.clear()
    for _ in range(40):
        await tell(house)
        if mails.taken:
            break
    assert [one.to for one in mails.taken] == [ZOE]


async def test_who_gave_no_address_is_not_written_to(
    house: House, ana: Browser, owner_url: str, mails: MailServer
) -> None:
    max_ = await at_work(house, owner_url, "max")
    made = await notice(house.visitor(), email="", name="Zoé Martin")
    assert made["is_mailed"] is False
    await dismiss(max_)
    await tell(house)
    assert mails.taken == []
