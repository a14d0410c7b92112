"""A cell is sold: the buyer opens all of it and goes on with the same logs; the seller's keys are
of no use any more."""

from __future__ import annotations

import pytest
from tests.cell.house import House, refused
from tests.cell.sale.support import MARKS, Town, counts, sign_in, take_in

from luciole.keys import CellSecret
from luciole.ledger import handover
from luciole.ledger.archive import Archive
from luciole.sale.divest import carried
from luciole.sale.witnessing import Ending, policy_in, signers_of
from verifier import luciole_verify


async def test_buyer_goes_on_with_everything(
    town: Town, tiny_film: bytes, elsewhere: str, capsys: pytest.CaptureFixture[str]
) -> None:
    await town.sell(tiny_film)
    before = await counts(town.owner_url, carried())
    done = await town.adopt(elsewhere)
    assert done.persons == 3
    after = await counts(elsewhere, carried())
    # One more entry and one more notice for each, of the adoption.
    for table in ("custody.journal", "notify.line", "notify.notification"):
        before[table] += 3
    assert after == before
    assert before["clips.liked"] == 9
    buyer = await town.boot(elsewhere)
    try:
        await works(buyer, town)
        await take_in(elsewhere, buyer)
    finally:
        await town.shut(buyer)
    await logs_go_on(town, capsys)


async def works(buyer: House, town: Town) -> None:
    """What people do, at the buyer's; nobody is signed in any more."""
    ana = town.people["ana"]
    old = buyer.visitor()
    old.cookies.set("luciole_session", ana.token)
    refused(await old.get("/api/me/contacts"), 401, "not-signed-in")
    ana = await sign_in(buyer, "ana")
    items = (await ana.get("/api/me/contacts")).json()["items"]
    contacts = {each["kind"]: each["value"] for each in items}
    assert contacts == {"email": MARKS["mail"], "phone": MARKS["phone"]}
    assert (await ana.get("/api/people/ana")).json()["bio"] == MARKS["bio"]
    clips = (await ana.get("/api/feeds/latest")).json()["items"]
    assert len(clips) == 3
    assert all(MARKS["caption"] in clip["caption"] for clip in clips)
    film = await ana.get(clips[0]["renditions"][0]["url"])
    assert film.status_code in (200, 206)
    assert film.content[4:8] == b"ftyp"
    told = (await ana.get("/api/notifications")).json()["items"]
    assert [one["kind"] for one in told][:2] == ["operator-change"] * 2
    journal = (await ana.get("/api/me/journal")).json()["items"]
    notes = {one["purpose"]: one["note"] for one in journal}
    assert notes["sale"] == "your keys go to Nouvelle Maison SAS (FR)"
    assert notes["adoption"] == "your keys were taken over by Nouvelle Maison SAS (FR)"
    # People are found by an address again, under the new secret.
    rows = await buyer.rows("SELECT kind, address_index FROM people.contact")
    secret = buyer.vault.store.secret
    for row in rows:
        assert row["address_index"] == secret.index(row["kind"], contacts[row["kind"]])
    ben = await sign_in(buyer, "ben")
    follows = (await ben.get("/api/people/eve/followers")).json()["items"]
    assert {one["handle"] for one in follows} == {"ana", "ben"}
    await ben.clip(buyer, film.content, caption="after")


async def logs_go_on(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    """The verifier, with the policy of before the sale, agrees; witnesses aside."""
    old = signers_of(town.house.vault.store.secret)
    policy = town.folder / "policy"
    policy.write_text("".join(f"log {one.verifier}\n" for one in old.values()) + "quorum none\n")
    blobs = str(town.folder / "buyer" / "blobs")
    luciole_verify.main([blobs, "--policy", str(policy), "--now", "2099-01-01T00:00:00Z"])
    said = capsys.readouterr().out
    for log in ("access", "decisions", "border"):
        assert f"GREEN        {log}: tree" in said
        assert f"GREEN        {log}: who signs: It was handed over 1 times" in said
    assert "GREEN        access: seals" in said


async def test_old_keys_are_refused_and_open_nothing(
    town: Town, tiny_film: bytes, elsewhere: str
) -> None:
    await town.sell(tiny_film)
    await town.adopt(elsewhere)
    old = signers_of(town.house.vault.store.secret)
    new = town.buyer_key().signers()
    for log, signer in old.items():
        (made,) = await Archive(town.house.parts.blobs, log).handovers()
        assert (made.old, made.new) == (signer.verifier, new[log].verifier)
        raw = (town.bundle / f"ledger/{log}/handover").read_bytes()
        assert handover.parse(raw) == [made]
    # The seller's sequencers append nothing more, whatever waits.
    await town.house.person("late")
    house = town.house
    blobs, signers = house.parts.blobs, signers_of(house.vault.store.secret)
    policy = await policy_in(blobs, signers)
    given = (blobs, house.clock, signers, policy, house.settings.witness_dir, lambda step: None)
    async with Ending.over(town.owner_url, *given) as logs:
        for log in signers:
            waits = await logs.round(log)
            assert waits == (log == "access")
    keys = (town.folder / "buyer" / "keys" / "root.key").read_text()
    assert str(town.house.vault.store.cell_id) in keys
    buyer = await town.boot(elsewhere)
    try:
        ours, theirs = town.house.vault.store.secret, buyer.vault.store.secret
        for purpose in ("database", "cursors", "media-links", "sign/export", "ledger/access"):
            assert ours.derived(purpose) != theirs.derived(purpose)
        secret = CellSecret(theirs.cell_id, town.buyer_key().secret)
        assert theirs.derived("ledger/access") == secret.derived("ledger/access")
    finally:
        await town.shut(buyer)
