"""The words of mails to who sent a notice without an account (Regulation (EU) 2022/2065, article
16(4) and (5)).

Nothing in them is of the notice, of whom it is about or of a moderator: who gave an address need
not be who reads its mail. What was answered stands on the page, for whoever has the code.
"""

from __future__ import annotations

from typing import NamedTuple

from luciole.border.wire import NoticeMail

_CODE = {
    "en": "Keep this mail: with the code at the end of that address you see what becomes of it, "
    "and nobody can find the code again for you.",
    "fr": "Gardez ce message : le code à la fin de cette adresse montre la suite, et personne ne "
    "pourra le retrouver pour vous.",
}
_READ = {
    "en": "What was answered is here, with the code that you were given:\n{page}",
    "fr": "La réponse se lit ici, avec le code que vous avez reçu :\n{page}",
}
_REDRESS = {
    "en": "Besides, you may turn to a certified out-of-court dispute settlement body (article 21 "
    "of the Digital Services Act), or to a court.",
    "fr": "Vous pouvez aussi saisir un organe certifié de règlement extrajudiciaire (article 21 du "
    "règlement sur les services numériques), ou un tribunal.",
}
_PEOPLE = {
    "en": "People have looked at it and decided; no automatic means did.",
    "fr": "Des personnes ont regardé et décidé, sans moyen automatique.",
}
_APPEAL = {
    "en": "If you think that is wrong, you may appeal there until {until}, free of charge: another "
    "person looks at it again.",
    "fr": "Si vous pensez que c’est une erreur, vous pouvez réclamer au même endroit jusqu’au "
    "{until}, gratuitement : une autre personne réexamine.",
}
_WHY = {
    "en": "You get this mail because somebody gave this address with a notice to {cell}. Was it "
    "not you? Then do nothing: it is forgotten by itself.",
    "fr": "Vous recevez ce message parce que quelqu’un a donné cette adresse avec une notification "
    "à {cell}. Ce n’était pas vous ? Ne faites rien : elle sera oubliée d’elle-même.",
}
_SUBJECT = {
    "en": {
        "received": "Your notice to {cell} has come",
        "": "What became of your notice to {cell}",
    },
    "fr": {
        "received": "Votre notification à {cell} est arrivée",
        "": "Suite de votre notification à {cell}",
    },
}
_FIRST = {
    "en": {
        "received": "{cell} has received your notice. A person will look at it.\n\n{page}",
        "acted": "Something was done about what you reported to {cell}.",
        "no-violation": "Nothing was found to be wrong with what you reported to {cell}.",
        "gone": "What you reported to {cell} was gone before anybody decided about it.",
        "upheld": "Another person has heard your appeal to {cell}: the decision stays.",
        "reversed": "Another person has heard your appeal to {cell}: you were right, and something "
        "was done.",
    },
    "fr": {
        "received": "{cell} a reçu votre notification. Une personne va l’examiner.\n\n{page}",
        "acted": "Une mesure a été prise au sujet de ce que vous avez signalé à {cell}.",
        "no-violation": "Rien de contraire aux règles n’a été trouvé dans ce que vous avez "
        "signalé à {cell}.",
        "gone": "Ce que vous avez signalé à {cell} avait déjà disparu avant toute décision.",
        "upheld": "Une autre personne a examiné votre réclamation auprès de {cell} : la décision "
        "est maintenue.",
        "reversed": "Une autre personne a examiné votre réclamation auprès de {cell} : vous aviez "
        "raison, et une mesure a été prise.",
    },
}
# What follows the first words.
_MORE = {
    "received": (_CODE,),
    "acted": (_PEOPLE, _READ, _REDRESS),
    "no-violation": (_PEOPLE, _READ, _APPEAL, _REDRESS),
    "gone": (_READ,),
    "upheld": (_PEOPLE, _READ, _REDRESS),
    "reversed": (_PEOPLE, _READ),
}


class Said(NamedTuple):
    """A mail in words."""

    subject: str
    text: str
    locale: str


def of(mail: NoticeMail) -> Said:
    """The mail in the language of who gets it, or in English."""
    locale = mail.locale if mail.locale in _FIRST else "en"
    values = {"cell": " ".join(mail.cell.split()), "page": mail.page, "until": mail.until}
    parts = [_FIRST[locale][mail.what], *(one[locale] for one in _MORE[mail.what]), _WHY[locale]]
    subjects = _SUBJECT[locale]
    subject = subjects.get(mail.what, subjects[""]).format(**values)
    return Said(subject, "\n\n".join(parts).format(**values) + "\n", locale)
