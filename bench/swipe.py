"""How soon is a clip on screen after a swipe, and how many bytes does that take?

Expected: ours has a picture within 50 ms at the ninth of ten swipes, because the next clip's first
second is there and painted; and moves at most one and a half times the bytes that are watched,
because of the clip on screen it fetches no more than the next second.

A real Chromium swipes the same clips, for the same times, by four ways in turns: a file from its
beginning, the same with the next one preloaded, hls.js over our playlists with the next one
prepared, and our own player and loader, as the app has them; with `--before`, ours as it was at a
commit as well. The floor is what this machine takes where nothing is to be fetched. The network is
shaped by Chromium itself (CDP `Network.emulateNetworkConditions`): a rate and a time to the first
byte. That knows no slow start, no loss and no queue, and a new connection costs nothing; a real
line is worse for all.
Clips are drawn by the demo and encoded by our encoder. Bytes are those that reached the page.

    PYTHONPATH=src:. .venv/bin/python -m bench.swipe --rounds 3

Needs the web client's development packages (`npm ci` in web/) and a Chromium. Results go to
bench/results/swipe.md.
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import json
import os
import random
import re
import shutil
import statistics
import subprocess
import tempfile
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from playwright.async_api import Browser, Page, async_playwright
from tests.browser import find

from bench import machine
from luciole.cell.media import encode, packaging, playlists, probe
from luciole.cell.media.model import Rendition, Segments
from luciole.cell.media.rungs import Cut
from luciole.demo import film

RESULTS = Path(__file__).with_name("results") / "swipe.md"
WEB = machine.ROOT / "web"
PAGE = Path(__file__).with_name("swipe_page.ts")
SECONDS = 8
SCENES = ("rain", "waves", "fireworks", "train", "cat", "bubbles", "dunes", "aurora", "boat")
# A visit: eight swipes, between a quick one and a long look; the same for all ways.
DWELLS_MS = (2600, 700, 3100, 1200, 4000, 900, 2200, 3400)
LINES = {"5 Mbit/s, 70 ms": (5_000_000, 70), "2 Mbit/s, 120 ms": (2_000_000, 120)}
HTML = """<!doctype html><meta charset=utf-8><style>
body{{margin:0;background:#000}}#slides{{width:390px;height:693px;overflow:hidden}}
#slides>div{{height:693px}}video{{width:390px;height:693px;object-fit:cover}}
</style><div id=slides></div><script src={page}.js></script>"""
FLOOR = "floor: whole in memory"
BEFORE = "before"
HEAD = ["way", "first clip, ms", "picture p50, ms", "p90", "worst", "next frame p50, ms", "p90",
        "moves p50, ms", "p90", "MB", "of what is watched", "stall a visit, ms"]  # fmt: skip
READING = """
*Picture*: from the swipe until a picture of the clip is on screen; where it was painted before,
that is the browser's next frame. *Next frame*: until a frame is presented after the swipe, which of
a clip that was painted before is its second one; before, this was the only measure. *Moves*: until
its second frame. The *floor* plays whole files from memory, painted before each swipe: it is the
browser and the machine alone."""
OPTIONS = ["--mute-audio", "--autoplay-policy=no-user-gesture-required"]


class Files(SimpleHTTPRequestHandler):
    """Files with ranges, over connections that stay open."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            self.send_error(404)
            return
        size = path.stat().st_size
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("range", ""))
        start, end = (int(match[1]), int(match[2] or size - 1) + 1) if match else (0, size)
        end = min(end, size)
        self.send_response(206 if match else 200)
        if match:
            self.send_header("content-range", f"bytes {start}-{end - 1}/{size}")
        self.send_header("content-length", str(end - start))
        self.send_header("content-type", self.guess_type(str(path)))
        self.send_header("accept-ranges", "bytes")
        self.send_header("cache-control", "no-store")
        self.end_headers()
        with path.open("rb") as file:
            file.seek(start)
            try:
                self.wfile.write(file.read(end - start))
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

    def log_message(self, *_: Any) -> None:
        return


Files.extensions_map = {**SimpleHTTPRequestHandler.extensions_map, ".m3u8": playlists.MIME}


@contextmanager
def served(folder: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Files, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()


def draw(scene: str, number: int, drawn: Path, look: Path) -> None:
    """A film of the demo as a phone would bring it: 1080 × 1920 with grain, at a high rate."""
    film.render(film.Job(scene, "bells", SECONDS, number), drawn)
    subprocess.run(
        [encode.ffmpeg(), "-nostdin", "-v", "error", "-y", "-i", str(drawn), "-vf",
         "scale=1080:1920,noise=alls=7:allf=t", "-r", "30", "-c:v", "libx264", "-preset",
         "veryfast", "-b:v", "14M", "-c:a", "copy", str(look)], check=True,
    )  # fmt: skip


async def clip(folder: Path, work: Path, number: int, scene: str) -> dict[str, Any]:
    """A clip as the feed shows it, with its files below `folder`."""
    drawn, out = work / f"{number}.mp4", work / f"out{number}"
    out.mkdir()
    look = work / f"phone{number}.mp4"
    await asyncio.to_thread(draw, scene, number, drawn, look)
    found = await probe.probe(look, out)
    first, _ = await encode.first_playable(look, found, Cut(0, found.duration_ms), out)
    (packed,) = await packaging.pack([first], out)
    place = folder / "media" / "p" / f"clip{number}"
    place.mkdir(parents=True)
    first.path.rename(place / "540-1.mp4")
    packed.path.rename(place / "540-1.seg.mp4")
    index = packed.index
    key = f"p/clip{number}/540-1"
    segments = Segments(f"{key}.seg.mp4", packed.size_bytes, index.init_bytes, [*index.sizes],
                        [*index.durations_ms], index.codecs)  # fmt: skip
    rendition = Rendition("540", first.width, first.height, first.bitrate_bps, first.size_bytes,
                          f"{key}.mp4", segments=segments)  # fmt: skip

    def url(one: str) -> str:
        return f"/media/{one}"

    for at in (f"p/clip{number}/clip.m3u8", playlists.list_key(segments)):
        text = playlists.written(at, [rendition], url)
        assert text is not None
        (folder / "media" / at).write_text(text)
    shown = msgspec.to_builtins(rendition)
    shown["url"] = url(shown.pop("key"))
    shown["segments"]["url"] = url(shown["segments"].pop("key"))
    return {
        "id": f"clip{number}",
        "renditions": [shown],
        "playlist_url": url(f"p/clip{number}/clip.m3u8"),
        "duration_ms": first.duration_ms,
        "width": first.width,
        "height": first.height,
        "captions": None,
        "has_audio": True,
    }


def unpacked(commit: str, folder: Path) -> Path:
    """The page of today, where it finds the app's own player as it was at a commit."""
    folder.mkdir()
    packed = subprocess.run(["git", "archive", commit, "web/src"], cwd=machine.ROOT,
                            capture_output=True, check=True)  # fmt: skip
    subprocess.run(["tar", "-x", "-C", str(folder)], input=packed.stdout, check=True)
    (folder / "web" / "node_modules").symlink_to(WEB / "node_modules")
    (folder / "bench").mkdir()
    return shutil.copy(PAGE, folder / "bench")


def bundle(page: Path, name: str, target: Path) -> None:
    """A page with the app's own player, by the app's own tools."""
    script = f"""
        import {{ build }} from 'vite'
        import {{ svelte }} from '@sveltejs/vite-plugin-svelte'
        await build({{ configFile: false, logLevel: 'error', plugins: [svelte()], build: {{
            outDir: {json.dumps(str(target))}, emptyOutDir: false, minify: false, target: 'es2022',
            lib: {{ entry: {json.dumps(str(page))}, formats: ['iife'], name: 'page',
                    fileName: () => {json.dumps(name + ".js")} }} }} }})
    """
    subprocess.run([find.NODE, "--input-type=module", "-e", script], cwd=WEB, check=True)
    (target / f"{name}.html").write_text(HTML.format(page=name))


class Visit(NamedTuple):
    """What was seen at each swipe, the bytes that came, and what ours asked for."""

    seen: list[dict[str, Any]]
    moved: int
    asked: list[dict[str, Any]]


async def visit(
    browser: Browser, origin: str, way: str, clips: list[Any], line: tuple[int, int]
) -> Visit:
    page: Page = await browser.new_page(viewport={"width": 390, "height": 693})
    await page.goto(f"{origin}/{BEFORE if way == BEFORE else 'now'}.html")
    way = "ours" if way == BEFORE else way
    if way == FLOOR:
        await page.evaluate("(clips) => prepare(clips)", clips)
    cdp = await page.context.new_cdp_session(page)
    moved = 0

    def came(event: dict[str, Any]) -> None:
        nonlocal moved
        moved += event["dataLength"]

    cdp.on("Network.dataReceived", came)
    await cdp.send("Network.enable")
    bps, wait_ms = line
    await cdp.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": wait_ms, "downloadThroughput": bps / 8,
         "uploadThroughput": bps / 8},
    )  # fmt: skip
    seen = await page.evaluate("([way, clips, dwells]) => run(way, clips, dwells)",
                               [way, clips, list(DWELLS_MS)])  # fmt: skip
    asked = await page.evaluate("askedFor()")
    await page.close()
    return Visit(seen, moved, asked)


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


