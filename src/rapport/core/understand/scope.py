"""Which words of a text are about the target: clauses, the names in them, and who is held against whom.

Built for English; in other languages punctuation, handles and the terms of other topics still cut a text into clauses.
"""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from typing import Literal, NamedTuple

from rapport.core.understand.features import locate

#: Stands for the target. A sign that nobody in the labelled texts writes, and a token of its own both for
#: `features.extract` and, because `deep.EMOJI` holds it, for the transformer.
MARK = "\u25ce"
#: Stands for the name of somebody else.
OTHER = "\u25c9"

#: (start, end) in characters
Span = tuple[int, int]
Names = Literal["all", "subjects", "none"]


class Scope(NamedTuple):
    """One text as it looks from the target. All three texts have `MARK` where the target stands."""

    #: the whole text
    whole: str
    #: what is about the target
    own: str
    #: what is about somebody else; "" where nobody else is named
    rest: str
    #: 1: the clause holds the target up against somebody else ("better than them"); -1: the other way round
    #: ("better than it"); 0: neither
    side: int
    #: what is weighed where `side` is not 0: the clause that compares
    compared: str
    #: somebody else is named
    others: bool


class _Token(NamedTuple):
    word: str
    written: str
    start: int
    end: int
    #: "" = an ordinary word, "T" = the target, "O" = somebody else, "o" = somebody else perhaps
    who: str
    #: 0 = goes on, 1 = a clause begins here, 2 = a sentence
    begins: int


_SENTENCE = re.compile(r"[.!?\n\u2026\u061f\u3002]|\s[-\u2013\u2014|]\s")
_CLAUSE = re.compile(r"[,;:()\u2014\"\u201c\u201d]")
_CONTRAST_WORDS = """
    but however whereas while although though yet meanwhile luckily unfortunately sadly thankfully unlike then
    aber pero mais ma mas jedoch porem tandis mientras waehrend
"""
_LEAVING_WORDS = """
    switch switched switching move moved moving change changed changing go going went leave left leaving migrate
    migrated ditch ditched ditching swap swapped dump dumped dumping quit cancel cancelled
"""
_STARTING_WORDS = """
    i we you he she it they this that these those there here my our your his her its their the a an and but or so if
    when while where why how what who which whose because since after before until although though unlike as at by for
    from in into of off on onto out over to up with without about against between during through than then now today
    tomorrow yesterday tonight again also always ever never just only even still yet already soon once twice yes no not
    nope none nothing nobody everyone everybody someone somebody anyone anybody all any both each every few many more
    most much other another some such same several one two three is are was were am be been being do does did have has
    had can could will would shall should may might must let lets dear hi hello hey thanks thank thx please pls sorry
    congrats congratulations well wow omg lol oh ok okay ugh great good bad best worst love hate wish get got go going
    come really very too quite maybe perhaps honestly seriously finally luckily meanwhile however instead compared
    either neither nor rt via new old monday tuesday wednesday thursday friday saturday sunday january february march
    april june july august september october november december english i'm i've i'd i'll it's that's there's don't
    can't won't isn't flight flights bag bags luggage support service customer customers people guys everything
    something terrible awful horrible poor
    amazing excellent fantastic wonderful shocking disgusting dreadful appalling lovely brilliant superb fast slow
    quick rude friendly useless nice incredible perfect unbelievable total absolute your same worse better zero cheap
    expensive fresh free online local big small long short late early first last next second third
"""
_FOLLOWING_WORDS = """
    is was are were isn't wasn't has had have hasn't does did do doesn't didn't will would won't can can't could
    couldn't should never always just really still again also gave broke sent lost took came left made kept said went
    got hung told ran sold put held fell let cut won beat threw stole cost who which and vs versus on support service
    app apps staff team people card cards phone phones website site store stores shop shops hotel hotels food coffee
    driver drivers delivery customer account bank airlines trains flight flights
"""
_SURE = frozenset({"T", "O"})
_STOPS = frozenset(".!?;")
#: begins a clause that says otherwise
_CONTRAST = frozenset(_CONTRAST_WORDS.split())
#: begins a clause where it stands between two names
_JOINS = frozenset({"so", "because", "after", "before", "since", "until", "when", "and"})
_SUBJECTS = frozenset({"i", "we", "he", "she", "they", "you", "it", "the", "a", "my", "our", "their", "nobody"})
#: what stands before the one that something is held against
_AGAINST = frozenset({"than", "over", "unlike", "versus", "vs", "not", "rather"})
_AGAINST_PAIRS = frozenset({("instead", "of"), ("compared", "to"), ("compared", "with"), ("as", "opposed")})
_COMPARED = frozenset({"than", "unlike"})
_BEATS = frozenset({"beats", "beat", "outperforms", "outclasses", "destroys", "crushes", "tops", "trumps"})
_LEAVES = frozenset(_LEAVING_WORDS.split())
_PREFERS = frozenset({"prefer", "prefers", "preferred", "choose", "chose"})
_LEADS = frozenset({"the", "my", "your", "our", "at", "dear", "and", "but", "while", "whereas", "although", "though"})
#: words that may stand between a sign of comparison and the name
_FILLERS = frozenset(
    {"the", "a", "an", "my", "your", "our", "this", "that", "their", "his", "her", "those", "these", "useless", "old"}
)
#: capitalised at the beginning of a sentence, these are no names
_STARTERS = frozenset(_STARTING_WORDS.split())
#: after these, the word that begins a sentence was a name
_AFTER_NAME = frozenset(_FOLLOWING_WORDS.split())
_ENDINGS = ("ed", "s", "'s")
_NO_NAME = ("ed", "ing", "ly")
#: In a text of which so many words have a capital, and in one of fewer words, capitals tell no names.
MOST_CAPITALS, FEW_WORDS = 0.6, 4


