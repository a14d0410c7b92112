"""The key store of a cell: a folder outside the database, used by one key broker alone.

    root (file, OpenBao transit, PKCS#11)
      ├─ secret.wrapped    the cell secret: keys for indexes, cursors, logs …   `KeyStore.secret`
      ├─ share.wrapped     the inner layer of each wrap
      └─ epoch-<n>.wrapped the outer layer: drawn anew each week
            └─ wraps-<n>.sqlite   a data key and a label key per person

Erasing a person deletes their row at once. What backups and disks remember of it lies under the
epoch key, and that is destroyed at the next rotation: then nothing opens it, wherever it is.

What the caller must still do: draw a person's keys before the account is stored and confirm them
afterwards; look through `unconfirmed` and shred those whose account was never stored; rotate each
week; take a backup each hour; keep what `data_key` returns for a minute at most; log no argument
and no result of this package.
"""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from luciole.keys import backup, epochs, private, seal, shares
from luciole.keys.private import KeyFileRefused
from luciole.keys.root import Root
from luciole.keys.seal import Layer
from luciole.keys.secret import CellSecret
from luciole.keys.shares import Card, Half
from luciole.keys.wraps import Draft, Row, Wraps
from luciole.kit.clock import Clock
from luciole.kit.errors import NotFound, Unavailable

# Field id and version: the label key is sealed as a field of its person.
LABEL_FIELD = ("custody.label-key", 1)
# Rows that are copied while others wait: some milliseconds.
PAGE = 1_000


class KeysInUse(KeyFileRefused):
    code = "keys-in-use"
    sentence = "Another key broker holds this key folder."
    next_step = "Stop the other one first; two would overwrite each other's keys."


class NoKey(NotFound):
    code = "no-key"
    sentence = "There is no key for this person, so what was sealed for them cannot be read."
    next_step = "Nothing can bring it back, if the person was erased."


class HalfNeeded(Unavailable):
    """A guardian holds the other half of this person's key, and the caller has not brought it."""

    code = "half-needed"
    sentence = "A guardian in another cell holds the other half of these keys."
    next_step = "Have the guardian lend them (docs/howto/have-a-guardian.md)."


class Rotated(NamedTuple):
    """`destroyed` is the number of the epoch that can be opened no more."""

    epoch: int
    destroyed: int
    persons: int


