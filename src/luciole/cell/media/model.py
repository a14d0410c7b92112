"""What an upload, an asset and a rendition are, and every reason to refuse a file."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from luciole.kit.errors import Conflict, Invalid, NotFound, Problem, TooLarge, TooMany, Unavailable

State = Literal["queued", "probing", "encoding", "playable", "complete", "refused"]
# That AI made a film, or a part of it.
Ai = Literal["made", "partly"]
# How sound content credentials are: as `0054_credentials.sql` says.
Soundness = Literal["trusted", "valid", "invalid", "unchecked"]

SHORTEST_MS = 100
PIECE_BYTES = 4 * 1024 * 1024
MAX_PIECES = 10_000
# Deaths of a worker that one asset may be there for. Many, because most deaths are none of its
# doing: a restarted machine or database takes down whatever is at work.
MAX_CRASHES = 9
# A failure of FFmpeg itself has no such excuse, and counts for several.
FAILURE_COUNTS = 3


class Piece(msgspec.Struct, frozen=True):
    """A part of the uploaded film."""

    start_ms: int
    end_ms: int


class Layer(msgspec.Struct, frozen=True):
    """A picture over the whole of the film, from `start_ms` to `end_ms` of what is made of it; no
    end: to the end."""

    png: bytes
    start_ms: int = 0
    end_ms: int | None = None


class Edit(msgspec.Struct, frozen=True):
    """What the author chose: the part of the film to keep, and the moment of its cover, counted
    from the start of the untrimmed film. No end: to the end.

    With `pieces`, these are what is kept, in the order in which they play, and the moment of the
    cover is counted in what they make together."""

    trim_start_ms: int = 0
    trim_end_ms: int | None = None
    cover_ms: int = 0
    pieces: tuple[Piece, ...] = ()
    is_muted: bool = False
    layers: tuple[Layer, ...] = ()
    """Only on the way in: of a stored film they are asked for where they are drawn."""


class SoundOf(msgspec.Struct, frozen=True):
    """The film whose sound another one gets: in the place of its own, or with it. None: that film
    is gone."""

    asset_id: UUID | None
    mode: Literal["replace", "mix"]


class Quote(msgspec.Struct, frozen=True):
    """The film that a film is made from: beside it (`duet`), or a part of it before it (`stitch`).
    None: that film is gone, or must not be quoted any more."""

    asset_id: UUID | None
    how: Literal["duet", "stitch"]
    start_ms: int
    end_ms: int


class Upload(msgspec.Struct, frozen=True):
    """A file on its way in; `offset_bytes` of it have arrived for good."""

    id: UUID
    owner_id: UUID
    size_bytes: int
    offset_bytes: int
    chunks: int
    asset_id: UUID | None
    expires_at: datetime


class Chunk(msgspec.Struct, frozen=True):
    """A stored piece of an upload."""

    offset_bytes: int
    size_bytes: int
    object_key: str


class Asset(msgspec.Struct, frozen=True):
    """A film and the state that its processing is in."""

    id: UUID
    owner_id: UUID
    upload_id: UUID | None
    state: State
    edit: Edit
    is_public: bool
    token: str
    attempt: int
    crashes: int
    sound: SoundOf | None = None
    quote: Quote | None = None

    @property
    def prefix(self) -> str:
        """The first part of the addresses of its files."""
        return f"{'p' if self.is_public else 'r'}/{self.token}/"


class Way(msgspec.Struct, frozen=True):
    """How far a film is that cannot be played yet."""

    progress: int
    """Percent of the work, once it has begun."""
    ahead: int
    """Films that are made before it."""
    left_s: int | None
    """About how many seconds it will take; None while nobody can say."""
    waits_for: Literal["disk", "store"] | None
    """What the operator has to mend before it goes on: there is no room on the disk, or the object
    store does not answer."""


class Segments(msgspec.Struct, frozen=True):
    """A rendition cut into seconds: after `init_bytes` one follows the other, to the file's end."""

    key: str
    size_bytes: int
    init_bytes: int
    sizes: list[int]
    durations_ms: list[int]
    codecs: str


class Av1(Segments, frozen=True):
    """The same rendition in AV1: fewer bytes, for players that decode it smoothly."""

    bitrate_bps: int


class Rendition(msgspec.Struct, frozen=True):
    """An encoded version, as the view `media.playable` lists it, lowest first."""

    name: str
    width: int
    height: int
    bitrate_bps: int
    size_bytes: int
    key: str
    mime: str = "video/mp4"
    segments: Segments | None = None
    av1: Av1 | None = None


class Credentials(msgspec.Struct, frozen=True):
    """Content credentials that a film brought: how sound they are, the standard's code for the
    reason, and who signed, as their certificate names them."""

    state: Soundness
    code: str | None
    signer: str | None

    @property
    def count(self) -> bool:
        """Whether what they say is a fact: that their signer has said it."""
        return self.state in ("trusted", "valid")


class Shown(msgspec.Struct, frozen=True):
    """What is shown of a film beside it, or before it plays: the hint, and addresses as in
    `media.playable`. None where it is not made yet."""

    thumbhash: bytes | None
    avif_poster_key: str | None
    preview_key: str | None
    ai: Ai | None = None
    """What the content credentials in the uploaded file said about AI, sound or not."""
    credentials: Credentials | None = None


class Refusal(msgspec.Struct, frozen=True):
    """Why a file did not become a clip, and what the author can do."""

    code: str
    sentence: str
    next_step: str


