"""What the gateway counts. Nothing here is about a person."""

from __future__ import annotations

from luciole.kit.metrics import Counter

crossings = Counter(
    "luciole_border_crossings_total",
    "What was to leave the cell. The outcome is sent, gone (the receiver exists no more), refused, "
    "later (it is tried again), unknown (it may have been taken), expired (it waited for too long) "
    "or dropped (not declared).",
    ["kind", "outcome"],
)
arrivals = Counter(
    "luciole_border_arrivals_total",
    "What peers have sent. The outcome is accepted or the code of a refusal.",
    ["outcome"],
)
