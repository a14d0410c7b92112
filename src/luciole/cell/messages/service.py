"""The front door of messages."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from luciole.ask.client import Custody
from luciole.cell.messages import model, refusals
from luciole.cell.messages.conversations import Conversations
from luciole.cell.messages.devices import Devices, Prove
from luciole.cell.messages.files import Files
from luciole.cell.messages.model import Conversation, Device, Member, Settings
from luciole.cell.messages.post import Post
from luciole.cell.messages.reports import Reports
from luciole.cell.messages.store import conversations as store
from luciole.cell.messages.store import people as people_store
from luciole.cell.notify.service import Notify
from luciole.cell.people.model import AgeBand, Viewer
from luciole.config import MessagesSettings
from luciole.kit.clock import Clock
from luciole.kit.db import Tx
from luciole.kit.rates import Buckets

TOO_YOUNG = ("under-13", "13-15")


class Messages:
    """Sending, and what people chose. Devices, conversations, files and reports have parts."""

    def __init__(
        self,
        settings: MessagesSettings,
        custody: Custody,
        notify: Notify,
        clock: Clock,
        prove: Prove,
    ) -> None:
        self.rates = Buckets()
        self.post = Post(notify, clock)
        self.devices = Devices(custody, clock, prove)
        self.conversations = Conversations(self.devices, self.post, notify, clock)
        self.files = Files(settings, clock)
        self.reports = Reports(custody, clock)

    @staticmethod
    def is_too_young(me: Viewer) -> bool:
        """Whether messages are off for a person of that age."""
        return me.age_band in TOO_YOUNG

    def check_age(self, me: Viewer) -> None:
        """Raises MessagesOff for who is too young for messages."""
        if self.is_too_young(me):
            raise refusals.MessagesOff

    # --- sending -------------------------------------------------------------------------------

    async def send(
        self,
        tx: Tx,
        me: Viewer,
        device: Device,
        conversation_id: UUID,
        epoch: int,
        body: bytes,
        recall_hash: bytes,
    ) -> UUID:
        """Carries a message to everybody in a conversation who hears the person; gives its id.
        Raises NoSuchConversation, ConversationOver, AcceptFirst, NotSeated, EpochPassed,
        CannotWrite, WaitForAnswer."""
        conversation, members, mine = await self.conversations.of(
            tx, me.person_id, conversation_id, is_locked=True
        )
        knocks = await self._check_sending(tx, me, conversation, members, mine, len(body))
        seats = await store.seats(tx, conversation_id)
        if device.id not in seats:
            raise refusals.NotSeated
        if epoch != conversation.epoch:
            raise refusals.EpochPassed
        hearers = await store.hearers(tx, conversation_id, me.person_id)
        await self.post.lock(tx, hearers)
        message_id = await self.post.put(
            tx, conversation_id, "message", epoch, body, hearers, recall_hash
        )
        await store.touch(tx, conversation_id, self.post.now().date(), knocks)
        # Not for what one has sent oneself from another device, nor for what is muted or a request.
        wakes = {
            each.person_id
            for each in members
            if each.folder == "inbox" and not each.is_muted and each.person_id != me.person_id
        }
        await self.post.show(
            tx, conversation_id, set(hearers.values()), by=me.person_id, wakes=wakes
        )
        return message_id

    async def _check_sending(
        self,
        tx: Tx,
        me: Viewer,
        conversation: Conversation,
        members: list[Member],
        mine: Member,
        size_bytes: int,
    ) -> int:
        """Whether the person may say something of that size now; 1 where it counts as a knock."""
        if conversation.is_over:
            raise refusals.ConversationOver
        if mine.folder != "inbox":
            raise refusals.AcceptFirst
        if conversation.kind == "group":
            return 0
        other = next(each for each in members if each is not mine)
        between = await people_store.between(tx, me.person_id, other.person_id)
        if between is None:
            raise refusals.ConversationOver
        if (between.is_minor or me.is_minor) and not between.is_friend:
            raise refusals.CannotWrite
        if other.folder == "inbox":
            return 0
        is_full = conversation.knocks >= model.MAX_REQUEST_MESSAGES
        if is_full or size_bytes > model.MAX_REQUEST_BYTES:
            raise refusals.WaitForAnswer
        return 1

    async def check_attaching(self, tx: Tx, me: Viewer, conversation_id: UUID) -> None:
        """Whether the person may add a file to a conversation now; a request takes none. Raises
        what `send` raises."""
        conversation, members, mine = await self.conversations.of(tx, me.person_id, conversation_id)
        await self._check_sending(tx, me, conversation, members, mine, model.MAX_ATTACHMENT_BYTES)

    async def signal(
        self, tx: Tx, me: Viewer, device: Device, conversation_id: UUID, sealed: bytes
    ) -> None:
        """Carries a typing or read mark to those who take marks. Raises NoSuchConversation,
        AcceptFirst, NotSeated, MarksOff."""
        conversation, _, mine = await self.conversations.of(tx, me.person_id, conversation_id)
        if mine.folder != "inbox":
            raise refusals.AcceptFirst
        if conversation.is_over:
            raise refusals.ConversationOver
        chosen = await self.settings(tx, me)
        if not chosen.typing and not chosen.read_marks:
            raise refusals.MarksOff
        hearers = await store.hearers(tx, conversation_id, me.person_id)
        if device.id not in hearers:
            raise refusals.NotSeated
        await self.post.signal(tx, conversation_id, device, sealed, set(hearers.values()))

    # --- what people chose ---------------------------------------------------------------------

    async def settings(self, tx: Tx, me: Viewer) -> Settings:
        """What the person chose, else the defaults of their age band."""
        found = await people_store.settings(tx, me.person_id)
        return found or Settings(who="friends" if me.is_minor else "everyone")

    async def who_may_write(
        self, tx: Tx, person_id: UUID, age_band: AgeBand
    ) -> Literal["nobody", "friends", "everyone"]:
        """Who may write to a person, by what they chose and their age band: for their guardian."""
        if age_band in TOO_YOUNG:
            return "nobody"
        found = await people_store.settings(tx, person_id)
        return found.who if found else "friends" if age_band != "18+" else "everyone"

    async def change_settings(
        self,
        tx: Tx,
        me: Viewer,
        *,
        who: model.Who | None,
        typing: bool | None,
        read_marks: bool | None,
    ) -> Settings:
        """Changes what is not None. Raises MinorsWriteToFriends."""
        if who == "everyone" and me.is_minor:
            raise refusals.MinorsWriteToFriends
        before = await self.settings(tx, me)
        after = Settings(
            who or before.who,
            before.typing if typing is None else typing,
            before.read_marks if read_marks is None else read_marks,
        )
        await people_store.set_settings(tx, me.person_id, after)
        return after

    async def tidy(self, tx: Tx) -> None:
        """Forgets what is past its time."""
        await self.post.tidy(tx)
        await self.devices.tidy(tx)
        await self.conversations.tidy(tx)
        await self.reports.tidy(tx)
