"""PDQ, a hash of pictures that stays close where a picture looks the same.

After "The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing Algorithm" (Facebook, 2019),
so that hashes can be compared with those of lists that others keep: a tent filter down to 64 × 64
of luma, the 16 × 16 lowest cosines without the constant ones, one bit for each that lies above
their median. Two hashes of the same picture differ in few of their 256 bits, of others in about
half; 31 is the customary limit.
"""

from __future__ import annotations

import functools

import msgspec
import numpy as np
from numpy.typing import NDArray

SIDE = 64
COSINES = 16
HASH_BYTES = COSINES * COSINES // 8
# What the published code divides the sum of steps by, so that 100 is a picture with enough in it.
ENOUGH_STEPS = 90
# The customary limit, in bits, below which two pictures count as the same.
NEAR_BITS = 31

Luma = NDArray[np.uint8]
Array = NDArray[np.float64]


class Print(msgspec.Struct, frozen=True):
    """A hash of 32 bytes, and how much there was in the picture to hash: 0 (nothing) to 100. Below
    50, a match says little."""

    pdq: bytes
    quality: int


def hashed(luma: Luma) -> Print:
    """The hash of a picture's luma, full range, shape (height, width), each at least 64."""
    small = _shrunk(luma.astype(np.float64))
    cosines = _cosines()
    spectrum = cosines @ small @ cosines.T
    # The lower one of the two in the middle, as the published code takes it.
    median = np.partition(spectrum.ravel(), COSINES * COSINES // 2 - 1)[COSINES * COSINES // 2 - 1]
    # Bit k is row k // 16, column k % 16; the hash is written with the highest one first.
    bits = (spectrum.ravel() > median)[::-1]
    return Print(np.packbits(bits).tobytes(), _quality(small))


def distance(one: bytes, other: bytes) -> int:
    """In how many bits two hashes differ."""
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).bit_count()


def _shrunk(luma: Array) -> Array:
    """64 × 64 points of the picture after two box filters in each direction, which together are a
    tent."""
    for _ in range(2):
        luma = _boxed(_boxed(luma, 1), 0)
    rows, columns = (((np.arange(SIDE) + 0.5) * side / SIDE).astype(int) for side in luma.shape)
    points: Array = luma[np.ix_(rows, columns)]
    return points


def _boxed(luma: Array, axis: int) -> Array:
    """The mean of a window around each point, as far as the window is inside the picture."""
    size = luma.shape[axis]
    window = (size + 2 * SIDE - 1) // (2 * SIDE)
    after = (window + 2) // 2  # of the window's points, its own among them
    sums = np.insert(np.cumsum(luma, axis=axis), 0, 0.0, axis=axis)
    places = np.arange(size)
    starts = np.maximum(places - (window - after), 0)
    ends = np.minimum(places + after, size)
    shape = (-1, 1) if axis == 0 else (1, -1)
    total = np.take(sums, ends, axis) - np.take(sums, starts, axis)
    means: Array = total / (ends - starts).reshape(shape)
    return means


@functools.cache
def _cosines() -> Array:
    """The rows 1 to 16 of the matrix of the cosine transform (DCT-II) of 64 points."""
    rows, columns = np.arange(1, COSINES + 1)[:, None], np.arange(SIDE)[None, :]
    matrix: Array = np.sqrt(2 / SIDE) * np.cos(np.pi / (2 * SIDE) * rows * (2 * columns + 1))
    return matrix


def _quality(small: Array) -> int:
    steps = [np.trunc(np.diff(small, axis=axis) * 100 / 255) for axis in (0, 1)]
    total = sum(int(np.abs(each).sum()) for each in steps)
    return min(100, total // ENOUGH_STEPS)
