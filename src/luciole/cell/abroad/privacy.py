"""What abroad stores."""

from __future__ import annotations

from uuid import UUID

from luciole.cell.abroad import recalling
from luciole.cell.abroad.store import consents, crossings, elsewhere, moves, recalls
from luciole.kit.catalogue import Border, DataClass, Held, Owned, Removed, columns
from luciole.kit.db import Tx
from luciole.kit.exported import Exported, of

CROSSINGS_AT_ONCE = 500
_ACCOUNT = "as long as the account"
_MOMENT = "until the worker has read it, a moment later"
_THEIRS = "until their cell calls it back"
_OF_CELLS = "what crossed is between the two cells that it crossed; you decide anew elsewhere"

HELD: tuple[Held, ...] = (
    *columns(
        "abroad.persona",
        "person_id made_at",
        DataClass.PERSONAL,
        "whose number elsewhere it is",
        _ACCOUNT,
        Border.NEVER,
    ),
    Held(
        "abroad.persona.id",
        DataClass.PUBLIC,
        "the number under which other cells know a person; not that of the account",
        _ACCOUNT,
        Border.PUBLISHED,
    ),
    *columns(
        "abroad.consent",
        "id person_id act text_version text_sha256 locale operator jurisdiction peers given_at "
        "ended_at",
        DataClass.PERSONAL,
        "what a person has read and said yes to before something crossed, and to whom it may go",
        _ACCOUNT,
        Border.NEVER,
    ),
    *columns(
        "abroad.reach",
        "clip_id person_id reach chosen_at",
        DataClass.PERSONAL,
        "how far a clip goes, where its author lets it leave the region",
        "until it is called back or the clip is deleted",
        Border.NEVER,
    ),
    *columns(
        "abroad.said",
        "comment_id person_id chosen_at",
        DataClass.PERSONAL,
        "which comments go to the cell of the clip that they are on",
        "until it is called back or the comment is deleted",
        Border.NEVER,
    ),
    *columns(
        "abroad.crossing",
        "id person_id kind subject_kind subject_id peer operator jurisdiction consent_id uri "
        "body_sha256 state refusal receipt offered_at settled_at",
        DataClass.PERSONAL,
        "shows a person what of theirs went where, when, on which ground, and what came of it",
        _ACCOUNT,
        Border.NEVER,
    ),
    *columns(
        "abroad.recall",
        "peer uri crossing person_id refused_at again_at refusals",
        DataClass.PERSONAL,
        "which recalls another cell has not taken yet, so that it is asked again",
        "until it takes it, or 30 days after it refused first",
        Border.NEVER,
    ),
    *columns(
        "abroad.move",
        "person_id side uri cells is_shown said_at ended_at",
        DataClass.PERSONAL,
        "where a person moves to or came from, as both cells have to say it",
        _ACCOUNT,
        Border.NEVER,
    ),
    *columns(
        "abroad.moved",
        "uri to_uri person_id to_id moved_at is_carried",
        DataClass.PUBLIC,
        "who is under another address by now, as two cells have said, so that follows go over once",
        "as long as either address is known here",
        Border.NEVER,
    ),
    *columns(
        "abroad.stale",
        "n kind id due_at",
        DataClass.PERSONAL,
        "which clip, comment or person has to be looked at",
        _MOMENT,
        Border.NEVER,
    ),
    *columns(
        "abroad.arrival",
        "id peer kind uri body came_at due_at tries",
        DataClass.PUBLIC,
        "what came from another cell, until it has its place",
        "until then; seven days at most",
        Border.NEVER,
    ),
    *columns(
        "abroad.person",
        "person_id peer uri avatar_sha256",
        DataClass.PUBLIC,
        "who of another cell somebody here is",
        _THEIRS,
        Border.NEVER,
    ),
    *columns(
        "abroad.clip",
        "clip_id person_id peer uri",
        DataClass.PUBLIC,
        "which clip of another cell one here is",
        _THEIRS,
        Border.NEVER,
    ),
    *columns(
        "abroad.comment",
        "comment_id person_id peer uri",
        DataClass.PUBLIC,
        "which comment from another cell one here is",
        _THEIRS,
        Border.NEVER,
    ),
    *columns(
        "abroad.reading",
        "person_id peer began_on end_at",
        DataClass.PERSONAL,
        "whom of other cells somebody here follows; not who does",
        "until a random time after the last one stopped",
        Border.NEVER,
    ),
    *columns(
        "abroad.reader",
        "person_id peer since",
        DataClass.PUBLIC,
        "which other cells read a person, on behalf of people that they do not name",
        "until that cell stops",
        Border.NEVER,
    ),
    *columns(
        "abroad.total",
        "subject_id peer person_id likes shares followers told_on",
        DataClass.PUBLIC,
        "what another cell counts of a clip or a person, rounded, ten or more",
        "until it tells another number, or the clip or account is deleted",
        Border.NEVER,
    ),
    *columns(
        "abroad.told",
        "subject_id person_id likes shares followers told_on",
        DataClass.PUBLIC,
        "which totals another cell was told last, so that it is told once a day at most",
        _THEIRS,
        Border.COUNTED,
    ),
)

