"""Whatever bytes somebody sends: never a traceback, and never GREEN for what was changed."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.verifier import runs
from verifier.luciole_verify import Finding

from verifier import luciole_verify

MANY = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
CASES = ("good", "good-ml-dsa", "journal-good-ranges", "receipt-good")


@pytest.fixture(scope="module")
def laid(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, list[str]]]:
    place = tmp_path_factory.mktemp("hostile")
    return {name: (place / name, runs.lay(name, place / name)) for name in CASES}


def judged(capsys: pytest.CaptureFixture[str], words: list[str]) -> str:
    _, report = runs.run(capsys, *words)
    assert "verifier.fault" not in runs.codes(report), report["claims"]
    verdict: str = report["verdict"]
    return verdict


@MANY
@given(data=st.data())
def test_one_changed_byte_is_never_green(
    data: st.DataObject, laid: dict[str, tuple[Path, list[str]]], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, words = laid[data.draw(st.sampled_from(CASES))]
    files = sorted(
        path for path in folder.rglob("*") if path.is_file() and path.name not in UNSIGNED
    )
    path = data.draw(st.sampled_from(files))
    whole = path.read_bytes()
    place = data.draw(st.integers(0, len(whole.rstrip(b"\n")) - 1))
    changed = bytearray(whole)
    changed[place] ^= data.draw(st.integers(1, 255))
    path.write_bytes(changed)
    try:
        assert judged(capsys, words) != "GREEN"
    finally:
        path.write_bytes(whole)


# A policy is the checker's own, with comments and addresses that say nothing; lines of an export
# repeat what the proof has.
UNSIGNED = {"policy", "expected.json", "journal.jsonl"}


@MANY
@given(data=st.data())
def test_torn_and_foreign_bytes_are_judged(
    data: st.DataObject, laid: dict[str, tuple[Path, list[str]]], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, words = laid[data.draw(st.sampled_from(CASES))]
    path = data.draw(st.sampled_from(sorted(one for one in folder.rglob("*") if one.is_file())))
    whole = path.read_bytes()
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, len(whole)))
    piece = data.draw(st.one_of(st.binary(max_size=40), st.sampled_from(PIECES)))
    path.write_bytes(whole[:start] + piece + whole[end:])
    try:
        judged(capsys, words)
    finally:
        path.write_bytes(whole)


PIECES = (
    b"\n\n",
    b"null",
    b"[" * 3_000,
    b'{"a":' * 3_000,
    b"9" * 5_000,
    b"-1",
    b"1e999",
    b"NaN",
    b'"\\ud800"',
    "\u2014 x AAAAAAAA\n".encode(),
    b"\xff\xfe",
)


@given(st.text())
@example("\x1b[2J\u202e\x07")
def test_stranger_text_does_not_reach_the_terminal_as_it_is(text: str) -> None:
    shown = luciole_verify.shown(text)
    assert shown.isascii()
    assert shown.isprintable()
    assert len(shown) <= 80


@given(st.integers(0, 2**64))
def test_every_time_has_a_date(at: int) -> None:
    assert luciole_verify.clock(at).endswith(" UTC")


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_parsers_refuse_or_answer(data: bytes) -> None:
    for parse in (
        luciole_verify.point_of,
        luciole_verify.policy_of,
        luciole_verify.access_of,
        luciole_verify.text_of,
        lambda data: luciole_verify.unbundled(data, 2),
    ):
        with suppress(Finding), luciole_verify.formed("entry.format", 0):
            parse(data)


def test_cases_are_good_before_and_after(
    laid: dict[str, tuple[Path, list[str]]], capsys: pytest.CaptureFixture[str]
) -> None:
    for _, words in laid.values():
        assert judged(capsys, words) == "GREEN"
