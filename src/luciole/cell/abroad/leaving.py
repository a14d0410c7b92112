"""Lets what is to be elsewhere be there, and nothing else: from what holds now, never from what was
asked once.

For each thing that is noted as changed, what is to be elsewhere is worked out anew (who has said
yes, to whom, and does everybody see it here), and compared with the newest word about it to each
cell. What is missing is offered, what has changed is offered again, what is too much is called
back. So it does not matter how often this runs, or where it stops.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from uuid import UUID

import msgspec

from luciole.ask.client import Custody
from luciole.border import wire
from luciole.cell.abroad import journal, recalling
from luciole.cell.abroad.files import Files, NotYet
from luciole.cell.abroad.model import (
    Consent,
    Kind,
    Live,
    Peer,
    Subject,
    address,
    covered,
    move_ref_of,
    named,
    ref_of,
)
from luciole.cell.abroad.moving import service as moving
from luciole.cell.abroad.reading import Reading
from luciole.cell.abroad.service import Abroad
from luciole.cell.abroad.store import consents, crossings, elsewhere, moves, recalls
from luciole.cell.clips.comments.service import Comments
from luciole.cell.clips.model import Card, is_for_all
from luciole.cell.clips.service import Clips
from luciole.cell.media.service import Media
from luciole.cell.people.model import Person
from luciole.cell.people.service import People
from luciole.kit.blobs import Blobs
from luciole.kit.clock import Clock
from luciole.kit.db import Database, Tx
from luciole.kit.ids import new_id

AT_ONCE = 50
FALLEN_AT_ONCE = 200
# Films go in these sizes; sharper ones would cost more on the way than they show on a phone.
RUNGS = ("540", "720")
# A film that is still being made sharper is looked at again so often, and so long.
LOOKS_AGAIN_S = 4.0
# What is offered has to fit the border; captions beyond that stay, and the clip goes without.
MAX_BODY_BYTES = 60_000
RECALLED_AT_ONCE = wire.MAX_RECALLS


class Leaving:
    """Offers and calls back what of ours is elsewhere."""

    def __init__(
        self,
        db: Database,
        abroad: Abroad,
        people: People,
        clips: Clips,
        comments: Comments,
        media: Media,
        blobs: Blobs,
        custody: Custody,
        clock: Clock,
        reading: Reading,
    ) -> None:
        self._db, self._abroad = db, abroad
        self._people, self._clips, self._comments = people, clips, comments
        self._media = media
        self._files, self._custody, self._clock = Files(blobs), custody, clock
        self._reading = reading

    async def catch_up(self) -> int:
        """Looks at all that has changed; gives how much. Another process that is at it does the
        rest."""
        done = 0
        while taken := await self._step():
            done += taken
        return done

    async def _step(self) -> int:
        async with self._db.tx() as tx:
            if not await crossings.try_lock(tx):
                return 0
            stale = await crossings.take_stale(tx, AT_ONCE)
            for kind, subject_id in stale:
                await self._look(tx, kind, subject_id)
            return len(stale)

    async def fall_out(self) -> None:
        """Has those clips looked at that became older than their authors let others see."""
        async with self._db.tx() as tx:
            for clip_id in await crossings.fallen_out(tx, FALLEN_AT_ONCE):
                await consents.note(tx, "clip", clip_id)

    async def settle(self) -> int:
        """Notes what became of offers; gives of how many."""
        async with self._db.tx() as tx:
            news = await crossings.take_news(tx, ["person", "clip", "comment", "gone", "move"])
            for one in news:
                state = "crossed" if one.state == "sent" else "refused"
                refusal = None if state == "crossed" else one.code or one.state
                await crossings.settle(
                    tx, one.crossing, state, refusal, one.receipt or None, one.made_at
                )
                if one.kind == "gone":
                    await recalling.settle(tx, one.crossing, self._clock.now(), state == "crossed")
            return len(news)

    async def ask_again(self) -> int:
        """Sends recalls and moves again that were refused, where it is time; gives how many."""
        async with self._db.tx() as tx:
            if not await crossings.try_lock(tx):
                return 0
            now = self._clock.now()
            done = await recalling.ask_again(tx, now, self._abroad.peers, self._look)
            names = [one.name for one in await self._abroad.peers(tx)]
            people = await moves.due(tx, now, names, AT_ONCE)
            for person_id in people:
                await self._person(tx, person_id)
            return done + len(people)

    async def _look(self, tx: Tx, kind: str, subject_id: UUID) -> None:
        try:
            if kind == "clip":
                await self._clip(tx, subject_id)
            elif kind == "comment":
                await self._comment(tx, subject_id)
            elif kind == "person":
                await self._person(tx, subject_id)
            else:
                await self._reading.look(tx, subject_id)
        except NotYet:
            await crossings.later(tx, kind, subject_id, LOOKS_AGAIN_S)

    # --- who somebody is -----------------------------------------------------------------------

    async def _person(self, tx: Tx, person_id: UUID) -> None:
        """A person has changed, or what they have said yes to: all of theirs is looked at."""
        for kind, subject_id in await crossings.of_person(tx, person_id):
            await consents.note(tx, kind, subject_id)
        live = await crossings.live(tx, person_id)
        there = {one.peer for one in live if one.is_there}
        said = await consents.in_force(tx, person_id)
        peers = await self._abroad.peers(tx)
        held, stays = set[str](), set[str]()
        for act in ("clip", "comment"):
            held |= {one.name for one in covered(said.get(act), self._abroad.here, peers)}
            stays |= named(said.get(act))
        card = (await self._people.cards(tx, [person_id])).get(person_id)
        told = await moving.told(tx, person_id, peers)
        for peer in peers:
            if peer.name in there and peer.name in held and card is not None:
                await self._introduce(tx, card, peer, None, live)
        if card is not None:
            here, now = self._abroad.here, self._clock.now()
            for peer, mine, move in await moving.to_tell(tx, here, card, live, peers, now):
                encoded = wire.encode(move)
                await self._cross(
                    tx, "move", person_id, "person", person_id, peer, None, mine, encoded
                )
        for one in live:
            kept = told if one.kind == "move" else stays
            if one.is_there and (one.peer not in kept or card is None):
                await self._recall(tx, person_id, "person", person_id, one, peers)

    async def _introduce(
        self, tx: Tx, card: Person, peer: Peer, consent: Consent | None, live: Sequence[Live]
    ) -> None:
        """Tells a cell who a person is, where it has not been told so."""
        persona = await consents.persona(tx, card.id)
        if persona is None:
            return
        try:
            avatar = (
                await self._files.of(card.avatar_key, card.avatar_key) if card.avatar_key else None
            )
        except NotYet:
            avatar = None
        body = wire.Person(
            uri=address(self._abroad.here, "person", persona),
            handle=card.handle,
            name=card.display_name,
            bio=card.bio,
            avatar=avatar,
        )
        await self._offer(tx, "person", card.id, "person", card.id, peer, consent, body, live)

    # --- clips ---------------------------------------------------------------------------------

    async def _clip(self, tx: Tx, clip_id: UUID) -> None:
        live = await crossings.live(tx, clip_id)
        owner = await crossings.owner(tx, clip_id)
        peers = await self._abroad.peers(tx)
        reach = await consents.reach(tx, clip_id)
        wanted: list[Peer] = []
        stays = set[str]()
        consent: Consent | None = None
        card = await crossings.card(tx, clip_id) if reach != "region" else None
        if card is not None and is_for_all(card) and card.state == "published":
            consent = (await consents.in_force(tx, card.author_id)).get("clip")
            wanted, stays = covered(consent, self._abroad.here, peers), named(consent)
        elif card is not None and is_for_all(card) and card.state == "processing":
            raise NotYet
        for one in live:
            if one.is_there and one.peer not in stays and owner:
                await self._recall(tx, owner, "clip", clip_id, one, peers)
        if not wanted or card is None:
            return
        body = await self._clip_body(tx, card)
        author = (await self._people.cards(tx, [card.author_id]))[card.author_id]
        introduced = await crossings.live(tx, author.id)
        for peer in wanted:
            await self._introduce(tx, author, peer, consent, introduced)
            await self._offer(tx, "clip", author.id, "clip", clip_id, peer, consent, body, live)

    async def _clip_body(self, tx: Tx, card: Card) -> wire.Clip:
        """Raises NotYet while the film is being made, or moved."""
        persona = await consents.persona(tx, card.author_id)
        state = await crossings.public_state(tx, card.asset_id)
        if state is None or not state[1] or not card.poster_key or card.published_at is None:
            raise NotYet
        if state[0] != "complete":
            raise NotYet
        films = [one for one in card.renditions if one.name in RUNGS]
        if not films or persona is None:
            raise NotYet
        captions = None
        if card.captions_language:
            vtt = await self._clips.captions(tx, card.id, card.author_id)
            captions = wire.Captions(card.captions_language, vtt)
        body = wire.Clip(
            uri=address(self._abroad.here, "clip", card.id),
            by=address(self._abroad.here, "person", persona),
            caption=card.caption,
            films=[
                wire.Film(f"{one.name}p", await self._stored(tx, one.key), one.width, one.height)
                for one in films
            ],
            still=await self._stored(tx, card.poster_key),
            duration_ms=card.duration_ms or 1,
            # Whoever says so: abroad, one word stands for the author's label and the file's.
            made_with_ai=card.made_with_ai or state[2],
            comments=(await self._comments.allowed(tx, card, None))[0] == "everyone",
            published_at=f"{card.published_at:%Y-%m-%dT%H:%M:%SZ}",
            captions=captions,
        )
        if captions and (
            len(captions.vtt) > wire.MAX_VTT_CHARS or len(wire.encode(body)) > MAX_BODY_BYTES
        ):
            return msgspec.structs.replace(body, captions=None)
        return body

    async def _stored(self, tx: Tx, key: str) -> wire.File:
        """A file of a clip at its public address. Raises NotYet where it is being moved."""
        found = await self._media.find(tx, key)
        if found is None or not key.startswith("p/"):
            raise NotYet
        return await self._files.of(key, found.object_key)

    # --- comments ------------------------------------------------------------------------------

    async def _comment(self, tx: Tx, comment_id: UUID) -> None:
        live = await crossings.live(tx, comment_id)
        peers = await self._abroad.peers(tx)
        said = await crossings.comment(tx, comment_id)
        of = await elsewhere.clip_is_of(tx, said.clip_id) if said else None
        wanted: list[Peer] = []
        stays = set[str]()
        consent: Consent | None = None
        if said is not None and of is not None and await consents.is_said(tx, comment_id):
            consent = (await consents.in_force(tx, said.writer_id)).get("comment")
            held = covered(consent, self._abroad.here, peers)
            wanted, stays = [one for one in held if one.name == of[0]], named(consent)
        owner = await crossings.owner(tx, comment_id)
        for one in live:
            if one.is_there and one.peer not in stays and owner:
                await self._recall(tx, owner, "comment", comment_id, one, peers)
        if said is None or of is None or not wanted:
            return
        persona = await consents.persona(tx, said.writer_id)
        writer = (await self._people.cards(tx, [said.writer_id])).get(said.writer_id)
        if persona is None or writer is None:
            return
        body = wire.Comment(
            uri=address(self._abroad.here, "comment", said.id),
            by=address(self._abroad.here, "person", persona),
            on=of[1],
            text=said.text,
            said_at=f"{said.made_at:%Y-%m-%dT%H:%M:%SZ}",
            to=await self._answered(tx, said.to_id, of[0]),
        )
        introduced = await crossings.live(tx, writer.id)
        for peer in wanted:
            await self._introduce(tx, writer, peer, consent, introduced)
            await self._offer(
                tx, "comment", writer.id, "comment", comment_id, peer, consent, body, live
            )

    async def _answered(self, tx: Tx, to_id: UUID | None, peer: str) -> str | None:
        """The address of the comment that is answered, where that cell knows it."""
        if to_id is None:
            return None
        of = await elsewhere.comment_is_of(tx, to_id)
        if of is not None:
            return of[1] if of[0] == peer else None
        found = await crossings.live(tx, to_id)
        return next((one.uri for one in found if one.peer == peer and one.is_there), None)

    # --- offering and calling back -------------------------------------------------------------

    async def _offer(
        self,
        tx: Tx,
        kind: Kind,
        person_id: UUID,
        subject: Subject,
        subject_id: UUID,
        peer: Peer,
        consent: Consent | None,
        body: wire.Person | wire.Clip | wire.Comment,
        live: Sequence[Live],
    ) -> None:
        """Offers it, unless this is what the cell was told last."""
        encoded = wire.encode(body)
        digest = sha256(encoded).digest()
        if any(
            one.peer == peer.name and one.is_there and one.body_sha256 == digest for one in live
        ):
            return
        await self._cross(
            tx, kind, person_id, subject, subject_id, peer, consent, body.uri, encoded
        )

    async def _recall(
        self,
        tx: Tx,
        person_id: UUID,
        subject: Subject,
        subject_id: UUID,
        live: Live,
        peers: Sequence[Peer],
    ) -> None:
        """Calls something back from one cell. Where that is no peer any more, nothing can."""
        peer = next((one for one in peers if one.name == live.peer), None)
        if peer is None or await recalls.waits(tx, live.peer, live.uri, self._clock.now()):
            return
        brought = await crossings.brought(tx, subject_id, live.peer, RECALLED_AT_ONCE)
        body = wire.encode(wire.Gone(live.uri, [str(one) for one in brought]))
        crossing_id = await self._cross(
            tx, "gone", person_id, subject, subject_id, peer, None, live.uri, body
        )
        await recalls.begin(tx, live.peer, live.uri, crossing_id, person_id)

    async def _cross(
        self,
        tx: Tx,
        kind: Kind,
        person_id: UUID,
        subject: Subject,
        subject_id: UUID,
        peer: Peer,
        consent: Consent | None,
        uri: str,
        body: bytes,
    ) -> UUID:
        """Into the border, into *My crossings*, and into the person's own journal; its number."""
        crossing_id, now = new_id(), self._clock.now()
        await crossings.add(
            tx,
            crossing_id,
            person_id,
            kind,
            subject,
            subject_id,
            peer.name,
            peer.operator,
            peer.jurisdiction,
            consent.id if consent else None,
            uri,
            sha256(body).digest(),
            now,
        )
        ref = move_ref_of(uri) if kind == "move" else ref_of(uri)
        await crossings.put(tx, kind, ref, crossing_id, peer.name, body)
        await journal.note(
            self._custody, tx, person_id, kind, crossing_id, peer, sha256(body).hexdigest()
        )
        return crossing_id