_MADE = "made anew from what is chosen and what crossed"
_ANEW = "their cell has it, and sends it again"
OWNED: tuple[Owned, ...] = (
    Owned("abroad.persona", ("person_id",)),
    Owned("abroad.consent", ("person_id",)),
    Owned("abroad.reach", ("person_id", "clip_id > clips.clip.id > author_id")),
    Owned("abroad.said", ("person_id", "comment_id > clips.comment.id > writer_id")),
    Owned("abroad.crossing", ("person_id",)),
    Owned("abroad.recall", ("person_id",), outlives="person_id"),
    Owned("abroad.move", ("person_id",)),
    Owned("abroad.moved", ("person_id", "to_id")),
    Owned("abroad.stale", stays=_MADE),
    Owned("abroad.arrival", stays=_ANEW),
    Owned("abroad.person", stays=_ANEW),
    Owned("abroad.clip", stays=_ANEW),
    Owned("abroad.comment", stays=_ANEW),
    Owned("abroad.reading", stays=_ANEW),
    Owned("abroad.reader", ("person_id",)),
    Owned("abroad.total", ("person_id",)),
    Owned("abroad.told", stays=_ANEW),
)

EXPORT: tuple[Exported, ...] = (
    Exported(
        "persona",
        "the number under which other cells know you; not that of your account",
        of("abroad.persona", "id made_at"),
        consents.export_persona,
        whose="abroad.persona.person_id",
        stays=_OF_CELLS,
    ),
    Exported(
        "consents",
        "what you have read and said yes to, word for word by its digest, and to which cells",
        of(
            "abroad.consent",
            "id act text_version text_sha256 locale operator jurisdiction peers given_at ended_at",
        ),
        consents.export_consents,
        whose="abroad.consent.person_id",
        stays=_OF_CELLS,
    ),
    Exported(
        "reach",
        "which of your clips may leave the region, and how far",
        of("abroad.reach", "clip_id reach chosen_at"),
        consents.export_reach,
        whose="abroad.reach.person_id",
        stays=_OF_CELLS,
    ),
    Exported(
        "comments-elsewhere",
        "which of your comments go to the cell of the clip that they are on",
        of("abroad.said", "comment_id chosen_at"),
        consents.export_said,
        whose="abroad.said.person_id",
        stays=_OF_CELLS,
    ),
    Exported(
        "crossings",
        "what of yours went to other cells, with what they signed",
        of(
            "abroad.crossing",
            "id kind subject_kind subject_id peer operator jurisdiction consent_id uri "
            "body_sha256 state refusal receipt offered_at settled_at",
        ),
        crossings.export_crossings,
        whose="abroad.crossing.person_id",
        stays=_OF_CELLS,
    ),
    Exported(
        "moves",
        "where you said that you move to or came from, and which cells knew you",
        of("abroad.move", "side uri cells is_shown said_at ended_at"),
        moves.export_moves,
        whose="abroad.move.person_id",
        stays=_OF_CELLS,
    ),
    Exported(
        "crossings-fediverse",
        "what of yours servers of the wider Fediverse were brought, the last time for each",
        of("border.fedi_told", "id kind subject server is_gone told_at"),
        crossings.export_fediverse,
        whose="border.fedi_told.author",
        stays=_OF_CELLS,
    ),
    Exported(
        "readers",
        "which other cells read you, on behalf of people that they do not name",
        of("abroad.reader", "peer since"),
        elsewhere.export_readers,
        whose="abroad.reader.person_id",
        stays=_OF_CELLS,
    ),
    Exported(
        "totals",
        "what other cells count of you and your clips, rounded",
        of("abroad.total", "subject_id peer likes shares followers told_on"),
        elsewhere.export_totals,
        whose="abroad.total.person_id",
        stays=_OF_CELLS,
    ),
)
_ELSEWHERE = "about people of other cells, who ask their own"
NOT_EXPORTED: dict[str, str] = {
    **dict.fromkeys(
        (
            f"abroad.recall.{one}"
            for one in (
                "peer",
                "uri",
                "crossing",
                "person_id",
                "refused_at",
                "again_at",
                "refusals",
            )
        ),
        "until when a recall is asked for again; the recall is among the crossings",
    ),
    **dict.fromkeys(
        (
            f"abroad.moved.{one}"
            for one in ("uri", "to_uri", "person_id", "to_id", "moved_at", "is_carried")
        ),
        "what cells have said to each other of moves; your own are in `moves`",
    ),
    **dict.fromkeys(
        (f"abroad.stale.{one}" for one in ("n", "kind", "id", "due_at")), "ids, for a moment"
    ),
    **dict.fromkeys(
        (
            f"abroad.arrival.{one}"
            for one in ("id", "peer", "kind", "uri", "body", "came_at", "due_at", "tries")
        ),
        _ELSEWHERE,
    ),
    **dict.fromkeys(
        (f"abroad.person.{one}" for one in ("person_id", "peer", "uri", "avatar_sha256")),
        _ELSEWHERE,
    ),
    **dict.fromkeys(
        (f"abroad.clip.{one}" for one in ("clip_id", "person_id", "peer", "uri")), _ELSEWHERE
    ),
    **dict.fromkeys(
        (f"abroad.comment.{one}" for one in ("comment_id", "person_id", "peer", "uri")),
        _ELSEWHERE,
    ),
    **dict.fromkeys(
        (f"abroad.reading.{one}" for one in ("person_id", "peer", "began_on", "end_at")),
        _ELSEWHERE,
    ),
    **dict.fromkeys(
        (
            f"abroad.told.{one}"
            for one in ("subject_id", "person_id", "likes", "shares", "followers", "told_on")
        ),
        _ELSEWHERE,
    ),
}


async def erase(tx: Tx, person_id: UUID) -> Removed:
    """Calls the person back from every cell where they still are, with all that is theirs, then
    removes what was chosen and what crossed. The call waits at the border until the cell has
    answered; nothing of the person but the address that they had there is in it."""
    await recalls.erase(tx, person_id)
    for peer, uri in await crossings.still_there(tx, person_id):
        await recalling.call_back(tx, peer, uri)
    if gone := await crossings.erase(tx, person_id, CROSSINGS_AT_ONCE):
        return Removed({"crossings": gone}, is_more=gone == CROSSINGS_AT_ONCE)
    counts = {"consents": await consents.erase(tx, person_id)}
    await elsewhere.erase(tx, person_id)
    await moves.erase(tx, person_id)
    return Removed(counts)