_ANOTHER_FORMAT = "Save it as MP4 with H.264 video (most phones and editors can), then upload that."

REFUSALS: dict[str, Refusal] = {
    refusal.code: refusal
    for refusal in (
        Refusal(
            "not-a-video",
            "This file is not a video that Luciole can read.",
            "Choose a video: MP4, MOV, WebM, MKV, AVI or MPEG.",
        ),
        Refusal(
            "no-picture",
            "This file has sound but no moving picture.",
            "Choose a file with video, or record one.",
        ),
        Refusal(
            "still-picture",
            "This file is a still picture, not a video.",
            "Choose a video, or record one.",
        ),
        Refusal(
            "damaged",
            "This video is damaged or not complete, so it cannot be played to its end.",
            "Export it again from the app that made it, or record it again, then upload that.",
        ),
        Refusal(
            "too-short",
            "This video is shorter than a tenth of a second.",
            "Choose a longer one, or a longer part of it.",
        ),
        Refusal(
            "too-long",
            "This video is longer than three minutes.",
            "Trim it to three minutes or less, then publish it again.",
        ),
        Refusal(
            "too-large-picture",
            "The picture of this video is larger than 4K (4096 pixels on the long side).",
            "Save it at 4K or less (1080p is plenty for a phone), then upload that.",
        ),
        Refusal(
            "too-small-picture",
            "The picture of this video is smaller than 16 pixels on one side.",
            "Choose a video with a larger picture.",
        ),
        Refusal(
            "codec-not-supported",
            "This video is in a format that Luciole cannot decode.",
            _ANOTHER_FORMAT,
        ),
        Refusal(
            "takes-too-long",
            "This video takes more time to convert than the cell allows for one clip.",
            "Save it at 1080p or less and at 60 frames a second or less, then upload that.",
        ),
        Refusal(
            "outside-the-film",
            "One of the pieces that you chose lies after the end of the film.",
            "Choose the pieces again, then publish it again.",
        ),
        Refusal(
            "first-gone",
            "The clip that you made this one from was taken back before yours was made.",
            "Publish it again without that clip.",
        ),
        Refusal(
            "too-little-own",
            "There is less than half a second of your own film.",
            "Choose or record more of your own, then publish it again.",
        ),
        Refusal(
            "sound-gone",
            "The sound that you chose was taken back before this clip was made.",
            "Publish it again with its own sound, or with another one.",
        ),
        Refusal(
            "cannot-be-read",
            "The cell tried several times and could not convert this video.",
            _ANOTHER_FORMAT,
        ),
        Refusal(
            "no-fence",
            "This cell does not accept videos, because its machine cannot fence the decoder off.",
            "Ask the operator of the cell, who finds the reason with `luciole doctor`.",
        ),
    )
}


def refusal(code: str) -> Refusal:
    """The sentence and next step for a refusal's code."""
    return REFUSALS.get(code, REFUSALS["cannot-be-read"])


class NoSuchUpload(NotFound):
    code = "no-such-upload"
    sentence = "This upload does not exist, has expired, or is not yours."
    next_step = "Start the upload again."


class WrongOffset(Conflict):
    code = "wrong-offset"
    sentence = "The upload is at another place than this piece starts."
    next_step = "Ask for its offset with HEAD and go on from there."


class UploadNotFinished(Conflict):
    code = "upload-not-finished"
    sentence = "The file has not arrived completely yet."
    next_step = "Wait until the upload is finished, then publish."


class UploadUsed(Conflict):
    code = "upload-used"
    sentence = "A clip was already made of this upload."
    next_step = "Upload the file again to make another clip of it."


class UploadTooLarge(TooLarge):
    code = "upload-too-large"
    sentence = "The file is larger than the cell accepts."
    next_step = "Trim it, or save it at 1080p, and upload that."


class TooManyUploads(TooMany):
    code = "too-many-uploads"
    sentence = "You have several unfinished uploads already."
    next_step = "Finish or cancel one of them, then start this one."


class TooManyHeld(TooMany):
    code = "too-many-held"
    sentence = "Many of your films have arrived and are not published or not fully made yet."
    next_step = "Publish those that wait, or come back when some are done; none waits for ever."


class TooManyPieces(TooMany):
    code = "too-many-pieces"
    sentence = "This upload came in too many small pieces."
    next_step = "Start again and send pieces of a few hundred kilobytes or more."


class DiskFull(Unavailable):
    code = "disk-full"
    sentence = "The cell has no room for this file now; nothing was stored."
    next_step = "Try again later, and tell the operator of the cell that its disk is full."
    http_status = 507


class BadTrim(Invalid):
    code = "bad-trim"
    sentence = "The end of the chosen part lies before its start."
    next_step = "Choose a part that ends after it starts."


class BadPicture(Invalid):
    code = "bad-picture"
    sentence = "This picture cannot be read."
    next_step = "Choose a JPEG, PNG, WebP or GIF picture of at most 40 megapixels."


class PicturesBusy(Unavailable):
    code = "pictures-busy"
    sentence = "The cell is making small copies of many pictures at this moment."
    next_step = "Try again in a few seconds."


class NotStored(Problem):
    """An object of ours vanished before we could refer to it; the attempt starts again."""

    code = "not-stored"


class NotOurs(Exception):
    """A file is not one that our encoder makes; it can still be a film."""
