"""What the seller destroys after a sale, what is looked for, and what it says of it."""

from __future__ import annotations

import asyncio
import functools
import json
import shutil
from pathlib import Path

import msgspec
import pytest
from tests import bucket
from tests.cell.sale.support import MARKS, Town, fetch

from luciole.audit import removal
from luciole.audit.removal import BadCanaries
from luciole.config import KeysSettings, Settings
from luciole.keys import KeyFileRefused, KeyStore
from luciole.kit.ids import new_id
from luciole.ledger.note import Note, VerifierKey
from luciole.roots.choose import open_root
from luciole.sale import left, removing
from luciole.sale.left import Left
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
    again = removal.prove(seller, sold, done, Left(), None, (), is_received=False)
    assert verdicts(again)["database"] == verdicts(again)["folders"] == "RED"
    short = tmp_path / "short"
    short.write_text("abc\n")
    with pytest.raises(BadCanaries):
        removal.read_canaries(short)


def sentence(made: removal.Statement, claim: str) -> str:
    return " ".join(one.sentence for one in made.claims if one.claim == claim)


async def test_outside_database_is_emptied_and_its_catalogue_asked(
    town: Town, tiny_film: bytes, elsewhere: str, seller: Settings, tmp_path: Path
) -> None:
    await town.sell(tiny_film)
    await put_at(town, seller)
    await town.adopt(elsewhere)
    database = msgspec.structs.replace(seller.database, url=elsewhere)
    settings = msgspec.structs.replace(seller, database=database)
    before = await left.look(settings)
    assert {"people.person", "clips.clip"} <= set(before.tables)
    status, made = await in_thread(prove, settings, tmp_path)
    assert status == 2
    assert verdicts(made)["beyond this machine"] == "CANNOT TELL"
    assert verdicts(made)["database"] == "GREEN"
    place = left.place_of(elsewhere)
    assert sentence(made, "database") == f"The catalogue of {place} has no table of the cell."
    assert await fetch(elsewhere, "SELECT to_regclass('people.person') AS t") == [(None,)]
    # What came back since, or was there of somebody, is named.
    found = Left()

    def judged() -> removal.Statement:
        sold, done = removing.sold(settings), removing.Destroyed()
        return removal.prove(settings, sold, done, found, None, (), is_received=False)

    await fetch(elsewhere, "CREATE TABLE public.somebodys (a int)")
    found = await left.look(settings)
    assert (found.tables, found.others) == ([], ["public.somebodys"])
    assert verdicts(judged())["database"] == "CANNOT TELL"
    assert "public.somebodys" in sentence(judged(), "database")
    await fetch(elsewhere, "CREATE SCHEMA people")
    assert (await left.look(settings)).tables == ["people"]
    await fetch(elsewhere, "CREATE TABLE people.person (a int)")
    found = await left.look(settings)
    assert verdicts(judged())["database"] == "RED"
    assert "people.person" in sentence(judged(), "database")
    # Who gets copies of what it writes is named, too.
    await fetch(elsewhere, "CREATE PUBLICATION to_a_friend FOR TABLE people.person")
    found = await left.look(settings)
    assert "The publication to_a_friend at" in sentence(judged(), "beyond this machine")
    # A server that does not answer proves nothing.
    nowhere = msgspec.structs.replace(database, url="postgresql://nobody:secret@127.0.0.1:9/cell")
    settings = msgspec.structs.replace(settings, database=nowhere)
    found = await left.look(settings)
    assert verdicts(judged())["database"] == "CANNOT TELL"
    assert sentence(judged(), "database").startswith("127.0.0.1/cell does not answer (")
    assert "secret" not in json.dumps(msgspec.to_builtins(judged()))


