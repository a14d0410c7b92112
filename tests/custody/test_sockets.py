"""The broker's sockets: what each process may ask, and what strangers get."""

from __future__ import annotations

import asyncio
import socket
import stat
import threading
from pathlib import Path

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from tests.custody.conftest import Place, Somebody

from luciole.ask.client import Custody
from luciole.ask.start import derived_now
from luciole.custody import server, wire
from luciole.custody.model import CustodyAway, Field, NoGrant
from luciole.keys.rsa import rsa_verifies
from luciole.keys.signing import Algorithm, SigningKey, verifies
from luciole.kit.ids import new_id


async def test_signature_of_anybody_is_verified_for_the_application(
    place: Place, api: Custody
) -> None:
    key = SigningKey(Algorithm.ED25519, bytes(32))
    signature = key.sign(b"said")
    assert await api.verify(key.public, signature, b"said")
    assert not await api.verify(key.public, signature, b"not said")
    assert not await api.verify(bytes(32), signature, b"said")
    assert not await api.verify(key.public, b"short", b"said")
    with pytest.raises(CustodyAway):
        await place.custody("worker").verify(key.public, signature, b"said")


async def test_each_process_asks_what_is_its_own(place: Place, api: Custody, ana: Somebody) -> None:
    ledger, worker = place.custody("ledger"), place.custody("worker")
    assert len(await ledger.derived("ledger/access")) == 32
    assert await api.derived("cursors") == await worker.derived("cursors")
    grant = await api.session_grant(ana.token)
    refused = (
        ledger.session_grant(ana.token),
        ledger.open(grant, []),
        ledger.derived("cursors"),
        api.derived("ledger/access"),
        api.derived("wrap"),
        api.shred(ana.id),
        api.sign("export", b""),
        api.automated_grant(ana.id, "export"),
        worker.enrol(new_id(), None),
    )
    for asked in refused:
        with pytest.raises(CustodyAway):
            await asked
    await ledger.close()
    await worker.close()


async def test_application_gets_the_grant_of_a_family_and_no_other(
    api: Custody, ana: Somebody
) -> None:
    grant = await api.automated_grant(ana.id, "family")
    assert (grant.cls, grant.columns) == ("automated", ("family.time",))
    for purpose in ("export", "push", "of-tomorrow"):
        with pytest.raises(CustodyAway):
            await api.automated_grant(ana.id, purpose)


async def test_index_and_signature_are_for_declared_uses(api: Custody, worker: Custody) -> None:
    assert await api.index("email", "a@b.org") != await api.index("phone", "a@b.org")
    with pytest.raises(NoGrant):
        await api.index("bio", "x")
    signature = await worker.sign("export", b"manifest")
    public = await worker.public_key("export")
    assert verifies(Algorithm.ED25519, public.key, signature, b"manifest")
    assert not verifies(Algorithm.ED25519, public.key, signature, b"another")
    pushed = await worker.sign("push", b"token")
    assert verifies(Algorithm.P_256, (await api.public_key("push")).key, pushed, b"token")
    with pytest.raises(CustodyAway):
        await worker.sign("checkpoint", b"forged")
    with pytest.raises(NoGrant):
        await worker.public_key("checkpoint")


async def test_worker_has_credentials_signed_under_a_root_that_signs_nothing_else(
    place: Place, api: Custody, worker: Custody
) -> None:
    found = await worker.certificates()
    assert found == await api.certificates()
    root, signer = (x509.load_der_x509_certificate(one) for one in (found.root, found.signer))
    signer.verify_directly_issued_by(root)
    public = (await api.public_key("credentials")).key
    key = signer.public_key()
    assert isinstance(key, Ed25519PublicKey)
    assert key.public_bytes_raw() == public
    signature = await worker.sign("credentials", b"a claim")
    assert verifies(Algorithm.ED25519, public, signature, b"a claim")
    ledger, gateway = place.custody("ledger"), place.custody("gateway")
    for asked in (
        worker.sign("credentials-root", b"a certificate"),
        api.sign("credentials", b""),
        gateway.sign("credentials", b""),
        ledger.certificates(),
        gateway.certificates(),
    ):
        with pytest.raises(CustodyAway):
            await asked
    with pytest.raises(NoGrant):
        await api.public_key("credentials-root")
    await ledger.close()
    await gateway.close()


async def test_gateway_has_three_things_signed_and_asks_nothing_else(
    place: Place, worker: Custody, ana: Somebody
) -> None:
    gateway = place.custody("gateway")
    personas = [f"actor/{new_id()}" for _ in range(2)]
    keys = []
    for purpose in ("border", *personas):
        public = (await gateway.public_key(purpose)).key
        signature = await gateway.sign(purpose, b"said")
        assert verifies(Algorithm.ED25519, public, signature, b"said")
        keys.append(public)
    assert len(set(keys)) == 3
    one, other = await gateway.sign_all("border", [b"one", b"other"])
    assert verifies(Algorithm.ED25519, keys[0], one, b"one")
    assert verifies(Algorithm.ED25519, keys[0], other, b"other")
    assert await gateway.sign_all("border", []) == []
    pem = (await gateway.public_key("fediverse")).key.decode()
    assert rsa_verifies(pem, await gateway.sign("fediverse", b"said"), b"said")
    assert (await gateway.public_key("fediverse")).key.decode() == pem
    for wrong in ("actor", "actor/", "actor/ana", f"{personas[0].upper()}", f"border/{new_id()}"):
        with pytest.raises((NoGrant, CustodyAway)):
            await gateway.sign(wrong, b"said")
        with pytest.raises(NoGrant):
            await gateway.public_key(wrong)
    for asked in (
        gateway.sign("export", b""),
        gateway.sign("push", b""),
        gateway.sign_all("push", [b""]),
        gateway.sign_all("border", [b""] * 257),
        worker.sign_all("export", [b""]),
        worker.sign("border", b""),
        worker.sign("fediverse", b""),
        gateway.derived("cursors"),
        gateway.automated_grant(ana.id, "push"),
        gateway.session_grant(ana.token),
    ):
        with pytest.raises(CustodyAway):
            await asked
    await gateway.close()