def mark(text: str, spans: Sequence[Span]) -> str:
    """The text with `MARK` in place of each of the spans (ascending, without overlap)."""
    parts, last = [], 0
    for start, end in spans:
        parts += [text[last:start], MARK]
        last = end
    return "".join([*parts, text[last:]])


def look_from(
    text: str, spans: Sequence[Span], others: Sequence[Span] = (), names: Names = "all", ordinary: Container[str] = ()
) -> Scope:
    """How a text looks from the target that stands at `spans`; `others` are places of other names that are known.

    `names`: which words with a capital name somebody as well. "subjects": those that a clause begins with, because any
    other may be a place; elsewhere a capital counts for comparisons alone ("better than Globex"). "none": no word does,
    as in German. `ordinary`: folded words that are no names where a sentence begins with them. Spans ascend and do not
    overlap.
    """
    tokens = _read(text, spans, others, names, ordinary)
    clauses = _cut(tokens)
    side, compared = _sides(clauses)
    whose = _assign(clauses)
    own = " ".join(_write(clause, text) for clause, who in zip(clauses, whose, strict=True) if "T" in who)
    rest = " ".join(_write(clause, text) for clause, who in zip(clauses, whose, strict=True) if who == "O")
    return Scope(
        mark(text, spans),
        own,
        rest,
        side,
        _write(compared, text) if compared else "",
        any(t.who == "O" for t in tokens),
    )


def _read(
    text: str, spans: Sequence[Span], others: Sequence[Span], names: Names, ordinary: Container[str]
) -> list[_Token]:
    found = locate(text)
    own = {place for start, end in spans for place in range(start, end)}
    theirs = {place for start, end in others for place in range(start, end)}
    written = [text[start:end] for _, start, end in found]
    letters = [
        word
        for word, (_, start, end) in zip(written, found, strict=True)
        if word[0].isalpha() and not (start in own or end - 1 in own)
    ]
    capitals = sum(word[0].isupper() for word in letters)
    named = names != "none" and (capitals < MOST_CAPITALS * len(letters) or len(letters) < FEW_WORDS)
    tokens: list[_Token] = []
    last = 0
    fresh = True
    for place, (word, start, end) in enumerate(found):
        gap = text[last:start]
        if word[:1] in _STOPS:
            fresh, last = True, end
            tokens.append(_Token(word, written[place], start, end, "", 0))
            continue
        begins = 2 if fresh or _SENTENCE.search(gap) else 1 if _CLAUSE.search(gap) or word in _CONTRAST else 0
        after = found[place + 1][0] if place + 1 < len(found) else ""
        if start in own or end - 1 in own:
            who = "T"
        elif start in theirs or end - 1 in theirs or word.startswith("@"):
            who = "O"
        elif (
            named
            and not (begins == 2 and word in ordinary)
            and _is_name(word, written[place], begins, after, text[end : end + 1])
        ):
            who = "O" if names == "all" or _is_subject(tokens, begins, text[start - 1 : start]) else "o"
        else:
            who = ""
        tokens.append(_Token(word, written[place], start, end, who, begins))
        fresh, last = False, end
    return tokens


def _is_name(word: str, written: str, begins: int, after: str, sign: str) -> bool:
    if not written[0].isupper() or word in _STARTERS or len(word) < 2 or word == "0":
        return False
    if begins < 2:
        return True
    if word.endswith(_NO_NAME):
        return False
    return sign in {":", "'", "\u2019"} or after in _AFTER_NAME or after.endswith(_ENDINGS)


def _is_subject(before: list[_Token], begins: int, sign: str) -> bool:
    """Whether a name begins its clause, but for an article or a conjunction, or goes on with a name that does.

    A hashtag is no subject.
    """
    if sign == "#" or not before:
        return sign != "#"
    last = before[-1]
    return (
        begins > 0
        or (last.who == "O" and not last.word.startswith("@"))
        or (last.word in _LEADS and (last.begins > 0 or last.word in _JOINS))
    )


