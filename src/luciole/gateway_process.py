"""The gateway's process: the one that speaks outside. It holds no key of people and sees none: its
database role reads what was offered to the border, the key broker signs for the border only."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime

import uvicorn
import uvloop

from luciole import __version__, config
from luciole.ask.client import Custody
from luciole.border import passport
from luciole.border.addresses import Addresses
from luciole.border.asked import Route
from luciole.border.cells import Us
from luciole.border.codes import BadSecret, Sender, senders
from luciole.border.crossings import Crossings, no_cells
from luciole.border.door import Door
from luciole.border.fediverse.service import Fediverse
from luciole.border.fediverse.shown import Face
from luciole.border.fediverse.speaking import Speaking
from luciole.border.fediverse.web import Web
from luciole.border.gateway import Gateway
from luciole.border.inward import Inward, public
from luciole.border.mail import BadAuthority, BadLogin
from luciole.border.passport import LOGS, PROFILE, Passport
from luciole.border.peers import Peer, PeerAway
from luciole.border.store import fediverse as fediverse_store
from luciole.border.store.fediverse import Terms
from luciole.border.trustee import Trustee
from luciole.border.wire import Services
from luciole.config import Settings
from luciole.custody.model import CustodyAway
from luciole.kit import logs, metrics
from luciole.kit.blobs import Missing
from luciole.kit.clock import Clock
from luciole.kit.db import Database
from luciole.kit.logs import log
from luciole.ledger.note import KeyKind
from luciole.ledger.policy import Policy

POOL = 10
LEARNS_EVERY_S = 0.5
LOOKS_AT_ITSELF_EVERY_S = 600.0
KEEP_ALIVE_S = 60
BACKLOG = 512


def main(witness_url: str) -> None:
    """Runs until SIGTERM or SIGINT. `witness_url`: the cell's own witness."""
    settings = config.load(os.environ)
    logs.setup("gateway", level=settings.log_level)
    if settings.border.metrics_port:
        try:
            metrics.serve(settings.border.metrics_port)
        except OSError as error:
            log.error("metrics port cannot be used", error=type(error).__name__)
    try:
        services = Services(settings.border.push_services)
    except ValueError as error:
        raise config.SettingError(f"LUCIOLE_BORDER_PUSH_SERVICES: {error}") from error
    border, clock = settings.border, Clock()
    try:
        code_senders = senders(border, clock.now)
    except BadSecret as error:
        raise config.SettingError(f"LUCIOLE_BORDER_CODES_SECRET_FILE: {error}") from error
    except BadLogin as error:
        raise config.SettingError(f"LUCIOLE_BORDER_MAIL_LOGIN_FILE: {error}") from error
    except BadAuthority as error:
        raise config.SettingError(f"LUCIOLE_BORDER_MAIL_AUTHORITY_FILE: {error}") from error
    uvloop.run(_run(settings, services, code_senders, witness_url))


async def _run(
    settings: Settings, services: Services, code_senders: Mapping[str, Sender], witness_url: str
) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    url, role = settings.database.login("gateway")
    # Whoever asks from outside asks from no country that is known.
    db = await Database.open(url, role=role, size=POOL, country=settings.cell.country)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(Gateway(db, services, Clock()).run(stop))
            group.create_task(_doors(settings, db, code_senders, witness_url, stop))
    finally:
        await db.close()


async def _doors(
    settings: Settings,
    db: Database,
    code_senders: Mapping[str, Sender],
    witness_url: str,
    stop: asyncio.Event,
) -> None:
    """Both doors. Before the cell knows its own name for others, it has no peers to speak of."""
    held: list[Crossings] = []
    door = Door(
        db,
        lambda: held[0].cells if held else no_cells(),
        lambda *words: held[0].ask(*words),
        lambda *words: held[0].get_media(*words),
        lambda: outside(settings),
        code_senders,
    )
    async with door.open(settings.gateway_dir), contextlib.AsyncExitStack() as stack:
        if settings.cell.short_name:
            learning = asyncio.create_task(learned(settings, stop))
            if (found := await learning) is not None:
                us, note, custody = found
                stack.push_async_callback(custody.close)
                crossings = await stack.enter_async_context(
                    _crossings(settings, db, us, witness_url)
                )
                held.append(crossings)
                read_out = await stack.enter_async_context(fediverse(settings, db, custody))
                routes = read_out.routes() if read_out else []
                async with (
                    answering(settings, crossings, note, witness_url, routes),
                    asyncio.TaskGroup() as group,
                ):
                    group.create_task(crossings.run(stop))
                    group.create_task(_watched(settings, custody, us, stop))
                    if read_out is not None:
                        group.create_task(read_out.telling.run(stop))
        await stop.wait()


@contextlib.asynccontextmanager
async def _crossings(
    settings: Settings, db: Database, us: Us, witness_url: str
) -> AsyncIterator[Crossings]:
    api, witness = Peer(settings.pages_here), Peer(witness_url)
    trustee = Trustee(settings.trustee_socket)
    try:
        yield Crossings(
            us,
            db,
            api,
            witness,
            trustee,
            settings.incoming_dir,
            Clock(),
        )
    finally:
        await trustee.close()
        api.close()
        witness.close()


