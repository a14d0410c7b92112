"""ThumbHash: a picture's looks in about 25 bytes, to be shown before the picture has come.

The format is Evan Wallace's (https://evanw.github.io/thumbhash/): mean and lowest cosines of
lightness and of two colour differences, 4 bits each. The web client draws it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LONGEST_SIDE = 100
LIGHT_COSINES = 7
COLOUR_COSINES = 3

Array = NDArray[np.float64]


def hashed(picture: NDArray[np.uint8]) -> bytes:
    """The hash of an opaque RGB picture, shape (height, width, 3), sides of at most 100."""
    height, width, _ = picture.shape
    red, green, blue = np.moveaxis(picture.astype(np.float64) / 255, -1, 0)
    across = max(1, _rounded(LIGHT_COSINES * width / max(width, height)))
    down = max(1, _rounded(LIGHT_COSINES * height / max(width, height)))
    light, light_waves, light_scale = _channel(
        (red + green + blue) / 3, max(3, across), max(3, down)
    )
    yellow, yellow_waves, yellow_scale = _channel(
        (red + green) / 2 - blue, COLOUR_COSINES, COLOUR_COSINES
    )
    rose, rose_waves, rose_scale = _channel(red - green, COLOUR_COSINES, COLOUR_COSINES)
    is_wide = width > height
    head = (
        _rounded(63 * light)
        | _rounded(31.5 + 31.5 * yellow) << 6
        | _rounded(31.5 + 31.5 * rose) << 12
        | _rounded(31 * light_scale) << 18
        | (down if is_wide else across) << 24
        | _rounded(63 * yellow_scale) << 27
        | _rounded(63 * rose_scale) << 33
        | int(is_wide) << 39
    )
    waves = [_rounded(15 * wave) for wave in (*light_waves, *yellow_waves, *rose_waves)]
    if len(waves) % 2:
        waves.append(0)
    pairs = zip(waves[::2], waves[1::2], strict=True)
    return head.to_bytes(5, "little") + bytes(low | high << 4 for low, high in pairs)


def _channel(values: Array, across: int, down: int) -> tuple[float, list[float], float]:
    """The mean, the waves (0 to 1, row by row, the lower left triangle of the spectrum), and what
    a wave of 1 is worth."""
    height, width = values.shape
    x = np.cos(np.pi / width * np.outer(np.arange(across), np.arange(width) + 0.5))
    y = np.cos(np.pi / height * np.outer(np.arange(down), np.arange(height) + 0.5))
    spectrum = y @ values @ x.T / (width * height)
    waves = [
        float(spectrum[row, column])
        for row in range(down)
        for column in range(across)
        if (row or column) and column * down < across * (down - row)
    ]
    scale = max(abs(wave) for wave in waves)
    if scale:
        waves = [0.5 + 0.5 * wave / scale for wave in waves]
    return float(spectrum[0, 0]), waves, scale


def _rounded(value: float) -> int:
    """Halves go up, as in the clients' JavaScript."""
    return int(np.floor(value + 0.5))
