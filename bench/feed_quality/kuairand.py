"""KuaiRand-Pure as a log: histories, then a stream of impressions, cut into decision slates.

KuaiRand-Pure is by Kuaishou (Gao and others, CIKM 2022), CC BY-SA 4.0; it is not in this
repository. LUCIOLE_CORPUS names the folder that holds `kuairand-pure`. Needs pyarrow.
Aggregates of the month are in the files too; they hold the future and are not read.
"""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
SLATE = 8
HISTORY_ENDS_MS = 1_650_816_000_000


@dataclass
class Log:
    """Columns of the stream in time order; `history` of each person: (video, watched long), oldest
    first."""

    person: Array
    video: Array
    at_ms: Array
    long_view: Array
    played_ms: Array
    duration_ms: Array
    tab: Array
    history: dict[int, list[tuple[int, int]]]
    author: Array
    tag: Array
    sound: Array
    length_ms: Array

    @property
    def size(self) -> int:
        return len(self.person)


def folder() -> Path:
    """Where the files are. Ends the program with a sentence where they are not."""
    place = os.environ.get("LUCIOLE_CORPUS")
    if not place:
        raise SystemExit("LUCIOLE_CORPUS is not set: point it at the folder with kuairand-pure.")
    return next(path.parent for path in Path(place, "kuairand-pure").rglob("val.parquet"))


def read(place: Path) -> Log:
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = ["user_id", "video_id", "time_ms", "long_view", "play_time_ms", "duration_ms", "tab"]
    table = pa.concat_tables(
        [pq.read_table(place / f"{part}.parquet", columns=names) for part in ("val", "test")]
    )
    columns = {name: table[name].to_numpy() for name in names}
    order = np.argsort(columns["time_ms"], kind="stable")
    columns = {name: column[order] for name, column in columns.items()}
    kept = pq.read_table(place / "user_sequences.parquet")
    history = {}
    for person, watched, long_ones in zip(
        kept["user_id"].to_pylist(), kept["watch_seq"].to_pylist(),
        kept["long_watch_seq"].to_pylist(), strict=True,
    ):  # fmt: skip
        is_long = set(long_ones)
        history[person] = [(video, int(video in is_long)) for video in dict.fromkeys(watched)]
    videos = 1 + max(int(columns["video_id"].max()), *(v for h in history.values() for v, _ in h))
    author, tag, sound, length = (np.zeros(videos, np.int64) for _ in range(4))
    tags: dict[str, int] = {}
    with (place / "video_features_basic_pure.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            video = int(row["video_id"])
            if video < videos:
                author[video] = int(row["author_id"])
                tag[video] = tags.setdefault(row["tag"].split(",")[0], len(tags))
                sound[video] = int(float(row["music_id"] or 0)) % (1 << 40)
                length[video] = int(float(row["video_duration"] or 0))
    return Log(
        *(columns[name] for name in ("user_id", "video_id", "time_ms", "long_view",
                                     "play_time_ms", "duration_ms", "tab")),
        history=history, author=author, tag=tag, sound=sound, length_ms=length,
    )  # fmt: skip


def slates(log: Log) -> Array:
    """Shape (slates, 8): rows of the stream. Each is the next 8 distinct videos of a person in one
    tab, without overlap; it is decided at the time of its first."""
    found = []
    open_: dict[tuple[int, int], dict[int, int]] = {}
    for row, (person, tab, video) in enumerate(
        zip(log.person.tolist(), log.tab.tolist(), log.video.tolist(), strict=True)
    ):
        slate = open_.setdefault((person, tab), {})
        slate.setdefault(video, row)
        if len(slate) == SLATE:
            found.append(list(slate.values()))
            del open_[(person, tab)]
    found = [slate for slate in found if log.at_ms[slate[0]] >= HISTORY_ENDS_MS]
    return np.array(sorted(found))


def auc(scores: Array, labels: Array) -> Array:
    """Of each slate: the share of pairs of a long view and none that are in order; ties half.
    NaN where there is no such pair."""
    higher = scores[:, :, None] - scores[:, None, :]
    pair = labels[:, :, None] > labels[:, None, :]
    right = ((higher > 0) + 0.5 * (higher == 0)) * pair
    count = pair.sum(axis=(1, 2))
    found: Array = np.where(count > 0, right.sum(axis=(1, 2)) / np.maximum(count, 1), np.nan)
    return found


def ndcg(scores: Array, labels: Array) -> Array:
    """Of each slate with a long view; NaN for the others."""
    discount = 1 / np.log2(np.arange(SLATE) + 2)
    order = np.argsort(-scores, axis=1, kind="stable")
    got = (np.take_along_axis(labels, order, axis=1) * discount).sum(axis=1)
    best = (-np.sort(-labels, axis=1) * discount).sum(axis=1)
    found: Array = np.where(best > 0, got / np.maximum(best, 1e-9), np.nan)
    return found


def top(scores: Array, labels: Array) -> Array:
    """Of each slate: whether the first was watched long."""
    found: Array = np.take_along_axis(labels, scores.argmax(axis=1)[:, None], axis=1)[:, 0]
    return found.astype(float)


def mean_and_error(values: Array, person: Array) -> tuple[float, float]:
    """Mean over slates, with the standard error clustered by person."""
    kept = ~np.isnan(values)
    values, person = values[kept], person[kept]
    _, group = np.unique(person, return_inverse=True)
    sums = np.bincount(group, values - values.mean())
    return float(values.mean()), float(np.sqrt((sums**2).sum()) / len(values))
