"""Leaks into the database: columns, bodies of jobs, announcements, statements, the log's inbox."""

from __future__ import annotations

import hashlib
import json

from tests.leaks.known import leak
from tests.leaks.tap import Answered, Asked, Tap, sql

SIGN_UP, CONTACTS = "/api/sign-up", "/api/me/contacts"


@leak("column", "queue.pgqueuer.payload", "person.handle")
def handle_in_the_body_of_a_job(tap: Tap) -> None:
    """A handle in the body of a job."""

    async def put(asked: Asked) -> None:
        body = json.dumps({"handle": asked.data.get("handle")}).encode()
        await sql(
            "INSERT INTO queue.pgqueuer (priority, status, entrypoint, payload) "
            "VALUES (0, 'queued', 'planted', $1)",
            body,
        )
        await sql("DELETE FROM queue.pgqueuer WHERE entrypoint = 'planted'")

    tap.on("POST", SIGN_UP, put)


@leak("column", "queue.pgqueuer_log.traceback", "person.bio")
def text_of_a_failed_job(tap: Tap) -> None:
    """The text of an error, kept with a job that was given up."""

    async def put(asked: Asked) -> None:
        await sql(
            "INSERT INTO queue.pgqueuer_log (job_id, status, priority, entrypoint, traceback) "
            "VALUES (1, 'exception', 0, 'planted', $1)",
            json.dumps({"text": f"cannot index {asked.data.get('bio')}"}),
        )

    tap.on("PATCH", "/api/me", put)


@leak("announcements", "luciole", "person.display name")
def name_in_an_announcement(tap: Tap) -> None:
    """A name in a NOTIFY, which every login can hear."""
    from luciole.cell.notify.model import CHANNEL

    async def announce(asked: Asked) -> None:
        if asked.data.get("display_name"):
            await sql("SELECT pg_notify($1, $2)", CHANNEL, str(asked.data["display_name"]))

    tap.on("POST", "/api/sign-up/passkey-options", announce)


@leak("statements", "pg_stat_activity", "person.display name")
def name_in_the_text_of_a_statement(tap: Tap) -> None:
    """A statement put together from what was sent, which the database shows while it runs."""

    async def run(asked: Asked) -> None:
        name = str(asked.data.get("display_name", "")).replace("'", "")
        if name:
            await sql(f"SELECT pg_sleep(0.8) /* {name} */")

    tap.on("POST", "/api/sign-up/passkey-options", run)


@leak("column", "notify.event.body", "contact.phone")
def number_in_an_event(tap: Tap) -> None:
    """A telephone number in the body of a live event that is stored for an hour."""

    async def put(asked: Asked) -> None:
        if asked.path.endswith("phone"):
            await sql(
                "INSERT INTO notify.event (id, kind, body) VALUES (gen_random_uuid(), 'clip', $1)",
                json.dumps({"phone": asked.data.get("value")}),
            )

    tap.on("PUT", CONTACTS, put)


@leak("column", "people.contact.address_index", "contact.email", "sha256")
def index_without_a_key(tap: Tap) -> None:
    """An index of addresses that is a hash anybody can take, in place of one under a key."""

    async def put(asked: Asked, answered: Answered) -> None:
        if asked.path.endswith("email") and answered.status == 200:
            token = asked.headers["authorization"].partition(" ")[2]
            await sql(
                "UPDATE people.contact SET address_index = $1 WHERE kind = 'email' AND person_id = "
                "(SELECT person_id FROM people.session WHERE token_hash = $2)",
                hashlib.sha256(str(asked.data.get("value", "")).lower().encode()).digest(),
                hashlib.sha256(token.encode()).digest(),
            )

    tap.on_answer("PUT", CONTACTS, put)


@leak("column", "people.session.label", "request.browser")
def whole_browser_as_a_label(tap: Tap) -> None:
    """The whole User-Agent as the name of a session."""

    async def put(asked: Asked) -> None:
        await sql("UPDATE people.session SET label = $1", asked.headers.get("user-agent", "")[-40:])

    tap.on("GET", "/api/sessions", put)


@leak("column", "people.person.last_address", "request.address")
def undeclared_column(tap: Tap) -> None:
    """A column that nobody declared, with the network address of the last request."""

    async def put(asked: Asked) -> None:
        await sql("UPDATE people.person SET last_address = $1", asked.address)

    tap.on("GET", "/api/notifications/unread", put)


@leak("column", "pg_largeobject.data", "contact.phone", "plain")
def large_object(tap: Tap) -> None:
    """A large object, which every login of PostgreSQL may make and no table lists."""

    async def put(asked: Asked) -> None:
        if asked.path.endswith("phone"):
            value = str(asked.data.get("value", ""))
            await sql("SELECT lo_from_bytea(0, $1)", value.encode())

    tap.on("PUT", CONTACTS, put)


@leak("database files", "pg_wal", "imported.handle")
def write_ahead_log_only(tap: Tap) -> None:
    """A value that no table holds, in the write-ahead log, which replicas and backups get."""

    async def put(asked: Asked) -> None:
        handles = asked.data.get("handles")
        for one in handles if isinstance(handles, list) else ():
            await sql("SELECT pg_logical_emit_message(false, 'planted', $1::text)", str(one))

    tap.on("PUT", "/api/me/imported/suggestions", put)


@leak("column", "ledger.inbox.entry", "person.handle", "sha256")
def bare_hash_in_the_log(tap: Tap) -> None:
    """A bare hash of a handle in the log: whoever knows the handle finds the entry, for ever."""

    async def put(asked: Asked) -> None:
        digest = hashlib.sha256(str(asked.data.get("handle")).encode()).hexdigest()
        said = json.dumps({"v": 1, "kind": "signed-up", "person": digest}).encode()
        await sql("SELECT custody.planted_put($1)", said)

    tap.on("POST", SIGN_UP, put)


# A migration that nobody looked at: the column above, and a way into the log for any slice.
CARELESS = """
ALTER TABLE people.person ADD COLUMN last_address text;
CREATE FUNCTION custody.planted_put(said bytea) RETURNS void LANGUAGE sql SECURITY DEFINER
    SET search_path = '' AS $$ SELECT ledger.put('decisions', said, NULL) $$;
GRANT EXECUTE ON FUNCTION custody.planted_put TO luciole_people;
"""


def migrate_carelessly() -> None:
    """Adds that migration to the supervisor's."""
    from luciole.kit import migrate

    load = migrate.load

    def with_one_more(*words: str) -> list[migrate.Migration]:
        digest = hashlib.sha256(CARELESS.encode()).hexdigest()
        return [*load(*words), migrate.Migration("9999_planted.sql", CARELESS, digest)]

    migrate.load = with_one_more
