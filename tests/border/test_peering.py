"""What the operator does about peers, and what the doctor says of them."""

from __future__ import annotations

import pytest
from tests.border.conftest import Cell, until
from tests.border.test_two_cells import Two, nobody

from luciole import peering
from luciole.border.passport import fingerprint
from luciole.border.store import peers as store
from luciole.config import CellSettings, Settings
from luciole.kit.db import Database

pytestmark = [pytest.mark.xdist_group("cells")]


async def said(cell: Cell) -> dict[str, str]:
    found = await peering.looked(cell.settings, await cell.url())
    return {one.sentence: one.verdict for one in found}


async def test_invitation_says_what_the_other_operator_needs(two_cells: Two) -> None:
    us, sg = two_cells
    lines = await peering.invite(us.settings)
    key = (await sg.rows("SELECT border_key FROM border.peer WHERE name = 'us'"))[0][0]
    assert f"fingerprint:  {fingerprint(bytes(key))}" in lines
    assert any(line.endswith(f"luciole peer add {us.origin}") for line in lines)


async def test_cell_without_a_name_invites_nobody_and_adds_nobody(two_cells: Two) -> None:
    nameless = Settings(data_dir=two_cells[0].settings.data_dir)
    with pytest.raises(peering.NoPeering):
        await peering.invite(nameless)
    with pytest.raises(peering.NoPeering):
        await peering.add(nameless, two_cells[1].origin, "", lambda _: True)


async def test_peer_is_added_once_and_only_with_its_fingerprint(two_cells: Two) -> None:
    us, sg = two_cells
    with pytest.raises(peering.NotAgreed):
        await peering.add(us.settings, sg.origin, "0000 " * 8, lambda _: True)
    with pytest.raises(peering.NotAgreed):
        await peering.add(us.settings, sg.origin, "", lambda _: False)
    with pytest.raises(peering.AlreadyPeer):
        await peering.add(us.settings, f"{sg.origin}/", "", lambda _: True)
    with pytest.raises(peering.AlreadyPeer):
        await peering.add(us.settings, us.origin, "", lambda _: True)


@pytest.mark.parametrize(
    "origin", ["http://luciole.example", "http://127.0.0.1:1", "ftp://127.0.0.1", "nonsense"]
)
async def test_address_without_a_passport_is_refused(two_cells: Two, origin: str) -> None:
    with pytest.raises(peering.NoCellThere):
        await peering.add(two_cells[0].settings, origin, "", lambda _: True)


async def test_added_and_removed_peers_are_in_the_log_of_decisions(two_cells: Two) -> None:
    us, _ = two_cells
    db = await Database.open(await us.url(), size=2)
    passport = nobody("http://127.0.0.1:2")
    async with db.tx() as tx:
        assert await store.add(tx, passport, "note")
        assert not await store.add(tx, passport, "note")
    assert any(line.startswith("eu  ") for line in await peering.listed(us.settings))
    await peering.remove(us.settings, "eu")
    with pytest.raises(peering.NoSuchPeer):
        await peering.remove(us.settings, "eu")
    await db.close()

    async def both_noted() -> bool:
        noted = [one for one in await us.entries("decisions") if one["kind"] == "peer"]
        told = {(one["peer"], one["change"]) for one in noted}
        return {("sg", "added"), ("eu", "removed")} <= told

    await until(both_noted)


async def test_doctor_says_how_peers_are(two_cells: Two) -> None:
    us, _ = two_cells
    owner = await us.owner()

    async def are_well() -> bool:
        return await said(us) == {"sg is a peer, and its logs are GREEN": "OK"}

    await until(are_well)
    for verdict, code, sentence, word in (
        ("RED", "fork", "the logs of sg are RED (fork): nothing crosses", "FAIL"),
        ("CANNOT TELL", "away", "the logs of sg cannot be read (away)", "WARN"),
    ):

        async def told(
            verdict: str = verdict, code: str = code, sentence: str = sentence, word: str = word
        ) -> bool:
            # The cells run, and whoever reads sg's logs next says that they are well.
            sql = "UPDATE border.peer SET verdict = $1, verdict_code = $2 WHERE name = 'sg'"
            await owner.execute(sql, verdict, code)
            return await said(us) == {sentence: word}

        await until(told)
    await owner.execute("UPDATE border.peer SET verdict = 'GREEN', verdict_code = 'cosigned'")
    nameless = Settings(data_dir=us.settings.data_dir)
    alone = await peering.looked(nameless, "")
    assert [one.sentence for one in alone] == ["exchanges with no other cell"]
    named = Settings(data_dir=us.settings.data_dir, cell=CellSettings(short_name="us"))
    found = await peering.looked(named, await us.url())
    assert [one.verdict for one in found] == ["WARN", "OK"]
