"""What the seller destroys after a sale, what is looked for, and what it says of it."""

from __future__ import annotations

import asyncio
import functools
import json
import shutil
from pathlib import Path

import msgspec
import pytest
from tests.cell.sale.support import MARKS, Town, fetch

from luciole.audit import removal
from luciole.audit.removal import BadCanaries
from luciole.config import KeysSettings, Settings
from luciole.keys import KeyFileRefused, KeyStore
from luciole.kit.ids import new_id
from luciole.ledger.note import Note, VerifierKey
from luciole.roots.choose import open_root
from luciole.sale import removing
from luciole.sale.model import NoReceipt, NotDivested, read_contents


@pytest.fixture
def seller(tmp_path: Path) -> Settings:
    """A data folder as a cell leaves it: a key store, files of a database, objects, logs."""
    settings = Settings(
        data_dir=str(tmp_path / "seller"),
        keys=KeysSettings(backup_dir=str(tmp_path / "short-backup")),
    )
    for name in ("postgres/data/pg_wal", "blobs/p", "blobs/ledger/access", "work", "log", "sale"):
        (settings.data / name).mkdir(parents=True, mode=0o700)
    for name in ("postgres/data/pg_wal/0001", "blobs/p/film", "log/api.log", "work/half"):
        (settings.data / name).write_bytes(b"\0\1" + MARKS["bio"].encode())
    (settings.data / "blobs/ledger/access/checkpoint").write_text("public")
    return settings


def keys_of(settings: Settings) -> KeyStore:
    return KeyStore(settings.keys_dir, open_root(**settings.key_place))


def canaries(folder: Path) -> Path:
    path = folder / "canaries"
    path.write_text("\n".join(MARKS.values()) + "\n")
    return path


def prove(settings: Settings, folder: Path, **more: object) -> tuple[int, removal.Statement]:
    given: dict[str, object] = {
        "receipt": None,
        "may_miss_receipt": True,
        "canaries": canaries(folder),
        "also": (),
        "out": None,
        "agreed": True,
    }
    status = removal.main(settings, **(given | more))  # type: ignore[arg-type]
    raw = (settings.data / "sale" / removal.STATEMENT).read_bytes()
    text = Note.parse(raw).text.split("\n")[1]
    return status, msgspec.json.decode(text, type=removal.Statement)


def verdicts(made: removal.Statement) -> dict[str, str]:
    return {one.claim: one.verdict for one in made.claims}


async def put_at(town: Town, seller: Settings) -> None:
    """What the sale has left at the seller, in the folder above."""
    for name in ("sold.json", "statement.key"):
        shutil.copy(town.house.settings.data / "sale" / name, seller.data / "sale")
    (seller.data / "sale" / "statement.key").chmod(0o600)


async def test_everything_is_destroyed_and_said(
    town: Town, tiny_film: bytes, elsewhere: str, seller: Settings, tmp_path: Path
) -> None:
    await town.sell(tiny_film)
    await town.adopt(elsewhere)
    await put_at(town, seller)
    store = keys_of(seller)
    whose = new_id()
    store.enrol(whose)
    store.backup(Path(seller.keys.backup_dir))
    copy = tmp_path / "copy-of-wraps"
    shutil.copytree(seller.keys_dir, copy)
    store.close()
    receipt = town.settings.data / "sale" / "receipt.note"
    status, made = await in_thread(
        prove, seller, tmp_path, receipt=receipt, also=[town.bundle], may_miss_receipt=False
    )
    assert (status, made.verdict) == (0, "GREEN")
    assert set(verdicts(made)) == {
        "receipt",
        "keys",
        "database",
        "objects",
        "folders",
        "canaries",
    }
    assert "That no copy exists" in made.not_proved
    left = sorted(path.relative_to(seller.data).as_posix() for path in seller.data.rglob("*"))
    assert [name for name in left if not name.startswith(("sale", "run"))] == [
        "blobs",
        "blobs/ledger",
        "blobs/ledger/access",
        "blobs/ledger/access/checkpoint",
        "blobs/p",
    ]
    assert list(Path(seller.keys.backup_dir).iterdir()) == []
    # Whoever kept the wraps but not the root opens nothing with them.
    (copy / "root.key").unlink()
    with pytest.raises(KeyFileRefused):
        KeyStore(copy, open_root("file:", copy))
    # The statement is signed by the key that the log names.
    contents, _ = read_contents(town.bundle)
    raw = (seller.data / "sale" / removal.STATEMENT).read_bytes()
    Note.parse(raw).verify([VerifierKey.parse(contents.statement_key)])
    # Once more: nothing is left to do, and it says the same.
    status, again = await in_thread(prove, seller, tmp_path, receipt=receipt)
    assert (status, again.verdict) == (0, "GREEN")


