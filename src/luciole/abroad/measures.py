"""What the backup abroad tells about itself."""

from __future__ import annotations

from luciole.kit.metrics import Counter, Gauge

lag = Gauge(
    "luciole_abroad_lag_seconds",
    "For how long what was written here is not in the other cell yet, at most.",
)
base_age = Gauge(
    "luciole_abroad_base_age_seconds", "Since when the newest base backup is in the other cell."
)
spool = Gauge("luciole_abroad_spool_bytes", "Bytes of the write-ahead log that wait to be sent.")
failed = Counter("luciole_abroad_failed_total", "Rounds and base backups that failed.", ["code"])
gaps = Counter("luciole_abroad_gaps_total", "How often some of the log was lost for the backup.")