async def measure(asked: argparse.Namespace, folder: Path) -> str:
    program = find.find()
    assert program is not None, "No Chromium: set LUCIOLE_CHROMIUM."
    site = folder / "site"
    if not (site / "clips.json").exists():
        site.mkdir(exist_ok=True)
        work = folder / "work"
        work.mkdir()
        made = [await clip(site, work, n, scene) for n, scene in enumerate(SCENES)]
        (site / "clips.json").write_text(json.dumps(made))
    clips = json.loads((site / "clips.json").read_text())
    bundle(PAGE, "now", site)
    if asked.before:
        with tempfile.TemporaryDirectory() as old:
            bundle(unpacked(asked.before, Path(old, "before")), BEFORE, site)
    watched = sum(
        one["renditions"][0]["size_bytes"] * ms / one["duration_ms"]
        for one, ms in zip(clips, DWELLS_MS, strict=False)
    )
    found: dict[tuple[str, str], list[Visit]] = defaultdict(list)
    options = [*OPTIONS, "--no-sandbox"] if os.geteuid() == 0 else OPTIONS
    loads = [os.getloadavg()[0]]
    with served(site) as origin:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=program, args=options)
            page = await browser.new_page()
            await page.goto(f"{origin}/now.html")
            ways = await page.evaluate("ways")
            version = browser.version
            await page.close()
            if asked.before:
                ways.append(BEFORE)
            ways = [way for way in ways if not asked.only or way in asked.only]
            for turn in range(asked.rounds):
                for name, line in LINES.items():
                    for way in random.Random(turn).sample(ways, len(ways)):
                        one = await visit(browser, origin, way, clips, line)
                        found[name, way].append(one)
                        if asked.trace:
                            print(f"{name}, {way}, turn {turn}\n{traced(one)}", flush=True)
                loads.append(os.getloadavg()[0])
            await browser.close()
    how = f"Chromium {version}; load {min(loads):.1f} to {max(loads):.1f}; {asked.rounds} rounds"
    if asked.before:
        how += f"; before is {asked.before}"
    return written(found, ways, watched, how)