async def test_sockets_are_for_their_owner_only(place: Place) -> None:
    for path in (place.sockets, *place.sockets.iterdir()):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\nhost: a\r\n\r\n",
        b"\xff\xff\xff\xff" + b"x" * 100,
        b"\x00\x00\x00\x05\xc1\xc1\xc1\xc1\xc1",
        b"\x00\x00\x00\x0aabc",
        b"",
    ],
    ids=["http", "too-large", "no-messagepack", "cut-off", "nothing"],
)
async def test_stranger_gets_no_answer_and_the_broker_goes_on(
    place: Place, api: Custody, sent: bytes
) -> None:
    reader, writer = await asyncio.open_unix_connection(place.sockets / "api.sock")
    writer.write(sent)
    writer.write_eof()
    assert await asyncio.wait_for(reader.read(), 5) == b""
    writer.close()
    assert len(await api.derived("cursors")) == 32


async def test_message_that_is_too_large_is_refused_both_ways(
    place: Place, api: Custody, ana: Somebody, monkeypatch: pytest.MonkeyPatch
) -> None:
    grant = await api.session_grant(ana.token)
    field = Field("a", 1, b"x" * (wire.MAX_FRAME_BYTES - 200))
    (sealed,) = await api.seal(grant, [field])
    assert len(sealed) == len(field.data) + 29
    with pytest.raises(ValueError, match="too large"):
        await api.seal(grant, [field, field])

    async def talk(asked: wire.Derived) -> bytes:
        return bytes(wire.MAX_FRAME_BYTES)

    monkeypatch.setattr(place.broker, "derived", talk)
    with pytest.raises(CustodyAway):
        await api.derived("cursors")


async def test_client_finds_a_broker_that_was_started_again(place: Place, tmp_path: Path) -> None:
    folder = tmp_path / "again"
    custody = Custody.at(folder / "api.sock")
    with pytest.raises(CustodyAway):
        await custody.derived("cursors")
    for _ in range(2):
        async with server.listening(place.broker, folder):
            before = await custody.derived("cursors")
        with pytest.raises(CustodyAway):
            await custody.derived("cursors")
    # A broker that was killed leaves its socket file.
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(folder / "api.sock"))
    async with server.listening(place.broker, folder):
        assert await custody.derived("cursors") == before
    await custody.close()


async def test_question_whose_asker_left_is_not_worked_on(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def ponder(asked: wire.Derived) -> bytes:
        begun.set()
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()
        return b""

    monkeypatch.setattr(place.broker, "derived", ponder)
    custody = place.custody()
    asking = asyncio.create_task(custody.derived("cursors"))
    await begun.wait()
    await custody.close()
    with pytest.raises(CustodyAway):
        await asking
    await asyncio.wait_for(ended.wait(), 5)


async def test_broker_that_dies_over_a_question_is_said(place: Place, tmp_path: Path) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(4)
        writer.close()

    mute = await asyncio.start_unix_server(hang_up, tmp_path / "mute.sock")
    custody = Custody.at(tmp_path / "mute.sock")
    with pytest.raises(CustodyAway):
        await custody.derived("cursors")
    mute.close()
    await custody.close()


async def test_answer_that_nobody_waits_for_is_passed_over(tmp_path: Path) -> None:
    async def twice(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (body := await wire.read_frame(reader)) is not None:
            call = msgspec.msgpack.decode(body, type=wire.Call)
            answer = wire.Answer(call.number, msgspec.Raw(msgspec.msgpack.encode(b"k")))
            writer.write(wire.frame(wire.Answer(999)) + wire.frame(answer) + wire.frame(answer))

    talkative = await asyncio.start_unix_server(twice, tmp_path / "a.sock")
    custody = Custody.at(tmp_path / "a.sock")
    assert [await custody.derived("cursors") for _ in range(3)] == [b"k"] * 3
    await custody.close()
    talkative.close()


async def test_process_gets_its_keys_before_it_has_a_loop(place: Place, api: Custody) -> None:
    found = await asyncio.to_thread(derived_now, place.sockets / "api.sock", ("cursors", "devices"))
    assert found == {name: await api.derived(name) for name in ("cursors", "devices")}
    with pytest.raises(CustodyAway):
        await asyncio.to_thread(derived_now, place.sockets / "nobody.sock", ("cursors",))
    with pytest.raises(CustodyAway):
        await asyncio.to_thread(derived_now, place.sockets / "api.sock", ("ledger/access",))


def test_start_meets_a_broker_that_hangs_up(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "a.sock"))
        listener.listen()

        def hang_up() -> None:
            caller, _ = listener.accept()
            caller.recv(1000)
            caller.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        with pytest.raises(CustodyAway):
            derived_now(tmp_path / "a.sock", ("cursors",))
        thread.join()


async def test_socket_below_a_deep_folder_is_reached(place: Place, tmp_path: Path) -> None:
    deep = tmp_path / ("a" * 60) / ("b" * 60)
    custody = Custody.at(deep / "api.sock")
    async with server.listening(place.broker, deep):
        assert len(await custody.derived("cursors")) == 32
    await custody.close()
