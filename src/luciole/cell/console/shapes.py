"""What the console's routes take and give. No shape has a field for a person: `Waits` is of who has
no account yet."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from luciole.cell.console.model import Act, Page, Role
from luciole.cell.console.policies import InForce
from luciole.cell.people.joining.model import (
    MAX_DAYS,
    MAX_NOTE_CHARS,
    MAX_REASON_CHARS,
    MAX_USES,
    Mode,
)
from luciole.mirrors import State

Health = Literal["well", "look", "bad", "unknown"]


class ShiftNew(msgspec.Struct):
    role: Role


class ShiftAsked(msgspec.Struct):
    """What is signed. `challenge` is the SHA-256 of `asked`, in base64url, for a passkey."""

    id: UUID
    asked: str
    challenge: str


class Signature(msgspec.Struct):
    """What `navigator.credentials.get` gave for the challenge, as JSON."""

    credential: dict[str, Any]


class ShiftBody(msgspec.Struct):
    """As what one may work, and the shift that is open on this session. `pages`: what it shows."""

    roles: list[Role]
    role: Role | None
    ends_at: datetime | None
    pages: list[Page]


class Check(msgspec.Struct):
    """One line of the overview. `value`: a number of what the name says, of bytes, seconds or
    pieces."""

    name: str
    health: Health
    value: int | None


class Overview(msgspec.Struct):
    version: str
    checks: list[Check]


class FigureBody(msgspec.Struct):
    name: str
    value: int


class Figures(msgspec.Struct):
    """Figures as they were counted; none before the first count."""

    counted_at: datetime | None
    items: list[FigureBody]


class Waits(msgspec.Struct):
    """Somebody who asks for an account: what they said on the sign-up page."""

    id: UUID
    name: str
    words: str
    made_at: datetime


class Invited(msgspec.Struct):
    """An invitation that is good at present. Its code was shown once."""

    id: UUID
    note: str
    uses_left: int
    expires_at: datetime


class Joining(msgspec.Struct):
    """How the cell takes people, and `as_set`, how it would by its setting. `waiting`: how many,
    200 at most; `invitations` and `places`: how many are good, and for how many more together.
    `requests` and `invited` are for operators."""

    registration: Mode
    as_set: Mode
    waiting: int
    invitations: int
    places: int
    requests: list[Waits]
    invited: list[Invited]


class Registration(msgspec.Struct, forbid_unknown_fields=True):
    """How the cell takes people from now on; null: as the setting says."""

    mode: Mode | None


class Refusal(msgspec.Struct, forbid_unknown_fields=True):
    """Why somebody may not come in, as they read it."""

    reason: Annotated[str, Meta(max_length=MAX_REASON_CHARS)]


class InvitationNew(msgspec.Struct, forbid_unknown_fields=True):
    """`note`: for the operators themselves."""

    uses: Annotated[int, Meta(description=f"1 to {MAX_USES}")] = 1
    days: Annotated[int, Meta(description=f"1 to {MAX_DAYS}")] = 14
    note: Annotated[str, Meta(max_length=MAX_NOTE_CHARS)] = ""


class InvitationMade(msgspec.Struct):
    """A link that is shown this once. Whoever has it may use it."""

    link: str
    expires_at: datetime


class CategoryBody(msgspec.Struct):
    category: str
    waiting: int
    oldest_at: datetime


class LoadBody(msgspec.Struct):
    """How much one of the moderators has taken on in a day."""

    staff_id: UUID
    taken: int
    is_at_work: bool


class QueueBody(msgspec.Struct):
    """What waits for moderators. `loads` is for operators."""

    categories: list[CategoryBody]
    appeals: int
    next_appeal_due: datetime | None
    most_a_day: int
    loads: list[LoadBody]


class JobBody(msgspec.Struct):
    """A job that is stuck; ages in seconds."""

    id: int
    name: str
    is_running: bool
    attempts: int
    age_s: int
    stuck_s: int


class JobCount(msgspec.Struct):
    name: str
    waiting: int
    running: int
    stuck: int


class LateFilms(msgspec.Struct):
    """Films that wait for something, or are late. `waits_for`: empty where for a worker."""

    waits_for: str
    films: int
    oldest_s: int


class Jobs(msgspec.Struct):
    counts: list[JobCount]
    stuck: list[JobBody]
    late: list[LateFilms]


class Healed(msgspec.Struct):
    """Names of jobs that run as soon as a worker is free."""

    jobs: list[str]


class Disk(msgspec.Struct):
    """A disk of this machine. `place`: `data` or `objects`."""

    place: Literal["data", "objects"]
    free_bytes: int
    total_bytes: int


class Quotas(msgspec.Struct):
    """Limits as they are set; 0: none."""

    cell_bytes: int
    person_bytes: int
    clips_per_day: int
    max_upload_bytes: int
    min_free_bytes: int


class MirrorBody(msgspec.Struct):
    """What the cell keeps of the logs of another. `state`: `kept`, or `limit` or `disk` where its
    entries are no longer kept for want of room. `entries`: of all its logs together."""

    cell_id: str
    name: str
    state: State
    bytes: int
    most_bytes: int
    entries: int


class Storage(msgspec.Struct):
    figures: Figures
    disks: list[Disk]
    mirrors: list[MirrorBody]
    objects_at: str
    quotas: Quotas


class PublicKeyBody(msgspec.Struct):
    """A key of the cell that others verify with: SHA-256 of its public half, in hex."""

    purpose: str
    sha256: str


class EpochEnd(msgspec.Struct):
    at: str
    epoch: int
    destroyed: int


class GuardianBody(msgspec.Struct):
    peer: str
    is_on: bool
    since: datetime
    held: int


class Keys(msgspec.Struct):
    """Which keys there are. None of them is here, and this process has none of people's."""

    root: str
    epoch_days: int
    epoch: int | None
    epoch_began: str
    ends: list[EpochEnd]
    people: int | None
    guardian: GuardianBody | None
    public: list[PublicKeyBody]


class TermsBody(msgspec.Struct):
    version: str
    first_shown_at: datetime
    agreed: int
    is_present: bool


class Policies(msgspec.Struct):
    settings: list[InForce]
    registration: str
    terms: list[TermsBody]
    has_imprint: bool
    minimum_age_band: str
    ages: dict[str, int]
    ages_sha256: str


class WitnessBody(msgspec.Struct):
    name: str
    is_own: bool
    seen_at: datetime


class GapBody(msgspec.Struct):
    """Entries first ≤ index < end that cannot be read."""

    first: int
    end: int


class LogBody(msgspec.Struct):
    """A log. `read`: how many entries the kinds were counted of; the next look reads on."""

    log: str
    size: int
    root: str
    witnesses: list[WitnessBody]
    waiting: int
    read: int
    kinds: dict[str, int]
    gaps: list[GapBody]


class LedgerBody(msgspec.Struct):
    cell_id: str
    logs: list[LogBody]


class ActBody(msgspec.Struct):
    """`what`: the page that was looked at, the jobs that were healed, or for how many an invitation
    is."""

    id: UUID
    at: datetime
    staff_id: UUID
    role: Role
    act: Act
    what: str


class DayBody(msgspec.Struct):
    """A day that is over. `state`: `kept` where its acts are those whose digest the log has,
    `changed` where not, `waiting` where the log has not published it yet."""

    day: date
    acts: int
    sha256: str
    state: Literal["kept", "changed", "waiting"]


class Acts(msgspec.Struct):
    items: list[ActBody]
    next: UUID | None
    days: list[DayBody]