async def test_bucket_is_emptied_and_lists_what_is_left(
    town: Town, tiny_film: bytes, seller: Settings, tmp_path: Path
) -> None:
    await town.sell(tiny_film)
    await put_at(town, seller)
    # The library speaks to this as it does to S3: by keys, without files.
    bucket = tmp_path / "bucket"
    shutil.rmtree(seller.data / "blobs")
    for name in ("p/film", "r/avatar", "ledger/access/checkpoint"):
        (bucket / name).parent.mkdir(parents=True, exist_ok=True)
        (bucket / name).write_bytes(b"\0" + MARKS["bio"].encode() * (name[0] != "l"))
    settings = msgspec.structs.replace(seller, blobs=f"file://{bucket}")
    assert left.is_bucket(settings)
    status, made = await in_thread(prove, settings, tmp_path)
    assert status == 2
    assert verdicts(made)["objects"] == verdicts(made)["canaries"] == "GREEN"
    assert sentence(made, "objects") == (
        f"2 were deleted now; file://{bucket} lists none but the public log."
    )
    assert f"The objects were in file://{bucket}:" in sentence(made, "beyond this machine")
    assert [one.name for one in bucket.rglob("*") if one.is_file()] == ["checkpoint"]
    # An object that came back, with a mark in it; and the log is looked through as well.
    for name in ("p/film", "ledger/access/0"):
        (bucket / name).write_bytes(MARKS["mail"].encode().hex().encode())
    looked = removal.Look(removal.read_canaries(canaries(tmp_path)))
    found = await left.look(settings, looked.object)
    sold, done = removing.sold(settings), removing.Destroyed()

    def judged(looked: removal.Look | None) -> removal.Statement:
        return removal.prove(settings, sold, done, found, looked, (), is_received=False)

    again = judged(looked)
    assert found.objects == ["p/film"]
    assert verdicts(again)["objects"] == verdicts(again)["canaries"] == "RED"
    assert "p/film" in sentence(again, "objects")
    assert "ledger/access/0, p/film" in sentence(again, "canaries")
    # A bucket that does not answer proves nothing.
    found = Left(unasked={"objects": "GenericError"})
    again = judged(removal.Look(removal.read_canaries(canaries(tmp_path))))
    assert verdicts(again)["objects"] == verdicts(again)["canaries"] == "CANNOT TELL"
    assert "does not answer (GenericError)" in sentence(again, "objects")


async def test_bucket_over_the_wire_is_emptied_page_by_page(
    town: Town,
    tiny_film: bytes,
    seller: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await town.sell(tiny_film)
    await put_at(town, seller)
    shutil.rmtree(seller.data / "blobs")
    settings = msgspec.structs.replace(seller, blobs="s3://films/us")
    with bucket.serving() as s3:
        for name, value in s3.environment.items():
            monkeypatch.setenv(name, value)
        theirs = {f"us/p/film {number}": MARKS["bio"].encode() for number in range(30)}
        s3.objects |= theirs | {"us/ledger/access/checkpoint": b"public"}
        # What is in the same bucket and not the cell's stays.
        s3.objects |= {"eu/p/film": b"another's", "us2/p/film": b"another's"}
        status, made = await in_thread(prove, settings, tmp_path)
        assert status == 2
        assert verdicts(made)["objects"] == verdicts(made)["canaries"] == "GREEN"
        assert sentence(made, "objects") == (
            "30 were deleted now; s3://films/us lists none but the public log."
        )
        assert set(s3.objects) == {"us/ledger/access/checkpoint", "eu/p/film", "us2/p/film"}
        # Once more; now a mark is in one of the log's, on the last page of the list.
        s3.objects |= {f"us/ledger/border/{number:03}": b"tile" for number in range(30)}
        s3.objects["us/ledger/border/029"] = MARKS["mail"].encode()
        status, made = await in_thread(prove, settings, tmp_path)
        assert (status, verdicts(made)["objects"]) == (1, "GREEN")
        assert "ledger/border/029" in sentence(made, "canaries")
        # A bucket that may be listed by nobody any more proves nothing.
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
        found = await left.look(settings)
        assert set(found.unasked) == {"objects"}
        sold, done = removing.sold(settings), removing.Destroyed()
        again = removal.prove(settings, sold, done, found, None, (), is_received=False)
        assert verdicts(again)["objects"] == "CANNOT TELL"


async def test_bucket_that_does_not_answer_is_said(
    seller: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (
        ("AWS_ENDPOINT", "http://127.0.0.1:9"),
        ("AWS_ALLOW_HTTP", "true"),
        ("AWS_ACCESS_KEY_ID", "nobody"),
        ("AWS_SECRET_ACCESS_KEY", "nothing"),
    ):
        monkeypatch.setenv(name, value)
    settings = msgspec.structs.replace(seller, blobs="s3://films/cell")
    assert set((await left.look(settings)).unasked) == {"objects"}
