"""The log's process: one sequencer for each log of the cell, and the policy that names them."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import defaultdict
from datetime import UTC, datetime
from hashlib import sha256

from luciole import config
from luciole.ask.client import Custody
from luciole.border.peers import Witnesses, WitnessPeer
from luciole.config import SettingError, Settings
from luciole.kit import logs, metrics
from luciole.kit.blobs import Blobs, Missing, Moved
from luciole.kit.clock import Clock
from luciole.kit.db import LOST, Database
from luciole.kit.logs import log as lines
from luciole.ledger import measures, store
from luciole.ledger.archive import Stopped
from luciole.ledger.entry import canonical
from luciole.ledger.merkle import Refused
from luciole.ledger.note import KeyKind, Signer
from luciole.ledger.policy import Policy
from luciole.ledger.sequencer import Sequencer
from luciole.witness import identity

LOGS = ("access", "decisions", "border")
POOL = 4
# With as many entries at once, the next round begins without a pause.
BUSY = 1_000
# A quiet log is looked after as often: cosignatures that came by themselves, seals, witnesses.
QUIET_S = 2.0
AFTER_FAILURE_S = 1.0
STOPPED_S = 5.0
OWN = "local"


def main(witness_url: str) -> None:
    """Runs until SIGTERM or SIGINT. `witness_url`: the cell's own witness."""
    settings = config.load(os.environ)
    logs.setup("ledger", level=settings.log_level)
    if settings.ledger.metrics_port:
        try:
            metrics.serve(settings.ledger.metrics_port)
        except OSError as error:
            lines.error("metrics port cannot be used", error=type(error).__name__)
    asyncio.run(_run(settings, witness_url))


async def signers_of(settings: Settings) -> dict[str, Signer]:
    """The keys of the cell's logs, from the key broker. Raises CustodyAway."""
    custody = Custody.at(settings.custody_dir / "ledger.sock")
    try:
        cell_id = (await custody.public_key("export")).cell_id
        seeds = {log: await custody.derived(f"ledger/{log}") for log in LOGS}
    finally:
        await custody.close()
    return {
        log: Signer(f"luciole/{cell_id}/{log}", KeyKind.ED25519, seed)
        for log, seed in seeds.items()
    }


async def _run(settings: Settings, witness_url: str) -> None:
    signers = await signers_of(settings)
    written = policy_of(settings, signers, witness_url)
    policy = Policy.parse(written)
    url, role = settings.database.login("ledger")
    db = await Database.open(url, role=role, size=POOL)
    blobs, clock = Blobs.open(settings.blobs_place), Clock()
    await _show_policy(db, blobs, written)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    urls = sorted({party.url for party in policy.witnesses.values() if party.url})
    try:
        async with asyncio.TaskGroup() as group:
            for log, signer in signers.items():
                peers = [WitnessPeer(each) for each in urls]
                witnesses = Witnesses(signer.verifier, peers)
                sequencer = Sequencer(log, signer, db, blobs, policy, witnesses, clock)
                group.create_task(keep(sequencer, settings.ledger.period_ms / 1000, stop))
    finally:
        await db.close()


async def keep(sequencer: Sequencer, period_s: float, stop: asyncio.Event) -> None:
    """One round after the other until `stop`, whatever becomes of the database or the archive."""
    looked = 0.0
    while not stop.is_set():
        began, pause_s = time.monotonic(), period_s
        try:
            if began - looked > QUIET_S or await sequencer.is_waiting():
                looked, count = began, await sequencer.round()
                pause_s = 0.0 if count >= BUSY else period_s - (time.monotonic() - began)
        except Stopped as reason:
            measures.stopped.labels(sequencer.log, reason.code).inc()
            lines.critical("a log does not go on", log=sequencer.log, code=reason.code)
            sequencer.forget()
            pause_s = STOPPED_S
        except (*LOST, TimeoutError, Moved) as error:
            lines.warning("a round failed", log=sequencer.log, error=type(error).__name__)
            sequencer.forget()
            pause_s = AFTER_FAILURE_S
        if pause_s > 0:
            try:
                await asyncio.wait_for(stop.wait(), pause_s)
            except TimeoutError:
                continue


# The policy


def policy_of(settings: Settings, signers: dict[str, Signer], witness_url: str) -> bytes:
    """The policy of the cell: its logs, its witnesses, and how many must have cosigned. Raises
    SettingError for a file of witnesses that cannot be used."""
    origin = f"{settings.origin}/ledger"
    own = identity.policy_lines(identity.of(settings.witness_dir), OWN, witness_url)
    policy = [f"log {signer.verifier} {origin}/{log}" for log, signer in signers.items()]
    policy += ["# The cell's own witness. It guards against mistakes; it proves nothing.", *own]
    path, wanted = settings.witnesses_file, settings.ledger.quorum
    try:
        added = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    except (OSError, UnicodeError) as error:
        raise SettingError(f"The file of witnesses cannot be read: {path} ({error}).") from error
    words = [line.split() for line in added]
    policy += added
    if not any(word[:1] == ["quorum"] for word in words):
        policy += _outside(words, wanted) if wanted else [f"quorum {OWN}"]
    written = "".join(f"{line}\n" for line in policy).encode()
    try:
        Policy.parse(written)
    except Refused as error:
        raise SettingError(
            f"The file of witnesses ({path}) cannot be used, or names fewer than "
            f"LUCIOLE_LEDGER_QUORUM={wanted}. {error}"
        ) from error
    return written


def _outside(words: list[list[str]], wanted: int) -> list[str]:
    """The quorum of witnesses outside; one who gave two keys counts once, by either of them."""
    names = defaultdict[str, list[str]](list)
    for word in words:
        if word[:1] == ["witness"] and len(word) > 2:
            names[word[2].partition("+")[0]].append(word[1])
    groups = {f"{twins[0]}-keys": twins for twins in names.values() if len(twins) > 1}
    members = [twins[0] if len(twins) == 1 else f"{twins[0]}-keys" for twins in names.values()]
    return [
        *(f"group {name} any {' '.join(twins)}" for name, twins in groups.items()),
        f"group outside {wanted} {' '.join(members)}",
        "quorum outside",
    ]


async def _show_policy(db: Database, blobs: Blobs, policy: bytes) -> None:
    """Makes the policy public, and says in the log that it has changed. If we stop in between,
    the log says it twice."""
    try:
        if await blobs.get("ledger/policy") == policy:
            return
    except Missing:
        pass
    said = {"v": 1, "kind": "policy", "at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"}
    async with db.tx() as tx:
        entry = canonical(said | {"sha256": sha256(policy).hexdigest()})
        await store.put(tx, "decisions", entry)
    await blobs.put_durably("ledger/policy", policy)
