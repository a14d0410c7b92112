"""Makes one film of what an author did to theirs, before anything else is made of it.

Pieces, text and all that is beside or before them are joined by FFmpeg, in the fence, into a film
of higher quality than any rendition. Stills, captions, loudness, hashes and renditions then come
out of that one, by the same ways as out of an upload.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec

from luciole.cell.media import encode, fence, loudness, tonemap
from luciole.cell.media.edit_list import SHORTEST_PIECE_MS
from luciole.cell.media.fence import Limits
from luciole.cell.media.filters import MUCH_LARGER, ours
from luciole.cell.media.model import Edit, Layer, Quote
from luciole.cell.media.probe import Probe, Unreadable, check_length
from luciole.cell.media.rungs import Cut, Rung
from luciole.cell.media.soundtrack import BOTH, FILLED

# Not seen by anybody, but encoded once more: better than the best rendition, and no larger.
EDITED = Rung("edited", 1080, 14, 16_000_000, 60)
# Plain samples: what is joined of them has no gap, and nothing is lost.
SOUND = ["-c:a", "pcm_s16le", "-ac", "2", "-ar", "48000"]
SAMPLES = "aformat=sample_fmts=s16:sample_rates=48000:channel_layouts=stereo"


# Two upright films beside each other: each has half of the width.
PANE_HEIGHT, PANE_SHAPE = 960, 9 / 16
PANE_FPS = 30
LEAST_OWN_MS = 500
# A frame more at 30 a second: none of a part that is to go may stay for want of a rounded time.
JOINT_MS = 34


class Quoted(msgspec.Struct, frozen=True):
    """The part of another film that one is made from: beside it, or before it."""

    path: Path
    film: Probe
    how: Literal["duet", "stitch"]
    start_ms: int
    length_ms: int


def is_plain(edit: Edit, layers: Sequence[Layer]) -> bool:
    """Whether the renditions can be made from the upload itself."""
    return len(edit.pieces) < 2 and not layers


def cuts(film: Probe, edit: Edit, longest_ms: int) -> list[Cut]:
    """The parts of the film that are kept, in the order in which they play. Raises Unreadable."""
    if not edit.pieces:
        return [Cut(*check_length(film, edit, longest_ms))]
    found = [
        Cut(one.start_ms, min(one.end_ms, film.duration_ms) - one.start_ms) for one in edit.pieces
    ]
    if any(cut.length_ms < SHORTEST_PIECE_MS for cut in found):
        raise Unreadable("outside-the-film")
    if sum(cut.length_ms for cut in found) > longest_ms + 500:
        raise Unreadable("too-long")
    return found


def cover_ms(edit: Edit) -> int:
    """The moment of the cover in the edited film."""
    return edit.cover_ms if edit.pieces else max(0, edit.cover_ms - edit.trim_start_ms)


async def edited(
    source: Path,
    film: Probe,
    kept: Sequence[Cut],
    layers: Sequence[Layer],
    folder: Path,
    quoted: Quoted | None = None,
) -> Path:
    """A film of these parts of the source, in this order, beside or after a part of another one,
    under these pictures. Raises Unreadable, EncodingFailed."""
    out_dir = folder / "out"
    size = encode.scaled(film.width, film.height, EDITED.short_side)
    if film.is_hdr:
        tonemap.write(film.facts.transfer, out_dir)
    is_shrunk = film.height >= size[1] * MUCH_LARGER
    # Each part has a decoder of its own; with many, one thread for each is enough.
    threads = encode.READ_THREADS if len(kept) == 1 else 1
    inputs = [
        option
        for cut in kept
        for option in encode.ffmpeg_input(source, cut, is_shrunk=is_shrunk, threads=threads)
    ]
    pictures = await asyncio.to_thread(_written, layers, folder)
    for path in pictures:
        inputs += _picture(path)
    reads = [source, *pictures]
    number = len(kept) + len(pictures)
    if film.has_audio:
        reads.append(await _sound(source, film, folder, "sound"))
        inputs += _samples(reads[-1])
    graph = _joined(film, kept, size, number)
    is_heard, length_ms = film.has_audio, sum(cut.length_ms for cut in kept)
    if quoted is not None:
        if length_ms < LEAST_OWN_MS:
            raise Unreadable("too-little-own")
        number += film.has_audio
        part = Cut(quoted.start_ms, quoted.length_ms)
        inputs += encode.ffmpeg_input(quoted.path, part, is_shrunk=False)
        reads.append(quoted.path)
        if quoted.film.has_audio:
            reads.append(await _sound(quoted.path, quoted.film, folder, "quoted"))
            inputs += _samples(reads[-1])
        own = await _gain(source, film, out_dir) if film.has_audio else ""
        if quoted.how == "duet":
            length_ms = min(length_ms, quoted.length_ms)
            size = pane(film, quoted.film)
            graph += _beside(film, quoted, size, number, own)
            size = (size[0] * 2, size[1])
        else:
            graph += _before(film, quoted, size, number, own, length_ms)
            length_ms += quoted.length_ms
        is_heard = is_heard or quoted.film.has_audio
    below = "[joined]" if quoted is None else "[both]"
    graph += _covered(len(kept), layers, size, below)
    heard = "[sound]" if quoted is None else "[heard]"
    sound = ["-map", heard, *SOUND] if is_heard else []
    path = out_dir / "edited.mov"
    arguments = [
        encode.ffmpeg(), "-nostdin", "-v", "error", "-y", "-max_error_rate", "1", *inputs,
        "-filter_complex_threads", "2", "-filter_complex", graph,
        "-map", "[film]", *sound, *encode.video(EDITED, encode.FIRST_THREADS), *encode.CLEAN,
        "-t", f"{length_ms}ms", "-f", "mov", str(path),
    ]  # fmt: skip
    await _run(arguments, reads, out_dir, length_ms)
    return await asyncio.to_thread(_kept, path, folder)


async def alone(whole: Path, film: Probe, quote: Quote, folder: Path) -> Path:
    """What is left of a finished film without what it shows of another one. Raises Unreadable,
    EncodingFailed."""
    path = folder / "out" / "alone.mov"
    size = (film.width, film.height)
    if quote.how == "duet":
        cut, crop, film = Cut(0, film.duration_ms), ",crop=iw/2:ih:0:0", film.without_sound()
    else:
        start_ms = quote.end_ms - quote.start_ms + JOINT_MS
        cut, crop = Cut(start_ms, film.duration_ms - start_ms), ""
    sound = ["-map", f"0:{film.facts.audio_index}", "-af", FILLED, *SOUND] if film.has_audio else []
    arguments = [
        encode.ffmpeg(), "-nostdin", "-v", "error", "-y",
        *encode.ffmpeg_input(whole, cut, is_shrunk=False),
        "-filter_complex", f"{ours(film, cut, EDITED, size)}{crop}[film]", "-map", "[film]",
        *sound, *encode.video(EDITED, encode.LADDER_THREADS), *encode.CLEAN, "-f", "mov", str(path),
    ]  # fmt: skip
    await _run(arguments, [whole], path.parent, cut.length_ms)
    return await asyncio.to_thread(_kept, path, folder)


def pane(*both: Probe) -> tuple[int, int]:
    """The size of one of two films beside each other; neither is made larger than it is."""
    height = min(PANE_HEIGHT, max(film.height for film in both))
    return max(2, int(height * PANE_SHAPE / 2) * 2), max(2, height // 2 * 2)


async def _gain(source: Path, film: Probe, out_dir: Path) -> str:
    """What makes one's own sound as loud as the other one's, which is as loud as all are."""
    inputs = encode.ffmpeg_input(source, Cut(0, film.duration_ms), is_shrunk=False)
    index = f"0:{film.facts.audio_index}"
    found = await loudness.of(inputs, index, [source], out_dir, encode.ffmpeg())
    return "".join(f",{one}" for one in (found.filters() if found else []))


def _beside(film: Probe, quoted: Quoted, size: tuple[int, int], number: int, own: str) -> str:
    """[joined] with the other film, which is the input `number`, at its right: [both], and what
    is heard of the two at once: [heard]. As long as the shorter one."""
    fitted = (
        f"scale={size[0]}:{size[1]}:force_original_aspect_ratio=decrease:force_divisible_by=2,"
        f"pad={size[0]}:{size[1]}:-1:-1,setsar=1,fps={PANE_FPS}"
    )
    part = Cut(quoted.start_ms, quoted.length_ms)
    other = encode.scaled(quoted.film.width, quoted.film.height, EDITED.short_side)
    graph = (
        f";[joined]{fitted}[mine];{ours(quoted.film, part, EDITED, other, number)},{fitted}[theirs]"
        ";[mine][theirs]hstack=shortest=1[both]"
    )
    if quoted.film.has_audio:
        graph += f";{_quoted_sound(quoted, number)}[other]"
    if film.has_audio:
        graph += f";[sound]{SAMPLES}{own}[own]"
    if film.has_audio and quoted.film.has_audio:
        return f"{graph};[own][other]{BOTH}[heard]"
    if film.has_audio or quoted.film.has_audio:
        return f"{graph};{'[own]' if film.has_audio else '[other]'}anull[heard]"
    return graph


def _before(
    film: Probe, quoted: Quoted, size: tuple[int, int], number: int, own: str, own_ms: int
) -> str:
    """The part of the other film, which is the input `number`, and [joined] after it: [both], and
    their sound: [heard]."""
    part = Cut(quoted.start_ms, quoted.length_ms)
    share = min(size[0] / quoted.film.width, size[1] / quoted.film.height)
    other = (
        min(size[0], max(2, round(quoted.film.width * share / 2) * 2)),
        min(size[1], max(2, round(quoted.film.height * share / 2) * 2)),
    )
    graph = (
        f";{ours(quoted.film, part, EDITED, other, number)},pad={size[0]}:{size[1]}:-1:-1,setsar=1"
        "[quoted]"
    )
    if not film.has_audio and not quoted.film.has_audio:
        return f"{graph};[quoted][joined]concat=n=2:v=1:a=0[both]"
    theirs = _quoted_sound(quoted, number) if quoted.film.has_audio else _silence(quoted.length_ms)
    mine = f"[sound]{SAMPLES}{own},{SAMPLES}" if film.has_audio else _silence(own_ms)
    return (
        f"{graph};{theirs}[other];{mine}[own]"
        ";[quoted][other][joined][own]concat=n=2:v=1:a=1[both][heard]"
    )


def _quoted_sound(quoted: Quoted, number: int) -> str:
    """The sound of the quoted part, out of the input after its picture's."""
    end_ms = quoted.start_ms + quoted.length_ms
    return (
        f"[{number + 1}:a:0]{SAMPLES},atrim=start={quoted.start_ms}ms:end={end_ms}ms,"
        f"asetpts=PTS-STARTPTS,apad=whole_dur={quoted.length_ms}ms"
    )


