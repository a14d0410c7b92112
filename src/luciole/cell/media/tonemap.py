"""HDR to SDR as a 3D look-up table: the colour science in one place, applied by FFmpeg.

Phones record HLG (ITU-R BT.2100) and some PQ. FFmpeg's own tone mapping works on single channels
and bends hues (a blue sky turned yellow in a trial). This follows ITU-R BT.2446-1, method A,
which compresses luma and scales the colour differences with it, so that hues stay. One table of
33³ points is made per transfer curve; tetrahedral interpolation between them is exact enough,
because both curves are close to even steps for the eye.
"""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

POINTS = 33
PEAK_NITS = 1000.0  # of the HDR display that the film was made on; BT.2446-1 assumes the same
WHITE_NITS = 100.0
# Method A puts HDR's diffuse white (203 nits, BT.2408) at 69 % of the SDR signal, dim beside
# clips that were SDR all along; a quarter of a stop more brings it to 74 %.
EXPOSURE = 1.19
PQ, HLG = 16, 18

Array = NDArray[np.float64]

LUMA_2020 = np.array([0.2627, 0.6780, 0.0593])
# Linear BT.2020 to linear BT.709 (BT.2087-0, inverse of its table).
TO_709 = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]]
)


def write(transfer: int, folder: Path) -> Path:
    """Writes the table for PQ (16) or HLG (18) as a .cube file and gives its path."""
    path = folder / f"to-sdr-{transfer}.cube"
    path.write_text(_cube(transfer), encoding="ascii")
    return path


@functools.cache
def _cube(transfer: int) -> str:
    steps = np.linspace(0.0, 1.0, POINTS)
    # .cube counts red fastest.
    blue, green, red = np.meshgrid(steps, steps, steps, indexing="ij")
    signal = np.stack([red, green, blue], axis=-1).reshape(-1, 3)
    shown = to_sdr(signal, transfer)
    lines = [f"LUT_3D_SIZE {POINTS}", *(f"{r:.5f} {g:.5f} {b:.5f}" for r, g, b in shown)]
    return "\n".join(lines) + "\n"


def to_sdr(signal: Array, transfer: int) -> Array:
    """HDR signal (BT.2020 RGB, 0..1, shape (n, 3)) to SDR signal (BT.709 RGB, 0..1)."""
    light = pq_light(signal) if transfer == PQ else hlg_light(signal)
    light = np.clip(light * EXPOSURE, 0.0, 1.0)
    return _gamut(_method_a(light))


def pq_light(signal: Array) -> Array:
    """Light of a PQ signal, 1.0 at PEAK_NITS (SMPTE ST 2084, the EOTF)."""
    m1, m2 = 2610 / 16384, 2523 / 4096 * 128
    c1, c2, c3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
    root = np.maximum(signal, 0.0) ** (1 / m2)
    nits: Array = 10000.0 * (np.maximum(root - c1, 0.0) / (c2 - c3 * root)) ** (1 / m1)
    return nits / PEAK_NITS


def hlg_light(signal: Array) -> Array:
    """Light of an HLG signal on a display of PEAK_NITS: inverse OETF, then the OOTF with its
    system gamma of 1.2 (BT.2100, table 5)."""
    a = 0.17883277
    b, c = 1 - 4 * a, 0.5 - a * np.log(4 * a)
    scene = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
    luminance = np.maximum(scene @ LUMA_2020, 1e-6)
    shown: Array = scene * luminance[:, None] ** 0.2
    return shown


def _method_a(light: Array) -> Array:
    """BT.2446-1, 4.2: light of 1000 nits to an SDR signal, both BT.2020."""
    signal = light ** (1 / 2.4)
    luma = signal @ LUMA_2020
    rho_hdr = 1 + 32 * (PEAK_NITS / 10000) ** (1 / 2.4)
    rho_sdr = 1 + 32 * (WHITE_NITS / 10000) ** (1 / 2.4)
    perceived = np.log1p((rho_hdr - 1) * luma) / np.log(rho_hdr)
    compressed = np.select(
        [perceived <= 0.7399, perceived < 0.9909],
        [1.0770 * perceived, -1.1510 * perceived**2 + 2.7811 * perceived - 0.6302],
        0.5 * perceived + 0.5,
    )
    new_luma = (rho_sdr**compressed - 1) / (rho_sdr - 1)
    scale = new_luma / np.maximum(1.1 * luma, 1e-6)
    blue = scale * (signal[:, 2] - luma) / 1.8814
    red = scale * (signal[:, 0] - luma) / 1.4746
    new_luma = new_luma - np.maximum(0.1 * red, 0.0)
    r = new_luma + 1.4746 * red
    b = new_luma + 1.8814 * blue
    g = (new_luma - LUMA_2020[0] * r - LUMA_2020[2] * b) / LUMA_2020[1]
    return np.stack([r, g, b], axis=-1)


def _gamut(signal: Array) -> Array:
    """BT.2020 to BT.709 primaries.

    A colour outside is moved towards the grey of its own luma, which keeps its hue but pales it;
    clipping keeps it strong but turns its hue. Above white, halfway between the two looks best.
    """
    light = np.maximum(signal, 0.0) ** 2.4 @ TO_709.T
    luma = np.clip(light @ np.array([0.2126, 0.7152, 0.0722]), 0.0, 1.0)[:, None]
    light = luma + (light - luma) * _share(luma, luma - light)
    paled = luma + (light - luma) * _share(1 - luma, light - luma)
    shown: Array = ((np.clip(light, 0.0, 1.0) + np.clip(paled, 0.0, 1.0)) / 2) ** (1 / 2.4)
    return shown


def _share(room: Array, spread: Array) -> Array:
    """The largest share (0..1, one a row) of `spread` that stays within `room`."""
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = np.where(spread > 0, room / spread, 1.0)
    share: Array = np.clip(shares.min(axis=1, keepdims=True), 0.0, 1.0)
    return share
