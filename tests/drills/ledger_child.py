"""A process of the ledger drills: the sequencers of two logs, or their witness.

python -m tests.drills.ledger_child sequence DATABASE_URL FOLDER WITNESS_URL
python -m tests.drills.ledger_child witness FOLDER PORT
"""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
import time
from pathlib import Path

from luciole import ledger_process
from luciole.border.peers import Witnesses, WitnessPeer
from luciole.kit import logs
from luciole.kit.blobs import Blobs
from luciole.kit.clock import Clock
from luciole.kit.db import Database
from luciole.ledger.archive import Tiles
from luciole.ledger.note import KeyKind, Signer
from luciole.ledger.policy import Policy
from luciole.ledger.sequencer import Sequencer
from luciole.witness import identity
from luciole.witness.cosigner import Witness
from luciole.witness.server import Server

LOGS = ("access", "decisions")
PERIOD_S = 0.1


def signer(log: str) -> Signer:
    return Signer(f"luciole/drill/{log}", KeyKind.ED25519, log.encode().ljust(32))


def policy(folder: Path) -> Policy:
    """Both logs, and the witness of the drill."""
    lines = [f"log {signer(log).verifier}" for log in LOGS]
    lines += [*identity.policy_lines(identity.of(folder / "witness", "drill"), "drill")]
    return Policy.parse("\n".join([*lines, "quorum drill", ""]).encode())


async def sequence(url: str, folder: Path, witness: str) -> None:
    db = await Database.open(url, size=4)
    blobs, stop = Blobs.open(str(folder / "blobs")), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with asyncio.TaskGroup() as group:
        for log in LOGS:
            key = signer(log)
            witnesses = Witnesses(key.verifier, [WitnessPeer(witness, timeout_s=5)])
            made = Sequencer(log, key, db, blobs, policy(folder), witnesses, Clock())
            group.create_task(ledger_process.keep(made, PERIOD_S, stop))
    await db.close()


async def watch(folder: Path, port: int) -> None:
    blobs, home = Blobs.open(str(folder / "blobs")), folder / "witness"
    witness = Witness(
        home, identity.of(home, "drill"), time.time, lambda said: print(said, flush=True)
    )
    for log in LOGS:

        async def get(path: str, log: str = log) -> bytes:
            return await blobs.get(f"ledger/{log}/{path}")

        witness.follow(signer(log).verifier, Tiles(get), has_seals=log == "access")
    Server(socket.create_server(("127.0.0.1", port)), witness.add_checkpoint, witness.read)
    await asyncio.Event().wait()


def main(words: list[str]) -> None:
    logs.setup("drill", level="warning")
    ledger_process.AFTER_FAILURE_S = ledger_process.STOPPED_S = 0.2
    if words[0] == "sequence":
        asyncio.run(sequence(words[1], Path(words[2]), words[3]))
    else:
        asyncio.run(watch(Path(words[1]), int(words[2])))


if __name__ == "__main__":
    main(sys.argv[1:])
