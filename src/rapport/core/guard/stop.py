"""Does somebody tell us to stop writing to them?"""

from __future__ import annotations

from rapport.core.guard.sameness import without_addresses
from rapport.core.text import words

#: Whole messages, folded; politeness and our handle around them do not count.
STOP_PHRASES = frozenset(
    tuple(phrase.split())
    for phrase in (
        # English
        "stop", "stop it", "stop this", "stop now", "stop messaging me", "stop writing me", "stop writing to me",
        "stop contacting me", "stop replying", "stop replying to me", "stop tagging me", "stop bothering me",
        "stop spamming me", "stop mentioning me", "unsubscribe", "unsubscribe me", "opt out", "opt me out", "optout",
        "stopall", "leave me alone", "leave me in peace", "do not contact me", "don't contact me",
        "do not contact me again", "don't contact me again", "do not message me", "don't message me",
        "do not write to me", "don't write to me", "do not reply to me", "don't reply to me", "go away",
        "remove me", "remove me from your list", "take me off your list",
        # German
        "stopp", "abmelden", "abbestellen", "austragen", "lass mich in ruhe", "lasst mich in ruhe",
        "lassen sie mich in ruhe", "schreib mir nicht mehr", "schreibt mir nicht mehr", "schreiben sie mir nicht mehr",
        "kontaktieren sie mich nicht mehr", "hor auf", "hort auf",
        # French
        "arret", "arretez", "arrete", "desabonner", "desinscription", "desinscrire", "laissez-moi tranquille",
        "laissez moi tranquille", "laisse moi tranquille", "ne me contactez plus", "ne m'ecrivez plus",
        # Spanish, Portuguese, Italian, Dutch
        "baja", "alto", "parar", "cancelar suscripcion", "dejame en paz", "dejenme en paz", "no me escriban",
        "no me contacten", "parem", "pare", "cancelar", "descadastrar", "me deixem em paz", "me deixe em paz",
        "basta", "disiscrivimi", "cancellami", "lasciatemi in pace", "lasciami in pace", "non contattatemi",
        "afmelden", "uitschrijven", "laat me met rust", "stop ermee",
        # Polish, Turkish, Swedish
        "wypisz mnie", "zostawcie mnie w spokoju", "dur", "beni rahat birakin", "sluta", "avsluta", "lamna mig ifred",
    )
)  # fmt: skip

_POLITE = frozenset(
    "please pls plz bitte svp s'il vous plait por favor per favore tack prosze lutfen ok okay hey hi just now "  # noqa: SIM905 - words read best as words
    "danke thanks thank you merci gracias grazie".split()
)
_LONGEST = 200  # characters; nobody needs more to say it, and a long text says more than that


def stop_words(text: str) -> bool:
    """True when the whole message asks us to stop: "STOP", "@brand please leave me alone!".

    A sentence that merely contains such words ("please stop the train at Lee") is none.
    """
    if len(text) > _LONGEST or _says_more(text):
        return False
    found = words(without_addresses(text)).words
    if tuple(found) in _FOLDED:
        return True
    return tuple(word for word in found if word not in _POLITE) in _FOLDED


def _says_more(text: str) -> bool:
    """True when a plain word of the text stands in no such phrase: most texts are known by their first words."""
    # between spaces, ASCII letters alone are one word, whatever stands around them
    return any(piece.isascii() and piece.isalpha() and piece.lower() not in _USED for piece in text.split())


_FOLDED = frozenset(tuple(words(" ".join(phrase)).words) for phrase in STOP_PHRASES)
_USED = _POLITE.union(*_FOLDED)
