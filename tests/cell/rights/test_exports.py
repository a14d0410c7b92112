"""Taking everything along."""

from __future__ import annotations

import json

from tests.cell.house import Browser, House
from tests.cell.rights.log import Log
from tests.cell.rights.taken import take


async def test_export_holds_everything_with_its_bytes(
    house: House, log: Log, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    clip = await ana.clip(
        house,
        tiny_film,
        caption="First <light> #dawn",
        captions_vtt="WEBVTT\n\n00:00.000 --> 00:01.000\nHello\n",
    )
    await ben.clip(house, tiny_film, caption="Not hers")
    await ana.put("/api/me/contacts/email", json={"value": "ana@example.org"})
    await ana.follow(ben)
    await ben.follow(ana)
    await log.take()
    await log.seal(29_700_000)

    taken = await take(house, ana)
    taken.check()

    (account,) = taken.json("data/people/account.json")
    assert account["handle"] == "ana"
    (contact,) = taken.json("data/people/contacts.json")
    assert contact["address"] == "ana@example.org"
    (row,) = taken.json("data/clips/clips.json")
    assert row["id"] == clip["id"]
    assert taken.files[row["captions"]].startswith(b"WEBVTT")
    for file in taken.json("data/media/files.json"):
        (stored,) = await house.rows(
            "SELECT object_key FROM media.file WHERE asset_id = $1 AND name = $2",
            file["asset_id"],
            file["name"],
        )
        assert taken.files[file["file"]] == await house.parts.blobs.get(stored["object_key"])
    assert [each["handle"] for each in taken.json("data/graph/following.json")] == ["ben"]
    assert [each["handle"] for each in taken.json("data/graph/followers.json")] == ["ben"]
    assert "ben@localhost:8080" not in taken.files["following.csv"].decode()[:20]
    assert "ben@localhost:8080" in taken.files["following.csv"].decode()
    (create,) = taken.json("outbox.json")["orderedItems"]
    assert create["object"]["url"][0]["href"] in taken.files
    page = taken.files["README.html"].decode()
    assert "First &lt;light&gt; #dawn" in page
    assert "Not hers" not in page
    journal = [json.loads(line) for line in taken.files["journal/journal.jsonl"].splitlines()]
    assert [each["n"] for each in journal] == list(range(len(journal)))
