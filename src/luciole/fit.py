"""Whether keys and database belong together, asked before anything is sealed or opened.

A root key that is missing where people exist is never made anew: what was sealed under the lost
one would look as if it could be opened, and could not.
"""

from __future__ import annotations

import hmac

from luciole.custody import store
from luciole.keys import (
    AnotherRoot,
    CellSecret,
    KeyFileRefused,
    RootUnavailable,
    SealBroken,
    WrongRootKey,
)
from luciole.kit.db import Tx
from luciole.kit.errors import Unavailable

PURPOSE = "database"


class NoRootKey(Unavailable):
    """There is no key file, and something was sealed under it."""

    code = "root-key-missing"
    sentence = "This database has people, and the cell's keys are missing."
    next_step = (
        "Put your copy of them back there, with mode 0600. New keys could not open what is sealed."
    )


class WrongKeys(Unavailable):
    """The keys are another cell's, or others of this cell."""

    code = "wrong-keys"
    sentence = "The root key does not belong to this database."
    next_step = "Put back the key file with which the database was made (keys/root.key)."


# What an operator has to mend before the cell starts.
REFUSALS = (KeyFileRefused, AnotherRoot, RootUnavailable, NoRootKey, WrongKeys)


async def check(tx: Tx, secret: CellSecret | None) -> bool:
    """Whether anything of this database was sealed yet; then it is under these keys. None where
    there are no keys. Raises NoRootKey, WrongKeys."""
    found = await store.cell(tx)
    if found is None:
        return await _first_version(tx, secret)
    if secret is None:
        raise NoRootKey
    cell_id, mark = found
    if cell_id != secret.cell_id or not hmac.compare_digest(mark, secret.derived(PURPOSE)):
        raise WrongKeys
    return True


async def bind(tx: Tx, secret: CellSecret) -> None:
    """Marks the database as belonging to these keys; checked before. Safe to repeat."""
    await store.add_cell(tx, secret.cell_id, secret.derived(PURPOSE))


async def _first_version(tx: Tx, secret: CellSecret | None) -> bool:
    """Databases of before the mark hold wraps, which only the right key opens."""
    wraps = await store.old_wraps(tx, 1)
    if not wraps:
        return False
    if secret is None:
        raise NoRootKey
    try:
        secret.open_first_wrap(*wraps[0])
    except (WrongRootKey, SealBroken):
        raise WrongKeys from None
    return True