async def in_thread(function: object, *args: object, **more: object) -> object:
    """`removal.main` has an event loop of its own."""
    return await asyncio.to_thread(functools.partial(function, *args, **more))  # type: ignore[arg-type]


async def test_receipt_is_of_the_buyer_and_for_all_of_it(
    town: Town, tiny_film: bytes, elsewhere: str, seller: Settings, tmp_path: Path
) -> None:
    with pytest.raises(NotDivested):
        removing.sold(seller)
    await town.sell(tiny_film)
    await town.adopt(elsewhere)
    await put_at(town, seller)
    right = town.settings.data / "sale" / "receipt.note"
    sold = removing.sold(seller)
    removing.check_receipt(sold, right)
    fewer = msgspec.structs.replace(sold, persons=sold.persons + 1)
    with pytest.raises(NoReceipt, match="sale-no-receipt") as refused:
        removing.check_receipt(fewer, right)
    assert "fewer" in refused.value.sentence
    wrong = tmp_path / "receipt"
    text = Note.parse(right.read_bytes()).text
    wrong.write_text(town.buyer_key().signers()["access"].sign(text))
    with pytest.raises(NoReceipt):
        removing.check_receipt(sold, wrong)
    with pytest.raises(NoReceipt):
        removal.main(
            seller,
            receipt=None,
            may_miss_receipt=False,
            canaries=None,
            also=(),
            out=None,
            agreed=True,
        )
    assert (seller.data / "postgres/data/pg_wal/0001").exists()


async def test_what_is_left_is_red_and_what_nobody_can_tell_is_said(
    town: Town, tiny_film: bytes, seller: Settings, tmp_path: Path
) -> None:
    await town.sell(tiny_film)
    await put_at(town, seller)
    backups = tmp_path / "forgotten"
    backups.mkdir()
    (backups / "dump.sql").write_bytes(b"x" * 100 + MARKS["mail"].encode().hex().encode())
    status, made = await in_thread(prove, seller, tmp_path, also=[backups])
    assert (status, made.verdict) == (1, "RED")
    told = verdicts(made)
    assert told["canaries"] == "RED"
    assert told["receipt"] == "CANNOT TELL"
    assert told["keys"] == told["database"] == "GREEN"
    (found,) = [one for one in made.claims if one.claim == "canaries"]
    assert "dump.sql" in found.sentence
    assert not any(mark in json.dumps(msgspec.to_builtins(made)) for mark in MARKS.values())
    (backups / "dump.sql").unlink()
    status, made = await in_thread(prove, seller, tmp_path, also=[tmp_path / "not-there"])
    assert (status, verdicts(made)["canaries"]) == (2, "CANNOT TELL")
    status, made = await in_thread(prove, seller, tmp_path, canaries=None)
    assert verdicts(made)["canaries"] == "CANNOT TELL"
    # A file that came back.
    (seller.data / "postgres").mkdir()
    done = removing.Destroyed()
    (seller.data / "postgres" / "1").write_bytes(b"x")
    sold = removing.sold(seller)
    again = removal.prove(seller, sold, done, [], (), is_received=False)
    assert verdicts(again)["database"] == verdicts(again)["folders"] == "RED"
    short = tmp_path / "short"
    short.write_text("abc\n")
    with pytest.raises(BadCanaries):
        removal.read_canaries(short)


async def test_outside_database_is_emptied_and_its_copies_are_nobodys_to_tell(
    town: Town, tiny_film: bytes, elsewhere: str, seller: Settings, tmp_path: Path
) -> None:
    await town.sell(tiny_film)
    await put_at(town, seller)
    await town.adopt(elsewhere)
    database = msgspec.structs.replace(seller.database, url=elsewhere)
    settings = msgspec.structs.replace(seller, database=database)
    status, made = await in_thread(prove, settings, tmp_path)
    assert status == 2
    assert verdicts(made)["beyond this machine"] == "CANNOT TELL"
    assert await fetch(elsewhere, "SELECT to_regclass('people.person') AS t") == [(None,)]
