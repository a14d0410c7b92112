"""The protocol of leave-last-out on files small enough to check by hand."""

from __future__ import annotations

import importlib.util
import math
import random
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from bench.feed_quality import sequence_counts, sequential
from bench.feed_quality.leave_last_out import Items, Log, gains, hits, ranks, read, sampled

NO_TORCH = "the sequence model is NOT tested: PyTorch (the extra `sequence`) is not installed"
has_torch = importlib.util.find_spec("torch") is not None


class Fixed:
    """Everybody gets the same scores; what was shown is kept."""

    def __init__(self, *scores: float) -> None:
        self.scores, self.shown = np.array(scores, float), list[list[int]]()

    def score(self, shown: Sequence[Items]) -> np.ndarray:
        self.shown += [items.tolist() for items in shown]
        return np.tile(self.scores, (len(shown), 1))


def written(path: Path, *sequences: str) -> Log:
    """A log in SASRec's format: for each person their items."""
    lines = [f"{user} {item}\n" for user, items in enumerate(sequences, 1) for item in items]
    path.write_text("".join(lines), encoding="ascii")
    return read(path)


def circle(people: int = 60, items: int = 12, length: int = 7) -> list[str]:
    """People who walk around a circle of items, each from a place of their own."""
    rng = random.Random(4)
    starts = [rng.randrange(items) for _ in range(people)]
    return ["".join(chr(97 + (start + n) % items) for n in range(length)) for start in starts]


def test_last_is_test_and_the_one_before_is_validation(tmp_path: Path) -> None:
    log = written(tmp_path / "log", "abcd", "ba")
    model = Fixed(4, 3, 2, 1)
    assert log.asked().tolist() == [0]
    assert [items.tolist() for items in log.training()] == [[0, 1], [1, 0]]
    ranks(log, model, log.asked(), test=False)
    ranks(log, model, log.asked(), test=True)
    assert model.shown == [[0, 1], [0, 1, 2]]


def test_seen_items_do_not_count(tmp_path: Path) -> None:
    log = written(tmp_path / "log", "abcd")
    assert ranks(log, Fixed(4, 3, 2, 1), log.asked(), test=True).tolist() == [1]
    assert ranks(log, Fixed(4, 3, 1, 2), log.asked(), test=False).tolist() == [2]


def test_items_of_others_do_count(tmp_path: Path) -> None:
    log = written(tmp_path / "log", "abc", "xyz")
    assert ranks(log, Fixed(0, 0, 1, 9, 8, 0), log.asked()[:1], test=True).tolist() == [3]


def test_tie_is_lost(tmp_path: Path) -> None:
    log = written(tmp_path / "log", "abc", "xyz")
    assert ranks(log, Fixed(*[1] * 6), log.asked(), test=True).tolist() == [4, 4]


@pytest.mark.parametrize("wrong", [math.nan, math.inf])
def test_score_that_is_no_number_is_refused(tmp_path: Path, wrong: float) -> None:
    log = written(tmp_path / "log", "abc")
    with pytest.raises(ValueError, match="finite"):
        ranks(log, Fixed(wrong, 1, 1), log.asked(), test=True)


def test_repeated_meeting_is_left_out_and_counted(tmp_path: Path) -> None:
    log = written(tmp_path / "log", "abacb")
    assert [items.tolist() for items in log.sequences] == [[0, 1, 2]]
    assert log.repeats == 2


def test_measures_end_at_ten() -> None:
    rank = np.array([1, 2, 10, 11])
    assert hits(rank).tolist() == [1, 1, 1, 0]
    assert gains(rank).tolist() == pytest.approx([1, 1 / math.log2(3), 1 / math.log2(11), 0])


def test_ratings_are_sorted_by_time_and_rare_items_go(tmp_path: Path) -> None:
    rows = [f"{user}::{item}::5::{100 - item}" for user in range(5) for item in range(6)]
    rows += ["0::99::5::1", "9::1::5::1"]
    path = tmp_path / "ratings.dat"
    path.write_text("\n".join(rows), encoding="ascii")
    log = read(path)
    # The first of all times is item 5, which was numbered first; 99 and person 9 are too rare.
    assert [items.tolist() for items in log.sequences] == [[0, 1, 2, 3, 4, 5]] * 5
    assert log.item_count == 6


def test_equal_times_keep_the_order_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "ratings.dat"
    path.write_text(
        "".join(f"{user}::{item}::3::7\n" for user in range(5) for item in (4, 2, 3, 0, 1)),
        encoding="ascii",
    )
    text = tmp_path / "text"
    assert [s.tolist() for s in read(path).sequences] == [
        s.tolist() for s in written(text, *["42301"] * 5).sequences
    ]


def test_sample_is_fixed_named_and_whole_for_its_people(tmp_path: Path) -> None:
    log = written(tmp_path / "log", *circle())
    sample = sampled(log, 20)
    assert len(sample.sequences) == 20
    assert sample.described() == sampled(log, 20).described()
    assert "sample of 20 of the 60" in sample.described()
    assert {len(items) for items in sample.sequences} == {7}
    assert sampled(log, 60) is log


