"""What feed stores: nothing."""

from __future__ import annotations

from luciole.kit.catalogue import Held
from luciole.kit.exported import Exported

HELD: tuple[Held, ...] = ()
EXPORT: tuple[Exported, ...] = ()
NOT_EXPORTED: dict[str, str] = {}
