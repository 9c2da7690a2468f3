"""An offer that fits: no voucher for somebody who wants none, declined one, is leaving, or dislikes what it is for.

Words alone are looked at, in English and German and the plainest of French, Spanish and Italian: what is found is shown
with its words, and a person decides.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from typing import Literal

import msgspec

Why = Literal["refused", "declined", "leaving", "disliked"]
MOST_CHARACTERS = 5_000  # of each text
MOST_WORDS = 90  # characters of theirs that are shown

#: what stands for a gift that only serves somebody who buys again -> the slug under which it may be offered
_KINDS: tuple[tuple[str, str], ...] = (
    ("voucher", r"vouchers?|coupons?|gift[ -]?(?:cards?|certificates?)|promo(?:tional)? ?codes?|drink tickets?"),
    ("voucher", r"(?:travel|store|flight|service|future|shop) ?credits?|gutschein\w*|geschenkkarten?|\w*guthaben"),
    ("voucher", r"bons? d'achat|bons? de réduction|cupon(?:es)?|cupón|vales? de|buon[oi] (?:sconto|acquisto)"),
    (
        "discount",
        r"discounts?(?! (?:store|airline))|\d{1,2} ?% (?:off|discount|rabatt|de (?:remise|descuento)|di sconto)",
    ),
    ("discount", r"rabatt(?:e|es|s|code|codes)?|nachlass|remises?|descuentos?|sconto|sconti"),
)
_GIFT = "(?:" + "|".join(words for _kind, words in _KINDS) + ")"
_GIFTS = [(kind, re.compile(rf"(?<!\w)(?:{words})(?!\w)")) for kind, words in _KINDS]
_ANY_GIFT = re.compile(rf"(?<!\w){_GIFT}(?!\w)")
#: up to four words between
_FEW = r"(?:[\w$£€'’%.#-]+ ){0,4}"

_REFUSES = tuple(
    re.compile(pattern)
    for pattern in (
        rf"(?:don'?t|do not|never|didn'?t) (?:even )?(?:want|need|care (?:about|for)|ask for|accept) {_FEW}{_GIFT}",
        (
            rf"(?:no more|not another|not a|enough|keep|stuff|shove|save|sick of|tired of|fed up with|spare me) "
            rf"(?:with |of )?{_FEW}{_GIFT}(?!\w*\?)"
        ),
        rf"(?:instead of|rather than|ignore the|bother with|as for your) {_FEW}{_GIFT}",
        (
            rf"(?:useless|worthless|fake|measly|lousy|pathetic|insulting|crappy|pseudo|token|ridiculous|stupid|silly|"
            rf"miserable|sad|mere|lame|stingy)[ -]{_FEW}{_GIFT}"
        ),
        (
            rf"{_GIFT}\w* {_FEW}(?:is|are|was|were) (?:so |just |also |absolutely |totally |a |an )?"
            rf"(?:useless|worthless|joke|insult\w*|fake|bs|crap|rubbish|nonsense|ridiculous|laughable|slap)"
        ),
        (
            rf"{_GIFT}[.!?,]? {_FEW}(?:doesn'?t|does not|won'?t|will not|didn'?t|did not|don'?t|wouldn'?t|can only|"
            rf"can'?t|"
            rf"cannot|don'?t even) {_FEW}(?:help|cover|buy|apply|replace|change|fix|make up|be redeemed|redeem|"
            rf"undo|bring)"
        ),
        (
            rf"(?<!it )(?<!just )(?:wouldn'?t|would not|won'?t|refused to|did not|didn'?t) "
            rf"(?:take|accept|honou?r) {_FEW}{_GIFT}"
        ),
        rf"{_GIFT} but (?:will|would|won'?t|you|they|if|not|no|still|it)\b",
        rf"(?:insult\w*|not acceptable|unacceptable|inappropriate) .{{0,60}}{_GIFT}",
        # a sum that is laughed at
        (
            rf"(?<!no )(?<!no hotel )(?<!no meal )(?<!no food ){_GIFT}(?:(?!given|get ).){{0,70}}"
            rf"(?:joke|seriously|ridiculous|thanks ?for ?nothing|that'?s how much|what can i|like i want|"
            rf"whatajoke|smh|really\?|how generous|insult|almost got me|value my time)"
        ),
        (
            rf"(?:gave|give|gives|giving|offer(?:ed|ing)?|got|sent|send) {_FEW}(?:only|just|1|one|a whole|7\$|"
            rf"\$ ?\d{{1,2}}) "
            rf"{_FEW}{_GIFT}"
        ),
        rf"too bad (?:(?!can'?t|get).){{0,40}}{_GIFT}",
        rf"{_GIFT} (?:to|for) (?:a|the) (?:dirty|crappy|worst|disgusting|horrible)",
        (
            rf"(?:keinen?|brauche keine[nr]?|will keine[nr]?|statt eines?|behalten sie ihre[nr]?|"
            rf"nicht noch ein(?:en)?) "
            rf"{_FEW}{_GIFT}"
        ),
        rf"{_GIFT} {_FEW}(?:nützt|nutzt|hilft|bringt) {_FEW}(?:nichts|nicht)",
        rf"(?:je ne veux pas|no quiero|non voglio) {_FEW}{_GIFT}",
    )
)
_LEAVES = re.compile(
    r"#?never ?again|#no ?mo(?:re)?\w*|(?:never|won'?t|will not|not) (?:be )?(?:fly|shop|buy|order|book|"
    r"stay|eat|com|us|"
    r"go)\w* .{0,40}(?:again|any ?more|ever)|(?:last|final) time (?:i|we|that i)\b|like i want to \w+ .{0,20}again|"
    r"(?:lost|losing) (?:a|me as a|this|another) .{0,12}customer|tak(?:e|ing) (?:my|our) (?:business|money) elsewhere|"
    r"(?:done|finished) with (?:you|this|them)|cancel(?:l?ing|led)? my (?:account|subscription|membership)|"
    r"nie wieder|nie mehr|einmal und nie|plus jamais|nunca m[aá]s|mai pi[uù]"
)
_DISLIKES = re.compile(
    r"\b(?:disgust\w*|awful|terrible|horrible|dreadful|hate\w*|worst|inedible|gross|stale|rotten|nasty|revolting|vile|"
    r"unbearable|tasteless|filthy|dirty|sick|allerg\w+|ekel\w*|schrecklich\w*|furchtbar\w*|widerlich\w*|hasse|"
    r"ungenie[sß]+bar\w*|schlechteste\w*)\b"
)
#: what a gift is for
_FOR = re.compile(rf"{_GIFT} (?:for|off|on|towards?|für|auf|pour|para) ([\w' -]{{3,60}})|free ([\w' -]{{3,40}})")
#: a gift that is spoken of and not offered
_NOT_OFFERED = re.compile(
    rf"(?:\bno|\bnot|n't|\bcannot|\bnever|\bkein(?:e[nrm]?)?|\bnicht|instead of) {_FEW}{_GIFT}\w*"
)
_SENTENCE = re.compile(r"[^.!?\n]+")
_EMPTY = frozenset(
    re.findall(
        r"\w+",
        "your you our the a an any all next of for and from more visit purchase order time it this that with "
        "on in to one "
        "free deine ihre ihren unser unsere eine einen nächste nächsten bestellung einkauf",
    )
)


class Unfit(msgspec.Struct, frozen=True):
    """Why what a draft offers does not fit."""

    #: "voucher" or "discount"
    kind: str
    why: Why
    #: their words that say so; "" where it is an offer that they declined
    words: str = ""


def gifts_in(text: str) -> tuple[str, ...]:
    """The kinds of gifts that a text names: "voucher", "discount"."""
    plain = _plain(text)
    return tuple(dict.fromkeys(kind for kind, pattern in _GIFTS if pattern.search(plain)))


def refuses_gifts(text: str) -> str:
    """The words with which somebody says that a voucher or discount is of no use to them; "" where they do not."""
    plain = _plain(text)
    if not _ANY_GIFT.search(plain):
        return ""
    return next((_shown(found[0]) for pattern in _REFUSES if (found := pattern.search(plain))), "")


def leaves(text: str) -> str:
    """The words with which somebody says that they will not come back; "" where they do not."""
    found = _LEAVES.search(_plain(text))
    return _shown(found[0]) if found else ""


def find_unfit(draft: str, theirs: Sequence[str], declined: Collection[str] = ()) -> Unfit | None:
    """Why the gift that a draft offers does not fit the person; None where it offers none or nothing speaks against it.

    theirs: what they said, the newest first. declined: slugs of offers that they declined (`Offer.what`).
    """
    kinds = gifts_in(_NOT_OFFERED.sub(" ", _plain(draft)))
    if not kinds:
        return None
    for text in theirs:
        if words := refuses_gifts(text):
            return Unfit(kinds[0], "refused", words)
    for kind in kinds:
        if any(kind in what for what in declined):
            return Unfit(kind, "declined")
    for text in theirs:
        if words := leaves(text):
            return Unfit(kinds[0], "leaving", words)
    things = _things(draft)
    for text in theirs:
        if things and (words := _disliked(text, things)):
            return Unfit(kinds[0], "disliked", words)
    return None


def _things(draft: str) -> frozenset[str]:
    """Stems of what the gift is for."""
    found = (match[1] or match[2] for match in _FOR.finditer(_plain(draft)))
    return frozenset(_stems(word for phrase in found for word in phrase.split()))


def _stems(words: Iterable[str]) -> Iterable[str]:
    return (word.strip("'-")[:5] for word in words if len(word) > 2 and word not in _EMPTY)


def _disliked(text: str, things: frozenset[str]) -> str:
    for sentence in _SENTENCE.findall(_plain(text)):
        if _DISLIKES.search(sentence) and things & set(_stems(re.findall(r"\w+", sentence))):
            return _shown(sentence)
    return ""


def _plain(text: str) -> str:
    return " ".join(text[:MOST_CHARACTERS].replace("’", "'").casefold().split())


def _shown(words: str) -> str:
    plain = words.strip(" ,;:-")
    return plain if len(plain) <= MOST_WORDS else f"{plain[: MOST_WORDS - 1].rstrip()}…"