def test_hash_is_of_the_file(tmp_path: Path) -> None:
    one, other = written(tmp_path / "one", "abc"), written(tmp_path / "other", "abd")
    assert one.sha256 != other.sha256
    assert one.sha256 in one.described()


@pytest.mark.parametrize("content", ["", "1 1\n1 2\n"])
def test_file_without_anybody_to_ask_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "log"
    path.write_text(content, encoding="ascii")
    with pytest.raises(ValueError, match=r"empty|Nobody"):
        read(path)


def test_popularity_counts_training_only(tmp_path: Path) -> None:
    log = written(tmp_path / "log", "abcd", "acbd")
    assert sequence_counts.popularity(log).tolist() == [2, 1, 1, 0]


def test_cosine_of_a_pair_by_hand(tmp_path: Path) -> None:
    log = written(tmp_path / "log", "abyz", "acyz", "abyz")
    table = sequence_counts.cosine_table(log)
    a, b = 0, 1
    assert table[a, b] == pytest.approx(2 / math.sqrt(3 * 2))
    assert table[a, a] == 0


def test_transitions_look_forward_only(tmp_path: Path) -> None:
    log = written(tmp_path / "log", "abcyz")
    table = sequence_counts.transition_table(log, 2, 0)
    assert table[:3, :3].tolist() == [[0, 1, 0.5], [0, 0, 1], [0, 0, 0]]


def test_ease_solves_its_own_equation(tmp_path: Path) -> None:
    log = written(tmp_path / "log", *circle())
    gram, ridge = sequence_counts.together(log), 3.0
    table = sequence_counts.ease_table(log, ridge).astype(float)
    # Off the diagonal, the gradient of the squared error with its ridge is nothing.
    left = (gram + ridge * np.eye(len(gram))) @ table - gram
    assert np.abs(left[~np.eye(len(gram), dtype=bool)]).max() < 1e-3
    assert np.abs(np.diag(table)).max() == 0


def test_transitions_find_a_circle_and_popularity_does_not(tmp_path: Path) -> None:
    log = written(tmp_path / "log", *circle())
    walked = sequence_counts.FromTable(sequence_counts.transition_table(log, 1, 0), 0.1)
    popular = sequence_counts.Popular(sequence_counts.popularity(log))
    assert ranks(log, walked, log.asked(), test=True).max() == 1
    assert ranks(log, popular, log.asked(), test=True).mean() > 2


def test_report_holds_all_that_was_tried(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    log = written(tmp_path / "log", *circle())
    out = tmp_path / "report.md"
    kinds = "popularity,cosine"
    assert not sequential.main([str(tmp_path / "log"), "--models", kinds, "--write", str(out)])
    report = out.read_text(encoding="utf-8")
    assert log.sha256 in report
    assert "All 4 configurations tried" in report
    # The test is asked of one configuration of each kind.
    assert capsys.readouterr().out.count("seed 0: NDCG") == 2


def test_without_torch_the_next_step_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    written(tmp_path / "log", "abc")
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(SystemExit):
        sequential.main([str(tmp_path / "log")])
    assert "extra `sequence`" in capsys.readouterr().err


def test_counting_needs_no_torch() -> None:
    assert has_torch or "torch" not in sys.modules


@pytest.mark.skipif(not has_torch, reason=NO_TORCH)
def test_sequence_model_learns_a_circle(tmp_path: Path) -> None:
    from bench.feed_quality import sequence_model

    log = written(tmp_path / "log", *circle(300))
    shape = sequence_model.Shape(
        width=16, blocks=1, heads=1, length=6, dropout=0.0, negatives=8, rate=0.02, batch=32,
        epochs=10,
    )  # fmt: skip

    def validate(fitted: sequence_model.Fitted) -> float:
        return float(gains(ranks(log, fitted, log.asked(), test=False)).mean())

    fitted = sequence_model.fit(log, shape, 1, "cpu", validate)
    assert gains(ranks(log, fitted, log.asked(), test=True)).mean() > 0.95
    again = sequence_model.fit(log, shape, 1, "cpu", validate)
    assert again.curve == fitted.curve


@pytest.mark.skipif(not has_torch, reason=NO_TORCH)
def test_sequence_model_does_not_look_ahead(tmp_path: Path) -> None:
    import torch
    from bench.feed_quality import sequence_model

    model = sequence_model.Sequence2Item(9, sequence_model.Shape(width=8, heads=1, length=4)).eval()
    one, other = torch.tensor([[9, 1, 2, 3]]), torch.tensor([[9, 1, 2, 7]])
    assert torch.equal(model(one)[:, :3], model(other)[:, :3])
    assert torch.isfinite(model(one)).all()


@pytest.mark.skipif(not has_torch, reason=NO_TORCH)
@pytest.mark.parametrize(("t", "beta"), [(0.0, 1.0), (1.0, 8 / 31)])
def test_calibration_ends_at_none_and_at_the_sampled_share(t: float, beta: float) -> None:
    from bench.feed_quality import sequence_model

    shape = sequence_model.Shape(negatives=8, calibration=t)
    assert sequence_model.power(shape, 32) == pytest.approx(beta)