class KeyStore:
    """Keys of all persons of a cell. Safe to call from several threads; a call takes tens of
    microseconds, one that writes a few milliseconds of disk."""

    def __init__(
        self,
        folder: Path,
        root: Root,
        *,
        clock: Clock | None = None,
        reached: Callable[[str], None] = lambda step: None,
    ) -> None:
        """The store in `folder`, made at the first start; a rotation that was killed is finished
        or forgotten. `reached` is told each step of a rotation, for tests that stop there. Raises
        KeyFileRefused."""
        private.check_folder(folder)
        self.folder, self.cell_id = folder, root.cell_id
        self._root, self._clock, self._reached = root, clock or Clock(), reached
        # Guards the open file, and which one it is.
        self._guard = threading.RLock()
        # One rotation or backup at a time, and the persons that were changed while it copies;
        # None while none does.
        self._copying = threading.RLock()
        self._changed: set[bytes] | None = None
        self._lent: Mapping[bytes, bytes] = {}
        # Locked until it is closed, or the process ends.
        self._lock = open(folder / "lock", "ab", opener=private.opener)  # noqa: SIM115
        try:
            self._start()
        except BaseException:
            self._lock.close()
            raise

    def _start(self) -> None:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise KeysInUse from None
        current = epochs.current(self.folder)
        self.secret = CellSecret.load(self.folder, self._root, is_new=current is None)
        self._shares = shares.local(self.folder, self._root, is_new=current is None)
        self.epoch, self.epoch_began = current or self._begin()
        self._outer = epochs.layer(self.folder, self.epoch, self._root)
        self._wraps = Wraps(epochs.wraps_path(self.folder, self.epoch))
        # A rotation that was killed before its switch left a half-made epoch, one that was killed
        # after it the old one: neither is in use.
        epochs.sweep(self.folder)
        self.destroy_former()

    def _begin(self) -> tuple[int, datetime]:
        """The first epoch. If a first start was killed here, its files are taken over."""
        if epochs.present(self.folder) - {1}:
            private.needed(self.folder / "current", "epoch in use")
        path = epochs.wraps_path(self.folder, 1)
        if not path.exists():
            epochs.draw(self.folder, 1, self._root)
            with closing(Draft(path)) as draft:
                draft.finish()
        began = self._clock.now()
        epochs.switch(self.folder, 1, began)
        return 1, began

    def close(self) -> None:
        """Lets another broker take the folder."""
        with self._guard:
            self._wraps.close()
            self._lock.close()

    # Persons

    def enrol(
        self, person_id: UUID, label_key: bytes | None = None, half: Half | None = None
    ) -> bool:
        """Draws the data key of a person and keeps their label key (drawn here where the person's
        client sent none), with the half that a guardian holds where there is one. False where both
        are here already: then nothing changes, also where the client sent another label key."""
        with self._guard:
            is_new = self._wraps.get(person_id.bytes) is None
            if is_new:
                since_s = int(self._clock.now().timestamp())
                self._put([self._row(person_id, seal.new_key(), label_key, since_s, half)])
            return is_new

    def adopt(self, wraps: Iterable[tuple[UUID, bytes]]) -> int:
        """Moves data keys of a cell of the first version in, all or none; persons whose keys are
        here already keep them. Returns how many are new. Raises WrongRootKey, SealBroken."""
        with self._guard:
            rows = [
                self._row(whose, self.secret.open_first_wrap(whose, wrapped), None, None)
                for whose, wrapped in wraps
                if self._wraps.get(whose.bytes) is None
            ]
            self._put(rows)
        return len(rows)

    def take(self, persons: Iterable[tuple[UUID, bytes, bytes]]) -> int:
        """Moves in what another operator of this cell had, as `adopt` does."""
        with self._guard:
            rows = [
                self._row(whose, data_key, label_key, None)
                for whose, data_key, label_key in persons
                if self._wraps.get(whose.bytes) is None
            ]
            self._put(rows)
        return len(rows)

    def data_key(self, person_id: UUID, secret: bytes = b"") -> bytes:
        """32 bytes that open all fields of a person; `secret` is what the guardian has given of
        who has one. Raises NoKey, HalfNeeded, SealBroken."""
        row = self._opened(person_id)
        layer, card = self._shares.alone, self._card(row)
        if card is not None:
            secret = secret or self._lent.get(card.handle, b"")
            if not secret:
                raise HalfNeeded
            layer = self._shares.guarded(Half(card.handle, secret))
        return layer.unwrap(row[0], row[1])

    def label_key(self, person_id: UUID) -> bytes:
        """32 bytes that make and find the person's entries in the log. Raises NoKey, SealBroken."""
        row = self._opened(person_id)
        if card := self._card(row):
            return card.label_key
        return seal.open_at(self.data_key(person_id), row[2], self._label_place(person_id))

    def lend(self, halves: Mapping[bytes, bytes]) -> None:
        """Halves by handle that the guardian has lent for as long as this store is open: to put a
        backup back, or to hand the cell over."""
        self._lent = halves

    def card(self, person_id: UUID) -> Card | None:
        """What is here of a person whose key has a guardian. Raises NoKey, SealBroken."""
        return self._card(self._opened(person_id))

    def guard(self, person_id: UUID, half: Half | None, secret: bytes = b"") -> None:
        """Wraps a data key anew: with a half that the guardian holds by now, or, for None, under
        this cell's share alone. Wraps of before open the key until the next rotation. Raises NoKey,
        HalfNeeded, SealBroken."""
        with self._guard:
            since_s = self._opened(person_id)[3]
            data_key, label_key = self.data_key(person_id, secret), self.label_key(person_id)
            self._put([self._row(person_id, data_key, label_key, since_s, half)])

    def knows(self, person_id: UUID) -> bool:
        """Whether that person has keys."""
        with self._guard:
            return self._wraps.get(person_id.bytes) is not None

    def listed(self, after: UUID, limit: int, *, is_guarded: bool) -> list[UUID]:
        """Persons whose keys have a guardian, or have none, in the order of their ids."""
        with self._guard:
            return self._wraps.listed(is_guarded, after.bytes, limit)

    def guarded(self) -> int:
        """How many persons' keys have a guardian."""
        with self._guard:
            return self._wraps.guarded()

    def confirm(self, person_id: UUID) -> None:
        """The account of an enrolled person has been stored."""
        with self._guard, self._wraps:
            self._wraps.confirm(person_id.bytes)
            self._note(person_id.bytes)

    def unconfirmed(self, before: datetime, limit: int = 1_000) -> list[UUID]:
        """Persons enrolled before then whose account is not known to be stored, oldest first."""
        with self._guard:
            return self._wraps.unconfirmed(int(before.timestamp()), limit)

    def shred(self, person_id: UUID) -> bool:
        """Deletes both keys of a person; False where there were none."""
        with self._guard, self._wraps:
            self._note(person_id.bytes)
            return self._wraps.delete(person_id.bytes)

    def everybody(self) -> Iterator[UUID]:
        """The ids of all persons who have keys; for a restore, which must find whose they are."""
        after = b""
        while True:
            with self._guard:
                rows = self._wraps.page(after, PAGE)
            if not rows:
                return
            yield from (UUID(bytes=row[0]) for row in rows)
            after = rows[-1][0]

    def persons(self) -> int:
        """How many have keys."""
        with self._guard:
            return self._wraps.count()

    # Rotation and backup

    def rotate(self) -> Rotated:
        """Puts all wraps under a new epoch key and destroys the old one with its file.

        Others may read and write meanwhile; they wait at the end, for the persons that changed
        and one flush. Each step can be done again after a kill at any point. Raises
        RootUnavailable: before the switch, and then nothing has changed, or after it (`epoch`
        tells), and then `destroy_former` is to be tried again.
        """
        with self._copying:
            old, new = self.epoch, self.epoch + 1
            # 1. A new epoch key. If we stop before step 4, the next start finds an epoch that
            #    `current` does not name, and destroys it.
            self.destroy_former()
            outer = epochs.draw(self.folder, new, self._root)
            self._reached("drawn")
            # 2., 3. Every wrap gets its new outer layer; the data keys stay closed in the inner.
            path = epochs.wraps_path(self.folder, new)
            with self._copy(path, outer):
                self._reached("written")
                # 4. The switch: one rename.
                began = self._clock.now()
                epochs.switch(self.folder, new, began)
                self._reached("switched")
                self._wraps.close()
                self._wraps = Wraps(path)
                self._outer, self.epoch, self.epoch_began = outer, new, began
            # 5. The old epoch's key, then its wraps. If we stop here, the next start goes on.
            self.destroy_former()
            return Rotated(new, old, self.persons())

    def destroy_former(self) -> list[int]:
        """Destroys epochs that are not in use; the numbers of those of which something was left.
        For another try, where the root did not answer at the end of a rotation."""
        former = sorted(epochs.present(self.folder) - {self.epoch})
        for epoch in former:
            epochs.destroy(self.folder, epoch, self._root, self._reached)
        return former

    def backup(self, folder: Path) -> Path:
        """A consistent copy for a broken disk, in a folder on another one; copies that are older
        than a day, and all of former epochs, are destroyed. Others may read and write meanwhile.
        Call it each hour and after each rotation. Raises KeyFileRefused, OSError."""
        private.check_folder(folder)
        with self._copying:
            now = self._clock.now()
            path = backup.generation(folder, self.epoch, now)
            backup.keep_small_files(self.folder, folder, self.epoch)
            with self._copy(path, self._outer):
                pass
            backup.prune(folder, self.epoch, now)
        return path

    @contextmanager
    def _copy(self, path: Path, outer: Layer) -> Iterator[None]:
        """A whole copy of the wraps in a new file, under that outer layer. Others may read and
        write while it grows; the body runs when it is on the disk, and they wait for the body."""

        def under_it(row: Row) -> Row:
            if outer is self._outer:
                return row
            person, old, label_key, since_s, card = row
            wrap, card = self._outer.unwrap(person, old), card and self._outer.unwrap(person, card)
            card = card and outer.wrap(person, card)
            return person, outer.wrap(person, wrap), label_key, since_s, card

        with closing(Draft(path)) as draft:
            self._changed = set()
            try:
                after = b""
                while rows := self._page(after):
                    after = rows[-1][0]
                    draft.add(map(under_it, rows))
                draft.flush()
                self._reached("copied")
                with self._guard:
                    # What changed since its page was read. From here others wait.
                    for person in self._changed:
                        draft.delete(person)
                        draft.add(map(under_it, filter(None, [self._wraps.get(person)])))
                    draft.finish()
                    yield
            finally:
                self._changed = None

    def _page(self, after: bytes) -> list[Row]:
        with self._guard:
            return self._wraps.page(after, PAGE)

    # Rows

    def _row(
        self,
        person_id: UUID,
        data_key: bytes,
        label_key: bytes | None,
        since_s: int | None,
        half: Half | None = None,
    ) -> Row:
        person, label_key = person_id.bytes, label_key or seal.new_key()
        layer = self._shares.guarded(half) if half else self._shares.alone
        outer = self._outer.wrap(person, layer.wrap(person, data_key))
        sealed = seal.seal_at(data_key, label_key, self._label_place(person_id))
        card = half and self._shares.card(person, half, data_key, label_key)
        return person, outer, sealed, since_s, card and self._outer.wrap(person, card)

    def _opened(self, person_id: UUID) -> Row:
        """The row of a person without its outer layer."""
        with self._guard:
            row, layer = self._wraps.get(person_id.bytes), self._outer
        if row is None:
            raise NoKey
        person, outer, label_key, since_s, card = row
        return (
            person,
            layer.unwrap(person, outer),
            label_key,
            since_s,
            card and layer.unwrap(person, card),
        )

    def _card(self, opened: Row) -> Card | None:
        return self._shares.read(opened[0], opened[4]) if opened[4] else None

    def _label_place(self, person_id: UUID) -> bytes:
        return seal.place(seal.FIELD, self.cell_id, person_id, *LABEL_FIELD)

    def _put(self, rows: list[Row]) -> None:
        with self._wraps:
            self._wraps.add(rows)
            for person, *_ in rows:
                self._note(person)

    def _note(self, person: bytes) -> None:
        if self._changed is not None:
            self._changed.add(person)
