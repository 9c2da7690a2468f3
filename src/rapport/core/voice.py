"""Voice: what a colleague should know of their own words before they go out.

Which text of ours they come near to, which questions of the post they leave open, how personal they are, and how
much of them is not the prepared reply. Nothing is held back here (that is `core.guard`); a hint has a code and values,
and the pages find the words for it. How often the hints are right on real threads: docs/reference/voice.md.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from rapport.core.guard.sameness import essence, similarity, without_addresses
from rapport.core.text import fold, words
from rapport.core.voice_index import SentIndex, Sketched, sketch
from rapport.core.voice_words import (
    ADVISES,
    ASKS_CONTACT,
    COURTESY,
    EMPTY,
    KINDS,
    KNOWS_NOT,
    LINK,
    PUTS_OFF,
    RHETORICAL,
    SENTENCE,
    SIGNS,
    UNMARKED,
    Kind,
)

#: a text of ours that is at least so near is worth a look; the guard holds at 0.9
NEAR = 0.6
#: shorter texts are not compared: "You're welcome!" is said by many, and each means it
LEAST_WORDS = 6
#: below this many points of a hundred a text could have gone to anybody
IMPERSONAL = 25
#: a prepared reply with less of one's own than this went out as it was
LITTLE_OWN = 0.15
#: the beginning of a post stands for it: a post of a thousand questions is no conversation
MOST_QUESTIONS = 8
MOST_CHARACTERS = 5_000

Code = Literal["near-sent", "question-open", "question-put-off", "impersonal", "little-own"]


class Sent(msgspec.Struct, frozen=True):
    """A reply of ours that went out."""

    text: str
    #: the colleague who approved it
    by: str
    #: handle or name of whom it went to
    to: str
    #: database id of the person it went to
    person: int
    sent_at: dt.datetime
    #: what it answered, "" when that is not known
    answered: str = ""
    #: database id of its entry in the ledger; 0 when that is not known
    entry: int = 0


class Nearest(msgspec.Struct, frozen=True):
    """The text of ours that another comes nearest to."""

    sent: Sent
    #: 0..1, measured as the guard measures `near-same`
    likeness: float


class Question(msgspec.Struct, frozen=True):
    """One sentence of a post that asks something."""

    text: str
    kind: Kind
    #: stems of its content words, in order; those of the sentence before it when it has none
    about: tuple[str, ...] = ()


class Personal(msgspec.Struct, frozen=True):
    """What in a text belongs to this person and to no other."""

    #: the person is called by name
    named: bool
    #: words of theirs that the text takes up
    taken_up: tuple[str, ...]
    #: words and numbers that are neither theirs, nor courtesy, nor the prepared reply's
    details: tuple[str, ...]

    @property
    def points(self) -> int:
        """0..100: 25 for the name, 15 for each of three words taken up, 10 for each of three details of one's own."""
        return 25 * self.named + 15 * min(3, len(self.taken_up)) + 10 * min(3, len(self.details))


class Hint(msgspec.Struct, frozen=True):
    """Something worth knowing about a text. `code` is stable; a page says it in words."""

    code: Code
    #: percent for near-sent and little-own, points of 100 for impersonal, else 0
    value: int = 0
    #: the question, for question-open and question-put-off
    quote: str = ""
    #: the text of ours, for near-sent
    sent: Sent | None = None


def weigh(
    text: str,
    post: str,
    *,
    language: str = "",
    name: str = "",
    template: str = "",
    sent: Sequence[Sent] = (),
) -> tuple[Hint, ...]:
    """Hints on a text that answers `post`, what matters most first; () when there is nothing to say.

    `language` is the post's ("en", "de", "fr", "es"; others are read with the words of all four), `name` the first name
    of the person, `template` the prepared reply with its names filled in, `sent` what went out lately.
    """
    if not text.strip():
        return ()
    hints = [
        Hint("question-put-off" if is_put_off(text) else "question-open", quote=question.text)
        for question in left_open(text, post, language)
    ]
    near = nearest(text, sent)
    if near is not None and near.likeness >= NEAR:
        hints.append(Hint("near-sent", int(100 * near.likeness), sent=near.sent))
    personal = read_personal(text, post, name=name, template=template)
    if personal.points < IMPERSONAL and essence(text).total() >= LEAST_WORDS:
        hints.append(Hint("impersonal", personal.points))
    own = own_share(text, template) if template else 1.0
    if own < LITTLE_OWN:
        hints.append(Hint("little-own", int(100 * own)))
    return tuple(hints)


