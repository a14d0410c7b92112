"""Conversations: beginning one, who is in it, what waits for an answer, the epochs of its group."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import msgspec

from luciole.cell.messages import framing, model, refusals
from luciole.cell.messages.devices import Devices
from luciole.cell.messages.model import Conversation, Device, Listed, Member
from luciole.cell.messages.post import Post
from luciole.cell.messages.store import conversations as store
from luciole.cell.messages.store import files as files_store
from luciole.cell.messages.store import people as people_store
from luciole.cell.notify.service import Notify
from luciole.cell.people.model import Viewer
from luciole.kit.clock import Clock
from luciole.kit.db import Tx
from luciole.kit.ids import new_id


class Welcome(msgspec.Struct, frozen=True):
    """A sealed welcome for some devices."""

    device_ids: list[UUID]
    body: bytes


class Change(msgspec.Struct, frozen=True):
    """A commit, and what comes with it: whom it adds and removes, by ids of people."""

    epoch: int
    commit: bytes
    welcomes: Sequence[Welcome]
    group_info: bytes
    adds: Sequence[UUID]
    removes: Sequence[UUID]


class Conversations:
    """Who talks with whom. What they say is none of the cell's business."""

    def __init__(self, devices: Devices, post: Post, notify: Notify, clock: Clock) -> None:
        self._devices = devices
        self._post = post
        self._notify = notify
        self._clock = clock

    # --- looking -------------------------------------------------------------------------------

    async def listed(self, tx: Tx, person_id: UUID) -> list[tuple[Listed, list[UUID]]]:
        """A person's conversations, the newest first, each with who is in it."""
        found = await store.listed(tx, person_id, model.MAX_CONVERSATIONS_LISTED)
        people = await store.members_of(tx, [each.id for each in found])
        return [(each, people.get(each.id, [])) for each in found]

    async def of(
        self, tx: Tx, me: UUID, conversation_id: UUID, *, is_locked: bool = False
    ) -> tuple[Conversation, list[Member], Member]:
        """A conversation, who is in it, and the person's own place. Raises NoSuchConversation,
        also where a block keeps the two of a pair apart."""
        read = store.lock if is_locked else store.one
        found = await read(tx, conversation_id)
        members = await store.members(tx, conversation_id) if found else []
        mine = next((each for each in members if each.person_id == me), None)
        if found is None or mine is None or mine.folder == "declined":
            raise refusals.NoSuchConversation
        if found.kind == "pair":
            for each in members:
                if each is not mine:
                    between = await people_store.between(tx, me, each.person_id)
                    if between is not None and between.is_apart:
                        raise refusals.NoSuchConversation
        return found, members, mine

    async def to_report(self, tx: Tx, me: UUID, conversation_id: UUID) -> Conversation:
        """A conversation of the person, also one that a block keeps apart by now or that was
        declined. Raises NoSuchConversation."""
        found = await store.one(tx, conversation_id)
        members = await store.members(tx, conversation_id) if found else []
        if found is None or me not in {each.person_id for each in members}:
            raise refusals.NoSuchConversation
        return found

    # --- beginning -----------------------------------------------------------------------------

    async def begin(
        self,
        tx: Tx,
        me: Viewer,
        device: Device,
        kind: model.Kind,
        people: Sequence[UUID],
        welcomes: Sequence[Welcome],
        group_info: bytes,
    ) -> UUID:
        """Begins a conversation with people who are all welcomed with a device at least. Raises
        BadMembers, GroupFull, CannotWrite, NotAFriend, DeviceLeftOut, BadGroupInfo, PairExists."""
        if me.person_id in people or len(set(people)) != len(people) or not people:
            raise refusals.BadMembers
        if kind == "pair" and len(people) != 1:
            raise refusals.BadMembers
        if len(people) + 1 > model.MAX_PEOPLE:
            raise refusals.GroupFull
        folders = [await self._folder(tx, me, kind, other) for other in people]
        seats = await self._welcomed(tx, welcomes, [*people, me.person_id], people)
        group = _group_of(group_info)
        conversation = Conversation(
            new_id(), kind, group.group_id, group.epoch, group_info, 0, False
        )
        pair = (me.person_id, people[0]) if kind == "pair" else None
        if pair is not None:
            await self._give_way(tx, me.person_id, people[0])
        if not await store.add(tx, conversation, pair, self._clock.now().date()):
            raise refusals.PairExists
        await store.add_member(tx, conversation.id, me.person_id, 0, "inbox")
        for place, (other, folder) in enumerate(zip(people, folders, strict=True), 1):
            await store.add_member(tx, conversation.id, other, place, folder)
        await store.add_seats(tx, conversation.id, [device.id, *seats])
        await self._post.lock(tx, seats)
        await self._send_welcomes(tx, conversation.id, group.epoch, welcomes)
        quiet = await people_store.restricters(tx, me.person_id, people)
        for other, folder in zip(people, folders, strict=True):
            if folder == "requests" and other not in quiet:
                await self._notify.tell(tx, "message-request", to=other, by=me.person_id)
        await self._post.show(tx, conversation.id, {me.person_id, *people}, by=me.person_id)
        return conversation.id

    async def _folder(self, tx: Tx, me: Viewer, kind: model.Kind, other: UUID) -> model.Folder:
        between = await self._devices.may_begin(tx, me, other)
        if kind == "pair":
            return model.folder_for(between)
        if not between.is_friend:
            raise refusals.NotAFriend
        return "requests" if between.restricts_me else "inbox"

    async def _give_way(self, tx: Tx, me: UUID, other: UUID) -> None:
        """Ends the pair that the person has declined before, for the new one."""
        former = await store.of_pair(tx, me, other)
        if former is None:
            return
        mine = next(e for e in await store.members(tx, former) if e.person_id == me)
        if mine.folder != "declined":
            raise refusals.PairExists
        await self._end_pair(tx, former, me)

    async def _welcomed(
        self,
        tx: Tx,
        welcomes: Sequence[Welcome],
        allowed: Sequence[UUID],
        needed: Sequence[UUID],
    ) -> list[UUID]:
        """The devices that welcomes are for: each once, in use, of somebody who may be there, and
        one at least of everybody who is needed. Raises DeviceLeftOut."""
        ids = [device_id for each in welcomes for device_id in each.device_ids]
        active = await self._devices.active(tx, ids)
        owners = {each.person_id for each in active.values()}
        if len(set(ids)) != len(ids) or set(active) != set(ids):
            raise refusals.DeviceLeftOut
        if not owners <= set(allowed) or not set(needed) <= owners:
            raise refusals.DeviceLeftOut
        return ids

    async def _send_welcomes(
        self, tx: Tx, conversation_id: UUID, epoch: int, welcomes: Sequence[Welcome]
    ) -> None:
        for each in welcomes:
            await self._post.put(tx, conversation_id, "welcome", epoch, each.body, each.device_ids)

    # --- going on ------------------------------------------------------------------------------

    async def commit(
        self, tx: Tx, me: Viewer, device: Device, conversation_id: UUID, change: Change
    ) -> tuple[int, UUID]:
        """Takes the one commit that ends an epoch; gives the next epoch, and the envelope's id.
        A device of somebody in the conversation may join by it. Raises NoSuchConversation,
        ConversationOver, EpochPassed, BadGroupInfo, and what `begin` raises."""
        conversation, members, mine = await self.of(
            tx, me.person_id, conversation_id, is_locked=True
        )
        _check_going(conversation)
        if change.epoch != conversation.epoch:
            raise refusals.EpochPassed
        group = _group_of(change.group_info)
        if group != framing.Group(conversation.group_id, conversation.epoch + 1):
            raise refusals.BadGroupInfo
        here = {each.person_id for each in members}
        adds, removes = list(change.adds), set(change.removes) & here
        folders = await self._added(tx, me, conversation, here - removes, adds)
        if removes - {me.person_id} and mine.place != min(each.place for each in members):
            raise refusals.NotYoursToRemove
        if me.person_id in removes:
            raise refusals.BadMembers
        staying = (here - removes) | set(adds)
        seats = await self._welcomed(tx, change.welcomes, list(staying), adds)

        before = await store.seats(tx, conversation_id)
        await self._post.lock(tx, {*before, *seats})
        envelope_id = await self._post.put(
            tx, conversation_id, "commit", change.epoch, change.commit, before
        )
        await self._send_welcomes(tx, conversation_id, group.epoch, change.welcomes)
        await store.drop_people(tx, conversation_id, list(removes))
        last = max(each.place for each in members)
        for place, (other, folder) in enumerate(folders.items(), last + 1):
            await store.add_member(tx, conversation_id, other, place, folder)
        await store.add_seats(tx, conversation_id, [device.id, *seats])
        today = self._clock.now().date()
        await store.move_on(tx, conversation_id, group.epoch, change.group_info, today)
        await self._post.show(tx, conversation_id, here | staying, by=me.person_id)
        return group.epoch, envelope_id

    async def _added(
        self,
        tx: Tx,
        me: Viewer,
        conversation: Conversation,
        here: set[UUID],
        adds: Sequence[UUID],
    ) -> dict[UUID, model.Folder]:
        """Those who come in, and where it arrives at them."""
        if not adds:
            return {}
        if conversation.kind == "pair" or here & set(adds) or len(set(adds)) != len(adds):
            raise refusals.BadMembers
        if len(here) + len(adds) > model.MAX_PEOPLE:
            raise refusals.GroupFull
        return {other: await self._folder(tx, me, "group", other) for other in adds}

    # --- one's own place -----------------------------------------------------------------------

    async def accept(self, tx: Tx, me: UUID, conversation_id: UUID) -> None:
        """Moves a request to the inbox. Raises NoSuchConversation."""
        _, members, mine = await self.of(tx, me, conversation_id, is_locked=True)
        if mine.folder == "requests":
            await store.set_folder(tx, conversation_id, me, "inbox")
            await self._answered(tx, me, members)
            await store.forget_knocks(tx, conversation_id)
            await self._post.show(tx, conversation_id, {me}, by=me)

    async def _answered(self, tx: Tx, me: UUID, members: Sequence[Member]) -> None:
        """Takes the line about a request back: there is none any more."""
        first = min(members, key=lambda each: each.place)
        await self._notify.withdraw(tx, "message-request", to=me, by=first.person_id)

    async def mute(self, tx: Tx, me: UUID, conversation_id: UUID, is_muted: bool) -> None:
        """Raises NoSuchConversation."""
        if not await store.set_muted(tx, conversation_id, me, is_muted):
            raise refusals.NoSuchConversation

    async def leave(self, tx: Tx, me: UUID, conversation_id: UUID) -> None:
        """Leaves. A pair is over then; but a request that is declined stays as it is for the one
        who made it. Raises NoSuchConversation."""
        conversation = await store.lock(tx, conversation_id)
        members = await store.members(tx, conversation_id) if conversation else []
        mine = next((each for each in members if each.person_id == me), None)
        if conversation is None or mine is None or mine.folder == "declined":
            raise refusals.NoSuchConversation
        if conversation.kind == "pair" and mine.folder == "requests":
            await store.set_folder(tx, conversation_id, me, "declined")
            await self._answered(tx, me, members)
            await store.drop_deliveries(tx, conversation_id, me)
            await store.drop_seats(tx, conversation_id, me)
        elif conversation.kind == "pair":
            await self._end_pair(tx, conversation_id, me)
            for each in members:
                await self._notify.withdraw(tx, "message-request", to=each.person_id, by=me)
        else:
            await self._take_out(tx, conversation_id, me)
        others = {each.person_id for each in members if each.folder != "declined"}
        if mine.folder != "requests":
            await self._post.show(tx, conversation_id, others, by=me)
        else:
            await self._post.show(tx, conversation_id, {me}, by=me)

    async def _end_pair(self, tx: Tx, conversation_id: UUID, person_id: UUID) -> None:
        await store.end(tx, conversation_id)
        await self._take_out(tx, conversation_id, person_id)

    async def _take_out(self, tx: Tx, conversation_id: UUID, person_id: UUID) -> None:
        """Takes somebody out; a conversation in which nobody is left goes."""
        await store.drop_deliveries(tx, conversation_id, person_id)
        await store.drop_people(tx, conversation_id, [person_id])
        left = await store.members(tx, conversation_id)
        if all(each.folder == "declined" for each in left):
            await self.drop(tx, conversation_id)

    async def drop(self, tx: Tx, conversation_id: UUID) -> None:
        """Removes a conversation with all that waits in it."""
        keys = await files_store.drop_attachments_of(tx, [conversation_id])
        await files_store.announce(tx, keys, model.LONG_AGO)
        await store.drop(tx, conversation_id)

    async def tidy(self, tx: Tx) -> None:
        """Removes conversations in which nobody is left, because accounts have gone."""
        for conversation_id in await store.forgotten(tx, 100):
            await self.drop(tx, conversation_id)


def _group_of(group_info: bytes) -> framing.Group:
    """Raises BadGroupInfo."""
    try:
        found = framing.group_info(group_info)
    except framing.Malformed:
        raise refusals.BadGroupInfo from None
    if not 1 <= len(found.group_id) <= model.MAX_GROUP_ID_BYTES or found.epoch >= model.MAX_EPOCH:
        raise refusals.BadGroupInfo
    return found


def _check_going(conversation: Conversation) -> None:
    if conversation.is_over:
        raise refusals.ConversationOver
