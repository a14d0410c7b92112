"""The root key file against the database that it belongs to: for each start, and for
`luciole doctor`. A key that is missing where people exist is never made anew: what was sealed
under the lost one would look as if it could be opened, and could not."""

from __future__ import annotations

from pathlib import Path

from luciole.cell.people.contacts import Contacts
from luciole.cell.people.store import contacts as store
from luciole.keys import Keyring, RootKey, RootKeyRefused
from luciole.kit.db import Database
from luciole.kit.errors import Unavailable


class NoRootKey(Unavailable):
    """There is no key file, and something was sealed under it."""

    code = "root-key-missing"
    next_step = (
        "Put your copy of it back there, with mode 0600. A new key could not open what is sealed."
    )


class WrongKeys(Unavailable):
    """The key file is another cell's, or another one of this cell."""

    code = "wrong-keys"
    sentence = "The root key does not belong to this database."
    next_step = "Put back the key file with which the database was made (keys/root.key)."


# What an operator has to mend before the cell starts.
REFUSALS = (RootKeyRefused, NoRootKey, WrongKeys)


def look(path: Path) -> RootKey | None:
    """The key in the file; None where there is no file. Raises RootKeyRefused."""
    try:
        return RootKey.load(path)
    except FileNotFoundError:
        return None


def load(path: Path) -> RootKey:
    """The key in the file. Raises RootKeyRefused, NoRootKey."""
    key = look(path)
    if key is None:
        raise NoRootKey(f"The root key file {path} is missing.")
    return key


async def check(path: Path, url: str) -> RootKey | None:
    """The key in the file if it belongs to the database at `url`, or if that is empty; None where
    there is neither a file nor a person. Raises RootKeyRefused, NoRootKey, WrongKeys, and what
    the database raises."""
    key = look(path)
    database = await Database.open(url, size=1)
    try:
        async with database.read() as tx:
            if key is None:
                if await store.any_data_key(tx) is not None:
                    raise NoRootKey(
                        f"This database has people, and the root key file {path} is missing."
                    )
            elif not await Contacts(Keyring(key)).fits_keys(tx):
                raise WrongKeys
    finally:
        await database.close()
    return key


async def ensure(path: Path, url: str) -> None:
    """Makes a key for a new cell; otherwise the same as `check`."""
    if await check(path, url) is None:
        RootKey.load_or_make(path)
