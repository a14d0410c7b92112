"""Vectors of others, outside the repository: found through the setting LUCIOLE_CORPUS."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

PLACE = os.environ.get("LUCIOLE_CORPUS", "")
VECTORS = Path(PLACE) / "tlog-vectors"
MERKLE = VECTORS / "transparency-dev-merkle" / "testdata"
TESSERA = VECTORS / "tessera-testdata" / "testdata" / "log"

needs_corpus = pytest.mark.skipif(
    not PLACE,
    reason="LUCIOLE_CORPUS IS NOT SET: no vector of another log is tried. Point it at the corpus.",
)
