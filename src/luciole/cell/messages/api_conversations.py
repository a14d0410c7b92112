"""Routes of conversations: who is in them, what is sent into them, what waits for a device."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any
from uuid import UUID

from litestar import delete, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from luciole.cell.messages import limits, shapes
from luciole.cell.messages.conversations import Change, Welcome
from luciole.cell.messages.model import Folder, Listed
from luciole.cell.messages.service import Messages
from luciole.cell.people.model import NoSuchPerson, Person, Viewer
from luciole.cell.people.service import People
from luciole.kit.db import Database, Tx
from luciole.kit.web import AnyRequest

AvatarUrl = Callable[[str | None], str | None]
Writer = Callable[[Tx, AnyRequest], Awaitable[Viewer]]
Seen = Callable[[Tx, Viewer, str], Awaitable[Person]]
MAX_BEGIN_BODY_BYTES = 4 * 1024 * 1024
MAX_WAITING = 100


def handlers(
    db: Database,
    people: People,
    messages: Messages,
    avatar_url: AvatarUrl,
    writer: Writer,
    seen: Seen,
) -> list[Any]:
    """The handlers over their collaborators."""
    devices, conversations = messages.devices, messages.conversations

    async def ids(tx: Tx, me: Viewer, handles: Sequence[str]) -> list[UUID]:
        return [(await seen(tx, me, handle)).id for handle in handles]

    async def there(tx: Tx, handles: Sequence[str]) -> list[UUID]:
        """Those of some people who are still there, also if a block keeps them apart."""
        found = []
        for handle in handles:
            with contextlib.suppress(NoSuchPerson):
                found.append((await people.by_handle(tx, handle)).id)
        return found

    async def bodies(
        tx: Tx, found: Sequence[tuple[Listed, list[UUID]]]
    ) -> list[shapes.ConversationBody]:
        cards = await people.cards(tx, list({one for _, members in found for one in members}))
        return [
            shapes.ConversationBody(
                each.id,
                each.kind,
                each.folder,
                [_member(cards[one], avatar_url) for one in members if one in cards],
                each.epoch,
                each.is_muted,
                each.is_over,
                each.updated_on,
            )
            for each, members in found
        ]

    @post("/conversations", request_max_body_size=MAX_BEGIN_BODY_BYTES)
    async def begin(
        request: AnyRequest, data: JSONBody[shapes.ConversationNew]
    ) -> shapes.ConversationBody:
        """Begins a conversation: of two, who have one at most, or of a group of friends."""
        async with db.tx() as tx:
            me = await writer(tx, request)
            messages.rates.take(limits.OPEN, str(me.person_id))
            device = await devices.own(tx, me.person_id, data.device_id)
            made = await conversations.begin(
                tx,
                me,
                device,
                data.kind,
                await ids(tx, me, data.members),
                _welcomes(data.welcomes),
                data.group_info,
            )
            found = await conversations.listed(tx, me.person_id)
            (body,) = await bodies(tx, [each for each in found if each[0].id == made])
        return body

    @get("/conversations")
    async def listed(
        request: AnyRequest, folder: FromQuery[Folder | None] = None
    ) -> shapes.ConversationList:
        """The person's conversations, the newest first: the inbox, requests of strangers, or
        both."""
        async with db.read() as tx:
            me = await people.require(tx, request)
            found = await conversations.listed(tx, me.person_id)
            wanted = [each for each in found if folder in (None, each[0].folder)]
            return shapes.ConversationList(await bodies(tx, wanted))

    @post("/conversations/{conversation_id:uuid}/accept", status_code=204)
    async def accept(request: AnyRequest, conversation_id: FromPath[UUID]) -> None:
        """Accepts a request: it moves to the inbox, and may be answered."""
        async with db.tx() as tx:
            me = await writer(tx, request)
            await conversations.accept(tx, me.person_id, conversation_id)

    @post("/conversations/{conversation_id:uuid}/leave", status_code=204)
    async def leave(request: AnyRequest, conversation_id: FromPath[UUID]) -> None:
        """Leaves a conversation, or declines a request, of which the other one is not told."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            await conversations.leave(tx, me.person_id, conversation_id)

    @put("/conversations/{conversation_id:uuid}/mute", status_code=204)
    async def mute(request: AnyRequest, conversation_id: FromPath[UUID]) -> None:
        """Wants no notice of a conversation."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            await conversations.mute(tx, me.person_id, conversation_id, True)

    @delete("/conversations/{conversation_id:uuid}/mute")
    async def unmute(request: AnyRequest, conversation_id: FromPath[UUID]) -> None:
        """Wants notice of it again."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            await conversations.mute(tx, me.person_id, conversation_id, False)

    @post("/conversations/{conversation_id:uuid}/messages")
    async def send(
        request: AnyRequest, conversation_id: FromPath[UUID], data: JSONBody[shapes.MessageNew]
    ) -> shapes.MessageMade:
        """Sends a sealed message of the current epoch. Who sent it is not stored."""
        async with db.tx() as tx:
            me = await writer(tx, request)
            messages.rates.take(limits.SEND, str(me.person_id))
            device = await devices.own(tx, me.person_id, data.device_id)
            made = await messages.send(
                tx, me, device, conversation_id, data.epoch, data.body, data.recall_hash
            )
            return shapes.MessageMade(made, messages.post.now())

    @delete("/conversations/{conversation_id:uuid}/messages/{message_id:uuid}")
    async def recall(
        request: AnyRequest,
        conversation_id: FromPath[UUID],
        message_id: FromPath[UUID],
        data: JSONBody[shapes.Recall],
    ) -> None:
        """Takes a message back where it was not fetched yet; whoever has its token may. Whether
        any device had it already is not said."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            await conversations.of(tx, me.person_id, conversation_id)
            await messages.post.recall(tx, conversation_id, message_id, data.token)

    @post(
        "/conversations/{conversation_id:uuid}/commits",
        status_code=200,
        request_max_body_size=MAX_BEGIN_BODY_BYTES,
    )
    async def commit(
        request: AnyRequest, conversation_id: FromPath[UUID], data: JSONBody[shapes.CommitNew]
    ) -> shapes.CommitMade:
        """Ends an epoch: the first commit that names the current one is taken. A device that is
        not in the conversation yet joins by it, where its person is."""
        async with db.tx() as tx:
            me = await writer(tx, request)
            messages.rates.take(limits.SEND, str(me.person_id))
            device = await devices.own(tx, me.person_id, data.device_id)
            change = Change(
                data.epoch,
                data.commit,
                _welcomes(data.welcomes),
                data.group_info,
                await ids(tx, me, data.adds),
                await there(tx, data.removes),
            )
            epoch, made = await conversations.commit(tx, me, device, conversation_id, change)
        return shapes.CommitMade(epoch, made)

    @get("/conversations/{conversation_id:uuid}/group-info")
    async def group_info(request: AnyRequest, conversation_id: FromPath[UUID]) -> shapes.GroupInfo:
        """What a new device of the person needs to join by an external commit."""
        async with db.read() as tx:
            me = await writer(tx, request)
            found, _, _ = await conversations.of(tx, me.person_id, conversation_id)
        return shapes.GroupInfo(found.epoch, found.group_info)

    @post("/conversations/{conversation_id:uuid}/signals", status_code=204)
    async def signal(
        request: AnyRequest, conversation_id: FromPath[UUID], data: JSONBody[shapes.SignalNew]
    ) -> None:
        """Shows a sealed typing or read mark on the open pages of those who take marks."""
        async with db.tx() as tx:
            me = await writer(tx, request)
            messages.rates.take(limits.SIGNAL, str(me.person_id))
            device = await devices.own(tx, me.person_id, data.device_id)
            await messages.signal(tx, me, device, conversation_id, data.body)

    @get("/devices/{device_id:uuid}/inbox")
    async def inbox(
        request: AnyRequest,
        device_id: FromPath[UUID],
        limit: Annotated[int, QueryParameter(ge=1, le=MAX_WAITING)] = 50,
    ) -> shapes.Inbox:
        """What waits for a device, the oldest first. It comes again until it is acknowledged."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            device = await devices.own(tx, me.person_id, device_id)
            await devices.see(tx, device)
            waiting = await messages.post.inbox(tx, device, limit)
        return shapes.Inbox(
            [
                shapes.EnvelopeBody(
                    each.n,
                    each.conversation_id,
                    each.kind,
                    each.epoch,
                    each.body,
                    each.at,
                    each.id,
                )
                for each in waiting
            ]
        )

    @post("/devices/{device_id:uuid}/acks", status_code=204)
    async def ack(
        request: AnyRequest, device_id: FromPath[UUID], data: JSONBody[shapes.Ack]
    ) -> None:
        """Forgets what waited for a device up to a number; what every device has got goes."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            device = await devices.own(tx, me.person_id, device_id)
            await messages.post.ack(tx, device, data.up_to)

    return [
        begin,
        listed,
        accept,
        leave,
        mute,
        unmute,
        send,
        recall,
        commit,
        group_info,
        signal,
        inbox,
        ack,
    ]


def _welcomes(welcomes: Sequence[shapes.WelcomeBody]) -> list[Welcome]:
    return [Welcome(each.device_ids, each.body) for each in welcomes]


def _member(person: Person, avatar_url: AvatarUrl) -> shapes.MemberBody:
    return shapes.MemberBody(
        person.id, person.handle, person.display_name, avatar_url(person.avatar_key)
    )
