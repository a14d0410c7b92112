"""data.md: what an auditor reads first."""

from __future__ import annotations

from tests.rules import database
from tests.rules.markdown import NOTE

from luciole.audit import data_page


def data(described: database.Described) -> str:
    """Everything that a cell stores: its class, purpose, retention and border rule."""
    tables = {
        relation.full_name: {
            name: words.split(" DEFAULT ")[0].removesuffix(" NOT NULL")
            for name, words in relation.columns
        }
        for relation in described.tables()
    }
    return data_page.page(tables, f"{NOTE}\n")
