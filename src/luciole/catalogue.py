"""Everything that a cell stores about anybody, gathered from the slices that declare it."""

from __future__ import annotations

from luciole import below, below_fediverse
from luciole.cell.abroad import privacy as abroad
from luciole.cell.clips import privacy as clips
from luciole.cell.console import privacy as console
from luciole.cell.contacts import privacy as contacts
from luciole.cell.feed import privacy as feed
from luciole.cell.graph import privacy as graph
from luciole.cell.media import privacy as media
from luciole.cell.messages import privacy as messages
from luciole.cell.notices import privacy as notices
from luciole.cell.notify import privacy as notify
from luciole.cell.people import privacy as people
from luciole.cell.rights import privacy as rights
from luciole.cell.safety import privacy as safety
from luciole.cell.search import privacy as search
from luciole.kit.catalogue import Border, Catalogue, DataClass, Erase, Held, Owned, columns
from luciole.kit.logs import FIELDS
from luciole.kit.queue import LOG_KEPT_DAYS

_UNTIL_DONE = "until the job has run, or was given up"
_QUEUE: tuple[Held, ...] = (
    *columns(
        "queue.pgqueuer",
        "id priority queue_manager_id created updated heartbeat execute_after status entrypoint "
        "headers attempts slot",
        DataClass.TELEMETRY,
        "which background jobs wait and run",
        _UNTIL_DONE,
        Border.NEVER,
    ),
    *columns(
        "queue.pgqueuer",
        "payload dedupe_key",
        DataClass.PERSONAL,
        "the ids of what a job is about, and nothing else of it",
        _UNTIL_DONE,
        Border.NEVER,
    ),
    *columns(
        "queue.pgqueuer_log",
        "id created job_id status priority entrypoint traceback aggregated",
        DataClass.TELEMETRY,
        "what became of jobs: the name of the job and the class of an error, never its text",
        f"{LOG_KEPT_DAYS} days",
        Border.NEVER,
    ),
    *columns(
        "queue.pgqueuer_schedules",
        "id expression entrypoint heartbeat created updated next_run last_run status",
        DataClass.TELEMETRY,
        "when each periodic job runs next",
        "as long as a version has the job",
        Border.NEVER,
    ),
    *columns(
        "queue.pgqueuer_statistics",
        "id created count priority status entrypoint",
        DataClass.TELEMETRY,
        "how many jobs of a kind ended how, where PgQueuer is asked to count",
        f"{LOG_KEPT_DAYS} days",
        Border.NEVER,
    ),
)
_HOUSE: tuple[Held, ...] = (
    *columns(
        "house.migration",
        "name sha256 applied_at",
        DataClass.TELEMETRY,
        "which versions of the tables this database has been through",
        "for ever",
        Border.NEVER,
    ),
    *columns(
        "house.upkeep",
        "began_at ended_at",
        DataClass.TELEMETRY,
        "when remains of deleted rows were last removed from the database's files",
        "for ever",
        Border.NEVER,
    ),
    *columns(
        "house.sale",
        "id state operator jurisdiction keys announced_at not_before is_noted contents ended_at",
        DataClass.TELEMETRY,
        "to whom the cell is to go, or from whom it came, and when: legal names of operators",
        "for ever",
        Border.NETWORK,
    ),
    *(
        Held(
            f"log:{name}",
            DataClass.TELEMETRY,
            says,
            "as long as the operator keeps the log files",
            Border.NEVER,
        )
        for name, says in FIELDS.items()
    ),
)

ALL: tuple[Held, ...] = (
    *people.HELD,
    *contacts.HELD,
    *notify.HELD,
    *notices.HELD,
    *media.HELD,
    *graph.HELD,
    *clips.HELD,
    *messages.HELD,
    *feed.HELD,
    *safety.HELD,
    *console.HELD,
    *search.HELD,
    *abroad.HELD,
    *rights.HELD,
    *below.CUSTODY,
    *below.LEDGER,
    *below.BORDER,
    *below_fediverse.HELD,
    *below.ABROAD,
    *_QUEUE,
    *_HOUSE,
)

