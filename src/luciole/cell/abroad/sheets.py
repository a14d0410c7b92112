"""What a person reads before something of theirs crosses for the first time.

A consent holds the version and the SHA-256 of exactly this text, with the cells it names. So a word
that changes here takes a higher VERSION. Who said yes to another version, or when the cells were in
other countries, is asked again before the next thing leaves; what is there already stays, as far as
the consent names the cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import msgspec

from luciole.cell.abroad.model import Act, Here, Locale, Named, Peer, countries
from luciole.ledger.entry import canonical

VERSION = 2

_LEAVES: dict[Act, dict[Locale, tuple[str, ...]]] = {
    "clip": {
        "en": (
            "The clip: its film, its still and its captions.",
            "Its words with their hashtags, whether it was made with AI, whether comments are "
            "welcome, and when you published it.",
            "Who you are to everybody: handle, name, the words about you, your picture; under a "
            "number that is not that of your account.",
            "What you change of these later, and that you delete them.",
        ),
        "fr": (
            "Le clip\u00a0: le film, son image et ses sous-titres.",
            "Son texte avec les hashtags, s’il a été fait avec une IA, s’il accepte des "
            "commentaires, et quand vous l’avez publié.",
            "Qui vous êtes pour tout le monde\u00a0: identifiant, nom, présentation, photo\u00a0; "
            "sous un numéro qui n’est pas celui de votre compte.",
            "Ce que vous en changerez plus tard, et le fait que vous le supprimez.",
        ),
    },
    "comment": {
        "en": (
            "The words of your comment, on which clip it is, what it answers, and when you wrote "
            "it.",
            "Who you are to everybody: handle, name, the words about you, your picture; under a "
            "number that is not that of your account.",
            "That you delete it, if you do.",
        ),
        "fr": (
            "Le texte de votre commentaire, sous quel clip, à quoi il répond et quand vous "
            "l’avez écrit.",
            "Qui vous êtes pour tout le monde\u00a0: identifiant, nom, présentation, photo\u00a0; "
            "sous un numéro qui n’est pas celui de votre compte.",
            "Le fait que vous le supprimez, si vous le faites.",
        ),
    },
    "fediverse": {
        "en": (
            "Everything that goes to other cells, readable by any server of the Fediverse and so "
            "by anybody.",
            "An address by which servers find you and ask for what you have published.",
        ),
        "fr": (
            "Tout ce qui va vers d’autres cellules, lisible par n’importe quel serveur du "
            "Fédivers, donc par tout le monde.",
            "Une adresse par laquelle des serveurs vous trouvent et demandent ce que vous avez "
            "publié.",
        ),
    },
}
_STAYS: dict[Locale, tuple[str, ...]] = {
    "en": (
        "Your account, your address and telephone number, your age, your devices and settings.",
        "Whom you follow and know, whom you block, what you watch, like, search and write in "
        "private.",
    ),
    "fr": (
        "Votre compte, vos adresses et numéros, votre âge, vos appareils et réglages.",
        "Qui vous suivez et connaissez, qui vous bloquez, ce que vous regardez, aimez, cherchez "
        "et écrivez en privé.",
    ),
}
_TO: dict[Locale, str] = {
    "en": "{name}, run by {operator}, under the law of {jurisdiction}",
    "fr": "{name}, exploitée par {operator}, sous le droit de {jurisdiction}",
}
_TO_ALL: dict[Locale, str] = {
    "en": "Any server of the Fediverse, whoever runs it, under whatever law",
    "fr": "Tout serveur du Fédivers, quel qu’en soit l’exploitant, sous n’importe quel droit",
}
_GROUND: dict[Locale, str] = {
    "en": "It crosses because you say so: your consent under the law of {jurisdiction}, given to "
    "{operator}. Should either cell change hands, it is suspended until you are asked again.",
    "fr": "Cela traverse parce que vous le dites\u00a0: votre consentement selon le droit de "
    "{jurisdiction}, donné à {operator}. Si l’une des cellules change de mains, il est suspendu "
    "jusqu’à ce qu’on vous le redemande.",
}
_RECALL: dict[Act, dict[Locale, str]] = {
    "clip": {
        "en": "You can take it back any time under My crossings. These cells delete it then and "
        "sign that they did; a copy that somebody made of it cannot be called back.",
        "fr": "Vous pouvez revenir en arrière à tout moment dans Mes traversées. Ces cellules "
        "suppriment alors tout et le signent\u00a0; une copie faite par quelqu’un ne peut pas "
        "être rappelée.",
    },
    "comment": {
        "en": "You can take it back any time under My crossings. That cell deletes it then and "
        "signs that it did; a copy that somebody made of it cannot be called back.",
        "fr": "Vous pouvez revenir en arrière à tout moment dans Mes traversées. Cette cellule "
        "supprime alors tout et le signe\u00a0; une copie faite par quelqu’un ne peut pas être "
        "rappelée.",
    },
    "fediverse": {
        "en": "You can take it back any time. Servers of the Fediverse are asked to delete it; "
        "nobody can make them, and they sign nothing.",
        "fr": "Vous pouvez revenir en arrière à tout moment. Les serveurs du Fédivers sont priés "
        "de supprimer\u00a0; personne ne peut les y obliger, et ils ne signent rien.",
    },
}


class Sheet(msgspec.Struct, frozen=True):
    """What a person is shown, word for word. `peers` are the cells in the order of `to`,
    `countries` those under whose law they are, by their ISO 3166 codes."""

    act: Act
    version: int
    locale: Locale
    operator: str
    jurisdiction: str
    peers: list[Named]
    countries: list[str]
    leaves: list[str]
    stays: list[str]
    to: list[str]
    ground: str
    recall: str

    def sha256(self) -> bytes:
        """Of the whole text, as canonical JSON."""
        return sha256(canonical(msgspec.to_builtins(self))).digest()


def sheet(act: Act, locale: Locale, here: Here, peers: Sequence[Peer]) -> Sheet:
    """What leaves, to whom, and under which law. A comment crosses to the cell of the clip that it
    is on, which is one of them."""
    ordered = sorted(peers, key=lambda one: one.name)
    to = [
        _TO[locale].format(
            name=f"{one.display_name or one.name} ({one.name})",
            operator=one.operator,
            jurisdiction=one.jurisdiction,
        )
        for one in ordered
    ]
    return Sheet(
        act=act,
        version=VERSION,
        locale=locale,
        operator=here.operator,
        jurisdiction=here.jurisdiction,
        peers=[Named(one.name, one.operator, one.jurisdiction) for one in ordered],
        countries=countries(ordered),
        leaves=list(_LEAVES[act][locale]),
        stays=list(_STAYS[locale]),
        to=[*to, _TO_ALL[locale]] if act == "fediverse" else to,
        ground=_GROUND[locale].format(operator=here.operator, jurisdiction=here.jurisdiction),
        recall=_RECALL[act][locale],
    )
