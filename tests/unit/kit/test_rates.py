"""Limits that are counted in memory."""

from __future__ import annotations

from luciole.kit.rates import MAX_BUCKETS, Buckets, Rate


def test_buckets_name_nobody_and_are_bounded() -> None:
    buckets = Buckets()
    rate = Rate("try", 20, 60)
    for number in range(MAX_BUCKETS + 10):
        buckets.wait_s(rate, f"person{number}")
    assert len(buckets) == MAX_BUCKETS
    assert all(len(bucket) == 32 for bucket in buckets._buckets)
    assert not any(b"person" in bucket for bucket in buckets._buckets)


def test_rates_of_other_names_do_not_share() -> None:
    buckets = Buckets()
    assert buckets.wait_s(Rate("one", 1, 60), "ana") == 0
    assert buckets.wait_s(Rate("one", 1, 60), "ana") == 60
    assert buckets.wait_s(Rate("other", 1, 60), "ana") == 0
