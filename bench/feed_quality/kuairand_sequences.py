"""KuaiRand-Pure's histories as a file for `sequential`: what each person watched long, in order.

    python -m bench.feed_quality.kuairand_sequences user_sequences.parquet OUT [--column watch_seq]

Needs pyarrow. KuaiRand-Pure is by Kuaishou (Gao and others, CIKM 2022), CC BY-SA 4.0; neither it
nor the file made of it belongs into this repository.
"""

from __future__ import annotations

import argparse
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parquet", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument(
        "--column", default="long_watch_seq", choices=["long_watch_seq", "watch_seq"]
    )
    told = parser.parse_args()
    from pyarrow import parquet

    rows = parquet.read_table(told.parquet, columns=["user_id", told.column]).to_pydict()
    with told.out.open("w", encoding="ascii", newline="\n") as file:
        for user, items in zip(rows["user_id"], rows[told.column], strict=True):
            file.writelines(f"{user} {item}\n" for item in items or ())


if __name__ == "__main__":
    main()
