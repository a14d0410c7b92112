"""What feed stores: nothing."""

from __future__ import annotations

from luciole.kit.catalogue import Held

HELD: tuple[Held, ...] = ()
