"""The import contracts in pyproject.toml hold, and bite."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from copy import deepcopy

import grimp
import pytest
from importlinter.api import read_configuration
from importlinter.application import use_cases
from importlinter.domain.contract import Contract, registry
from tests.rules.source import ROOT, SLICES

CONFIG = str(ROOT / "pyproject.toml")


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("luciole", include_external_packages=True, cache_dir=None)


@pytest.fixture(scope="module")
def contracts() -> dict[str, Contract]:
    use_cases._register_contract_types(use_cases.read_user_options(CONFIG))
    options = read_configuration(CONFIG)
    made = {}
    for contract in options["contracts_options"]:
        kind = registry.get_contract_class(contract["type"])
        made[contract["id"]] = kind(contract["name"], options["session_options"], contract)
    return made


def is_kept(contract: Contract, graph: grimp.ImportGraph) -> bool:
    return bool(contract.check(graph=deepcopy(graph), verbose=False).kept)


def test_all_contracts_hold(contracts: dict[str, Contract], graph: grimp.ImportGraph) -> None:
    broken = [name for name, contract in contracts.items() if not is_kept(contract, graph)]
    assert not broken, f"Broken: {', '.join(broken)}. `.venv/bin/lint-imports` shows the imports."


Change = Callable[[grimp.ImportGraph], None]


def one_import(importer: str, imported: str) -> Change:
    def change(graph: grimp.ImportGraph) -> None:
        if imported not in graph.modules:
            graph.add_module(imported, is_squashed=True)
        assert importer in graph.modules, importer
        graph.add_import(importer=importer, imported=imported)

    return change


def one_module(name: str) -> Change:
    return lambda graph: graph.add_module(name)


FORBIDDEN: dict[str, tuple[str, Change]] = {
    "kit asks a slice": ("house", one_import("luciole.kit.web", "luciole.cell.people.service")),
    "kit reads settings": ("house", one_import("luciole.kit.db", "luciole.config")),
    "keys read settings": ("house", one_import("luciole.keys.store", "luciole.config")),
    "the cell asks wiring": ("house", one_import("luciole.cell.clips.api", "luciole.app")),
    "an undeclared part": ("house", one_module("luciole.gossip")),
    "people call notify": (
        "cell",
        one_import("luciole.cell.people.service", "luciole.cell.notify.service"),
    ),
    "media call clips": (
        "cell",
        one_import("luciole.cell.media.workshop", "luciole.cell.clips.service"),
    ),
    "an undeclared slice": ("cell", one_module("luciole.cell.gossip")),
    "a store calls its service": (
        "slice",
        one_import("luciole.cell.graph.store", "luciole.cell.graph.service"),
    ),
    "a model reads a store": (
        "slice",
        one_import("luciole.cell.clips.model", "luciole.cell.clips.store"),
    ),
    "a cycle in the kit": ("cycles", one_import("luciole.kit.errors", "luciole.kit.web")),
    "the demo opens the database": ("demo", one_import("luciole.demo.seed", "luciole.kit.db")),
    "the demo calls a service": (
        "demo",
        one_import("luciole.demo.seed", "luciole.cell.people.service"),
    ),
    "the cell calls another machine": (
        "outside",
        one_import("luciole.cell.clips.service", "httpx"),
    ),
    "the cell sends mail": ("outside", one_import("luciole.cell.people.service", "smtplib")),
    "a slice seals by itself": (
        "cryptography",
        one_import("luciole.cell.media.links", "cryptography"),
    ),
    "a slice multiplies points by itself": (
        "group",
        one_import("luciole.cell.contacts.halves", "rbcl"),
    ),
    "clips open sealed fields": ("keys", one_import("luciole.cell.clips.service", "luciole.keys")),
    "the gateway looks up people": (
        "gateway",
        one_import("luciole.border.gateway", "luciole.cell.people.store"),
    ),
    "the border asks for keys": ("gateway", one_import("luciole.border.gateway", "luciole.ask")),
    "the gateway reads a slice": (
        "gateway-process",
        one_import("luciole.gateway_process", "luciole.cell.people.store"),
    ),
    "a slice sends by itself": (
        "offers",
        one_import("luciole.cell.notify.pushes", "luciole.border.pushes"),
    ),
    "a proof reads the database": ("pure", one_import("luciole.ledger.merkle", "luciole.kit.db")),
    "a proof asks the clock": ("pure", one_import("luciole.ledger.note", "time")),
    "a store imports the driver": ("database", one_import("luciole.cell.feed.store", "asyncpg")),
    "a service queues by itself": (
        "database",
        one_import("luciole.cell.media.service", "pgqueuer"),
    ),
    "a service knows HTTP": ("http", one_import("luciole.cell.clips.service", "litestar")),
    "the server decodes": ("decoders", one_import("luciole.cell.media.probe", "av")),
    "the server opens pictures": ("decoders", one_import("luciole.cell.media.avatar", "PIL")),
    "a slice starts the encoder": (
        "encoder",
        one_import("luciole.cell.clips.service", "imageio_ffmpeg"),
    ),
    "a child has the database at hand": (
        "children",
        one_import("luciole.cell.media.probe_child", "luciole.kit.db"),
    ),
    "a child reads its slice": (
        "children",
        one_import("luciole.cell.media.probe_child", "luciole.cell.media.store"),
    ),
    "a second place checks passwords": ("accounts", one_import("luciole.app", "argon2")),
    "a slice writes objects by itself": (
        "behind",
        one_import("luciole.cell.media.workshop", "obstore"),
    ),
    "an API process joins a Ray cluster": ("ray", one_import("luciole.parts", "ray")),
    "a slice reads another's declarations": (
        "private",
        one_import("luciole.cell.clips.service", "luciole.cell.people.privacy"),
    ),
}


@pytest.mark.parametrize("case", sorted(FORBIDDEN))
def test_forbidden_import_is_refused(
    case: str, contracts: dict[str, Contract], graph: grimp.ImportGraph
) -> None:
    name, change = FORBIDDEN[case]
    changed = deepcopy(graph)
    change(changed)
    assert not is_kept(contracts[name], changed)


def test_every_contract_is_tried(contracts: dict[str, Contract]) -> None:
    assert {name for name, _ in FORBIDDEN.values()} == set(contracts)


# What a slice, or a folder of a slice, shows to those above it: its use cases, its words, and how
# its things look in JSON.
FRONT_DOORS = {"service", "model", "present", "refusals"}


def across(graph: grimp.ImportGraph) -> Iterator[tuple[str, str]]:
    """Imports from one slice into another."""
    for slice_name in SLICES:
        inside = f"luciole.cell.{slice_name}"
        for importer in {inside, *graph.find_descendants(inside)}:
            for imported in graph.find_modules_directly_imported_by(importer):
                if imported.startswith("luciole.cell.") and not f"{imported}.".startswith(
                    f"{inside}."
                ):
                    yield importer, imported


def test_slices_meet_at_the_front_door(graph: grimp.ImportGraph) -> None:
    wrong = [
        f"{importer} imports {imported}"
        for importer, imported in across(graph)
        if not set(imported.split(".")[3:]) & FRONT_DOORS
    ]
    assert not wrong, (
        f"{wrong}: a slice is entered through {', '.join(sorted(FRONT_DOORS))}. Its store, its "
        "routes and its jobs are its own: two slices that share a query cannot be changed apart."
    )


def test_server_never_loads_a_decoder() -> None:
    """Also not through a library: what is loaded can be reached by a hostile file's author."""
    program = (
        "import sys, luciole.app, luciole.worker\n"
        "print(*sorted({'av', 'PIL', 'cv2', 'imageio'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == []
