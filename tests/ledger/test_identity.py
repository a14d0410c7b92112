"""The keys of a witness, when two processes look for them at a first start."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from luciole.kit import durable
from luciole.witness import identity


def test_two_that_start_at_once_have_the_same_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    meeting, create = threading.Barrier(2), durable.create

    def at_the_same_moment(files: list[tuple[Path, bytes]]) -> None:
        # Both have found nothing, and both have drawn keys.
        meeting.wait(10)
        create(files)

    monkeypatch.setattr(durable, "create", at_the_same_moment)
    found: list[list[str]] = []

    def start() -> None:
        found.append([str(signer.verifier) for signer in identity.of(tmp_path)])

    threads = [threading.Thread(target=start) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(found) == 2
    assert found[0] == found[1]
    assert [str(signer.verifier) for signer in identity.of(tmp_path)] == found[0]