_SLICES = {
    "people": people,
    "contacts": contacts,
    "notify": notify,
    "notices": notices,
    "media": media,
    "graph": graph,
    "clips": clips,
    "messages": messages,
    "feed": feed,
    "safety": safety,
    "console": console,
    "search": search,
    "abroad": abroad,
    "rights": rights,
}
_JOURNAL = "journal/journal.jsonl"
_ELSEWHERE = {
    "custody.journal.n": _JOURNAL,
    "custody.journal.leaf": _JOURNAL,
    "custody.journal.sealed": _JOURNAL,
}
_GRANT = "each grant is an entry of the journal, which says all of this"
_OFFICE = "an office in this cell, which does not travel"
_READ = "each read of yours is in the journal, which is in the export"
_NOT_EXPORTED = {
    "file:abroad/wal": "what the database has written, for seconds; all of it is in the export",
    "custody.journal.person_id": "your own id",
    "custody.journal.ref": "leads to the entry's index in the log, which the journal has",
    "custody.subject.person_id": "your own id",
    "custody.subject.next": "the number of entries in the journal",
    **{
        f"custody.permit.{name}": _GRANT
        for name in (
            "id",
            "person_id",
            "class",
            "purpose",
            "columns",
            "session_id",
            "day",
            "made_at",
            "expires_at",
        )
    },
    **{f"custody.staff.{name}": _OFFICE for name in ("id", "person_id", "added_at", "roles")},
    **{
        f"custody.staff_key.{name}": _OFFICE
        for name in ("credential_id", "staff_id", "public_key", "sign_count")
    },
    **{
        f"custody.staff_read.{name}": _READ
        for name in ("id", "person_id", "staff_id", "asked", "ends_at", "is_granted", "is_told")
    },
    **{f"custody.staff_approval.{name}": _READ for name in ("read_id", "staff_id")},
    **{
        held.where: "what others elsewhere did, or documents of yours that are in the export"
        for held in below_fediverse.HELD
        if held.data_class is not DataClass.TELEMETRY
        and not held.where.startswith("border.fedi_told.")
    },
    "border.offer.body": "the address of a device of yours, or what you published or addressed "
    "elsewhere, on its way; both are in the export",
    "border.offer.payload": "the same, on its way",
    "border.arrival.body": "what people of other cells have published, for seconds",
    "cache:border/incoming": "films of other people, for minutes",
    "queue.pgqueuer.payload": "ids of things that are in the export, for seconds",
    "queue.pgqueuer.dedupe_key": "the same ids",
    "blob:ledger/": "the log is public and whole for everybody; your entries in it are taken along",
}

WHOLE = Catalogue(
    held=ALL,
    exported={name: each.EXPORT for name, each in _SLICES.items()},
    not_exported=_NOT_EXPORTED
    | {where: why for each in _SLICES.values() for where, why in each.NOT_EXPORTED.items()},
    elsewhere=_ELSEWHERE,
)

# What each slice does for an erasure, the lowest first: people's takes the ways in away.
ERASE: tuple[Erase, ...] = tuple(each.erase for each in _SLICES.values())

_IN_A_JOB = "jobs that wait are not copied: what is undone is found by the jobs that look for it"
# Whose the rows of every table are.
OWNED: tuple[Owned, ...] = (
    *(one for each in _SLICES.values() for one in each.OWNED),
    *below.OWNED,
    *below_fediverse.OWNED,
    Owned("house.migration", stays="made by the restore"),
    Owned("house.sale"),
    Owned("house.upkeep", stays="about the files of one database"),
    Owned("queue.pgqueuer", stays=_IN_A_JOB),
    Owned("queue.pgqueuer_log", stays=_IN_A_JOB),
    Owned("queue.pgqueuer_schedules", stays=_IN_A_JOB),
    Owned("queue.pgqueuer_statistics", stays=_IN_A_JOB),
)
