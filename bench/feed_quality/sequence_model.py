"""The optional nightly sequence model: SASRec with the loss of gSASRec, in PyTorch.

SASRec (Kang, McAuley 2018): a causal transformer over a person's last items; the score of an item
is the product of the last state and the item's own embedding. gSASRec (Petrov, Macdonald 2023):
many negatives, and the positive's probability raised to a power that takes away the overconfidence
which sampling them brings (equations 13 to 15).

Ours differs in three ways: normalisation comes before each part, places are counted from the end,
and the negatives are drawn for each sequence instead of each place in it, which needs a fortieth of
the memory traffic. Which of these matters was not tried.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from bench.feed_quality.leave_last_out import Items, Log

POOL = 16  # batches that are sorted by length together, so that little is padded


@dataclass(frozen=True)
class Shape:
    """What was chosen about a model, for the report."""

    width: int = 64
    blocks: int = 2
    heads: int = 2
    length: int = 50
    dropout: float = 0.2
    negatives: int = 256
    calibration: float = 0.75
    """gSASRec's t: 0 is the plain loss, 1 the full correction."""
    rate: float = 1e-3
    batch: int = 128
    epochs: int = 100
    patience: int = 3
    """Looks at validation without a better one until training ends."""
    every: int = 2
    """Epochs between such looks."""

    def described(self) -> str:
        return (
            f"width {self.width}, {self.blocks} blocks, {self.heads} heads, length {self.length}, "
            f"dropout {self.dropout}, {self.negatives} negatives, t {self.calibration}, "
            f"rate {self.rate:g}, batch {self.batch}"
        )


class Block(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.heads, self.dropout = shape.heads, shape.dropout
        self.before_mixing = nn.LayerNorm(shape.width)
        self.mixed = nn.Linear(shape.width, 3 * shape.width)
        self.joined = nn.Linear(shape.width, shape.width)
        self.alone = nn.Sequential(
            nn.LayerNorm(shape.width),
            nn.Linear(shape.width, 4 * shape.width),
            nn.GELU(),
            nn.Linear(4 * shape.width, shape.width),
            nn.Dropout(shape.dropout),
        )
        self.drop = nn.Dropout(shape.dropout)

    def forward(self, states: torch.Tensor, visible: torch.Tensor) -> torch.Tensor:
        batch, length, width = states.shape
        parts = self.mixed(self.before_mixing(states))
        query, key, value = parts.view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        seen = functional.scaled_dot_product_attention(
            query, key, value, attn_mask=visible, dropout_p=self.dropout if self.training else 0.0
        )
        states = states + self.drop(self.joined(seen.transpose(1, 2).reshape(batch, length, width)))
        return states + self.alone(states)


class Sequence2Item(nn.Module):
    """Sequences in, padded on the left with `item_count`; the state after each place out."""

    def __init__(self, item_count: int, shape: Shape) -> None:
        super().__init__()
        self.padding = item_count
        self.items = nn.Embedding(item_count + 1, shape.width)
        self.places = nn.Embedding(shape.length, shape.width)
        self.drop = nn.Dropout(shape.dropout)
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.blocks))
        self.last = nn.LayerNorm(shape.width)
        for table in (self.items, self.places):
            nn.init.normal_(table.weight, std=0.02)

    def forward(self, items: torch.Tensor) -> torch.Tensor:
        length = items.shape[1]
        ago = torch.arange(length - 1, -1, -1, device=items.device)
        states = self.items(items) * self.items.weight.shape[1] ** 0.5 + self.places(ago)
        states = self.drop(states)
        causal = torch.ones(length, length, dtype=torch.bool, device=items.device).tril()
        own = torch.eye(length, dtype=torch.bool, device=items.device)
        # Padding sees itself, for a softmax over nothing is not a number.
        visible = (causal & (items != self.padding)[:, None, :] | own)[:, None]
        for block in self.blocks:
            states = block(states, visible)
        return self.last(states)


def power(shape: Shape, item_count: int) -> float:
    """gSASRec's beta: what the positive's probability is raised to."""
    sampled = shape.negatives / (item_count - 1)
    return sampled * (shape.calibration * (1 - 1 / sampled) + 1 / sampled)


