"""The witness of C2SP tlog-witness: which heads it cosigns, and what it says of the others.

Its cosignature says: as of this time, this is the largest head that I have seen of this log, it
continues all that I have seen before, I hold all its entries, and each seal among them is right.

What the operator must still do: keep the folder. A witness that has lost it knows nothing, and
should begin again with another key.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path

from luciole.kit.blobs import Missing
from luciole.ledger.archive import CHECKPOINT, Tiles
from luciole.ledger.merkle import EMPTY_ROOT, Refused, verify_subtree_consistency
from luciole.ledger.note import (
    Checkpoint,
    Note,
    Signer,
    VerifierKey,
    from_base64,
    parse_number,
    to_base64,
)
from luciole.ledger.tiles import Tile
from luciole.witness.mirror import Mirror, Refusal
from luciole.witness.room import Room

MAX_PROOF_LINES = 63


class Witness:
    """Cosigns for the logs that it follows. `time` gives POSIX seconds; `told` gets a sentence for
    each proof that a log misbehaves."""

    def __init__(
        self,
        home: Path,
        signers: Sequence[Signer],
        time: Callable[[], float],
        told: Callable[[str], None],
        room: Room | None = None,
    ) -> None:
        self.home, self.time, self._signers, self._told = home, time, signers, told
        self._room = room
        self._mirrors: dict[str, Mirror] = {}

    def follow(self, key: VerifierKey, source: Tiles, *, has_seals: bool) -> None:
        """Begins to cosign a log, whose heads are signed with `key`."""
        folder = self.home / sha256(key.name.encode()).hexdigest()
        self._mirrors[key.name] = Mirror(folder, key, source, has_seals=has_seals, room=self._room)

    async def held(self, key: VerifierKey) -> Mirror:
        """The mirror of a log that is followed, as its folder has it. Raises Refusal."""
        mirror = self._mirrors[key.name]
        async with mirror.lock:
            await mirror.load()
        return mirror

    async def continues(self, raw: bytes) -> bool:
        """Whether all entries under a head of a log are held: False where it is larger than ours.
        One that contradicts ours is kept as evidence. Raises Refusal."""
        mirror, head, note = self._read(raw)
        async with mirror.lock:
            await mirror.load()
            signed = await self._signed(mirror, head, note)
            if fork := await self._contradicts(mirror, head, signed):
                raise fork
            return head.size <= mirror.head.size

    async def add_checkpoint(self, body: bytes) -> str:
        """Cosignature lines for a head that was handed to us, as tlog-witness says. Raises
        Refusal."""
        before, _, raw = body.partition(b"\n\n")
        mirror, head, note = self._read(raw)
        try:
            first, *lines = before.decode().split("\n")
            old, proof = parse_number(first.removeprefix("old ")), list(map(from_base64, lines))
        except (Refused, UnicodeError) as error:
            raise Refusal(400, "malformed", f"This is no request: {error}") from error
        if not first.startswith("old ") or len(proof) > MAX_PROOF_LINES or old > head.size:
            raise Refusal(400, "malformed", "The first line or the number of lines is wrong.")
        async with mirror.lock:
            await mirror.load()
            signed = await self._signed(mirror, head, note)
            await self._contradicts(mirror, head, signed)
            if old != mirror.head.size:
                size = f"{mirror.head.size}\n"
                raise Refusal(409, "other-size", "I have cosigned another size.", size)
            try:
                verify_subtree_consistency(0, old, head.size, mirror.head.root, head.root, proof)
                if head.size == 0 and head.root != EMPTY_ROOT:
                    raise Refused("the empty tree has one root.")
            except Refused as error:
                raise Refusal(422, "no-proof", f"The proof is wrong: {error}") from error
            return await self._cosign(mirror, head, signed)

    async def see(self, raw: bytes) -> str:
        """Cosignature lines for a head that we fetched ourselves. Raises Refusal."""
        mirror, head, note = self._read(raw)
        async with mirror.lock:
            await mirror.load()
            signed = await self._signed(mirror, head, note)
            if fork := await self._contradicts(mirror, head, signed):
                raise fork
            if head.size < mirror.head.size:
                raise Refusal(
                    409,
                    "rollback",
                    f"ROLLBACK: {head.origin} shows {head.size} entries and has shown "
                    f"{mirror.head.size}: it was put back, or an old copy is delivered.",
                )
            return await self._cosign(mirror, head, signed)

    async def read(self, path: str) -> bytes:
        """What others may have of our mirrors: `<hash of the origin>/checkpoint` (with our
        cosignatures) and `…/tile/…`. Raises Missing."""
        folder, _, name = path.partition("/")
        for mirror in self._mirrors.values():
            if mirror.folder.name == folder:
                if name == CHECKPOINT:
                    return await mirror.blobs.get(name)
                with contextlib.suppress(Refused):
                    return await Tiles(mirror.blobs.get).read(Tile.of_path(name))
        raise Missing(path)

    def _read(self, raw: bytes) -> tuple[Mirror, Checkpoint, Note]:
        """The mirror that a head belongs to, and the head, not verified. Raises Refusal."""
        try:
            note = Note.parse(raw)
            head = Checkpoint.parse(note.text)
        except Refused as error:
            raise Refusal(400, "malformed", f"This is no signed head: {error}") from error
        if head.origin not in self._mirrors:
            raise Refusal(404, "unknown-log", f"I do not follow {head.origin}.")
        return self._mirrors[head.origin], head, note

    async def _signed(self, mirror: Mirror, head: Checkpoint, note: Note) -> str:
        """The head with the signature of who holds the log now and no other. Where the log was
        handed over since, we follow, from one last head to the next. Raises Refusal."""
        while not (lines := _lines_by(mirror.key, note)) and await self._follow_on(mirror):
            pass
        old = [line for key in mirror.former.values() for line in _lines_by(key, note)]
        if not lines and head == mirror.head and head.size in mirror.former:
            # The last head of the old key, which may have been stopped before it kept our answer.
            lines = _lines_by(mirror.former[head.size], note)
        text = f"{note.text}\n" + "".join(lines or old)
        try:
            Note.parse(text).verify([mirror.key, *mirror.former.values()])
        except Refused as error:
            raise Refusal(403, "not-signed", f"{head.origin} did not sign this.") from error
        if not lines:
            refusal = Refusal(
                403,
                "old-key",
                f"OLD KEY: {head.origin} was handed over to another key at {mirror.head.size} "
                "entries or before. I cosign nothing by the old one.",
            )
            # A smaller head is a copy of before; a larger one it had no right to sign.
            raise self._proven(mirror, refusal, text) if head.size > mirror.head.size else refusal
        return text

    async def _follow_on(self, mirror: Mirror) -> bool:
        """Moves on to the last head of who holds the log, if it was handed over there."""
        key = mirror.key
        with contextlib.suppress(Refused):
            for one in await mirror.handovers():
                if one.old == key:
                    note = Note.parse(one.head)
                    head, lines = Checkpoint.parse(note.text), _lines_by(key, note)
                    if head.origin == key.name and head.size >= mirror.head.size:
                        await mirror.move_to(head, f"{note.text}\n{''.join(lines)}")
        return mirror.key != key

    async def _contradicts(self, mirror: Mirror, head: Checkpoint, note: str) -> Refusal | None:
        """Keeps the evidence if a head that is not larger than ours contradicts it."""
        if head.size > mirror.head.size or await mirror.is_ours(head):
            return None
        return self._proven(mirror, mirror.fork(head), note)

    def _proven(self, mirror: Mirror, refusal: Refusal, note: str) -> Refusal:
        if mirror.keep_evidence(refusal.code, note):
            self._told(f"{refusal} (in {mirror.folder})")
        return refusal

    async def _cosign(self, mirror: Mirror, head: Checkpoint, note: str) -> str:
        """Moves on to a head and signs it, in this order."""
        try:
            await mirror.move_to(head, note)
        except Refusal as refusal:
            if refusal.status == 422:  # the log's own fault, and provable
                self._proven(mirror, refusal, note)
            raise
        text, now = str(head), int(self.time())
        lines = "".join(signer.line(text, now) for signer in self._signers)
        await mirror.blobs.put_durably(CHECKPOINT, (note + lines).encode())
        return lines


def _lines_by(key: VerifierKey, note: Note) -> list[str]:
    """The lines that say they are by a key."""
    return [
        f"— {name} {to_base64(key_id + signature)}\n"
        for name, key_id, signature in note.lines
        if (name, key_id) == (key.name, key.id)
    ]
