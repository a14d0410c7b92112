"""A guardian that comes into office and leaves it: the keys of all, and the entries about it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace
from tests.trustee.house import SG, Guarded

from luciole import guarding
from luciole.ask.client import Custody
from luciole.config import KeysSettings, Settings
from luciole.custody.model import CustodyAway, Field, GuardianAway, GuardianState, NoGuardian
from luciole.keys import HalfNeeded
from luciole.trustee import shares


async def sealed(us: Guarded, custody: Custody) -> tuple[object, bytes]:
    ana = await us.person()
    grant = await custody.session_grant(ana.token)
    (text,) = await custody.seal(grant, [Field("contact.email", 1, b"a")])
    return grant, text


async def test_people_of_before_get_a_guardian_and_copies_of_their_wraps_end(
    alone: Guarded,
) -> None:
    us, custody = alone, alone.custody()
    grant, text = await sealed(us, custody)
    for _ in range(3):
        await us.person()
    assert us.keys.guarded() == 0
    await us.moving.once()  # the setting names it, so it comes into office by itself
    assert (us.keys.guarded(), us.book.counted(us.cell_id).held) == (4, 4)
    assert us.rotated == [1]
    us.forget()
    person_id = grant.person_id  # type: ignore[attr-defined]
    with pytest.raises(HalfNeeded):
        us.keys.data_key(person_id)
    assert await custody.open(grant, [Field("contact.email", 1, text)]) == [b"a"]  # type: ignore[arg-type]
    acts = [(one["act"], one.get("persons")) for one in await us.decisions()]
    assert acts == [("on", None), ("moved", 4), ("counts", None)]
    # Nothing is left to do.
    await us.moving.once()
    assert us.rotated == [1]


async def test_guardian_leaves_with_an_entry_for_each_person(us: Guarded) -> None:
    custody = us.custody()
    grant, text = await sealed(us, custody)
    ben = await us.person()
    state = await us.moving.turn("off")
    assert (state.is_on, state.left) == (False, 2)
    await us.moving.once()
    assert us.keys.guarded() == 0
    assert await us.entries(ben.id) == [1, 2]
    assert us.book.counted(us.cell_id).held == 0
    us.forget()
    us.way.is_away = True
    assert await custody.open(grant, [Field("contact.email", 1, text)]) == [b"a"]  # type: ignore[arg-type]
    assert [one["act"] for one in await us.decisions()] == ["on", "off", "left"]
    # It stays off although the setting names it, until somebody turns it on.
    us.way.is_away = False
    await us.moving.once()
    await us.person()
    assert us.keys.guarded() == 0
    assert (await us.moving.turn("on")).left == 3
    await us.moving.once()
    assert us.keys.guarded() == 3


async def test_guardian_that_is_away_neither_comes_nor_goes(alone: Guarded) -> None:
    us = alone
    await us.person()
    us.way.is_away = True
    with pytest.raises(GuardianAway):
        await us.moving.turn("on")
    assert us.home.state is None
    us.way.is_away = False
    await us.moving.turn("on")
    await us.moving.once()
    us.way.is_away = True
    await us.moving.turn("off")
    us.forget()
    with pytest.raises(GuardianAway):
        await us.moving.once()
    assert us.keys.guarded() == 1
    us.way.is_away = False
    await us.moving.once()
    assert us.keys.guarded() == 0


async def test_no_peer_of_that_name_is_no_guardian(alone: Guarded) -> None:
    for wanted in ("", "eu"):
        alone.moving._wanted = wanted
        with pytest.raises(NoGuardian):
            await alone.moving.turn("on")
    assert (await alone.moving.turn("status")).is_on is False
    assert (await alone.moving.turn("off")).is_on is False


async def test_another_guardian_waits_until_the_first_has_left(us: Guarded) -> None:
    await us.person()
    await us.moving.turn("off")
    us.way.known = us.way.known._replace(name="eu", cell_id=us.cell_id)
    us.moving._wanted = "eu"
    with pytest.raises(NoGuardian):
        await us.moving.turn("on")


async def test_counts_of_both_are_compared_each_hour(
    us: Guarded, caplog: pytest.LogCaptureFixture
) -> None:
    custody = us.custody()
    await sealed(us, custody)
    await us.moving.once()
    (counts,) = [one for one in await us.decisions() if one["act"] == "counts"]
    assert counts["cell"] == str(SG)
    assert {name: counts[name] for name in ("asked", "given", "refused", "held")} == {
        "asked": 1,
        "given": 1,
        "refused": 0,
        "held": 1,
    }
    await us.moving.once()
    assert len([one for one in await us.decisions() if one["act"] == "counts"]) == 1
    # Somebody else has asked in our name.
    (release,) = [
        asked
        for asked in map(shares.asked.decode, us.way.told)
        if isinstance(asked, shares.Release)
    ]
    await us.way.ask("sg", shares.encode(release))
    us.clock.advance(timedelta(hours=1))
    await us.moving.once()
    state = await us.moving.turn("status")
    assert (state.asked, state.given) == (1, 2)


async def test_moving_goes_on_by_itself_after_an_outage(
    alone: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("luciole.trustee.moving.PAUSE_S", 0.02)
    us = alone
    await us.person()
    us.way.is_away = True
    running = asyncio.create_task(us.moving.run())
    await asyncio.sleep(0.1)
    assert us.moving.told().fault == "guardian-away"
    us.way.is_away = False
    async with asyncio.timeout(10):
        while us.keys.guarded() == 0 or us.moving.told().fault:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert us.book.counted(us.cell_id).held == 1


async def test_halves_that_were_destroyed_open_nothing_and_are_still_told(us: Guarded) -> None:
    custody = us.custody()
    grant, text = await sealed(us, custody)
    await us.person()
    await us.moving.turn("destroy")
    us.forget()
    with pytest.raises(GuardianAway):
        await custody.open(grant, [Field("contact.email", 1, text)])  # type: ignore[arg-type]
    state = await us.moving.turn("told")
    assert (state.held, len(state.told)) == (0, 1)
    assert us.book.counted(us.cell_id).destroyed == 2
    assert (await us.decisions())[-1] | {"at": ""} == {
        "v": 1,
        "kind": "guardian",
        "at": "",
        "act": "destroyed",
        "guardian": "sg",
        "cell": str(SG),
        "persons": 2,
    }


def test_state_is_said_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the doctor's finding, for each."""
    now = datetime(2026, 11, 27, tzinfo=UTC)
    office = GuardianState(
        "sg", SG, True, now, guarded=3, held=3, asked=2, given=2, compared_at=now
    )
    settings = Settings(keys=KeysSettings(guardian="sg"))
    cases: list[tuple[GuardianState | Exception, str, str]] = [
        (office, "GREEN", "OK"),
        (replace(office, given=3), "RED", "FAIL"),
        (replace(office, compared_at=None), "CANNOT TELL", "OK"),
        (replace(office, left=2), "GREEN", "WARN"),
        (replace(office, fault="guardian-away"), "guardian-away", "WARN"),
        (replace(office, peer="eu"), "Guardian: eu", "WARN"),
        (replace(office, given_persons=2, first_given_at=now), "CANNOT TELL", "OK"),
        (GuardianState(peer="sg"), "It will be sg", "WARN"),
        (NoGuardian(), "", "WARN"),
        (CustodyAway(), "", "WARN"),
    ]
    for state, says, verdict in cases:

        async def told(_: object, state: GuardianState | Exception = state) -> GuardianState:
            if isinstance(state, Exception):
                raise state
            return state

        monkeypatch.setattr(guarding, "state_of", told)
        (found,) = guarding.findings(settings)
        assert found.verdict == verdict, state
        if isinstance(state, GuardianState):
            assert says in "\n".join(guarding.lines_of(state))
    assert list(guarding.findings(Settings())) == []
