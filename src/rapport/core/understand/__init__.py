"""`Reader`: posts in, what the machine understands of them out. Built once by `load_reader`, then pure.

The insides are a baseline of weighted words (docs/reference/readings.md says how good it is); trained models will
take their place behind the same two names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rapport.core.post import Post
from rapport.core.reading import Emotion, Intent, Reading
from rapport.core.understand import intent, sentiment
from rapport.core.understand.features import extract
from rapport.core.understand.language import LanguageFinder, plain_code
from rapport.core.understand.spans import why_spans
from rapport.core.understand.vocabulary import Vocabulary, load_vocabularies

__all__ = ["MODEL", "Reader", "load_reader", "why_spans"]

#: Name of what made a reading; it changes with every change that changes readings.
MODEL = "words-2026.11"
#: Confidence below which a language is a guess.
GUESS = 0.5


class Reader:
    """Reads posts in batches. The same posts always give the same readings, whatever else is in the batch."""

    def __init__(self, languages: LanguageFinder, vocabularies: Mapping[str, Vocabulary]) -> None:
        self._languages = languages
        self._vocabularies = vocabularies
        self._default = vocabularies["en"]

    def read(self, posts: Sequence[Post]) -> list[Reading]:
        """One reading for each post, in the same order. Never raises on any text."""
        return [self._read_one(post) for post in posts]

    def _read_one(self, post: Post) -> Reading:
        language, confidence = self._languages.find(post.text, post.lang)
        return self.read_words(post, self._choose(post, language, confidence), language, confidence)

    def _choose(self, post: Post, language: str, confidence: float) -> Vocabulary:
        """The word list to read a post with. Where its language is no more than a guess ("terrible" alone is French,
        Spanish or English), English is taken when it knows more of the words.
        """
        own = self._vocabularies.get(language, self._vocabularies[""])
        if confidence >= GUESS or own is self._default:
            return own
        features = extract(post.text)
        return self._default if len(self._default.find(features)) > len(own.find(features)) else own

    def read_words(
        self, post: Post, vocabulary: Vocabulary | None = None, language: str = "und", confidence: float = 0.0
    ) -> Reading:
        """Everything but the language, by the words of one vocabulary (English where none is given)."""
        features = extract(post.text)
        hits = (self._default if vocabulary is None else vocabulary).find(features)
        feeling = sentiment.weigh(hits)
        felt = sentiment.judge(feeling, post.rating)
        judged = intent.judge(hits, feeling, post.rating)
        why = intent.reasons(hits, feeling, judged, features.written, post.rating)
        if felt.label != "neutral":
            why[:0] = sentiment.reasons(feeling, felt, features.written, post.rating)
        return Reading(
            network=post.network,
            id=post.id,
            language=language,
            language_confidence=confidence,
            sentiment=felt,
            emotion=Emotion(*judged[10:14]),
            intent=Intent(*judged[0:6]),
            urgency=judged[6],
            personal=judged[7],
            spam=judged[8],
            offensive=judged[9],
            model=MODEL,
            why=tuple(why),
        )


def load_reader(languages: Sequence[str] = ()) -> Reader:
    """A reader for a workspace. `languages` are its languages as ISO 639-1 codes ("pt-BR" is read as "pt"); none
    means that any may come. Loads the word lists of the package; takes about a tenth of a second.
    """
    return Reader(LanguageFinder(plain_code(code) for code in languages), load_vocabularies())
