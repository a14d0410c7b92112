"""How long from the last byte of a film to its first playable rendition, and to all of them?

Expected: the first playable after at most 0.35 of the time of one plain 1080p encode of the same
film with the same library, because the 540 has a quarter of the pixels and is published before
anything else is made. The plain encode is FFmpeg of the same wheel with the settings of our 1080:
one process, no fence, no upload, no database, all cores. Rounds take turns.

    PYTHONPATH=src .venv/bin/python -m bench.publish

Real phone videos join in where LUCIOLE_CORPUS is set. Results go to bench/results/publish.md.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from tests.drills.cell_process import free_port, serve, started

from bench import machine
from luciole.cell.media import encode, rungs, soundtrack
from luciole.demo import film

RESULTS = Path(__file__).with_name("results") / "publish.md"
SECONDS = 15
PIECE_BYTES = 4 * 2**20
TUS = {"tus-resumable": "1.0.0"}
POLL_S = 0.02
PATIENCE_S = 300
REAL = ("misc/mediabunny_video.mp4", "phone/sample_portrait.mp4")
RUNG = rungs.REST[0]
PLAIN = (
    "-c:v", "libx264", "-preset", "veryfast", "-profile:v", "high", "-pix_fmt", "yuv420p",
    "-crf", str(RUNG.crf), "-maxrate", str(RUNG.cap_bps), "-bufsize", str(RUNG.buffer_bits),
    "-c:a", "aac", "-b:a", str(soundtrack.AUDIO_BPS), "-movflags", "+faststart",
)  # fmt: skip


@dataclass
class Measured:
    """Seconds of each round."""

    plain: list[float] = field(default_factory=list)
    upload: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)


def phone_film(folder: Path) -> Path:
    """A film of the demo as a phone would bring it: 1080 × 1920 with grain, at a high rate."""
    drawn, path = folder / "drawn.mp4", folder / "demo film, 15 s"
    film.render(film.Job("rain", "bells", SECONDS, 7), drawn)
    ffmpeg("-i", str(drawn), "-vf", "scale=1080:1920,noise=alls=7:allf=t", "-r", "30",
           "-c:v", "libx264", "-preset", "veryfast", "-b:v", "14M", "-c:a", "copy",
           "-f", "mp4", str(path))  # fmt: skip
    return path


def ffmpeg(*words: str) -> None:
    subprocess.run([encode.ffmpeg(), "-nostdin", "-v", "error", "-y", *words], check=True)


def plain(source: Path, folder: Path) -> float:
    began = time.perf_counter()
    ffmpeg("-i", str(source), *PLAIN, str(folder / "plain.mp4"))
    return time.perf_counter() - began


def upload(client: httpx.Client, data: bytes) -> str:
    """The id of a finished upload."""
    answer = client.post("/api/uploads", headers={**TUS, "upload-length": str(len(data))})
    answer.raise_for_status()
    place = answer.headers["location"]
    for offset in range(0, len(data), PIECE_BYTES):
        client.patch(
            place,
            content=data[offset : offset + PIECE_BYTES],
            headers={
                **TUS,
                "content-type": "application/offset+octet-stream",
                "upload-offset": str(offset),
            },
        ).raise_for_status()
    return place.rsplit("/", 1)[1]


def publish(client: httpx.Client, source: Path, into: Measured) -> None:
    """One clip from the upload to its last rendition, then away with it."""
    began = time.perf_counter()
    upload_id = upload(client, source.read_bytes())
    uploaded = time.perf_counter()
    answer = client.post("/api/clips", json={"upload_id": upload_id, "audience": "everyone"})
    answer.raise_for_status()
    path = f"/api/clips/{answer.json()['id']}"
    clip = wait(client, path, 1)
    into.first.append(time.perf_counter() - uploaded)
    shorter = min(clip["width"], clip["height"])
    # The first has at most 540 lines; where it has fewer, the film has no more.
    is_small = shorter < rungs.FIRST_SHORT_SIDE
    wanted = 1 if is_small else 1 + expected_above(source)
    wait(client, path, wanted)
    into.whole.append(time.perf_counter() - uploaded)
    into.upload.append(uploaded - began)
    client.delete(path).raise_for_status()


def wait(client: httpx.Client, path: str, renditions: int) -> dict[str, int]:
    """The clip once it is published with so many renditions."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        clip = client.get(path).json()
        assert clip["state"] in ("processing", "published"), clip["refusal"]
        if clip["state"] == "published" and len(clip["renditions"]) >= renditions:
            return dict(clip)
        time.sleep(POLL_S)
    raise TimeoutError(path)


def expected_above(source: Path) -> int:
    """How many renditions above the first a film of this size gets."""
    side = min(size(source))
    return sum(side >= rung.short_side for rung in rungs.REST)


def size(source: Path) -> tuple[int, int]:
    import av

    with av.open(str(source)) as container:
        context = container.streams.video[0].codec_context
        return context.width, context.height


def row(source: Path, found: Measured) -> list[str]:
    def told(seconds: list[float]) -> str:
        return f"{statistics.median(seconds):.2f} / {max(seconds):.2f}"

    def ratio(seconds: list[float]) -> str:
        return f"{statistics.median(seconds) / statistics.median(found.plain):.2f}"

    width, height = size(source)
    return [
        f"{source.name}, {width}×{height}, {source.stat().st_size / 2**20:.1f} MiB",
        told(found.plain), told(found.upload), told(found.first), f"**{ratio(found.first)}**",
        told(found.whole), ratio(found.whole),
    ]  # fmt: skip


HEAD = ["film", "plain encode s", "upload s", "first playable s", "first : plain", "whole ladder s",
        "ladder : plain"]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--results", type=Path, default=RESULTS)
    chosen = parser.parse_args()
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="luciole-bench-") as name:
        folder = Path(name)
        sources = [phone_film(folder)]
        if corpus := os.environ.get("LUCIOLE_CORPUS"):
            sources += [Path(corpus, "videos", each) for each in REAL]
        found = {source: Measured() for source in sources}
        with started(*serve(folder / "data", port)) as cell:
            cell.wait_for("The cell answers after", 60)
            with httpx.Client(base_url=f"http://localhost:{port}", timeout=60) as client:
                body = {"handle": f"maker{random.randrange(10**9)}", "display_name": "Maker",
                        "age_band": "18+", "locale": "en",
                        "password": "seven turquoise herons"}  # fmt: skip
                answer = client.post("/api/sign-up", json=body)
                answer.raise_for_status()
                client.headers["authorization"] = f"Bearer {answer.json()['token']}"
                client.cookies.clear()
                for source in sources:
                    publish(client, source, Measured())  # Warm: files in memory, plans made.
                for number in range(chosen.rounds):
                    for source, into in found.items():
                        into.plain.append(plain(source, folder))
                        publish(client, source, into)
                    print(f"round {number + 1} of {chosen.rounds}", flush=True)
            cell.stop()
        text = (
            "# From the last byte to the first playable\n\n"
            f"{machine.described()} Median / longest of {chosen.rounds} rounds, in turns. "
            "`bench/publish.py`\n\n"
            f"{machine.table(HEAD, [row(source, each) for source, each in found.items()])}"
        )
    chosen.results.parent.mkdir(exist_ok=True)
    chosen.results.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
