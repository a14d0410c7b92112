"""The root that the settings name."""

from __future__ import annotations

from pathlib import Path

from luciole.keys import private
from luciole.keys.root import CELL_KEY_FILE, Root, RootKey, RootUnavailable, cell_id_in
from luciole.keys.secret import CellSecret
from luciole.roots.pkcs11 import Pkcs11Root
from luciole.roots.transit import TransitRoot

NEXT_STEP = (
    "Set LUCIOLE_KEYS_ROOT to file:, to transit:https://…/v1/transit/keys/NAME, or to "
    "pkcs11:token=…;object=…?module-path=…&pin-source=file:… (docs/howto/keep-the-key-file.md)."
)


def open_root(
    where: str, folder: Path, *, token_file: Path | None = None, ca_file: Path | None = None
) -> Root:
    """The root of the cell whose key folder this is; `where` is LUCIOLE_KEYS_ROOT. A new cell's
    root key file, cell id and key in the token are made here. Raises KeyFileRefused."""
    kind, _, address = where.partition(":")
    try:
        if kind == "file":
            return RootKey.load_or_make(Path(address or folder / "root.key"))
        if kind == "transit":
            token_file = token_file or folder / "root.token"
            return TransitRoot(address, cell_id_in(folder), token_file, ca_file)
        if kind == "pkcs11":
            is_new = not (folder / CELL_KEY_FILE).exists()
            return Pkcs11Root(where, cell_id_in(folder), is_new=is_new)
        problem = "no such kind of root"
    except ValueError as error:
        problem = str(error)
    raise RootUnavailable(f"LUCIOLE_KEYS_ROOT cannot be used: {problem}.", next_step=NEXT_STEP)


def open_secret(
    where: str, folder: Path, *, token_file: Path | None = None, ca_file: Path | None = None
) -> CellSecret | None:
    """The cell secret beside a key store that another process may have open; None where there are
    no keys yet. Makes nothing. Raises KeyFileRefused."""
    kind, _, address = where.partition(":")
    wrapped = folder / CELL_KEY_FILE
    if not (Path(address or folder / "root.key") if kind == "file" else wrapped).exists():
        return None
    root = open_root(where, folder, token_file=token_file, ca_file=ca_file)
    if isinstance(root, RootKey) and not wrapped.exists():
        # The first version had the root key file alone.
        return CellSecret(root.cell_id, root.secret())
    return CellSecret(root.cell_id, root.unwrap("secret", private.needed(wrapped, "cell secret")))
