"""Whoever can reach another machine is on the list that auditors get."""

from __future__ import annotations

import grimp
import pytest

from luciole.audit import outside
from luciole.config import BorderSettings, DatabaseSettings, KeysSettings, Settings

# Whatever can open a connection, of the standard library and of our packages.
NETWORK = (
    "aiohttp",
    "asyncpg",
    "ftplib",
    "http",
    "httpx",
    "obstore",
    "pgqueuer",
    "pkcs11",
    "poplib",
    "ray",
    "requests",
    "smtplib",
    "socket",
    "socketserver",
    "ssl",
    "urllib3",
    "websockets",
    "xmlrpc",
)
# Parsing addresses opens nothing.
HARMLESS = {"luciole.kit.described"}


@pytest.fixture(scope="module")
def importers() -> set[str]:
    graph = grimp.build_graph("luciole", include_external_packages=True, cache_dir=None)
    found = {
        importer
        for library in NETWORK
        if library in graph.modules
        for importer in graph.find_modules_that_directly_import(library)
    }
    return {name for name in found if name.startswith("luciole.")} - HARMLESS


def covers(known: str, module: str) -> bool:
    return module == known or module.startswith(f"{known}.")


def test_every_way_out_is_declared(importers: set[str]) -> None:
    declared = (*outside.WAYS, *outside.LOCAL)
    missing = sorted(one for one in importers if not any(covers(d, one) for d in declared))
    assert not missing, f"{missing}: say in luciole.audit.outside whom it reaches, and what for."


def test_no_declared_way_out_is_gone(importers: set[str]) -> None:
    for known in (*outside.WAYS, *outside.LOCAL):
        assert any(covers(known, one) for one in importers) or known == "luciole.ask.client", known


def test_parties_are_named_by_host_and_never_by_login() -> None:
    settings = Settings(
        blobs="s3://bucket/prefix?access_key=hidden",
        database=DatabaseSettings(url="postgresql://owner:hidden@db.example:5432/cell"),
        keys=KeysSettings(root="transit:https://keys.example/v1/transit/keys/hidden"),
    )
    found = {one.name: one for one in outside.parties(settings, None)}
    assert found["the database"].where == "postgresql://db.example:5432"
    assert found["the object store"].where == "s3://bucket"
    assert found["the key service"].where == "https://keys.example"
    assert all(one.is_outside for one in found.values())
    assert "hidden" not in outside.page(list(found.values()))


def test_cell_that_brings_everything_along_has_push_services_outside_and_nobody_else() -> None:
    found = [one.name for one in outside.parties(Settings(), None) if one.is_outside]
    assert found
    assert all(name.startswith("push service https://") for name in found)
    assert not any(one.is_outside for one in outside.parties(Settings(push="off"), None))


def test_who_gets_mail_and_text_messages_is_told() -> None:
    border = BorderSettings(mail_url="smtps://mail.example", mail_from="codes@cell.example")
    found = outside.parties(Settings(push="off", border=border), None)
    assert [(one.name, one.where) for one in found if one.is_outside] == [
        ("the mail server", "smtps://mail.example")
    ]
    assert "no text messages" in outside.page(found)
    assert "no mail" not in outside.page(found)
    assert "no mail, no text messages" in outside.page(outside.parties(Settings(), None))
