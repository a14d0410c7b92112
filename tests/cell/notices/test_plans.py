"""What is withheld is left out without looking at everybody."""

from __future__ import annotations

import asyncpg


async def test_people_of_a_withheld_cell_are_found_by_an_index(owner_url: str) -> None:
    connection = await asyncpg.connect(owner_url)
    try:
        # The few rows of a test would be scanned anyway.
        await connection.execute("SET enable_seqscan = off")
        plan = "\n".join(
            row[0]
            for row in await connection.fetch(
                "EXPLAIN SELECT 1 FROM notices.people_here WHERE person_id = gen_random_uuid()"
                " UNION ALL SELECT 1 FROM notices.people_here h"
                " JOIN notices.made_of m ON m.first_author_id = h.person_id"
            )
        )
    finally:
        await connection.close()
    assert "Seq Scan on person" not in plan, plan
    assert "person_by_home" in plan, plan
