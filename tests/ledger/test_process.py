"""The log's process: its policy, and the loop that keeps a sequencer going."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.ledger.house import House

from luciole import ledger_process
from luciole.config import LedgerSettings, SettingError, Settings
from luciole.kit.blobs import Moved
from luciole.kit.db import Unreachable
from luciole.ledger.archive import Stopped
from luciole.ledger.note import KeyKind, Signer
from luciole.ledger.policy import Policy
from luciole.witness import identity

SIGNERS = {
    log: Signer(f"luciole/cell/{log}", KeyKind.ED25519, log.encode().ljust(32))
    for log in ledger_process.LOGS
}


def settings(home: Path, **more: Any) -> Settings:
    return Settings(data_dir=str(home), ledger=LedgerSettings(**more))


def policy(given: Settings) -> Policy:
    return Policy.parse(ledger_process.policy_of(given, SIGNERS, "http://127.0.0.1:7"))


def write(home: Path, *lines: str) -> None:
    (home / "ledger").mkdir(exist_ok=True)
    (home / "ledger" / "witnesses").write_text("".join(f"{line}\n" for line in lines))


def outsider(home: Path, name: str) -> str:
    return identity.policy_lines(identity.of(home / name, name), name)[0]


def test_policy_names_the_logs_and_the_own_witness(tmp_path: Path) -> None:
    made = policy(settings(tmp_path))
    assert [party.key for party in made.logs] == [one.verifier for one in SIGNERS.values()]
    assert made.logs[0].url == "http://localhost:8080/ledger/access"
    assert set(made.witnesses) == {"local", "local-pq"}
    assert made.witnesses["local"].url == "http://127.0.0.1:7"
    assert made.is_enough(["local"])
    assert not made.is_enough(["local-pq"])


def test_outsider_who_gave_both_keys_counts_once(tmp_path: Path) -> None:
    both = identity.policy_lines(identity.of(tmp_path / "ana", "ana"), "ana")
    write(tmp_path, *both, outsider(tmp_path, "ben"))
    made = policy(settings(tmp_path, quorum=2))
    assert not made.is_enough(["ana", "ana-pq"])
    assert made.is_enough(["ana", "ben"])
    assert made.is_enough(["ana-pq", "ben"])


def test_outsiders_count_as_the_operator_says(tmp_path: Path) -> None:
    write(tmp_path, "# friends", *(outsider(tmp_path, name) for name in ("ana", "ben", "cy")))
    assert policy(settings(tmp_path)).is_enough(["local"])
    made = policy(settings(tmp_path, quorum=2))
    assert not made.is_enough(["local", "ana"])
    assert made.is_enough(["ana", "cy"])


def test_file_may_say_all_by_itself(tmp_path: Path) -> None:
    ana, ben = outsider(tmp_path, "ana"), outsider(tmp_path, "ben")
    other = tmp_path / "elsewhere"
    other.write_text(f"{ana}\n{ben}\ngroup both all ana ben\nquorum both\n")
    made = policy(settings(tmp_path, witnesses=str(other)))
    assert made.is_enough(["ana", "ben"])
    assert not made.is_enough(["local", "ana"])


@pytest.mark.parametrize(
    ("lines", "quorum"), [(["witness"], 0), (["nonsense"], 0), ([], 1), (["quorum x"], 0)]
)
def test_file_that_cannot_be_used_is_refused(tmp_path: Path, lines: list[str], quorum: int) -> None:
    write(tmp_path, *lines)
    with pytest.raises(SettingError, match="cannot be used"):
        policy(settings(tmp_path, quorum=quorum))


def test_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ledger" / "witnesses").mkdir(parents=True)
    with pytest.raises(SettingError, match="cannot be read"):
        policy(settings(tmp_path))


async def test_policy_is_shown_and_its_changes_are_logged(decisions: House) -> None:
    for content in (b"a\n", b"a\n", b"b\n"):
        await ledger_process._show_policy(decisions.db, decisions.blobs, content)
        assert await decisions.blobs.get("ledger/policy") == content
    await decisions.sequencer().round()
    kinds = [json.loads(one)["kind"] for one in decisions.published()]
    assert kinds == ["policy", "policy"]


# The loop


class Scripted:
    """A sequencer whose rounds go as written."""

    log = "access"

    def __init__(self, *rounds: int | Exception, stop: asyncio.Event) -> None:
        self.rounds, self.stop = list(rounds), stop
        self.forgotten = 0
        self.waiting: Callable[[], bool] = lambda: True

    async def is_waiting(self) -> bool:
        return self.waiting()

    async def round(self) -> int:
        if not self.rounds:
            self.stop.set()
            return 0
        outcome = self.rounds.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def forget(self) -> None:
        self.forgotten += 1


async def keep(*rounds: int | Exception, period_s: float = 0.001) -> Scripted:
    stop = asyncio.Event()
    scripted = Scripted(*rounds, stop=stop)
    async with asyncio.timeout(10):
        await ledger_process.keep(scripted, period_s, stop)  # type: ignore[arg-type]
    return scripted


async def test_loop_survives_whatever_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_process, "AFTER_FAILURE_S", 0.001)
    monkeypatch.setattr(ledger_process, "STOPPED_S", 0.001)
    failures = [
        Stopped("log-forked", "x"),
        Moved("x"),
        TimeoutError(),
        OSError(28, "No space left on device"),
        Unreachable("nobody listens there"),
    ]
    scripted = await keep(1, *failures, 5000, 1)
    assert scripted.rounds == []
    assert scripted.forgotten == len(failures)


async def test_what_is_no_failure_of_a_neighbour_ends_the_process() -> None:
    """A mistake of ours: the supervisor starts the process anew."""
    with pytest.raises(ZeroDivisionError):
        await keep(ZeroDivisionError())


async def test_busy_log_goes_on_without_a_pause() -> None:
    stop = asyncio.Event()
    scripted = Scripted(*[2000] * 50, stop=stop)
    running = asyncio.create_task(
        ledger_process.keep(scripted, 60, stop)  # type: ignore[arg-type]
    )
    async with asyncio.timeout(5):
        await running


async def test_quiet_log_is_looked_after_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_process, "QUIET_S", 0.02)
    stop = asyncio.Event()
    scripted = Scripted(*[0] * 5, stop=stop)
    scripted.waiting = lambda: False
    async with asyncio.timeout(10):
        await ledger_process.keep(scripted, 0.001, stop)  # type: ignore[arg-type]
    assert scripted.rounds == []
