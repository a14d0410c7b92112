"""What graph stores."""

from __future__ import annotations

from uuid import UUID

from luciole.cell.graph import store
from luciole.cell.graph.store import apart
from luciole.kit.catalogue import Border, DataClass, Held, Owned, Removed, columns
from luciole.kit.db import Tx
from luciole.kit.exported import Exported, of

FOLLOWS_AT_ONCE = 500
_ELSEWHERE = "a handle alone does not say who is who in another cell"

HELD: tuple[Held, ...] = (
    *columns(
        "graph.follow",
        "follower_id followee_id state made_at",
        DataClass.SHARED,
        "the Following and Friends feeds, and who may see a private account",
        "until one of the two ends it, or erases the account",
        Border.NEVER,
    ),
    *columns(
        "graph.block",
        "blocker_id blocked_id made_at",
        DataClass.PERSONAL,
        "keeps two people apart; the blocked one is not told",
        "until the one who blocked ends it, or one of the two erases the account",
        Border.NEVER,
    ),
    *columns(
        "graph.mute",
        "muter_id muted_id made_at",
        DataClass.PERSONAL,
        "leaves a person out of what you see; they are not told",
        "until you end it, or one of the two erases the account",
        Border.NEVER,
    ),
    *columns(
        "graph.restriction",
        "restricter_id restricted_id made_at",
        DataClass.PERSONAL,
        "lets what a person says to you wait for your yes; they are not told",
        "until you end it, or one of the two erases the account",
        Border.NEVER,
    ),
    *columns(
        "graph.tally",
        "person_id followers following",
        DataClass.PUBLIC,
        "the counts on a profile",
        "as long as the account",
        Border.COUNTED,
    ),
)

OWNED: tuple[Owned, ...] = (
    Owned("graph.follow", ("follower_id", "followee_id")),
    Owned("graph.block", ("blocker_id", "blocked_id")),
    Owned("graph.mute", ("muter_id", "muted_id")),
    Owned("graph.restriction", ("restricter_id", "restricted_id")),
    Owned("graph.tally", ("person_id",)),
)

EXPORT: tuple[Exported, ...] = (
    Exported(
        "following",
        "whom you follow, or asked to",
        {**of("graph.follow", "followee_id state made_at"), "handle": "people.person.handle"},
        store.export_following,
        whose="graph.follow.follower_id",
        anew=frozenset({"followee_id"}),
    ),
    Exported(
        "followers",
        "who follows you, or asked to",
        {**of("graph.follow", "follower_id state made_at"), "handle": "people.person.handle"},
        store.export_followers,
        whose="graph.follow.followee_id",
        stays="whom they follow is for others to decide",
    ),
    Exported(
        "blocked",
        "the people whom you block",
        {**of("graph.block", "blocked_id made_at"), "handle": "people.person.handle"},
        apart.export_blocked,
        whose="graph.block.blocker_id",
        stays=_ELSEWHERE,
    ),
    Exported(
        "muted",
        "the people whom you mute",
        {**of("graph.mute", "muted_id made_at"), "handle": "people.person.handle"},
        apart.export_muted,
        whose="graph.mute.muter_id",
        stays=_ELSEWHERE,
    ),
    Exported(
        "restricted",
        "the people whom you restrict",
        {**of("graph.restriction", "restricted_id made_at"), "handle": "people.person.handle"},
        apart.export_restricted,
        whose="graph.restriction.restricter_id",
        stays=_ELSEWHERE,
    ),
    Exported(
        "tally",
        "the counts on your profile",
        of("graph.tally", "followers following"),
        store.export_tally,
        whose="graph.tally.person_id",
        stays="counted anew",
    ),
)
NOT_EXPORTED: dict[str, str] = {}


async def erase(tx: Tx, person_id: UUID) -> Removed:
    """Ends what the person follows, then who follows the person. Nobody is told. One kind in a
    step, so that two people who leave at once do not wait for each other."""
    if following := await store.erase_following(tx, person_id, FOLLOWS_AT_ONCE):
        return Removed({"following": following}, is_more=True)
    if followers := await store.erase_followers(tx, person_id, FOLLOWS_AT_ONCE):
        return Removed({"followers": followers}, is_more=True)
    if kept := await apart.erase_apart(tx, person_id, FOLLOWS_AT_ONCE):
        return Removed({"blocks": kept}, is_more=True)
    await store.drop_tally(tx, person_id)
    return Removed()
