"""What the people of the demo say under its clips."""

from __future__ import annotations

from typing import NamedTuple


class Line(NamedTuple):
    """Who says what; `to` is the line of the same clip that it replies to."""

    who: str
    text: str
    to: int | None = None
    likes: tuple[str, ...] = ()
    is_pinned: bool = False


TALK: dict[str, tuple[Line, ...]] = {
    "fireflies": (
        Line("mina", "So they are real! I thought you had drawn them.", likes=("solene", "tariq")),
        Line("solene", "@mina elles posent très bien, mais jamais longtemps.", 0, ("mina",)),
        Line("tariq", "Même silence qu’au phare. Merci.", likes=("solene",), is_pinned=True),
        Line("yuki.t", "光は短い、夜は長い。"),
        Line("kofi_paper", "I want to cut this out of black paper, with one lamp behind."),
        Line("solene", "@kofi_paper oui !! Je t’envoie le croquis.", 4, ("kofi_paper",)),
    ),
    "aurora": (
        Line("mina", "Two for one, and I was asleep for both.", likes=("ingrid",)),
        Line("ingrid", "They come back. Bring wool.", 0),
        Line("theo", "Combien de temps de pose ?"),
        Line("ingrid", "Deux secondes, et beaucoup de café.", 2, ("theo",)),
    ),
    "waves": (
        Line("solene", "On entend presque le sel.", likes=("tariq", "dolores")),
        Line("dolores", "Qué envidia me da esa playa."),
    ),
    "cat": (
        Line("juno.park", "What is she waiting for?", likes=("mina",)),
        Line("mina", "She will not say.", 0, ("juno.park", "solene", "priya_r")),
        Line("priya_r", "Tell her that I would wait too."),
    ),
    "lanterns": (Line("ingrid", "One is enough, if it is the right one.", likes=("yuki.t",)),),
    "coral": (
        Line("juno.park", "It looks alive and it is two numbers.", likes=("priya_r",)),
        Line("priya_r", "Everything that looks alive is at least two numbers.", 0),
    ),
    "moonlit": (Line("solene", "Garde-la secrète, cette crique.", likes=("tariq",)),),
}
