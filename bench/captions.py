"""Captions as a network in several languages might have them, out of a seed.

Words follow Zipf's law (the n-th most frequent of a language in proportion to 1/n), hashtags too,
and hashtags come and go: half of them belong to a month.
"""

from __future__ import annotations

import bisect
import itertools
import random
from dataclasses import dataclass

WORDS_OF_A_LANGUAGE = 20_000
HASHTAGS = 30_000
COMMON = {
    "en": "the a to and of in my with this for is at on day new first time night home love best "
          "dance cooking music summer dog cat river street market morning friends sunset running",
    "fr": "le la de et les un à en mon avec ce pour est sur jour première fois nuit maison été "
          "cuisine musique élève français rivière marché matin amis coucher soleil danse forêt où",
    "de": "der die und in das mit für ist auf ein mein Tag erste Mal Nacht Haus schön Küche Musik "
          "Sommer Hund Katze Fluss Straße Markt Morgen Freunde Tänzer grün Brötchen über",
    "es": "el la de y en mi con este para es un día primera vez noche casa niño cocina música "
          "verano perro gato río calle mercado mañana amigos baile corazón español",
    "id": "yang di dan ini itu untuk dengan saya hari baru pertama malam rumah masak musik panas "
          "anjing kucing sungai jalan pasar pagi teman tari matahari hujan kopi",
    "zh": "我 的 在 今天 新 第一次 晚上 家 做饭 音乐 夏天 狗 猫 河 街 市场 早上 朋友",
}  # fmt: skip
SYLLABLES = {
    "en": "ba ter ing shan lo wick ton cra mel dis per hol gra sti vel nor ock ash ple un",
    "fr": "bé lan chau ré mou tier pré sage vrai çon né lu mière fleu tou che ère dou gne pla",
    "de": "ber schau stein wäl der klei für mit fro zei tung gru ben hör mann kön lich see ach",
    "es": "ca ño ra mi sol da cor es te lle gar ción ben tra vi lu mar ga que ro",
    "id": "ka ra ma ngi ber sa pu ti ke lam me da pan ju ga ri nya wa tu hi",
    "zh": "山 水 花 鸟 人 大 小 好 美 红 白 春 秋 云 月 星 风 雨 海 天",
}
SHARES = {"en": 0.35, "fr": 0.15, "de": 0.1, "es": 0.15, "id": 0.15, "zh": 0.1}


class Zipf:
    """Draws ranks 0 … n-1 with chances in proportion to 1/(rank + 1)."""

    def __init__(self, n: int) -> None:
        self._sums = list(itertools.accumulate(1 / (rank + 1) for rank in range(n)))

    def draw(self, dice: random.Random) -> int:
        return bisect.bisect(self._sums, dice.random() * self._sums[-1])


@dataclass(frozen=True)
class Caption:
    """A caption and its hashtags."""

    text: str
    hashtags: list[str]


class Captions:
    """Draws captions; the same seed gives the same ones."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)
        self._words = {language: self._lexicon(language) for language in COMMON}
        self._zipf = Zipf(WORDS_OF_A_LANGUAGE)
        self._tag_zipf = Zipf(HASHTAGS // 2)
        self._languages = list(SHARES)
        self._weights = list(SHARES.values())

    def shuffle(self, seed: int) -> None:
        """Draws other captions and queries of the same words from now on."""
        self._dice.seed(seed)

    def _lexicon(self, language: str) -> list[str]:
        syllables = SYLLABLES[language].split()
        words = dict.fromkeys(COMMON[language].split())
        while len(words) < WORDS_OF_A_LANGUAGE:
            words["".join(self._dice.choices(syllables, k=self._dice.randint(2, 4)))] = None
        return list(words)

    def word(self, language: str) -> str:
        """A word of a language, the frequent ones often."""
        return self._words[language][self._zipf.draw(self._dice)]

    def hashtag(self, month: int) -> str:
        """A hashtag of all times, or of a month."""
        rank = self._tag_zipf.draw(self._dice)
        # A word of Latin letters, so that it is one hashtag.
        name = self._words[self._languages[rank % 5]][40 + rank]
        return name.casefold() if self._dice.random() < 0.5 else f"{name.casefold()}{month}"

    def draw(self, month: int) -> Caption:
        """A caption with up to six hashtags."""
        language = self._dice.choices(self._languages, self._weights)[0]
        length = min(40, 2 + int(self._dice.expovariate(1 / 8)))
        words = (self.word(language) for _ in range(length))
        text = ("" if language == "zh" else " ").join(words)
        tags = list(dict.fromkeys(self.hashtag(month) for _ in range(self._dice.randrange(6))))
        return Caption(" ".join([text.capitalize(), *(f"#{tag}" for tag in tags)]), tags)

    def query(self) -> str:
        """What somebody looks for: one to three words of a language, now and then misspelt."""
        language = self._dice.choices(self._languages, self._weights)[0]
        words = [self.word(language) for _ in range(self._dice.choices((1, 2, 3), (5, 4, 2))[0])]
        if self._dice.random() < 0.15 and len(words[-1]) > 4:
            at = self._dice.randrange(1, len(words[-1]) - 1)
            words[-1] = words[-1][:at] + words[-1][at + 1 :]
        return ("" if language == "zh" else " ").join(words)
