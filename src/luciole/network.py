"""`luciole demo --cells us,sg`: several whole cells on this machine, each with its own folder,
keys, database and logs, that exchange with one another as cells of different operators do.

The cells are started, each made a peer of the others by its operator's own command, with
fingerprints compared; the next one in the circle guards its keys. Then their people come, and some
let their clips cross.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shlex
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from luciole import code_console, config, guarding, peering, serve
from luciole.ask.gateway import Outward, PeerRefused, PeerUnreachable
from luciole.code_console import CodeConsole
from luciole.config import Settings
from luciole.kit import durable, processes
from luciole.kit.console import say
from luciole.kit.errors import Invalid, Problem

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,19}")
FIRST_BORDER_PORT = 8180
# Where a short name is no country's code.
JURISDICTIONS = {"eu": "FR", "uk": "GB"}
ANSWERS = "The cell answers after"
READY_WITHIN_S = 180.0
KNOWN_WITHIN_S = 60.0
STOPPED_WITHIN_S = 40.0
DRAWN_WITHIN_S = 10.0


class BadCells(Invalid):
    code = "demo-cells"
    sentence = "A demo has two to four cells, each with a short name of its own."
    next_step = "Write them with commas between, such as --cells us,sg."


@dataclass
class Member:
    """One cell of the demo and its supervisor."""

    environment: dict[str, str]
    settings: Settings
    own: dict[str, str] = field(default_factory=dict)
    """What of the environment is its own."""
    process: asyncio.subprocess.Process | None = None
    seeding: asyncio.subprocess.Process | None = None
    codes: CodeConsole | None = None
    answers: asyncio.Event = field(default_factory=asyncio.Event)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.settings.cell.short_name


def names_of(text: str) -> list[str]:
    """The short names in `us,sg`. Raises BadCells."""
    names = [name.strip().lower() for name in text.split(",")]
    if not 2 <= len(names) <= 4 or len(set(names)) < len(names):
        raise BadCells
    if not all(NAME.fullmatch(name) for name in names):
        raise BadCells
    return names


def members_of(environment: Mapping[str, str], names: Sequence[str]) -> list[Member]:
    """The cells with their settings: folders side by side, each with ports of its own."""
    base = config.load(environment)
    found, taken = list[Member](), set[int]()
    for at, name in enumerate(names):
        web = _free(base.web.port + at, taken)
        border = _free(FIRST_BORDER_PORT + at, taken)
        own = {
            "LUCIOLE_DATA_DIR": str(base.data / name),
            "LUCIOLE_WEB_PORT": str(web),
            "LUCIOLE_WEB_ORIGIN": f"http://localhost:{web}",
            "LUCIOLE_CELL_SHORT_NAME": name,
            "LUCIOLE_CELL_NAME": f"Luciole {name.upper()}",
            "LUCIOLE_CELL_OPERATOR": f"whoever tries the demo, as the operator of {name}",
            "LUCIOLE_CELL_JURISDICTION": JURISDICTIONS.get(name, name[:2].upper()),
            "LUCIOLE_BORDER_HOST": "127.0.0.1",
            "LUCIOLE_BORDER_PORT": str(border),
            "LUCIOLE_BORDER_ORIGIN": f"http://127.0.0.1:{border}",
            "LUCIOLE_KEYS_GUARDIAN": names[(at + 1) % len(names)],
            "LUCIOLE_CONTACTS_PEER": names[(at + 1) % len(names)],
        }
        whole = {**environment, **own}
        found.append(Member(whole, config.load(whole), own))
    return found


def write_settings(member: Member) -> Path:
    """Puts the settings of a cell beside its folder, for a shell to read: with them, its operator's
    commands are about this cell."""
    told = {**member.own, "LUCIOLE_CELL_DEMO": "true"}
    path = member.settings.data.with_suffix(".env")
    lines = "".join(f"{name}={shlex.quote(value)}\n" for name, value in told.items())
    durable.replace(path, lines.encode())
    return path


async def run(
    environment: Mapping[str, str], names: Sequence[str], *, is_fresh: bool, is_empty: bool = False
) -> int:
    """Runs the cells until a signal asks to stop; `is_empty`: nobody comes by themselves."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    members = members_of(environment, names)
    for member in members if is_fresh else ():
        serve.clear(member.settings)
    try:
        work = asyncio.create_task(_begin(members, is_empty))
        waiting = asyncio.create_task(stop.wait())
        await asyncio.wait({work, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            await work
            await stop.wait()
        else:
            work.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await work
    finally:
        await asyncio.gather(*(_end(member) for member in members))
    return 0


async def _begin(members: list[Member], is_empty: bool) -> None:
    await asyncio.gather(*(_start(member) for member in members))
    for member in members:
        await _answers(member)
    await _peer(members)
    for member in members:
        await _guard(member)
    paths = [write_settings(member) for member in members]
    say(_box(members, paths, is_empty))
    for member in () if is_empty else members:
        await _fill(member)


async def _start(member: Member) -> None:
    """The cell's supervisor; each line of its console begins with the cell's name. Codes that
    verify addresses come there, too."""
    member.codes = await code_console.begun(
        member.settings, lambda line: say(f"{member.name}: {line}")
    )
    member.environment |= member.codes.environment
    member.process = await asyncio.create_subprocess_exec(
        *processes.launched([sys.executable, "-m", "luciole", "serve"]),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=member.environment,
        start_new_session=True,
    )
    member.tasks.append(asyncio.create_task(_relay(member, member.process)))


async def _relay(member: Member, process: asyncio.subprocess.Process) -> None:
    assert process.stdout is not None
    while line := await process.stdout.readline():
        text = line.decode(errors="replace").rstrip()
        if ANSWERS in text:
            member.answers.set()
        if text:
            say(f"{member.name}: {text}")


async def _answers(member: Member) -> None:
    assert member.process is not None
    answering = asyncio.create_task(member.answers.wait())
    ending = asyncio.create_task(member.process.wait())
    done, left = await asyncio.wait(
        {answering, ending}, timeout=READY_WITHIN_S, return_when=asyncio.FIRST_COMPLETED
    )
    for task in left:
        task.cancel()
    if answering not in done:
        raise Problem(
            f"The cell {member.name} did not start.",
            next_step="Its lines above say why; ./luciole doctor looks for the usual causes.",
        )


async def _peer(members: list[Member]) -> None:
    """Each operator adds the others, after comparing the fingerprint that the other's own machine
    shows. What is agreed already stays."""
    passports = {}
    async with asyncio.timeout(KNOWN_WITHIN_S):
        for member in members:
            while member.name not in passports:
                try:
                    passports[member.name] = await peering.own(member.settings)
                except (peering.NoCellThere, PeerUnreachable, PeerRefused):
                    await asyncio.sleep(0.5)
    for member in members:
        for name, passport in passports.items():
            if name != member.name:
                with contextlib.suppress(peering.AlreadyPeer):
                    shown = passport.fingerprint
                    await peering.add(member.settings, passport.origin, shown, lambda _: False)
                    say(f"{member.name}: {name} is a peer, fingerprint {shown}")
    for member in members:
        await _seen(member)


async def _seen(member: Member) -> None:
    """Waits until its witness has read the logs of its peers, without which nothing crosses. A
    demo goes on where that takes too long."""
    outward = Outward.at(member.settings.gateway_dir / "operator.sock")
    try:
        with contextlib.suppress(TimeoutError, PeerUnreachable, PeerRefused):
            async with asyncio.timeout(KNOWN_WITHIN_S):
                # The gateway tells nobody by itself when that has come about.
                while any(one.verdict != "GREEN" for one in await outward.peers()):  # noqa: ASYNC110
                    await asyncio.sleep(0.5)
    finally:
        await outward.close()


async def _guard(member: Member) -> None:
    """The next cell guards the keys of this one. A demo goes on without."""
    try:
        await guarding.change(member.settings, "on", lambda _: None)
    except Problem as problem:
        say(f"{member.name}: {problem.sentence}")
    else:
        say(f"{member.name}: {member.settings.keys.guardian} guards its keys from now on")


async def _fill(member: Member) -> None:
    """Lets its people and clips come, in a process of its own."""
    member.seeding = process = await asyncio.create_subprocess_exec(
        *processes.launched(
            [sys.executable, "-m", "luciole", "seed-process", "--address", member.settings.origin]
        ),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=member.environment,
        start_new_session=True,
    )
    member.tasks.append(asyncio.create_task(_relay(member, process)))


async def _end(member: Member) -> None:
    # Who draws films first, with what it has started for that; then the cell.
    if (seeding := member.seeding) is not None and seeding.returncode is None:
        await _signalled(seeding, signal.SIGINT, DRAWN_WITHIN_S)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(seeding.pid, signal.SIGKILL)
    if (process := member.process) is not None and process.returncode is None:
        await _signalled(process, signal.SIGTERM, STOPPED_WITHIN_S)
    if member.codes is not None:
        member.codes.close()
    for task in member.tasks:
        task.cancel()
    await asyncio.gather(*member.tasks, return_exceptions=True)


async def _signalled(
    process: asyncio.subprocess.Process, number: signal.Signals, seconds: float
) -> None:
    """Signals a process with its group, and waits for its end."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), seconds)


def _box(members: list[Member], paths: list[Path], is_empty: bool) -> str:
    lines = [
        "Cells that exchange, each with its own people, keys and logs:",
        *(f"  {member.name}   {member.settings.origin}" for member in members),
        "What crosses between them, and who watches:",
        *(f"  {member.name}   {member.settings.origin}/glass" for member in members),
        "The settings of each, for commands of its operator:",
        *(f"  {member.name}   {path}" for member, path in zip(members, paths, strict=True)),
        "They are empty: sign up as you like."
        if is_empty
        else "Their people come now; some of their clips cross.",
        "Stop with Ctrl-C.",
    ]
    width = max(map(len, lines))
    edge = "+" + "-" * (width + 4) + "+"
    return "\n".join(["", edge, *(f"|  {line:{width}}  |" for line in lines), edge, ""])


def _free(wanted: int, taken: set[int]) -> int:
    """The wanted port, or another that nobody has."""
    for port in (wanted, 0):
        with socket.socket() as one, contextlib.suppress(OSError):
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.bind(("127.0.0.1", port))
            found = int(one.getsockname()[1])
            if found not in taken:
                taken.add(found)
                return found
    return _free(0, taken)
