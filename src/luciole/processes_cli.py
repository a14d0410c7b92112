"""Commands by which `serve` starts its processes; without a line in the help. As in `luciole.cli`,
modules are imported inside them."""

from __future__ import annotations

import argparse
import asyncio
from typing import Any


def add_to(commands: Any) -> None:
    """Adds the commands of this module to the command line."""
    one = commands.add_parser("api-process")
    one.add_argument("--socket", type=int, required=True)
    one.set_defaults(command=_api_process)
    one = commands.add_parser("worker-process")
    one.add_argument("--metrics", type=int)
    one.set_defaults(command=_worker_process)
    one = commands.add_parser("custody-process")
    one.set_defaults(command=_custody_process)
    one = commands.add_parser("ledger-process")
    one.add_argument("--witness", required=True)
    one.add_argument("--witness-socket", required=True)
    one.add_argument("--metrics", type=int)
    one.set_defaults(command=_ledger_process)
    one = commands.add_parser("gateway-process")
    one.add_argument("--witness", required=True)
    one.set_defaults(command=_gateway_process)
    one = commands.add_parser("abroad-process")
    one.add_argument("--metrics", type=int)
    one.set_defaults(command=_abroad_process)
    one = commands.add_parser("trustee-process")
    one.set_defaults(command=_trustee_process)
    one = commands.add_parser("ranking-process")
    one.set_defaults(command=_ranking_process)
    one = commands.add_parser("witness-process")
    one.add_argument("--socket", type=int, required=True)
    one.add_argument("--inner-socket", type=int, required=True)
    one.set_defaults(command=_witness_process)
    one = commands.add_parser("seed-process")
    one.add_argument("--address", required=True)
    one.set_defaults(command=_seed_process)


def _api_process(chosen: argparse.Namespace) -> int:
    from luciole import serve

    return serve.api_process(chosen.socket)


def _worker_process(chosen: argparse.Namespace) -> int:
    from luciole import worker

    worker.main(chosen.metrics)
    return 0


def _custody_process(_chosen: argparse.Namespace) -> int:
    from luciole import broker

    broker.main()
    return 0


def _ledger_process(chosen: argparse.Namespace) -> int:
    from luciole import ledger_process

    ledger_process.main(chosen.witness, chosen.witness_socket, chosen.metrics)
    return 0


def _abroad_process(chosen: argparse.Namespace) -> int:
    from luciole import abroad_process

    abroad_process.main(chosen.metrics)
    return 0


def _trustee_process(chosen: argparse.Namespace) -> int:
    from luciole import trustee_process

    trustee_process.main()
    return 0


def _ranking_process(_chosen: argparse.Namespace) -> int:
    from luciole import ranking_process

    ranking_process.main()
    return 0


def _gateway_process(chosen: argparse.Namespace) -> int:
    from luciole import gateway_process

    gateway_process.main(chosen.witness)
    return 0


def _witness_process(chosen: argparse.Namespace) -> int:
    from luciole import witness_process

    witness_process.beside(chosen.socket, chosen.inner_socket)
    return 0


def _seed_process(chosen: argparse.Namespace) -> int:
    from luciole import showcase

    return asyncio.run(showcase.seed_process(chosen.address))
