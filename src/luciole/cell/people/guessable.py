"""Which passwords a stranger would try first.

Lists of leaked passwords are mostly a word, a little decoration and a run of keys. So the rule
takes those away and looks at what is left, which refuses a family where a list refuses a line.
"""

from __future__ import annotations

import re

MIN_CHARS = 10
MIN_DISTINCT = 5
MIN_LEFT = 5

# Runs along keyboards (US, French, German) and the alphabet, forwards; both directions are tried.
_ROWS = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890123456789",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "azertyuiop",
    "qsdfghjklm",
    "wxcvbn",
    "qwertzuiop",
    "yxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
    "1q2w3e4r5t6y7u8i9o0p",
    "qawsedrftgyhujikolp",
    "!@#$%^&*()",
)
_RUN = 4

_COMMON_WORDS = """
    abc access account admin administrator adobe alexander alexandra amanda america amour andrea
    andrew angel angela angels anthony apple arsenal ashley asshole austin autumn azerty babygirl
    badboy bailey banana barcelona baseball basketball batman bella benjamin bestfriend biteme
    blessed blink bonjour booboo boomer brandon brooklyn brother bubbles buster butterfly calvin
    cameron camille canada caroline carolina casper celtic chance changeme charlie charlotte cheese
    chelsea chicago chicken chocolate chouchou chris christ christian christine christopher
    coffee computer cookie cookies corvette courtney cowboy cowboys daddy dakota dallas daniel
    danielle darkness david death default demo diablo diamond doggie dolphin dolphins donald dragon
    dreamer eagles elizabeth eminem emmanuel emily everton facebook falcon family fatima ferrari
    fishing florida flower flowers football forever france freedom friday friend friends fuckoff
    fuckyou gabriel gangster garfield gateway genesis george ginger giants godisgood golden
    golfer google guest guitar hacker hannah happy hardcore harley heather heaven hello hockey
    holiday hollywood hunter iceman iloveyou india internet isabella iwantyou jackson jaguar jasmine
    jason jennifer jessica jesus jesuschrist jordan joseph joshua junior justin killer kitten
    knight lakers lauren letmein letmeinnow liberty lizard login london loulou louise love lovely
    lover loveme loveyou luciole lucky maggie marine marseille marvin master matrix matthew maxime
    maxwell melissa mercedes merlin metallica mexico michael michelle mickey midnight minecraft
    minnie mommy monday money monkey monster mother motdepasse music mustang myspace naruto nascar
    natasha nathan newyork nicolas nicole nicholas nintendo nirvana nothing november october
    oliver olivia orange pakistan panther parola pass passe passw passwd password passwort patrick
    peanut pepper phoenix pikachu player please pokemon police porsche princess private prince
    purple qazwsx qwerty qwertz rabbit rachel rainbow ranger rangers raiders realmadrid rebecca red
    richard robert rockstar rockyou roblox ronaldo root samantha samsung samuel sandra scooter
    scorpion scotland secret september sebastian senha shadow shannon shopping silver simple sister
    skater slayer slipknot smokey snoopy soccer softball sophie spartan spiderman spongebob star
    starwars steelers stephanie steven student summer sunday sunshine superman superstar sweetheart
    sweetie sydney taylor teamo teddybear tennis test testing tequiero thomas thuglife thunder
    tiffany tigers tigger tinkerbell toto travis trinity trouble trustno trustnoone twilight unicorn
    valentine vanessa victor victoria vincent violet volleyball welcome whatever whiskey william
    willow windows winner winston winter wizard wrestling xavier yankees yellow zxcvbn zaq
"""
_WORDS = frozenset(_COMMON_WORDS.split())
_LEET = str.maketrans(
    {
        "0": "o",
        "1": "i",
        "3": "e",
        "4": "a",
        "5": "s",
        "7": "t",
        "8": "b",
        "@": "a",
        "$": "s",
        "!": "i",
    }
)
_LETTERS = re.compile(r"[^\W\d_]+")


def is_guessable(password: str, handle: str) -> bool:
    """Whether the password is short, common, mostly one run of keys, or made of the handle."""
    if len(password) < MIN_CHARS:
        return True
    folded = password.casefold()
    if len(set(folded)) < MIN_DISTINCT or _is_repeat(folded):
        return True
    # What is left when the handle, words and runs are gone must still be worth guessing.
    bare_handle = re.sub(r"[._]", "", handle)
    candidates = {folded, folded.translate(_LEET)}
    return any(
        len(set(_without_runs(_without_words(text, (handle, bare_handle))))) < MIN_LEFT
        for text in candidates
    )


def _is_repeat(text: str) -> bool:
    """Whether a text is one piece again and again, as in `abc1abc1abc1`."""
    return text in (text + text)[1:-1]


def _without_words(text: str, own: tuple[str, ...]) -> str:
    for word in own:
        if len(word) >= 3:
            text = text.replace(word, "")
    # Only whole stretches of letters: `master` inside `burgomasters` gives nothing away.
    return _LETTERS.sub(lambda found: "" if _is_common(found[0]) else found[0], text)


def _is_common(letters: str) -> bool:
    """Whether a stretch of letters is one or two common words."""
    if letters in _WORDS:
        return True
    return any(letters[:i] in _WORDS and letters[i:] in _WORDS for i in range(2, len(letters) - 1))


def _without_runs(text: str) -> str:
    kept = []
    place = 0
    while place < len(text):
        length = _run_length(text[place:])
        if length < _RUN:
            kept.append(text[place])
            length = 1
        place += length
    return "".join(kept)


def _run_length(text: str) -> int:
    """How many characters at the start of a text follow one keyboard row, either way."""
    longest = 1
    for row in _ROWS:
        for way in (row, row[::-1]):
            length = longest
            while length < len(text) and text[: length + 1] in way:
                length += 1
            longest = length
    return longest
