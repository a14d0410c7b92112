"""What of messages comes back with a cell: devices and sealed backups; conversations begin anew."""

from __future__ import annotations

from pathlib import Path

from tests import canary
from tests.cell.copies.support import back_up, bring_back, contents_of
from tests.cell.house import House
from tests.cell.messages.phone import M, Phone, befriend

HISTORY = b"a sealed history"


async def test_devices_and_backups_come_back_and_conversations_do_not(
    house: House, owner_url: str, elsewhere: str, tmp_path: Path
) -> None:
    ana, ben = await house.person("ana"), await house.person("ben")
    await befriend(ana, ben)
    anas, bens = await Phone.of(house, ana), await Phone.of(house, ben)
    pair = await anas.talk("pair", bens)
    await anas.send(pair)
    await ana.post(f"{M}/conversations/{pair}/attachments", content=b"a sealed photo")
    await ana.put(f"{M}/backup", content=HISTORY)
    report = {"conversation_id": pair, "reason": "spam", "items": [bens.signed(pair, b"buy")]}
    await ana.post(f"{M}/reports", json=report)
    await back_up(house, owner_url, tmp_path / "backup")
    await bring_back(house, tmp_path / "backup", elsewhere, tmp_path)
    query = "SELECT id, next_n FROM messages.device"
    before = {row["id"]: row["next_n"] for row in await contents_of(owner_url, query)}
    after = {row["id"]: row["next_n"] for row in await contents_of(elsewhere, query)}
    assert set(before) == set(after)
    # A device drops what has a number that it has seen.
    assert all(after[each] > before[each] + 10**8 for each in after)
    for table, count in (("conversation", 0), ("envelope", 0), ("attachment", 0), ("report", 1)):
        rows = await contents_of(elsewhere, f"SELECT 1 FROM messages.{table}")
        assert len(rows) == count, table
    (row,) = await contents_of(elsewhere, "SELECT object_key FROM messages.backup")
    assert (tmp_path / "blobs-elsewhere" / row["object_key"]).read_bytes() == HISTORY
    files = list(canary.files(tmp_path / "blobs-elsewhere"))
    assert [path for path in files if path.read_bytes() == b"a sealed photo"] == []
    # Nothing of it lies in the backup in the clear.
    assert canary.search(canary.files(tmp_path / "backup"), {"history": HISTORY}) == []


async def test_files_of_conversations_that_are_gone_are_given_up(
    house: House, owner_url: str, elsewhere: str, tmp_path: Path
) -> None:
    """Where a cell is put back beside the objects that it has."""
    ana, ben = await house.person("ana"), await house.person("ben")
    await befriend(ana, ben)
    anas, bens = await Phone.of(house, ana), await Phone.of(house, ben)
    pair = await anas.talk("pair", bens)
    await ana.put(f"{M}/backup", content=HISTORY)
    await back_up(house, owner_url, tmp_path / "backup")
    await ana.post(f"{M}/conversations/{pair}/attachments", content=b"a sealed photo")
    (tmp_path / "blobs-elsewhere").mkdir()
    for path in canary.files(house.settings.data / "blobs"):
        copy = tmp_path / "blobs-elsewhere" / path.relative_to(house.settings.data / "blobs")
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    await bring_back(house, tmp_path / "backup", elsewhere, tmp_path)
    given_up = await contents_of(elsewhere, "SELECT object_key FROM media.unclaimed")
    keys = [row["object_key"] for row in given_up]
    assert [key for key in keys if key.startswith("attachments/")]
    assert [key for key in keys if key.startswith("histories/")] == []