# ---------------------------------------------------------------- what went out before


def nearest(text: str, sent: Iterable[Sent]) -> Nearest | None:
    """The text of ours that `text` comes nearest to, the newest of equals; None when either is too short to compare."""
    mine = essence(text)
    size = mine.total()
    if size < LEAST_WORDS:
        return None
    best: Nearest | None = None
    for one in sent:
        theirs = essence(one.text)
        total = theirs.total()
        if total < LEAST_WORDS or (best and 2 * min(size, total) / (size + total) < best.likeness):
            continue  # two texts of such lengths cannot be nearer
        found = similarity(mine, theirs)
        if best is None or (found, one.sent_at) > (best.likeness, best.sent.sent_at):
            best = Nearest(one, found)
    return best


def own_share(text: str, template: str) -> float:
    """The share of the words of `text` that the prepared reply does not hold, 0..1; 0 for a text without words."""
    mine = essence(text)
    return (mine - essence(template)).total() / mine.total() if mine else 0.0


#: so near, two texts are the same words; to so many people, they are a family
SAME, FAMILY = 0.9, 3


def families(sent: Sequence[Sent], alike: float = SAME, people: int = FAMILY) -> tuple[tuple[Sent, ...], ...]:
    """The same text to different complaints: groups of near-same texts that went to at least so many people.

    In each, the posts that were answered differ (likeness below 0.5 to the first; one that is not known counts as
    different). The largest group first, the oldest text first within.
    """
    groups: list[list[Sent]] = []
    heads: list[Counter[str]] = []
    index = SentIndex()
    for one in sorted(sent, key=lambda each: each.sent_at):
        mine = essence(one.text)
        if mine.total() < LEAST_WORDS:
            continue
        near = sorted(each.id for each in index.alike(one.text, alike))
        found = next((place for place in near if similarity(mine, heads[place]) >= alike), None)
        if found is None:
            index.add([Sketched(len(heads), one.sent_at, 0, sketch(one.text))])
            heads.append(mine)
            groups.append([one])
        else:
            groups[found].append(one)
    kept = [group for group in map(_to_different_posts, groups) if len({one.person for one in group}) >= people]
    return tuple(tuple(group) for group in sorted(kept, key=len, reverse=True))


def people_told(text: str, answered: str, person: int, sent: Iterable[Sent], alike: float = SAME) -> int:
    """To how many people nearly this text went, `person` among them, who had said something else than `answered`; 0
    for a text that is too short to compare.
    """
    mine, asked = essence(text), essence(answered)
    if mine.total() < LEAST_WORDS:
        return 0
    others = {
        one.person
        for one in sent
        if one.person != person
        and similarity(mine, essence(one.text)) >= alike
        and (not asked or not one.answered or similarity(asked, essence(one.answered)) < 0.5)
    }
    return len(others) + 1


def _to_different_posts(group: list[Sent]) -> list[Sent]:
    first = essence(group[0].answered)
    return group[:1] + [
        one for one in group[1:] if not first or not one.answered or similarity(first, essence(one.answered)) < 0.5
    ]


# ---------------------------------------------------------------- what is asked, and what is answered


def questions(post: str, language: str = "") -> tuple[Question, ...]:
    """The sentences of a post that ask for something: those with a question mark, and those that begin as one.

    Left out: thanks, greetings ("how are you?"), lone tags ("right?"), and what nobody wants an answer to ("are you
    kidding?", "how cool is that?").
    """
    found: list[Question] = []
    before: tuple[str, ...] = ()
    for sentence, marked in _sentences(post):
        plain = _plain_words(sentence)
        about = tuple(dict.fromkeys(map(_stem, filter(_has_content, plain))))
        if plain and (marked or _begins_as_question(plain, language)) and not _wants_no_answer(plain, about):
            found.append(Question(sentence, _kind(plain), about or before))
        before = about or before
    return tuple(found[:MOST_QUESTIONS])


