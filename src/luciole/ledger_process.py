"""The log's process: one sequencer for each log of the cell, and the policy that names them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from luciole import config
from luciole.ask.client import Custody
from luciole.ask.gateway import Outward, PeerInfo, PeerRefused, PeerUnreachable
from luciole.ask.witnesses import Outsider, PeerWitness
from luciole.border.peers import Cosigner, Witnesses, WitnessPeer
from luciole.config import SettingError, Settings
from luciole.kit import logs, scraping
from luciole.kit.blobs import Blobs, Missing, Moved
from luciole.kit.clock import Clock
from luciole.kit.db import LOST, Database
from luciole.kit.logs import log as lines
from luciole.ledger import measures, store
from luciole.ledger.archive import Archive, Stopped
from luciole.ledger.entry import canonical
from luciole.ledger.merkle import Refused
from luciole.ledger.note import KeyKind, Signer, VerifierKey
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
_NOBODY: Mapping[str, Sequence[VerifierKey]] = {}
# How long the gateway may take to begin, and how often it is asked for peers.
GATEWAY_WITHIN_S = 15.0
PEERS_EVERY_S = 2.0
# How long a start waits for what peers have seen of our logs.
HEARD_WITHIN_S = 10.0


def main(witness_url: str, witness_socket: str, metrics_handle: int | None = None) -> None:
    """Runs until SIGTERM or SIGINT. `witness_url`: the cell's own witness, as it stands in our
    policy; `witness_socket`: where it answers us; `metrics_handle`: see `kit.scraping`."""
    settings = config.load(os.environ)
    logs.setup("ledger", level=settings.log_level)
    if settings.ledger.metrics_port:
        try:
            scraping.serve(settings.ledger.metrics_port, metrics_handle)
        except OSError as error:
            lines.error("metrics port cannot be used", error=type(error).__name__)
    asyncio.run(_run(settings, witness_url, Path(witness_socket)))


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


async def _run(settings: Settings, witness_url: str, witness_socket: Path) -> None:
    signers = await signers_of(settings)
    url, role = settings.database.login("ledger")
    db = await Database.open(url, role=role, size=POOL)
    blobs, clock = Blobs.open(settings.blobs_place), Clock()
    outward = Outward.at(settings.gateway_dir / "ledger.sock")
    former = {log: [one.old for one in await Archive(blobs, log).handovers()] for log in LOGS}
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        peers = await known_peers(outward, stop)
        await heard_once(signers, outward, peers, stop)
        while not stop.is_set():
            written = policy_of(settings, signers, witness_url, peers, former)
            policy = Policy.parse(written)
            await _show_policy(db, blobs, written)
            ended = asyncio.Event()
            async with asyncio.TaskGroup() as group:
                for log, signer in signers.items():
                    own = WitnessPeer(witness_url, through=witness_socket)
                    cosigners = cosigners_of(policy, outward, own, peers)
                    witnesses = Witnesses(signer.verifier, cosigners, former=former[log])
                    sequencer = Sequencer(log, signer, db, blobs, policy, witnesses, clock)
                    group.create_task(keep(sequencer, settings.ledger.period_ms / 1000, ended))
                # With other peers the policy is another: all begin anew with that.
                peers = await other_peers(outward, peers, stop)
                ended.set()
    finally:
        await outward.close()
        await db.close()


async def known_peers(outward: Outward, stop: asyncio.Event) -> list[PeerInfo]:
    """The cells whose witnesses cosign our logs; none where the gateway does not begin."""
    until = time.monotonic() + GATEWAY_WITHIN_S
    while not stop.is_set() and time.monotonic() < until:
        try:
            return await outward.peers()
        except (PeerUnreachable, PeerRefused):
            await asyncio.sleep(0.1)
    return []


async def heard_once(
    signers: dict[str, Signer], outward: Outward, peers: list[PeerInfo], stop: asyncio.Event
) -> None:
    """Waits for a while until each peer has been asked once what it has seen of our logs. A cell
    that was put back to an earlier state would else go on from there before it is told."""
    left = {peer.name for peer in peers}
    until = time.monotonic() + HEARD_WITHIN_S
    while left and not stop.is_set() and time.monotonic() < until:
        for name in sorted(left):
            with contextlib.suppress(PeerUnreachable, PeerRefused):
                for signer in signers.values():
                    await PeerWitness(outward, name).head(signer.verifier.name)
                left.discard(name)
        if left:
            await asyncio.sleep(0.2)
    if left:
        lines.warning("peers do not say what they have seen of our logs", count=len(left))


async def other_peers(
    outward: Outward, known: list[PeerInfo], stop: asyncio.Event
) -> list[PeerInfo]:
    """Waits until there are other peers, or other keys of theirs, or `stop`; gives them."""
    while not stop.is_set():
        try:
            await asyncio.wait_for(stop.wait(), PEERS_EVERY_S)
        except TimeoutError:
            with contextlib.suppress(PeerUnreachable, PeerRefused):
                found = await outward.peers()
                if _keys(found) != _keys(known):
                    return found
    return known


def _keys(peers: list[PeerInfo]) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(peer.name, peer.origin, peer.witness_keys) for peer in peers]


def cosigners_of(
    policy: Policy, outward: Outward, own: WitnessPeer, peers: list[PeerInfo]
) -> list[Cosigner]:
    """Everybody who can be asked to cosign: our own witness here, all others through the
    gateway."""
    theirs = [PeerWitness(outward, peer.name) for peer in peers]
    here = {own.url, *(f"{peer.origin}/witness" for peer in peers)}
    urls = {party.url for party in policy.witnesses.values() if party.url} - here
    return [own, *theirs, *(Outsider(outward, url) for url in sorted(urls))]


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


def policy_of(
    settings: Settings,
    signers: dict[str, Signer],
    witness_url: str,
    peers: Sequence[PeerInfo] = (),
    former: Mapping[str, Sequence[VerifierKey]] = _NOBODY,
) -> bytes:
    """The policy of the cell: its logs, with the keys of those who had them before, the oldest
    first; its witnesses, and how many must have cosigned. The witnesses of peers count as those of
    the file do. Raises SettingError for a file of witnesses that cannot be used."""
    origin = f"{settings.origin}/ledger"
    own = identity.policy_lines(identity.of(settings.witness_dir), OWN, witness_url)
    policy = [
        f"log {key} {origin}/{log}"
        for log, signer in signers.items()
        for key in dict.fromkeys([*former.get(log, ()), signer.verifier])
    ]
    policy += ["# The cell's own witness. It guards against mistakes; it proves nothing.", *own]
    path, wanted = settings.witnesses_file, settings.ledger.quorum
    try:
        added = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    except (OSError, UnicodeError) as error:
        raise SettingError(f"The file of witnesses cannot be read: {path} ({error}).") from error
    words = [line.split() for line in (*own, *added)]
    for peer in peers:
        # A key stands once in a policy; who shows somebody else's stands for nobody.
        taken = {word[2] for word in words if word[:1] == ["witness"] and len(word) > 2}
        if taken.isdisjoint(peer.witness_keys) and len(set(peer.witness_keys)) == 2:
            pair = zip(
                (f"cell-{peer.name}", f"cell-{peer.name}-pq"), peer.witness_keys, strict=True
            )
            added += [f"witness {name} {key} {peer.origin}/witness" for name, key in pair]
            words += [line.split() for line in added[-2:]]
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
