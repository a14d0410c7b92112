"""What the log has about a person, and the proof that it has no more."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from tests.cell.house import Browser, House, refused
from tests.cell.rights.log import Log

from luciole.ledger import entry
from luciole.ledger.merkle import leaf_hash, verify_inclusion
from luciole.ledger.proof import Proof
from luciole.ledger.seal import Absence, BadSeal

MINUTE = 29_700_000


async def label_key(person: Browser) -> bytes:
    answer = await person.get("/api/me/label-key")
    return base64.b64decode(answer.json()["label_key"])


async def journal(person: Browser, **query: int) -> Any:
    answer = await person.get("/api/me/journal", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def proof(person: Browser, **query: int) -> Any:
    answer = await person.get("/api/me/journal/proof", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_entries_open_to_what_their_leaves_commit_to(
    house: House, log: Log, ana: Browser
) -> None:
    await log.take()
    key = await label_key(ana)
    items = (await journal(ana))["items"]
    assert [item["kind"] for item in items] == ["grant", "enrol"]
    for item in items:
        leaf = entry.decode(base64.b64decode(item["leaf"]))
        assert isinstance(leaf, entry.PersonEntry)
        opening = item["opening"].encode()
        assert leaf.commit == entry.commitment(base64.b64decode(item["nonce"]), opening)
        assert leaf.label == entry.label_of(key, item["n"])
        assert json.loads(opening)["class"] == item["class"] == "self"
        assert item["index"] is not None


async def test_entry_whose_meaning_was_lost_in_a_restore_says_what_its_leaf_says(
    house: House, log: Log, pools: tuple[Any, ...], ana: Browser
) -> None:
    await log.take()
    async with pools[0].tx() as tx:
        await tx.execute("UPDATE custody.journal SET sealed = '' WHERE n = 1")
    lost, first = (await journal(ana))["items"]
    assert (lost["n"], lost["kind"], lost["class"]) == (1, "grant", "self")
    assert (lost["nonce"], lost["note"]) == ("", "lost in a restore")
    assert first["nonce"]
    shown = await proof(ana, first=0, last=1)
    assert [each["n"] for each in shown["entries"]] == [0, 1]


async def test_pages_go_back_to_the_first_entry(house: House, log: Log, ana: Browser) -> None:
    for _ in range(3):
        again = house.visitor()
        answer = await again.post(
            "/api/sessions", json={"handle": "ana", "password": "seven turquoise herons"}
        )
        assert answer.status_code == 201
    seen, before = [], None
    while True:
        page = await journal(ana, limit=2, **({} if before is None else {"before": before}))
        seen += [item["n"] for item in page["items"]]
        before = page["next"]
        if before is None:
            break
    assert seen == [4, 3, 2, 1, 0]


async def test_receipt_proves_the_entry_without_the_cell(
    house: House, log: Log, ana: Browser
) -> None:
    refused(await ana.get("/api/me/journal/0/receipt"), 503, "no-checkpoint")
    await log.take()
    answer = await ana.get("/api/me/journal/0/receipt")
    assert answer.headers["content-type"].startswith("text/plain")
    leaf = base64.b64decode((await journal(ana))["items"][-1]["leaf"])
    trusted = Proof.parse(answer.text).verify(leaf_hash(leaf), log.policy)
    assert trusted.checkpoint.size == log.edge.size
    for n in (77, 2**63, 2**70):
        refused(await ana.get(f"/api/me/journal/{n}/receipt"), 404, "no-such-entry")
    refused(await ana.get("/api/me/journal", params={"before": 2**63}), 400, "invalid")


async def test_entry_without_a_place_has_no_receipt_yet(
    house: House, log: Log, ana: Browser
) -> None:
    await log.take()
    again = house.visitor()
    await again.post("/api/sessions", json={"handle": "ana", "password": "seven turquoise herons"})
    refused(await ana.get("/api/me/journal/2/receipt"), 409, "not-in-log-yet")


async def checked(made: Any, log: Log, key: bytes, upto: int) -> None:
    """All that a verifier looks at."""
    head = log.policy.check(made["checkpoint"]).checkpoint
    for each in made["entries"]:
        leaf = leaf_hash(base64.b64decode(each["leaf"]))
        path = [base64.b64decode(hash_) for hash_ in each["path"]]
        verify_inclusion(each["index"], head.size, leaf, path, head.root)
    end = 0
    for each in made["absence"]:
        path = [base64.b64decode(hash_) for hash_ in each.pop("path")]
        absence = Absence.parse(each)
        seal = absence.seal
        assert seal.first == end
        end = seal.end
        leaf = leaf_hash(seal.encode())
        verify_inclusion(absence.seal_index, head.size, leaf, path, head.root)
        absence.verify([entry.label_of(key, n) for n in range(upto + 1, upto + 65)])
        if seal.first == 0:
            with pytest.raises(BadSeal):
                absence.verify([entry.label_of(key, 0)])


async def test_proof_shows_that_there_are_no_more_entries(
    house: House, log: Log, ana: Browser, ben: Browser
) -> None:
    await log.take()
    assert (await proof(ana))["absence"] == []
    await log.seal(MINUTE)
    made = await proof(ana)
    assert [each["n"] for each in made["entries"]] == [0, 1]
    assert len(made["absence"]) == 1
    await checked(made, log, await label_key(ana), 1)


async def test_proof_in_parts(house: House, log: Log, ana: Browser) -> None:
    await log.take()
    await log.seal(MINUTE)
    first = await proof(ana, **{"from": 0, "to": 0})
    assert [each["n"] for each in first["entries"]] == [0]
    assert first["absence"] == []
    last = await proof(ana, **{"from": 1})
    assert [each["n"] for each in last["entries"]] == [1]
    await checked(last, log, await label_key(ana), 1)


async def test_proof_spans_several_ranges(house: House, log: Log, ana: Browser) -> None:
    """A sealed year, a month that goes on, and entries behind them; more than one tile of each."""
    await log.add([_of_somebody(number) for number in range(150)])
    await log.take()
    await log.seal(MINUTE)
    await log.append_seal(MINUTE + 1, first=log.cover.end)
    await log.add([_of_somebody(number) for number in range(150, 400)])
    await log.append_seal(MINUTE + 2, first=log.cover.spans[-1].seal.first)
    made = await proof(ana)
    assert len(made["absence"]) == 2
    await checked(made, log, await label_key(ana), 1)


def _of_somebody(number: int) -> bytes:
    label = number.to_bytes(2, "big") * 16
    return entry.PersonEntry(entry.Kind.READ, entry.Class.STAFF, MINUTE, label, bytes(32)).encode()


async def test_summary_counts_days_by_class(house: House, log: Log, ana: Browser) -> None:
    answer = await ana.get("/api/me/journal/summary")
    (day,) = answer.json()["days"]
    assert day["counts"] == {"self": 2}
    assert day["day"] == f"{house.clock.now():%Y-%m-%d}"


async def test_journal_is_for_its_owner(house: House, log: Log, ana: Browser) -> None:
    visitor = house.visitor()
    for path in ("journal", "journal/proof", "journal/summary", "journal/0/receipt", "label-key"):
        refused(await visitor.get(f"/api/me/{path}"), 401, "not-signed-in")
        assert (await ana.get(f"/api/me/{path}")).status_code in (200, 503)


async def test_data_says_what_is_held_and_how_much(
    house: House, log: Log, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    await ana.clip(house, tiny_film)
    await ana.follow(ben)
    answer = await ana.get("/api/me/data")
    body = answer.json()
    kept = {each["list"]: each for each in body["kept"]}
    assert kept["clips/clips"]["rows"] == 1
    assert kept["media/files"]["size_bytes"] > 100
    assert kept["graph/following"]["rows"] == 1
    assert kept["graph/followers"]["rows"] == 0
    assert {each["name"] for each in body["classes"]} == {"public", "shared", "personal", "secret"}
    assert body["cell"]["operator"] == house.settings.cell.operator
    assert "folder" in body["cell"]["objects"]
    refused(await house.visitor().get("/api/me/data"), 401, "not-signed-in")
