"""Whether the PostgreSQL of a cell can be used, its own or another's, for the doctor."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from luciole.config import Settings
from luciole.finding import Finding
from luciole.kit import postgres, postgres_programs
from luciole.kit.db import LOST, Database
from luciole.kit.errors import Problem


def looked(settings: Settings) -> Iterator[Finding]:
    """Whether it can be used: our own by its version and user, another's by its version and what
    our login may."""
    if settings.database.url:
        yield from asyncio.run(_outside(settings))
        return
    try:
        programs = postgres_programs.wheel_bin_dir()
        major = postgres_programs.major_of(programs)
        home = settings.data / "postgres"
        made = home / "data" / "PG_VERSION"
        if made.exists() and made.read_text().strip() != str(major):
            yield Finding(
                "FAIL",
                "postgresql",
                f"the data was made by version {made.read_text().strip()}, this is {major}",
                "Start the version of Luciole that made it and save it with pg_dump.",
            )
            return
        place = next(one for one in (home, *home.parents) if one.exists())
        way = {
            "same": "as this user",
            "namespace": "in a user namespace of its own, because we are root",
        }.get(
            postgres_programs.choose_user(place, programs),
            "as nobody, as we are root",
        )
        yield Finding("OK", "postgresql", f"version {major} of our own, {way}")
    except Problem as problem:
        yield Finding("FAIL", "postgresql", problem.sentence, problem.next_step)
    except OSError as error:
        yield Finding(
            "FAIL",
            "postgresql",
            f"its folder cannot be read: {error.strerror}",
            "Run this as the user who runs Luciole.",
        )


async def _outside(settings: Settings) -> list[Finding]:
    try:
        db = await Database.open(settings.database.url, size=1)
    except (*LOST, Exception) as error:
        # The text of the driver can quote the URL with its password; the class cannot.
        return [
            Finding(
                "FAIL",
                "postgresql",
                f"DATABASE_URL does not work ({type(error).__name__})",
                "Check host, port, login and database in it.",
            )
        ]
    try:
        async with db.read() as tx:
            number = int(await tx.fetchval("SHOW server_version_num"))
            may = await tx.fetchval(
                "SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user"
            )
    finally:
        await db.close()
    found = []
    if number < postgres.OLDEST_MAJOR * 10000:
        found.append(
            Finding(
                "FAIL",
                "postgresql",
                f"version {number // 10000} is too old",
                f"Use PostgreSQL {postgres.OLDEST_MAJOR} or newer.",
            )
        )
    else:
        found.append(Finding("OK", "postgresql", f"version {number // 10000}, outside"))
    if not may:
        found.append(
            Finding(
                "FAIL",
                "roles",
                "the login may not create roles",
                "As an administrator: ALTER ROLE … CREATEROLE.",
            )
        )
    if not (settings.database.api_url and settings.database.worker_url):
        found.append(
            Finding(
                "WARN",
                "roles",
                "the API and the worker use the owner's login",
                "Give each its own: DATABASE_URL_API, DATABASE_URL_WORKER.",
            )
        )
    return found