def _silence(length_ms: int) -> str:
    return f"anullsrc=r=48000:cl=stereo,{SAMPLES},atrim=end={length_ms}ms"


async def _sound(source: Path, film: Probe, folder: Path, name: str) -> Path:
    """The sound of the whole film as plain samples, as long as its picture: a part that lies after
    the end of the sound is silent, and not without a sound."""
    path = folder / "out" / f"{name}.wav"
    length = f"{film.duration_ms}ms"
    whole = Cut(0, film.duration_ms)
    arguments = [
        encode.ffmpeg(), "-nostdin", "-v", "error", "-y",
        *encode.ffmpeg_input(source, whole, is_shrunk=False),
        "-map", f"0:{film.facts.audio_index}", "-af", f"{FILLED},apad=whole_dur={length}",
        *SOUND, *encode.CLEAN, "-f", "wav", str(path),
    ]  # fmt: skip
    await _run(arguments, [source], path.parent, film.duration_ms)
    return await asyncio.to_thread(_kept, path, folder)


def _joined(film: Probe, kept: Sequence[Cut], size: tuple[int, int], heard: int) -> str:
    """One part after the other, as [joined], and their sound, out of the input `heard`, as [sound],
    each as long as its picture."""
    chains, names = [], ""
    if film.has_audio:
        split = "".join(f"[all{number}]" for number in range(len(kept)))
        chains.append(f"[{heard}:a:0]{SAMPLES},asplit={len(kept)}{split}")
    for number, cut in enumerate(kept):
        chains.append(f"{ours(film, cut, EDITED, size, number)}[part{number}]")
        names += f"[part{number}]"
        if film.has_audio:
            chains.append(
                f"[all{number}]atrim=start={cut.start_ms}ms:end={cut.start_ms + cut.length_ms}ms,"
                f"asetpts=PTS-STARTPTS,apad=whole_dur={cut.length_ms}ms[heard{number}]"
            )
            names += f"[heard{number}]"
    both = (1, "[joined][sound]") if film.has_audio else (0, "[joined]")
    chains.append(f"{names}concat=n={len(kept)}:v=1:a={both[0]}{both[1]}")
    return ";".join(chains)