def loss_of(
    model: Sequence2Item, items: torch.Tensor, shape: Shape, generator: torch.Generator
) -> torch.Tensor:
    """Of a batch of sequences, each longer by one than what is put in."""
    states, wanted = model(items[:, :-1]), items[:, 1:]
    counts = (items[:, :-1] != model.padding).float()
    drawn = torch.randint(
        model.padding, (len(items), shape.negatives), generator=generator, device=items.device
    )
    right = (states * model.items(wanted)).sum(-1)
    wrong = states @ model.items(drawn).transpose(1, 2)
    beta = power(shape, model.padding)
    each = beta * functional.softplus(-right) + functional.softplus(wrong).sum(-1)
    return (each * counts).sum() / (counts.sum() * (1 + shape.negatives))


def padded(sequences: Sequence[Items], most: int, padding: int) -> npt.NDArray[np.int64]:
    """The last `most` items of each, as wide as the longest of them."""
    wide = min(most, max(len(items) for items in sequences))
    rows = np.full((len(sequences), wide), padding, np.int64)
    for row, items in zip(rows, sequences, strict=True):
        last = items[-wide:]
        row[wide - len(last) :] = last
    return rows


@dataclass
class Fitted:
    model: Sequence2Item
    shape: Shape
    device: torch.device
    epochs: int
    seconds: float
    curve: list[tuple[int, float, float]]
    """Epoch, mean loss, validation."""

    @torch.no_grad()
    def score(self, shown: Sequence[Items]) -> npt.NDArray[np.float32]:
        self.model.eval()
        rows = padded(shown, self.shape.length, self.model.padding)
        states = self.model(torch.from_numpy(rows).to(self.device))[:, -1]
        scores: npt.NDArray[np.float32] = (
            (states @ self.model.items.weight[:-1].T).float().cpu().numpy()
        )
        return scores


def batches(
    sequences: list[Items], shape: Shape, padding: int, rng: np.random.Generator
) -> list[npt.NDArray[np.int64]]:
    """One epoch: everybody once, with people of like length together, batches in random order."""
    order = rng.permutation(len(sequences))
    made = []
    for begin in range(0, len(order), POOL * shape.batch):
        pool = order[begin : begin + POOL * shape.batch]
        pool = pool[np.argsort([min(len(sequences[n]), shape.length + 1) for n in pool])]
        for first in range(0, len(pool), shape.batch):
            chosen = [sequences[n] for n in pool[first : first + shape.batch]]
            made.append(padded(chosen, shape.length + 1, padding))
    return [made[n] for n in rng.permutation(len(made))]


def fit(
    log: Log,
    shape: Shape,
    seed: int,
    device: str,
    validate: Callable[[Fitted], float],
    seconds: float = float("inf"),
) -> Fitted:
    """The weights of the best validation, reached before patience or time ran out."""
    torch.manual_seed(seed)
    rng, on = np.random.default_rng(seed), torch.device(device)
    generator = torch.Generator(device=on)
    generator.manual_seed(seed)
    sequences = [items for items in log.training() if len(items) > 1]
    fitted = Fitted(Sequence2Item(log.item_count, shape).to(on), shape, on, 0, 0.0, [])
    model = fitted.model
    optimizer = torch.optim.Adam(model.parameters(), lr=shape.rate, betas=(0.9, 0.98))
    best, kept, worse, began = -1.0, copy.deepcopy(model.state_dict()), 0, time.perf_counter()
    for epoch in range(1, shape.epochs + 1):
        model.train()
        total, turns = torch.zeros((), device=on), 0
        for rows in batches(sequences, shape, log.item_count, rng):
            optimizer.zero_grad(set_to_none=True)
            loss = loss_of(model, torch.from_numpy(rows).to(on), shape, generator)
            loss.backward()
            optimizer.step()
            total, turns = total + loss.detach(), turns + 1
        late = time.perf_counter() - began > seconds
        if epoch % shape.every and not late and epoch != shape.epochs:
            continue
        reached = validate(fitted)
        fitted.curve.append((epoch, float(total) / turns, reached))
        if reached > best:
            best, kept, worse = reached, copy.deepcopy(model.state_dict()), 0
            fitted.epochs = epoch
        else:
            worse += 1
        if worse >= shape.patience or late:
            break
    model.load_state_dict(kept)
    fitted.seconds = time.perf_counter() - began
    return fitted