def traced(visit: Visit) -> str:
    """A visit, swipe by swipe, and what was asked for meanwhile."""
    lines = [f"  {one['fromMs']:7.0f} – {one['tillMs']:7.0f} {one['bytes']:8} {one['what']}"
             for one in visit.asked]  # fmt: skip
    lines += [f"  swipe {at}: at {one['atMs']:.0f}, painted {one['painted']}, {one['hereS']:.1f} s "
              f"here, picture {one['pictureMs']:.0f}, next {one['nextMs']:.0f}, moves "
              f"{one['movesMs']:.0f}, stall {one['stallMs']:.0f}"
              for at, one in enumerate(visit.seen)]  # fmt: skip
    return "\n".join(lines)


def written(
    found: dict[tuple[str, str], list[Visit]], ways: list[str], watched: float, how: str
) -> str:
    text = (
        f"{machine.described()} {how}. {watched / 1e6:.2f} MB are watched in a visit. {READING}\n"
    )
    for name in LINES:
        rows = []
        for way in ways:
            visits = found[name, way]
            swipes = [one for visit in visits for one in visit.seen[1:]]
            picture, following, moves = (
                [one[what] for one in swipes] for what in ("pictureMs", "nextMs", "movesMs")
            )
            first = statistics.median(visit.seen[0]["pictureMs"] for visit in visits)
            stall = statistics.mean(sum(one["stallMs"] for one in visit.seen) for visit in visits)
            moved = statistics.median(visit.moved for visit in visits)
            rows.append(
                [way, f"{first:.0f}", *shares(picture), f"{max(picture):.0f}", *shares(following),
                 *shares(moves), f"{moved / 1e6:.2f}", f"{moved / watched:.2f}", f"{stall:.0f}"]
            )  # fmt: skip
        text += f"\n**{name}**\n\n{machine.table(HEAD, rows)}"
    return text


def shares(values: list[float]) -> list[str]:
    return [f"{statistics.median(values):.0f}", f"{percentile(values, 0.9):.0f}"]


def main() -> None:
    parser = argparse.ArgumentParser(description="Time to the first frame of a swipe, and bytes.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where made clips are kept for the next time")
    parser.add_argument("--before", help="a commit whose player takes its turns too")
    parser.add_argument("--only", nargs="+", help="these ways only; nothing is kept of it")
    parser.add_argument("--trace", action="store_true", help="print each swipe and each request")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        text = asyncio.run(measure(asked, asked.folder or Path(made)))
    print(text)
    if not asked.only:
        RESULTS.write_text(f"# Swipes\n\n{text}")


if __name__ == "__main__":
    main()