def is_ordinary(word: str) -> bool:
    """Whether a folded word begins sentences and so is no name for its capital there."""
    return word in _STARTERS


def _cut(tokens: list[_Token]) -> list[list[_Token]]:
    """Clauses; one that names nobody and only continues its sentence stays with the clause before it."""
    clauses: list[list[_Token]] = []
    for place, token in enumerate(tokens):
        begins = token.begins and not _lists_names(tokens, place)
        if not clauses or begins or (_joins(tokens, place) and _says(clauses[-1])):
            clauses.append([])
        clauses[-1].append(token)
    return clauses


def _joins(tokens: list[_Token], place: int) -> bool:
    """Whether a clause of its own, about somebody, begins with this word: "so I went to Acme", not "so much"."""
    after = tokens[place + 1 : place + 2]
    if tokens[place].word not in _JOINS or not after:
        return False
    return (bool(after[0].who) or after[0].word in _SUBJECTS) and _named(tokens[place + 1 :])


def _lists_names(tokens: list[_Token], place: int) -> bool:
    """Whether a comma stands between names: "Acme, Globex and you"."""
    return bool(
        tokens[place].begins == 1
        and tokens[place].who
        and place
        and tokens[place - 1].who
        and (place + 1 < len(tokens) and tokens[place + 1].word in {"and", "or", "&"})
    )


def _named(tokens: list[_Token]) -> bool:
    for token in tokens:
        if token.begins == 2:
            return False
        if token.who in _SURE:
            return True
    return False


def _says(tokens: list[_Token]) -> bool:
    """More than a name."""
    last = max((place for place, token in enumerate(tokens) if token.who), default=len(tokens))
    return len(tokens) - last > 1 + sum(token.word in _FILLERS for token in tokens[last + 1 :])


def _sides(clauses: list[list[_Token]]) -> tuple[int, list[_Token]]:
    """Who is held against whom in the clause that has both, and that clause; (0, []) where nobody is."""
    for place, clause in enumerate(clauses):
        whos = {token.who.upper() for token in clause} - {""}
        before = clauses[place - 1] if place else []
        after = clauses[place + 1] if place + 1 < len(clauses) else []
        if whos == {"T", "O"}:
            beside: list[_Token] = []
            side = _side(clause)
        elif len(whos) == 1 and _against(clause):
            # "Unlike Acme, Globex ...", "..., unlike Acme"
            beside = after if clause[0].begins == 2 else before
            other = {token.who.upper() for token in beside} - {"", *whos}
            side = 0 if not other else -1 if "T" in whos else 1
        else:
            continue
        if side:
            return side, [*clause, *beside] if beside is after else [*beside, *clause]
    return 0, []


def _against(clause: list[_Token]) -> bool:
    words = [token.word for token in clause]
    return words[0] in _COMPARED or tuple(words[:2]) in _AGAINST_PAIRS


def _side(clause: list[_Token]) -> int:
    words = [token.word for token in clause]
    who = [token.who.upper() for token in clause]
    named = [place for place, one in enumerate(who) if one]
    for place in named:
        before = place - 1
        while before >= 0 and (words[before] in _FILLERS or who[before] == who[place]):
            before -= 1
        pair = tuple(words[max(0, before - 1) : before + 1])
        if before >= 0 and (words[before] in _AGAINST or pair in _AGAINST_PAIRS):
            return -1 if who[place] == "T" else 1
    first, second = who[named[0]], who[named[-1]]
    if first == second:
        return 0
    between = words[named[0] + 1 : named[-1]]
    ahead = words[: named[0]]
    towards = 1 if second == "T" else -1
    if any(word in _BEATS for word in between):
        return -towards
    if any(word in _LEAVES for word in ahead[-3:]) and any(word in {"to", "for"} for word in between):
        return towards
    if any(word in _PREFERS for word in ahead) and "to" in between:
        return -towards
    return 0


def _assign(clauses: list[list[_Token]]) -> list[str]:
    """Whose each clause is: "T", "O", or "TO" for both. One that names nobody is whose the one before it is."""
    named = ["".join(sorted({token.who for token in clause if token.who in _SURE}, reverse=True)) for clause in clauses]
    current = next((who for who in named if who), "T")
    whose = []
    for who in named:
        current = who or current
        whose.append(current)
    return whose


def _write(clause: list[_Token], text: str) -> str:
    """The words of a clause, with signs for the names."""
    start, end = clause[0].start, clause[-1].end
    parts, last, before = [], start, ""
    for token in clause:
        if token.who in _SURE:
            parts.append(text[last : token.start])
            if token.who != before:
                parts.append(MARK if token.who == "T" else OTHER)
            last = token.end
        before = token.who
    return "".join([*parts, text[last:end]])
