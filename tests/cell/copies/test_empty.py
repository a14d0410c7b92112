"""What a backup or a bundle is put into holds nothing yet: a row that a migration made there would
stand in the way of the same row that comes."""

from __future__ import annotations

import asyncpg

from luciole.kit import migrate
from luciole.sale.divest import carried


async def test_new_database_has_no_rows_where_rows_are_put_back(elsewhere: str) -> None:
    await migrate.apply(elsewhere)
    owner = await asyncpg.connect(elsewhere)
    try:
        made = [
            table
            for table in carried()
            if await owner.fetchval(f"SELECT EXISTS (SELECT FROM {table})")
        ]
    finally:
        await owner.close()
    assert not made, f"Migrations fill {made}: only where a cell has people already, if at all."