async def learned(settings: Settings, stop: asyncio.Event) -> tuple[Us, str, Custody] | None:
    """Who we are, and our passport: from the key broker and from what our own pages show. Waits
    until both are there; None where we are stopped before."""
    custody = Custody.at(settings.custody_dir / "gateway.sock")
    pages = Peer(settings.pages_here)
    try:
        while not stop.is_set():
            try:
                policy = Policy.parse(await pages.get("ledger/policy"))
                return *(await _who(settings, custody, policy)), custody
            except (PeerAway, Missing, CustodyAway):
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), LEARNS_EVERY_S)
    finally:
        pages.close()
    await custody.close()
    return None


async def _watched(settings: Settings, custody: Custody, us: Us, stop: asyncio.Event) -> None:
    """Ends the gateway, which is then started anew, once the keys that the cell shows are others
    than those of its passport."""
    pages = Peer(settings.pages_here)
    try:
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOKS_AT_ITSELF_EVERY_S)
            with contextlib.suppress(PeerAway, Missing, CustodyAway):
                policy = Policy.parse(await pages.get("ledger/policy"))
                found, _ = await _who(settings, custody, policy)
                if (found.key, found.log, found.witness) != (us.key, us.log, us.witness):
                    log.error("the cell shows other keys than its passport, which is made anew")
                    stop.set()
    finally:
        pages.close()


async def _who(settings: Settings, custody: Custody, policy: Policy) -> tuple[Us, str]:
    found = await custody.public_key("border")
    key = passport.key_of(found.cell_id, found.key)
    by_log = {party.key.name.rpartition("/")[2]: party.key for party in policy.logs}
    witness = [policy.witnesses[name].key for name in ("local", "local-pq")]
    assert witness[0].kind is KeyKind.COSIGNATURE

    async def sign(message: bytes) -> bytes:
        return await custody.sign("border", message)

    async def sign_all(messages: Sequence[bytes]) -> list[bytes]:
        return await custody.sign_all("border", messages)

    us = Us(
        settings.cell.short_name,
        settings.border_origin,
        key,
        by_log["border"],
        witness[0],
        sign,
        sign_all,
    )
    said = Passport(
        v=1,
        name=us.name,
        display_name=settings.cell.name,
        cell_id=str(found.cell_id),
        origin=us.origin,
        operator=settings.cell.operator,
        jurisdiction=settings.cell.jurisdiction,
        key=str(key),
        log_keys=tuple(str(by_log[name]) for name in LOGS),
        witness_keys=tuple(map(str, witness)),
        profile=PROFILE,
        made_at=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
    )
    return us, await passport.made(said, sign)


@contextlib.asynccontextmanager
async def fediverse(
    settings: Settings, db: Database, custody: Custody
) -> AsyncIterator[Fediverse | None]:
    """Read-out to the wider Fediverse; None where it is off."""
    if settings.border.fediverse == "off":
        # Nobody looks at these; when it is turned on, everything is looked at.
        async with db.tx() as tx:
            await fediverse_store.look_at_nothing(tx)
        yield None
        return

    async def key(purpose: str) -> bytes:
        return (await custody.public_key(purpose)).key

    face = Face(
        Addresses(settings.border_origin),
        settings.origin.rstrip("/"),
        settings.cell.short_name,
        settings.cell.name,
        settings.cell.operator,
        __version__,
    )
    web = Web("open" if settings.border.fediverse == "open" else "public")
    agent = f"Luciole/{__version__} (+{face.pages})"
    speaking = Speaking(face, db, web, custody.sign, key, Clock(), agent)
    terms = Terms(settings.cell.operator, settings.cell.jurisdiction)
    try:
        yield Fediverse(speaking, db, terms, Clock())
    finally:
        web.close()


@contextlib.asynccontextmanager
async def answering(
    settings: Settings,
    crossings: Crossings,
    note: str,
    witness_url: str,
    more: Sequence[Route] = (),
) -> AsyncIterator[None]:
    """The inward door, where a port is set."""
    if not settings.border.port:
        yield
        return
    api, witness = Peer(settings.pages_here), Peer(witness_url)

    async def own() -> str:
        return note

    app = Inward(crossings.us, [*crossings.routes(), *public(own, api, witness), *more])
    server = _Server(
        uvicorn.Config(
            app,
            host=settings.border.host,
            port=settings.border.port,
            http="httptools",
            ws="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            backlog=BACKLOG,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=3,
        )
    )
    serving = asyncio.create_task(server.serve())
    try:
        yield
    finally:
        server.should_exit = True
        await asyncio.gather(serving, return_exceptions=True)
        api.close()
        witness.close()


class _Server(uvicorn.Server):
    """Leaves signals to the process."""

    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]
        yield


def outside(settings: Settings) -> frozenset[str]:
    """The URLs that the operator's file of witnesses names."""
    try:
        lines = settings.witnesses_file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeError):
        return frozenset()
    words = [line.split() for line in lines]
    return frozenset(word[3] for word in words if len(word) == 4 and word[0] == "witness")
