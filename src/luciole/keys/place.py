"""Where the root of a cell is, by its setting, and the cell secret without the whole store."""

from __future__ import annotations

from pathlib import Path

from luciole.keys import private
from luciole.keys.root import Root, RootKey
from luciole.keys.secret import CellSecret


def open_root(setting: str, folder: Path, *, may_make: bool = False) -> Root | None:
    """The root that a setting names; None where it is a file that is not there. `may_make` makes
    it then. Raises RootKeyRefused, RootUnavailable."""
    path = folder / "root.key"
    if may_make:
        return RootKey.load_or_make(path)
    try:
        return RootKey.load(path)
    except FileNotFoundError:
        return None


def open_secret(setting: str, folder: Path) -> CellSecret | None:
    """The cell secret beside a key store that others may have open; None where there are no keys
    yet. Raises KeyFileRefused, AnotherRoot, RootUnavailable."""
    root = open_root(setting, folder)
    if root is None:
        return None
    try:
        wrapped = private.read(folder / "secret.wrapped", "file of the cell secret")
    except FileNotFoundError:
        # The first version had the root key file alone.
        return CellSecret(root.cell_id, root.secret()) if isinstance(root, RootKey) else None
    return CellSecret(root.cell_id, root.unwrap("secret", wrapped))
