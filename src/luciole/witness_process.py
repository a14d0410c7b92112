"""Runs a witness: beside a cell, for its supervisor, or alone, for anybody who watches a cell."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import time
from pathlib import Path

from luciole import config
from luciole.ask.gateway import Outward
from luciole.border.peers import Peer, PeerAway
from luciole.kit import logs
from luciole.kit.blobs import Blobs, Missing
from luciole.kit.console import say
from luciole.kit.errors import Invalid, Unavailable
from luciole.kit.logs import log as lines
from luciole.witness import identity
from luciole.witness.circle import Circle
from luciole.witness.cosigner import Witness
from luciole.witness.follow import LOGS, Follower
from luciole.witness.mirror import Refusal
from luciole.witness.room import Limits
from luciole.witness.server import Server

# Between two looks at a cell, and at most between two words about it.
LOOK_S = 1.0
WORD_S = 60.0
POLICY = "policy"


class NoCell(Unavailable):
    """The address leads to no cell."""

    code = "no-cell"
    sentence = "There is no cell with logs at this address."
    next_step = "Check the address; it is that of the cell's page, such as https://cell.example."


class NoListening(Invalid):
    """The address to listen on cannot be used."""

    code = "witness-listen"
    sentence = "The witness cannot listen there."
    next_step = "Give a free port, or HOST:PORT with an address of this machine."


def beside(handle: int, inner_handle: int) -> None:
    """The cell's own witness, on two listening sockets that were handed down: one of loopback, and
    a Unix socket for the cell's log. It mirrors the archive and watches over the database; to
    others it proves nothing, since the operator runs it."""
    settings = config.load(os.environ)
    logs.setup("witness", level=settings.log_level)
    listeners = [socket.socket(fileno=one) for one in (handle, inner_handle)]
    asyncio.run(_beside(settings, listeners))


async def _beside(settings: config.Settings, listeners: list[socket.socket]) -> None:
    home, blobs = settings.witness_dir, Blobs.open(settings.blobs_place)

    async def get(path: str) -> bytes:
        return await blobs.get(f"ledger/{path}")

    def told(sentence: str) -> None:
        lines.critical("a log misbehaves", code=sentence.partition(":")[0].lower())

    signers = identity.of(home)
    witness = Witness(home, signers, time.time, told)
    outward = Outward.at(settings.gateway_dir / "witness.sock")
    ledger = settings.ledger
    limits = Limits(ledger.mirror_bytes, ledger.mirror_free_bytes, ledger.mirror_bytes_per_s)
    circle = Circle(Follower(witness, get), witness, signers, outward, told, limits)
    with contextlib.ExitStack() as stack:
        for listener in listeners:
            stack.enter_context(Server(listener, circle.add_checkpoint, circle.read))
        await circle.run(_signalled())
    await outward.close()


def alone(url: str, home: Path, name: str, listen: str) -> int:
    """A witness of a cell somewhere else, until Ctrl-C; the exit status."""
    logs.setup("witness", level="error")
    return asyncio.run(_alone(url, home.absolute(), name, listen))


async def _alone(url: str, home: Path, name: str, listen: str) -> int:
    try:
        peer = Peer(url)
    except ValueError as error:
        raise NoCell(str(error)) from error
    signers = identity.of(home, name)
    witness = Witness(home, signers, time.time, lambda sentence: say(f"\n*** {sentence}\n"))
    follower = Follower(witness, lambda path: peer.get(f"ledger/{path}"))
    server, address = None, ""
    if listen:
        listener, address = _listen(listen)
        server = Server(listener, follower.add_checkpoint, witness.read)
    name = signers[0].verifier.name
    policy = identity.policy_lines(signers, name, address)
    (home / POLICY).write_text("".join(f"{line}\n" for line in policy), encoding="utf-8")
    say(
        f"Witness {name}, in {home}. Keep that folder: without it, it knows nothing.\n"
        f"Its keys: {signers[0].verifier} (Ed25519), and one for ML-DSA-44 in {home / POLICY}.\n\n"
        "Send this line to the operator of the cell, who adds it to its file of witnesses:\n\n"
        f"{policy[0]}\n"
    )
    stop = _signalled()
    words = _Words()
    while not stop.is_set():
        await _look(follower, peer, words)
        try:
            await asyncio.wait_for(stop.wait(), LOOK_S)
        except TimeoutError:
            continue
    if server:
        server.shutdown()
    peer.close()
    say("Stopped.")
    return 0


class _Words:
    """Says what is new, and the rest once a minute."""

    def __init__(self) -> None:
        self._said: dict[str, tuple[str, str, float]] = {}

    def say(self, about: str, kind: str, sentence: str) -> None:
        known, told, at = self._said.get(about, ("", "", 0.0))
        now = time.monotonic()
        if kind != known or (sentence != told and now - at > WORD_S):
            self._said[about] = (kind, sentence, now)
            say(sentence)


async def _look(follower: Follower, peer: Peer, words: _Words) -> None:
    """One look at all logs of a cell; nothing that it shows ends us."""

    async def post(log: str, body: bytes) -> None:
        answer = await peer.ask("POST", f"ledger/{log}/cosignature", body)
        if answer.status >= 300:
            raise Refusal(
                answer.status,
                f"not-taken-{answer.status}",
                f"{log}: cosigned, but the cell does not take our cosignature ({answer.status}): "
                "does its policy name this witness?",
            )

    if not follower.keys:
        try:
            await follower.learn()
        except (PeerAway, Missing, Refusal) as error:
            words.say("cell", type(error).__name__, f"{peer.url}: {error}")
            return
        for log, key in follower.keys.items():
            say(f"{log}: {key}")
    for log in LOGS:
        try:
            size = await follower.cosign(log, post)
            words.say(log, "cosigned", f"{log}: {size} entries, cosigned.")
        except Missing:
            words.say(log, "missing", f"{log}: the cell shows no head yet.")
        except PeerAway as error:
            words.say(log, "away", f"{log}: unreachable. {error}")
        except Refusal as error:
            words.say(log, error.code, f"{log}: not cosigned. {error}")


def _listen(text: str) -> tuple[socket.socket, str]:
    host, _, port = text.rpartition(":")
    host = host.strip("[]") or "127.0.0.1"
    try:
        listener = socket.create_server((host, int(port)), family=_family(host))
    except (OSError, ValueError, OverflowError) as error:
        raise NoListening(f"The witness cannot listen on {text}: {error}.") from error
    shown = f"[{host}]" if ":" in host else host
    return listener, f"http://{shown}:{listener.getsockname()[1]}"


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _signalled() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop
