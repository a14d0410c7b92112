"""Following, with consent where an account is private, and keeping away."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from uuid import UUID

from luciole.cell.graph import store
from luciole.cell.graph.model import (
    MAX_APART,
    MAX_FOLLOWING,
    STRANGERS,
    ApartTooMany,
    CannotFollowYourself,
    Distance,
    Follows,
    FollowsTooMany,
    Listed,
    ListNotShown,
    ListPlace,
    NoSuchRequest,
    NotYourself,
    Relation,
    Tally,
)
from luciole.cell.graph.store import apart
from luciole.cell.notify.model import Shown
from luciole.cell.notify.service import Notify
from luciole.cell.people.family.service import Family
from luciole.cell.people.model import NoSuchPerson
from luciole.kit.cursor import Cursors
from luciole.kit.db import Tx


class Graph:
    """The front door of graph."""

    def __init__(self, notify: Notify, cursors: Cursors, family: Family) -> None:
        self._notify = notify
        self._family = family
        self._cursors = cursors

    async def follow(
        self,
        tx: Tx,
        me: UUID,
        other: UUID,
        *,
        is_private: bool,
        made_at: datetime | None = None,
    ) -> Follows:
        """Follows at once, or asks to where the account is private. Doing it twice is no error.
        Who brings a follow along gives the time at which it was made.

        Raises CannotFollowYourself, FollowsTooMany, NoSuchPerson.
        """
        if me == other:
            raise CannotFollowYourself
        # Requests too: each of them may be accepted any time. Asked under the lock that blocking
        # takes too.
        has_many, is_apart = await store.follows_at_least(tx, me, MAX_FOLLOWING, other)
        if has_many:
            raise FollowsTooMany
        if is_apart:
            raise NoSuchPerson
        wanted = "pending" if is_private else "accepted"
        if not await store.follow(tx, me, other, wanted, made_at):
            return (await self.relation(tx, me, other)).follows
        if is_private:
            asks = Shown("follow", {"state": "pending"})
            await self._notify.tell(tx, "follow-request", to=other, by=me, shows=asks)
            return "pending"
        await store.tally_add(tx, me, other, 1)
        done = Shown("follow", {"state": "yes"})
        await self._notify.tell(tx, "follow", to=other, by=me, shows=done)
        return "yes"

    async def unfollow(self, tx: Tx, me: UUID, other: UUID) -> None:
        """Ends a follow or takes a request back; nothing happens where there is neither."""
        taken = await store.unfollow(tx, me, other)
        if taken == "accepted":
            await store.tally_add(tx, me, other, -1)
        await self._notify.withdraw(tx, "follow", to=other, by=me)
        await self._notify.withdraw(tx, "follow-request", to=other, by=me)
        await self._notify.withdraw(tx, "follow-accepted", to=me, by=other)

    async def accept(self, tx: Tx, me: UUID, follower: UUID) -> None:
        """Raises NoSuchRequest."""
        if not await store.accept(tx, follower, me):
            raise NoSuchRequest
        await self._accepted(tx, me, follower)

    async def _accepted(self, tx: Tx, me: UUID, follower: UUID) -> None:
        await store.tally_add(tx, follower, me, 1)
        await self._notify.withdraw(tx, "follow-request", to=me, by=follower)
        shows = Shown("follow-accepted", {})
        await self._notify.tell(tx, "follow-accepted", to=follower, by=me, shows=shows)

    async def decline(self, tx: Tx, me: UUID, follower: UUID) -> None:
        """The other person is not told. Raises NoSuchRequest."""
        if not await store.decline(tx, follower, me):
            raise NoSuchRequest
        await self._notify.withdraw(tx, "follow-request", to=me, by=follower)

    async def remove_follower(self, tx: Tx, me: UUID, follower: UUID) -> None:
        """Ends somebody's follow of me, without a word to them."""
        await self.unfollow(tx, follower, me)

    async def accept_next(self, tx: Tx, me: UUID) -> bool:
        """Accepts the request that waited longest, when an account became public. False where
        there is none. One in a transaction: the counts of many would be locked in an order that
        those who follow just then do not keep."""
        waiting = await store.pending(tx, me, 1)
        for follower in waiting:
            if await store.accept(tx, follower, me):
                await self._accepted(tx, me, follower)
        return bool(waiting)

    async def block(self, tx: Tx, me: UUID, other: UUID) -> None:
        """Makes two people nobody to each other; see `keep_away`."""
        await self.keep_away(tx, "block", me, other)

    async def mute(self, tx: Tx, me: UUID, other: UUID) -> None:
        """Leaves a person out of what I see and am told; see `keep_away`."""
        await self.keep_away(tx, "mute", me, other)

    async def restrict(self, tx: Tx, me: UUID, other: UUID) -> None:
        """Lets what a person says to me wait for my yes; see `keep_away`."""
        await self.keep_away(tx, "restriction", me, other)

    async def keep_away(self, tx: Tx, distance: Distance, me: UUID, other: UUID) -> None:
        """Keeps a person away from the next answer on; they are not told. Doing it twice is no
        error. Raises NotYourself, ApartTooMany.

        A block makes two people nobody to each other: it ends what they follow of each other, and
        removes what they were told of each other, and ends that they are paired as a family. A
        mute leaves a person out of my feeds and of what I am told. A restriction lets what they say
        to me wait for my yes.
        """
        if me == other:
            raise NotYourself
        await apart.lock_both(tx, me, other)
        if await apart.keeps_at_least(tx, distance, me, MAX_APART):
            raise ApartTooMany
        await apart.keep(tx, distance, me, other)
        await self._hush(tx, me, other)
        if distance != "block":
            return
        # The lower id first, so that two who block each other at once do not wait for ever.
        for follower, followee in sorted([(me, other), (other, me)]):
            await self.unfollow(tx, follower, followee)
        await self._notify.forget_actor(tx, me, other)
        await self._notify.forget_actor(tx, other, me)
        await self._family.end_between(tx, me, other)

    async def unblock(self, tx: Tx, me: UUID, other: UUID) -> None:
        """Ends a block; see `let_near`."""
        await self.let_near(tx, "block", me, other)

    async def unmute(self, tx: Tx, me: UUID, other: UUID) -> None:
        """Ends a mute; see `let_near`."""
        await self.let_near(tx, "mute", me, other)

    async def unrestrict(self, tx: Tx, me: UUID, other: UUID) -> None:
        """Ends a restriction; see `let_near`."""
        await self.let_near(tx, "restriction", me, other)

    async def let_near(self, tx: Tx, distance: Distance, me: UUID, other: UUID) -> None:
        """Ends that; what was followed before a block stays ended."""
        await apart.lock_both(tx, me, other)
        await apart.end(tx, distance, me, other)
        await self._hush(tx, me, other)

    async def kept_away(
        self, tx: Tx, distance: Distance, me: UUID, cursor: str | None, limit: int
    ) -> tuple[list[Listed], str | None]:
        """Whom I block, mute or restrict, the newest first, and the next cursor."""
        return await self._page(
            f"{distance}:{me}",
            cursor,
            limit,
            lambda place, n: apart.kept(tx, distance, me, place, n),
        )

    async def keepers(self, tx: Tx, person: UUID) -> list[tuple[Distance, UUID]]:
        """Who blocks, mutes or restricts a person: for those who move, so that it goes over."""
        return await apart.keepers(tx, person)

    async def some_followers(self, tx: Tx, person: UUID) -> list[UUID]:
        """Some of those who follow a person or ask to: for those who move, until none is left."""
        return await store.some_followers(tx, person)

    async def _hush(self, tx: Tx, me: UUID, other: UUID) -> None:
        """Lets notify know of whom the two are told nothing now."""
        for person, actor in ((me, other), (other, me)):
            found = await self.relation(tx, person, actor)
            is_hushed = found.is_apart or found.mutes or found.restricts
            await self._notify.hush(tx, person, actor, is_hushed=is_hushed)

    async def apart_among(self, tx: Tx, viewer: UUID, people: Iterable[UUID]) -> frozenset[UUID]:
        """Those of these people whom the viewer blocks, or who block the viewer."""
        return await apart.apart_among(tx, viewer, people)

    async def is_apart(self, tx: Tx, viewer: UUID | None, person: UUID) -> bool:
        """Whether one of the two blocks the other."""
        if viewer is None or viewer == person:
            return False
        return bool(await apart.apart_among(tx, viewer, [person]))

    async def require_reach(self, tx: Tx, viewer: UUID | None, person: UUID) -> None:
        """Raises NoSuchPerson where one of the two blocks the other: neither finds the other."""
        if await self.is_apart(tx, viewer, person):
            raise NoSuchPerson

    async def relation(self, tx: Tx, viewer: UUID | None, person: UUID) -> Relation:
        """How the viewer and a person stand to each other."""
        if viewer is None or viewer == person:
            return STRANGERS
        return (await store.relations(tx, viewer, [person]))[person]

    async def relations(
        self, tx: Tx, viewer: UUID | None, people: Iterable[UUID]
    ) -> dict[UUID, Relation]:
        """The same for each of several people."""
        wanted = set(people)
        if viewer is None:
            return dict.fromkeys(wanted, STRANGERS)
        return {**await store.relations(tx, viewer, wanted - {viewer}), viewer: STRANGERS}

    async def followed_among(self, tx: Tx, viewer: UUID, people: list[UUID]) -> dict[UUID, Follows]:
        """Which of these people the viewer follows; those who are missing: no."""
        return await store.followed_among(tx, viewer, people)

    async def friends_among(self, tx: Tx, person: UUID, people: Iterable[UUID]) -> frozenset[UUID]:
        """Those of these people who are the person's friends."""
        return await store.friends_among(tx, person, people)

    async def tally(self, tx: Tx, person: UUID) -> Tally:
        return await store.tally(tx, person)

    async def followers(
        self,
        tx: Tx,
        person: UUID,
        viewer: UUID | None,
        *,
        is_private: bool,
        cursor: str | None,
        limit: int,
    ) -> tuple[list[Listed], str | None]:
        """Newest first, and the next cursor. Raises ListNotShown for outsiders of a private one."""
        await self._check_list(tx, person, viewer, is_private)
        return await self._page(
            f"followers:{person}",
            cursor,
            limit,
            lambda place, n: store.followers(tx, person, viewer, place, n),
        )

    async def following(
        self,
        tx: Tx,
        person: UUID,
        viewer: UUID | None,
        *,
        is_private: bool,
        cursor: str | None,
        limit: int,
    ) -> tuple[list[Listed], str | None]:
        """As `followers`, for those whom the person follows."""
        await self._check_list(tx, person, viewer, is_private)
        return await self._page(
            f"following:{person}",
            cursor,
            limit,
            lambda place, n: store.following(tx, person, viewer, place, n),
        )

    async def friends(
        self, tx: Tx, me: UUID, cursor: str | None, limit: int
    ) -> tuple[list[Listed], str | None]:
        """Those who follow me and whom I follow, by when I began to."""
        return await self._page(
            f"friends:{me}", cursor, limit, lambda place, n: store.friends(tx, me, place, n)
        )

    async def requests(
        self, tx: Tx, me: UUID, cursor: str | None, limit: int
    ) -> tuple[list[Listed], str | None]:
        """Who asks to follow me."""
        return await self._page(
            f"requests:{me}", cursor, limit, lambda place, n: store.requests(tx, me, place, n)
        )

    async def _check_list(
        self, tx: Tx, person: UUID, viewer: UUID | None, is_private: bool
    ) -> None:
        if not is_private or viewer == person:
            return
        if (await self.relation(tx, viewer, person)).follows != "yes":
            raise ListNotShown

    async def _page(
        self,
        scope: str,
        cursor: str | None,
        limit: int,
        read: Callable[[ListPlace | None, int], Awaitable[list[Listed]]],
    ) -> tuple[list[Listed], str | None]:
        place = self._cursors.read(scope, cursor, ListPlace)
        items = await read(place, limit + 1)
        if len(items) <= limit:
            return items, None
        items = items[:limit]
        return items, self._cursors.make(scope, ListPlace(items[-1].made_at, items[-1].id))