def left_open(text: str, post: str, language: str = "") -> tuple[Question, ...]:
    """The questions of `post` that `text` does not answer, as far as its words tell.

    A question of one or two content words that follows one that is answered is taken for a part of it.
    """
    asked = questions(post, language)
    if not asked:
        return ()
    said = [sentence for sentence, marked in _sentences(text) if not marked or ADVISES.search(fold(sentence))]
    spoken = [word for sentence in said for word in _plain_words(sentence)]
    found: list[Question] = []
    answered_before = False
    for question in asked:
        answered = _is_answered(question, text, said, spoken)
        if not answered and not (answered_before and len(question.about) <= 2):
            found.append(question)
        answered_before = answered
    return tuple(found)


def is_put_off(text: str) -> bool:
    """Whether a text asks back, moves to a private place or promises to look: the answer is on its way."""
    return any(marked for _, marked in _sentences(text)) or PUTS_OFF.search(fold(text)) is not None


def _is_answered(question: Question, text: str, said: list[str], spoken: list[str]) -> bool:
    if not spoken:
        return False
    folded = fold(" ".join(said))
    if KNOWS_NOT.search(folded):
        return True
    stems = {_stem(word) for word in spoken}
    shared = sum(stem in stems for stem in question.about)
    if shared >= 2 or (shared == 1 and (question.kind == "whether" or len(question.about) <= 3)):
        return True
    signs = SIGNS.get(question.kind)
    if signs is not None and signs.search(folded):
        return True
    return LINK.search(text) is not None and ASKS_CONTACT.search(folded) is None


def _kind(plain: list[str]) -> Kind:
    opening = " ".join(plain)
    found = [(match.start(), kind) for kind, pattern in KINDS if (match := pattern.search(opening))]
    if found:
        return min(found, key=lambda each: each[0])[1]
    return "whether"


def _begins_as_question(plain: list[str], language: str) -> bool:
    """Whether a sentence without a mark asks: a question word and a verb behind it, in a language we know."""
    return len(plain) >= 4 and (asks := UNMARKED.get(language)) is not None and asks.match(" ".join(plain)) is not None


def _wants_no_answer(plain: list[str], about: tuple[str, ...]) -> bool:
    said = " ".join(plain)
    return RHETORICAL.search(said) is not None or (not about and len(plain) <= 2)


def _sentences(text: str) -> list[tuple[str, bool]]:
    """The sentences of a text without links and handles, and whether each ends with a question mark."""
    plain = without_addresses(text[:MOST_CHARACTERS])
    found = []
    for match in SENTENCE.finditer(plain):
        said = " ".join(match[0].split()).lstrip("¿¡ ")
        if said:
            found.append((said, "?" in match[1] or "？" in match[1] or "؟" in match[1]))
    return found


def _plain_words(text: str) -> list[str]:
    return words(without_addresses(text)).words


def _has_content(word: str) -> bool:
    return word not in EMPTY and (len(word) > 2 or word.isdigit())


def _stem(word: str) -> str:
    """The beginning that the forms of a word share: "leak" of leaks and leaking, "liefe" of liefern and Lieferung."""
    return (_ENDING.sub("", word.partition("'")[0]) or word)[:5]


#: endings of the four languages that leave three letters or more
_ENDING = re.compile(r"(?<=\w{3})(?:ing|ed|es|s|en|er|e)$")


# ---------------------------------------------------------------- how personal

#: stems of what support says to everybody
_COURTEOUS = frozenset(map(_stem, COURTESY))


def read_personal(text: str, post: str, *, name: str = "", template: str = "") -> Personal:
    """What in `text` belongs to the person who wrote `post`. `name` is their first name, `template` as in `weigh`."""
    said = _plain_words(text)
    called = _plain_words(name)[:1]
    theirs = {_stem(word) for word in _plain_words(post) if _has_content(word)}
    prepared = {_stem(word) for word in _plain_words(template)}
    taken_up: dict[str, str] = {}
    details: dict[str, str] = {}
    for word in said:
        if not _has_content(word) or word in called:
            continue
        stem = _stem(word)
        if stem in theirs:
            taken_up.setdefault(stem, word)
        elif stem not in prepared and stem not in _COURTEOUS:
            details.setdefault(stem, word)
    return Personal(bool(called) and called[0] in said, tuple(taken_up.values()), tuple(details.values()))
