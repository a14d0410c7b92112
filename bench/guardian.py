"""Does a guardian give anything without an entry in the log, and what does it cost with one?

Expected: of 100,000 tries by root on the app host against a person without an open grant, 0 open;
four of five reach the guardian, which opens a half and checks a signature or two: 1 ms each. A
first use after a sign-in waits for a round of the log (every 250 ms), the witness and the guardian:
0.2 s in the middle, below 1 s in 99 of 100. The floor is the same cell without a guardian.

    PYTHONPATH=src .venv/bin/python -m bench.guardian

Both cells are in one process and one machine: the network between them is left out. A part of the
tries (`--far`) goes to a second running cell, half through the gateway and half past it, over HTTP.
Results are written to bench/results/guardian.md.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from msgspec.structs import replace
from tests.border.conftest import cell_in, running
from tests.conftest import NOT_DURABLE
from tests.trustee import house
from tests.trustee.attempts import Attacker
from tests.trustee.house import Guarded, guarded
from tests.trustee.test_far_red_team import attacked

from bench import machine
from luciole.custody.model import Field
from luciole.kit import migrate, postgres

RESULTS = Path(__file__).with_name("results") / "guardian.md"
FIELD = "contact.email"


async def first_uses(cell: Guarded, count: int) -> list[float]:
    """From a sign-in that was stored to the first sealed field, in milliseconds."""
    custody = cell.custody()
    ana = await cell.person()
    times = []
    for _ in range(count):
        token = await cell.session(ana.id)
        cell.forget()
        began = time.perf_counter()
        grant = await custody.session_grant(token)
        await custody.seal(grant, [Field(FIELD, 1, b"a")])
        times.append((time.perf_counter() - began) * 1000)
    return times


async def attack(us: Guarded, tries: int) -> tuple[Attacker, float]:
    """As in tests/trustee/test_red_team.py, for longer."""
    custody = us.custody()
    victim, other = await us.person(), await us.person()
    for one in (victim, other):
        grant = await custody.session_grant(one.token)
        await custody.seal(grant, [Field(FIELD, 1, b"a")])
    us.clock.advance(timedelta(hours=25))
    grant = await custody.session_grant(await us.session(other.id))
    await custody.seal(grant, [Field(FIELD, 1, b"a")])
    us.forget()
    attacker = Attacker(us, victim.id, seed=20261127)
    await attacker.look()
    before = await us.entries(victim.id)
    began = time.perf_counter()
    for number in range(tries):
        await attacker.attempt(number)
        us.way.told.clear()
    seconds = time.perf_counter() - began
    assert await us.entries(victim.id) == before, "an entry was made, so it proves nothing"
    assert sum(attacker.outcomes.values()) + attacker.opened == tries
    # Without this a guardian that refuses everybody would pass.
    token = await us.session(victim.id)
    grant = await custody.session_grant(token)
    await custody.seal(grant, [Field(FIELD, 1, b"a")])
    return attacker, seconds


def attack_far(folder: Path, tries: int) -> tuple[Attacker, dict[str, int], float]:
    """As in tests/trustee/test_far_red_team.py, for longer."""
    us, sg = cell_in(folder, "us"), cell_in(folder, "sg")
    us.settings = replace(us.settings, keys=replace(us.settings.keys, guardian="sg"))
    with running(us, sg):
        began = time.perf_counter()
        attacker, asked = asyncio.run(attacked(us, sg, folder / "stolen-keys", tries))
        return attacker, asked, time.perf_counter() - began


async def run(folder: Path, tries: int, uses: int) -> str:
    house.PERIOD_S = 0.25  # as cells have it by default
    server = postgres.Server(folder / "postgres", folder / "log", settings=NOT_DURABLE)
    async with postgres.embedded_async(folder / "postgres", settings=NOT_DURABLE):
        await migrate.apply(server.url())
        async with guarded(server.url(), folder / "alone", wanted="") as alone:
            floor = await first_uses(alone, uses)
        await _empty(server.url())
        async with guarded(server.url(), folder / "us") as us:
            await us.moving.turn("on")
            times = await first_uses(us, uses)
            attacker, seconds = await attack(us, tries)
    return told(attacker, tries, seconds, times, floor)


async def _empty(url: str) -> None:
    """The log's tables belong to one cell."""
    import asyncpg

    owner = await asyncpg.connect(url)
    await owner.execute(
        "TRUNCATE ledger.inbox, ledger.taken, ledger.state, ledger.seal, ledger.staged, "
        "ledger.checkpoint, ledger.cosignature, ledger.place"
    )
    await owner.close()


def told(
    attacker: Attacker, tries: int, seconds: float, times: list[float], floor: list[float]
) -> str:
    outcomes = sorted(attacker.outcomes.items(), key=lambda one: -one[1])
    rows = [("opened", f"{attacker.opened:,}"), *((name, f"{n:,}") for name, n in outcomes)]
    spread = [
        (name, f"{statistics.median(one):.0f} ms", f"{statistics.quantiles(one, n=100)[98]:.0f} ms")
        for name, one in (("with a guardian", times), ("without", floor))
    ]
    return (
        "# The guardian\n\n"
        "Written by `python -m bench.guardian`; its first lines say what was expected.\n\n"
        f"{machine.described()} Both cells in one process, no network between them.\n\n"
        f"## {tries:,} tries without an entry\n\n"
        f"In {seconds:.0f} s, against one person without an open grant:\n\n"
        f"{machine.table(('what came of it', 'tries'), rows)}\n"
        "After them one session of that person, with its entry, opened at once.\n\n"
        "## A sign-in and the first use of a key\n\n"
        f"{len(times)} of each, the log's round every 250 ms:\n\n"
        f"{machine.table(('', 'median', 'p99'), spread)}"
    )


def told_far(attacker: Attacker, asked: dict[str, int], seconds: float) -> str:
    outcomes = sorted(attacker.outcomes.items(), key=lambda one: -one[1])
    tries = sum(attacker.outcomes.values()) + attacker.opened
    rows = [("opened", f"{attacker.opened:,}"), *((name, f"{n:,}") for name, n in outcomes)]
    ways = ", ".join(f"{count:,} {way}" for way, count in sorted(asked.items()))
    return (
        f"\n## {tries:,} tries against a second running cell\n\n"
        f"In {seconds:.0f} s with its start as a peer; the guardian was asked {ways}.\n\n"
        f"{machine.table(('what came of it', 'tries'), rows)}\n"
        "After them one session of that person, with its entry, sealed a field at once.\n"
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--tries", type=int, default=100_000)
    options.add_argument("--far", type=int, default=5_000)
    options.add_argument("--uses", type=int, default=300)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = asyncio.run(run(Path(folder), chosen.tries, chosen.uses))
    if chosen.far:
        with tempfile.TemporaryDirectory() as folder:
            result += told_far(*attack_far(Path(folder), chosen.far))
    print(result)
    RESULTS.write_text(result, encoding="utf-8")


if __name__ == "__main__":
    main()
