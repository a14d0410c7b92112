"""Pure rules: turning, sizes, ranges, signatures, tone mapping, refusals."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from luciole.cell.media import tonemap
from luciole.cell.media.encode import scaled
from luciole.cell.media.links import Links
from luciole.cell.media.model import REFUSALS, refusal
from luciole.cell.media.probe import upright
from luciole.kit.ranges import RangeOutside, wanted

ONE = 1 << 16
NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("matrix", "filters", "is_turned"),
    [
        ([ONE, 0, 0, ONE], "", False),
        ([-ONE, 0, 0, -ONE], "hflip,vflip", False),
        ([-ONE, 0, 0, ONE], "hflip", False),
        ([ONE, 0, 0, -ONE], "vflip", False),
        ([0, ONE, -ONE, 0], "transpose=clock", True),
        ([0, -ONE, ONE, 0], "transpose=cclock", True),
        ([0, ONE, ONE, 0], "transpose=cclock_flip", True),
        ([0, -ONE, -ONE, 0], "transpose=clock_flip", True),
    ],
)
def test_the_eight_ways_to_lay_a_picture(matrix: list[int], filters: str, is_turned: bool) -> None:
    assert upright(matrix) == (filters, is_turned)


@given(st.integers(16, 4096), st.integers(16, 4096), st.sampled_from([540, 720, 1080]))
def test_sizes_are_even_never_larger_and_keep_the_shape(width: int, height: int, side: int) -> None:
    w, h = scaled(width, height, side)
    assert w % 2 == h % 2 == 0
    assert w <= width
    assert h <= height
    assert min(w, h) <= side
    assert abs(w / h - width / height) <= 2.2 * max(w, h) / min(w, h) ** 2 + 0.01


@pytest.mark.parametrize(
    ("header", "part"),
    [
        (None, None),
        ("bytes=0-", (0, 100)),
        ("bytes=0-0", (0, 1)),
        ("bytes=10-19", (10, 20)),
        ("bytes=90-1000", (90, 100)),
        ("bytes=-10", (90, 100)),
        ("bytes=-1000", (0, 100)),
        ("bytes=5-4", None),
        ("bytes=-", None),
        ("bytes=0-1,5-6", None),
        ("items=0-1", None),
        ("bytes=a-b", None),
    ],
)
def test_ranges(header: str | None, part: tuple[int, int] | None) -> None:
    assert wanted(header, 100) == part


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=1000-2000", "bytes=-0"])
def test_ranges_outside(header: str) -> None:
    with pytest.raises(RangeOutside):
        wanted(header, 100)


@given(st.text(max_size=40), st.integers(0, 1000))
def test_any_range_header_gives_a_part_of_the_file(text: str, size: int) -> None:
    try:
        part = wanted(text, size)
    except RangeOutside:
        return
    if part:
        assert 0 <= part[0] < part[1] <= size


def test_signature_holds_for_one_file_one_session_and_five_minutes() -> None:
    links = Links(b"k" * 32, 300)
    session = uuid4()
    url = links.url("r/token/540-1.mp4", session, NOW)
    path, _, query = url.partition("?")
    assert path == "/media/r/token/540-1.mp4"
    exp, sig = (part.partition("=")[2] for part in query.split("&"))
    check = ("r/token/540-1.mp4", int(exp), sig, session)
    assert links.check(*check, NOW) == "good"
    assert links.check(*check, NOW + timedelta(seconds=299)) == "good"
    assert links.check(*check, NOW + timedelta(seconds=301)) == "expired"
    assert links.check("r/token/720-2.mp4", int(exp), sig, session, NOW) == "forged"
    assert links.check("r/token/540-1.mp4", int(exp) + 1, sig, session, NOW) == "forged"
    assert links.check("r/token/540-1.mp4", int(exp), sig, uuid4(), NOW) == "forged"
    assert links.check("r/token/540-1.mp4", int(exp), sig, None, NOW) == "forged"
    assert links.check("r/token/540-1.mp4", int(exp), "é" + sig[1:], session, NOW) == "forged"
    assert Links(b"j" * 32, 300).check(*check, NOW) == "forged"


def test_public_addresses_carry_no_signature() -> None:
    links = Links(b"k" * 32, 300)
    assert links.url("p/token/540-1.mp4", uuid4(), NOW) == "/media/p/token/540-1.mp4"
    assert links.url("r/token/540-1.mp4", None, NOW) == "/media/r/token/540-1.mp4"


@pytest.mark.parametrize("transfer", [tonemap.PQ, tonemap.HLG])
def test_grey_stays_grey_and_brighter_stays_brighter(transfer: int) -> None:
    grey = np.repeat(np.linspace(0, 1, 50)[:, None], 3, axis=1)
    shown = tonemap.to_sdr(grey, transfer)
    assert np.ptp(shown, axis=1).max() < 0.002
    assert (np.diff(shown[:, 0]) >= -1e-9).all()
    assert shown[0, 0] < 0.01
    assert shown[-1, 0] == pytest.approx(1, abs=0.01)


def test_hlg_reference_levels_land_where_sdr_has_them() -> None:
    """BT.2408: 38 % HLG is an 18 % grey card, 75 % is diffuse white."""
    levels = np.repeat(np.array([0.38, 0.75])[:, None], 3, axis=1)
    grey, white = tonemap.to_sdr(levels, tonemap.HLG)[:, 0]
    assert 0.35 < grey < 0.50
    assert 0.68 < white < 0.85


@pytest.mark.parametrize("transfer", [tonemap.PQ, tonemap.HLG])
def test_blue_stays_blue(transfer: int) -> None:
    """A bright sky once turned yellow."""
    sky = np.array([[0.45, 0.60, 0.85], [0.55, 0.65, 0.75]])
    for red, green, blue in tonemap.to_sdr(sky, transfer):
        assert blue >= green >= red


def test_every_refusal_says_why_and_what_to_do() -> None:
    for code, each in REFUSALS.items():
        assert each.code == code
        assert each.sentence.endswith(".")
        assert each.next_step.endswith(".")
    assert refusal("no such code").code == "cannot-be-read"