def _covered(first: int, layers: Sequence[Layer], size: tuple[int, int], below: str) -> str:
    """The film `below` under the pictures, which are the inputs from `first` on, as [film]."""
    if not layers:
        return f";{below}null[film]"
    chains = ""
    for number, layer in enumerate(layers):
        above = "[film]" if number == len(layers) - 1 else f"[under{number}]"
        # Times of frames are rounded: half a millisecond is none of them.
        since = f"gte(t,{(layer.start_ms - 0.5) / 1000:.4f})"
        until = "" if layer.end_ms is None else f"*lt(t,{(layer.end_ms - 0.5) / 1000:.4f})"
        chains += (
            f";[{first + number}:v]scale={size[0]}:{size[1]}:flags=bicubic"
            f":out_color_matrix=bt709:out_range=tv,format=yuva420p[layer{number}]"
            f";{below}[layer{number}]overlay=0:0:format=yuv420"
            f":enable='{since}{until}'{above}"
        )
        below = above
    return chains


def _picture(path: Path) -> list[str]:
    """The options that open a layer."""
    return [
        "-protocol_whitelist", "file", "-format_whitelist", "png_pipe", "-codec_whitelist", "png",
        "-f", "png_pipe", "-i", str(path),
    ]  # fmt: skip


def _samples(path: Path) -> list[str]:
    """The options that open a sound of `_sound`."""
    return [
        "-protocol_whitelist", "file", "-format_whitelist", "wav", "-codec_whitelist", "pcm_s16le",
        "-i", str(path),
    ]  # fmt: skip


def _written(layers: Sequence[Layer], folder: Path) -> list[Path]:
    paths = [folder / f"layer-{number}.png" for number in range(len(layers))]
    for path, layer in zip(paths, layers, strict=True):
        path.write_bytes(layer.png)
    return paths


async def _run(arguments: list[str], reads: list[Path], out_dir: Path, length_ms: int) -> None:
    seconds = length_ms / 1000
    limits = Limits(
        wall_s=120 + seconds * 10,
        cpu_s=int(120 + seconds * 16),
        # Addresses, of which each decoder takes its share.
        memory_bytes=8192 * fence.MIB,
        nice=encode.FIRST_NICE,
    )
    encode.raise_for(await fence.run(arguments, reads=reads, writes=[out_dir], limits=limits))


def _kept(path: Path, folder: Path) -> Path:
    """Out of the reach of what is decoded next."""
    encode.size_bytes(path)
    moved = folder / path.name
    os.replace(path, moved)
    return moved
