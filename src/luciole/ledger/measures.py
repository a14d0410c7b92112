"""What a log tells about its work."""

from __future__ import annotations

from luciole.kit.metrics import Counter, Gauge, Histogram

appended = Counter(
    "luciole_ledger_entries_total", "Entries that got their place in a log.", ["log"]
)
took = Histogram(
    "luciole_ledger_round_duration_seconds",
    "Duration of rounds that appended entries, from the inbox to the published head.",
    ["log"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
published = Gauge("luciole_ledger_published_size", "Entries under the published head.", ["log"])
stopped = Counter("luciole_ledger_stopped_total", "Rounds that refused to go on.", ["log", "code"])
recovered = Counter(
    "luciole_ledger_recovered_total",
    "Entries met when a restored database was moved on to its log: taken-over from the archive, "
    "came-back in the inbox, set-aside because the log has their label for another act.",
    ["log", "outcome"],
)
