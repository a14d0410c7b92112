"""Publishing, watching one clip, editing, liking."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import UNSET, UnsetType

from luciole.cell.clips import shown_quotes, shown_sounds, store
from luciole.cell.clips.audience import Audiences
from luciole.cell.clips.audience_model import ClipList, fits
from luciole.cell.clips.mentions.model import check_mentions
from luciole.cell.clips.mentions.telling import Telling
from luciole.cell.clips.model import (
    Audience,
    Brought,
    Card,
    GridPlace,
    Marks,
    NoCaptions,
    NoSuchClip,
    NotPublishedYet,
    WhoMay,
    clean_caption,
    clean_captions,
    hashtags_of,
    is_counted,
    is_for_all,
    is_visible,
)
from luciole.cell.clips.outcomes import Outcomes
from luciole.cell.clips.quotes_model import MadeFrom
from luciole.cell.clips.sounds_model import Borrowed, Sound
from luciole.cell.clips.store import kept as kept_store
from luciole.cell.clips.store import quotes as quote_store
from luciole.cell.clips.store import sounds as sound_store
from luciole.cell.graph.model import Relation
from luciole.cell.graph.service import Graph
from luciole.cell.media.model import Edit, Quote, SoundOf
from luciole.cell.media.service import Media
from luciole.cell.notices.service import Notices
from luciole.cell.notify.model import Shown
from luciole.cell.notify.service import Notify
from luciole.kit.clock import Clock
from luciole.kit.cursor import Cursors
from luciole.kit.db import Tx
from luciole.kit.ids import new_id
from luciole.kit.queue import Queue


class Clips:
    """The front door of clips."""

    def __init__(
        self,
        media: Media,
        graph: Graph,
        notices: Notices,
        notify: Notify,
        cursors: Cursors,
        clock: Clock,
        queue: Queue,
    ) -> None:
        self.audiences = Audiences(media, graph, notices, queue)
        self._notices = notices
        self._media = media
        self._graph = graph
        self._notify = notify
        self._telling = Telling(notify, self.see)
        self.outcomes = Outcomes(media, notify, self._telling, clock)
        self._cursors = cursors
        self._clock = clock
        self._queue = queue

    async def publish(
        self,
        tx: Tx,
        author_id: UUID,
        *,
        upload_id: UUID,
        edit: Edit,
        caption: str,
        audience: Audience,
        audience_list: ClipList | None = None,
        is_author_private: bool,
        made_with_ai: bool,
        captions: tuple[str, str] | None,
        sound: Borrowed | None = None,
        lets_reuse: bool = False,
        comments_by: WhoMay | None = None,
        answers_id: UUID | None = None,
        made_from: MadeFrom | None = None,
        lets_quote: bool | None = False,
    ) -> UUID:
        """Makes a clip out of a finished upload; it is encoded in the background and published
        as soon as its lowest rendition plays. With `sound` it gets that one; else its own becomes
        one, which others may use where the author lets them. `answers_id` is a comment that its
        author may answer; `made_from` a clip that it quotes. `lets_quote`: whether others may quote
        it; None: as the author prefers. Raises what the caption, the captions (text and language),
        the list and the upload are refused for, and ClipsOfTheDay."""
        caption = clean_caption(caption)
        hashtags = hashtags_of(caption)
        check_mentions(caption)
        checked = clean_captions(*captions) if captions else None
        is_public = audience == "everyone" and not is_author_private and audience_list is None
        # Here and not in media: what comes from other cells or is brought along is no new clip.
        await self._media.quota.require_clip(tx, author_id)
        asset_id = await self._media.begin(
            tx,
            author_id,
            upload_id,
            edit,
            is_public=is_public,
            sound=SoundOf(sound.asset_id, sound.mode) if sound else None,
            quote=Quote(made_from.asset_id, made_from.how, made_from.start_ms, made_from.end_ms)
            if made_from
            else None,
        )
        await self._media.say_ai(tx, asset_id, made_with_ai)
        clip_id = new_id()
        await store.add(
            tx,
            clip_id,
            author_id,
            asset_id,
            caption,
            hashtags,
            audience,
            made_with_ai,
            checked,
            sound.sound_id if sound else None,
            lets_reuse,
        )
        if made_from is not None:
            await quote_store.add(tx, clip_id, made_from.first_id, made_from.how)
        await quote_store.set_lets(tx, clip_id, lets_quote)
        if audience_list is not None:
            await self.audiences.set_list(tx, clip_id, author_id, audience, audience_list)
        if comments_by is not None or answers_id is not None:
            await store.set_conversation(tx, clip_id, comments_by, answers_id)
        return clip_id

    async def bring(
        self, tx: Tx, author_id: UUID, asset_id: UUID, clip: Brought, *, is_playable: bool
    ) -> UUID:
        """Adds a clip that was published before, with its times; one in the future becomes now.
        Nobody is told: it is no news. Raises what caption and captions are refused for."""
        caption = clean_caption(clip.caption)
        hashtags = hashtags_of(caption)
        captions = clean_captions(*clip.captions) if clip.captions else None
        await self._media.say_ai(tx, asset_id, clip.made_with_ai)
        clip_id = new_id()
        await store.bring(
            tx,
            clip_id,
            author_id,
            asset_id,
            caption,
            hashtags,
            clip.audience,
            clip.made_with_ai,
            captions,
            "published" if is_playable else "processing",
            clip.created_at,
            min(clip.published_at, self._clock.now()),
        )
        if is_playable:
            await sound_store.give(tx, asset_id, new_id())
            await self._count(tx, author_id, is_counted(clip.audience, False), 1)
        return clip_id

    async def has_any(self, tx: Tx, author_id: UUID) -> bool:
        """Whether a person has made a clip, in whatever state."""
        return await store.has_any(tx, author_id)

    async def see(self, tx: Tx, clip_id: UUID, viewer_id: UUID | None) -> Card:
        """A clip that the viewer may see. Raises NoSuchClip; Withheld in their country."""
        found = await store.seen(tx, clip_id, viewer_id)
        if found is None or not is_visible(
            found.card, viewer_id, found.relation, is_open=found.is_open
        ):
            raise NoSuchClip
        if found.notice_id is not None:
            await self._notices.refuse(tx, found.notice_id)
        return found.card

    async def seen(self, tx: Tx, clip_ids: Sequence[UUID], viewer_id: UUID | None) -> list[Card]:
        """Those of the clips that are published and that the viewer may see, in this order."""
        found = await store.cards(tx, clip_ids) if clip_ids else {}
        cards = [found[clip_id] for clip_id in clip_ids if clip_id in found]
        cards = [card for card in cards if card.state == "published"]
        return await self.audiences.visible(tx, viewer_id, cards)

    async def own(self, tx: Tx, clip_id: UUID, author_id: UUID) -> Card:
        """The author's own clip, locked until the transaction ends. Raises NoSuchClip."""
        await store.lock(tx, clip_id)
        card = await store.card(tx, clip_id)
        if card is None or card.author_id != author_id:
            raise NoSuchClip
        return card

    async def hold(self, tx: Tx, clip_id: UUID) -> None:
        """Locks a clip, before what lies under it, as deleting does: so nobody waits for ever."""
        await store.lock(tx, clip_id)

    async def captions(self, tx: Tx, clip_id: UUID, viewer_id: UUID | None) -> str:
        """The WebVTT text of a clip that the viewer may see. Raises NoSuchClip, NoCaptions."""
        await self.see(tx, clip_id, viewer_id)
        vtt = await store.captions(tx, clip_id)
        if vtt is None:
            raise NoCaptions
        return vtt

    async def grid(
        self,
        tx: Tx,
        author_id: UUID,
        viewer_id: UUID | None,
        relation: Relation,
        *,
        is_private: bool,
        cursor: str | None,
        limit: int,
    ) -> tuple[list[Card], str | None]:
        """A person's clips that the viewer may see, newest first, and the next cursor."""
        is_own = viewer_id == author_id
        audiences: list[Audience] = []
        if is_own or not is_private or relation.follows == "yes":
            audiences.append("everyone")
        if is_own or relation.is_friend:
            audiences.append("friends")
        if is_own:
            audiences.append("only-me")
        if not audiences:
            return [], None
        scope = f"grid:{author_id}"
        place = self._cursors.read(scope, cursor, GridPlace)
        before = place.id if place else None
        cards = await store.grid(tx, author_id, before, is_own, audiences, limit + 1, viewer_id)
        if len(cards) <= limit:
            return cards, None
        cards = cards[:limit]
        return cards, self._cursors.make(scope, GridPlace(cards[-1].id))

    async def change(
        self,
        tx: Tx,
        author_id: UUID,
        clip_id: UUID,
        *,
        caption: str | None,
        audience: Audience | None,
        made_with_ai: bool | None,
        audience_list: ClipList | UnsetType | None = UNSET,
        comments_by: WhoMay | Literal["preferred"] | None = None,
    ) -> None:
        """Edits what is given. A narrower audience holds from the next request on: the files get
        other names. A list that is not given stays, where it goes with the audience. Raises
        NoSuchClip and what a caption and a list are refused for."""
        card = await self.own(tx, clip_id, author_id)
        text = card.caption if caption is None else clean_caption(caption)
        if text != card.caption:
            check_mentions(text)
        wanted = card.audience if audience is None else audience
        label = card.made_with_ai if made_with_ai is None else made_with_ai
        kind = card.audience_list
        if audience_list is UNSET and kind is not None and not fits(wanted, kind):
            audience_list = None
        if audience_list is not UNSET:
            # First, for the list that was there may not go with the audience that comes.
            await self.audiences.set_list(tx, clip_id, author_id, wanted, None)
        await store.edit(tx, clip_id, text, hashtags_of(text), wanted, label)
        if label != card.made_with_ai:
            await self._media.say_ai(tx, card.asset_id, label)
        if comments_by is not None:
            who = None if comments_by == "preferred" else comments_by
            await store.set_conversation(tx, clip_id, who, card.answers_id)
        if audience_list is not UNSET and audience_list is not None:
            await self.audiences.set_list(tx, clip_id, author_id, wanted, audience_list)
        await self._telling.edited(tx, card, text)
        if wanted == card.audience and audience_list is UNSET:
            return
        if card.audience == "only-me":
            # News for whoever looks at what others may see.
            await self._queue.put(tx, "clips.shown", {"asset_id": str(card.asset_id)})
        if card.state == "published":
            has_list = kind is not None if audience_list is UNSET else audience_list is not None
            await self._count(tx, author_id, is_counted(card.audience, kind is not None), -1)
            await self._count(tx, author_id, is_counted(wanted, has_list), 1)
        if card.state != "refused":
            changed = await store.card(tx, clip_id)
            await (self._media.widen if changed and is_for_all(changed) else self._media.narrow)(
                tx, card.asset_id
            )

    async def set_captions(
        self, tx: Tx, author_id: UUID, clip_id: UUID, captions: tuple[str, str] | None
    ) -> None:
        """Sets (text, language) or removes the captions. Raises NoSuchClip, BadCaptions."""
        await self.own(tx, clip_id, author_id)
        vtt, language = clean_captions(*captions) if captions else (None, None)
        await store.set_captions(tx, clip_id, vtt, language)

    async def delete(self, tx: Tx, author_id: UUID, clip_id: UUID) -> None:
        """Deletes the clip, its likes and its files. Raises NoSuchClip."""
        card = await self.own(tx, clip_id, author_id)
        if card.state == "published":
            await self._count(
                tx, author_id, is_counted(card.audience, bool(card.audience_list)), -1
            )
        await store.delete(tx, clip_id)
        await self._media.delete(tx, card.asset_id)
        await self._notify.forget_clip(tx, author_id, clip_id)

    async def like(self, tx: Tx, me: UUID, clip_id: UUID) -> int:
        """Likes a clip, once; gives its likes. Raises NoSuchClip, NotPublishedYet."""
        # First the clip, then its likes, as deleting it does: in another order both could wait.
        await store.lock(tx, clip_id)
        card = await self.see(tx, clip_id, me)
        if card.state != "published":
            raise NotPublishedYet
        if not await store.like(tx, clip_id, me, None):
            return await self._likes_seen(tx, me, card, card.likes)
        likes = await store.add_likes(tx, clip_id, 1)
        if me != card.author_id:
            shows, to = Shown("like", {"likes": likes}), card.author_id
            await self._notify.tell(tx, "like", to=to, by=me, clip_id=clip_id, shows=shows)
        return await self._likes_seen(tx, me, card, likes)

    async def like_again(self, tx: Tx, me: UUID, clip_id: UUID, made_at: datetime) -> None:
        """Puts a like back that the person brought along. Its author was told when it was made.
        Raises NoSuchClip, NotPublishedYet."""
        await store.lock(tx, clip_id)
        card = await self.see(tx, clip_id, me)
        if card.state != "published":
            raise NotPublishedYet
        if await store.like(tx, clip_id, me, made_at):
            await store.add_likes(tx, clip_id, 1)

    async def unlike(self, tx: Tx, me: UUID, clip_id: UUID) -> int:
        """Takes a like back; gives the likes. Raises NoSuchClip."""
        await store.lock(tx, clip_id)
        card = await self.see(tx, clip_id, me)
        if not await store.unlike(tx, clip_id, me):
            return await self._likes_seen(tx, me, card, card.likes)
        likes = await store.add_likes(tx, clip_id, -1)
        await self._notify.withdraw(tx, "like", to=card.author_id, by=me, clip_id=clip_id)
        return await self._likes_seen(tx, me, card, likes)

    async def _likes_seen(self, tx: Tx, viewer_id: UUID, card: Card, likes: int) -> int:
        seen = await self.audiences.likes_seen(tx, viewer_id, [card])
        return seen.get(card.id, likes)

    async def marks(self, tx: Tx, viewer_id: UUID | None, cards: list[Card]) -> Marks:
        """What the viewer did with these clips and their authors, and the clips' sounds."""
        if not cards:
            return Marks()
        sounds = await shown_sounds.of(tx, self._graph, viewer_id, cards)
        shown = await self._media.shown(tx, [card.asset_id for card in cards])
        labels = await self._notices.labels(tx, [card.id for card in cards])
        credits = await shown_quotes.of(tx, viewer_id, cards, self.seen)
        if viewer_id is None:
            return Marks(sounds=sounds, shown=shown, labels=labels, credits=credits)
        marked = await kept_store.marked_among(tx, viewer_id, [card.id for card in cards])
        return Marks(
            marked["liked"],
            await self._graph.followed_among(tx, viewer_id, [card.author_id for card in cards]),
            await self.audiences.likes_seen(tx, viewer_id, cards),
            marked["favourite"],
            marked["repost"],
            sounds,
            shown,
            labels,
            credits,
            await quote_store.quotable_among(tx, viewer_id, [card.id for card in cards]),
        )

    async def sounds(self, tx: Tx, ids: Sequence[UUID]) -> list[Sound]:
        """Those of the sounds that are there for everybody."""
        found = await sound_store.sounds(tx, ids) if ids else {}
        return [sound for sound in found.values() if sound.is_open]

    async def are_watched(self, tx: Tx, clip_ids: Sequence[UUID]) -> None:
        """Has more work done for clips that many watch, as far as they are for everybody."""
        await self._media.want_av1(tx, await store.films_for_all(tx, clip_ids))

    async def is_made_from(self, tx: Tx, clip_id: UUID) -> bool:
        """Whether a clip is a duet or a stitch, or was one."""
        return await quote_store.is_made(tx, clip_id)

    async def tally(self, tx: Tx, person_id: UUID) -> int:
        """How many clips a person has published for everyone."""
        return await store.tally(tx, person_id)

    async def _count(self, tx: Tx, author_id: UUID, is_counted: bool, by: int) -> None:
        if is_counted:
            await store.tally_add(tx, author_id, by)
