"""`Reader`: posts in, what the machine understands of them out. Built once by `load_reader`, then pure.

The language is found first; the word lists of that language and the trained heads (`heads`) then read the text
(docs/reference/model-card.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from functools import cache

import numpy as np
from msgspec.structs import replace

from rapport.core.post import Post
from rapport.core.reading import Emotion, Intent, Reading, Sentiment
from rapport.core.thresholds import HOLDS, Thresholds
from rapport.core.understand import intent
from rapport.core.understand.cascade import Cascade
from rapport.core.understand.deep import load_deep, load_many
from rapport.core.understand.features import Features, extract
from rapport.core.understand.heads import Floats, Heads, load_model, logistic, shares
from rapport.core.understand.language import LanguageFinder, plain_code
from rapport.core.understand.listed import Listed, list_words
from rapport.core.understand.reasons import Explainer
from rapport.core.understand.spans import why_spans
from rapport.core.understand.target import TargetReader, load_target_reader
from rapport.core.understand.team import Difference, Team
from rapport.core.understand.vocabulary import Vocabulary, load_vocabularies

__all__ = ["Reader", "load_reader", "why_spans"]

#: Confidence below which a language is a guess.
GUESS = 0.5
#: Posts and tokens that are read in one go: enough that the arithmetic is no burden, few enough to stay in the cache.
MOST_POSTS = 256
MOST_TOKENS = 20_000
#: What each star of a review above three adds to the log-odds of a positive text; below three, of a negative one.
STAR = 1.2
#: What is left of what a review's text says of complaint and praise, beside the stars.
BESIDE_STARS = 0.5
#: A probability in a reading has so many decimals.
DECIMALS = 4


class Reader:
    """Reads posts in batches. The same posts always give the same readings, whatever else is in the batch."""

    def __init__(
        self,
        languages: LanguageFinder,
        vocabularies: Mapping[str, Vocabulary],
        heads: Heads,
        cascade: Cascade | None = None,
    ) -> None:
        self._cascade = cascade
        #: a workspace's own model, see `taught`
        self._team: Team | None = None
        self._languages = languages
        self._vocabularies = vocabularies
        self._default = vocabularies["en"]
        self._heads = heads
        self._explain = Explainer(heads)
        places = {name: place for place, name in enumerate(heads.names)}
        self._feelings = [places[f"sentiment.{name}"] for name in ("negative", "neutral", "positive")]
        self._starred = [(places[name], adds) for name, adds in intent.STARS.items()]
        self._order = [places[name] for name in _READ]

    @property
    def targets(self) -> TargetReader:
        """What reads the mood toward one target; loaded when it is first asked for."""
        return load_target_reader(self._heads, self._cascade.readers if self._cascade else ())

    @property
    def vocabularies(self) -> Mapping[str, Vocabulary]:
        """The word lists: language -> vocabulary; "" for every other language."""
        return self._vocabularies

    @property
    def version(self) -> str:
        """Name and version of the trained model."""
        return self._heads.model.version

    def taught(self, difference: Difference, version: int) -> Reader:
        """A reader that adds a team's own model to what this one reads. Both share what they hold."""
        other = copy(self)
        other._team = Team(difference, version, self._heads.model)
        return other

    def counting(self, thresholds: Thresholds) -> Reader:
        """A reader that gives reasons for all that counts: also for what counts although it is less likely than not."""
        other = copy(self)
        other._explain = Explainer(self._heads, thresholds)
        return other

    def get_ready(self) -> None:
        """Load what is loaded at first use, so that no post waits for it."""
        self._languages.get_ready()

    def read(self, posts: Sequence[Post], relevant: Sequence[bool] | None = None) -> list[Reading]:
        """One reading for each post, in the same order. Never raises on any text. `relevant` says for which posts a
        second, slower look is worth its time where the first is unsure (None: for all).
        """
        found: list[Reading] = []
        for batch, features in _batches(posts):
            matters = [True] * len(batch) if relevant is None else relevant[len(found) : len(found) + len(batch)]
            spoken = [self._languages.find(post.text, post.lang) for post in batch]
            listed = [list_words(self._choose(one, *tongue), one) for one, tongue in zip(features, spoken, strict=True)]
            found.extend(self._judge(batch, features, spoken, listed, matters))
        return found

    def _choose(self, features: Features, language: str, confidence: float) -> Vocabulary:
        """The word list to read a post with. Where its language is no more than a guess ("terrible" alone is French,
        Spanish or English), English is taken when it knows more of the words.
        """
        own = self._vocabularies.get(language, self._vocabularies[""])
        if confidence >= GUESS or own is self._default:
            return own
        return self._default if len(self._default.find(features)) > len(own.find(features)) else own

    def _judge(
        self,
        posts: Sequence[Post],
        features: Sequence[Features],
        spoken: Sequence[tuple[str, float]],
        listed: Sequence[Listed],
        relevant: Sequence[bool],
    ) -> Iterator[Reading]:
        scored = self._heads.score(
            [post.text for post in posts],
            features,
            [one.sums for one in listed],
            [language for language, _ in spoken],
        )
        models = self._look_again(posts, spoken, relevant, scored.logits)
        self._heed_stars(posts, scored.logits)
        if self._team is not None:
            self._team.add(features, scored)
            models = [f"{model}+{self._team.name}" for model in models]
        moods = shares(scored.logits[:, self._feelings])
        chances = logistic(scored.logits)
        reasons = self._explain.batch(features, listed, scored, moods, chances)
        rows = np.round(chances[:, self._order], DECIMALS).tolist()
        feelings = np.round(moods, DECIMALS).tolist()
        for post, features_of, tongue, mood, row, why, model in zip(
            posts, features, spoken, feelings, rows, reasons, models, strict=True
        ):
            if not features_of.words and post.rating is None:
                yield Reading(post.network, post.id, tongue[0], tongue[1], model=self._heads.model.version)
                continue
            reading = Reading(
                network=post.network,
                id=post.id,
                language=tongue[0],
                language_confidence=tongue[1],
                sentiment=_sentiment(*mood),
                emotion=Emotion(*row[0:4]),
                intent=Intent(*row[4:10]),
                urgency=row[10],
                personal=row[11],
                spam=row[12],
                offensive=row[13],
                irony=row[14],
                hate=row[15],
                model=model,
                why=tuple(why),
            )
            if post.rating is not None:
                reading = replace(reading, why=tuple(_with_stars(why, post.rating, reading)))
            yield reading

    def _look_again(
        self, posts: Sequence[Post], spoken: Sequence[tuple[str, float]], relevant: Sequence[bool], logits: Floats
    ) -> list[str]:
        """Which model read each post, after the second look at some."""
        models = [self._heads.model.version] * len(posts)
        if self._cascade is not None:
            texts, languages = [post.text for post in posts], [language for language, _ in spoken]
            for place, name in self._cascade.look(texts, languages, relevant, logits).items():
                models[place] = f"{models[place]}+{name}"
        return models

    def _heed_stars(self, posts: Sequence[Post], logits: Floats) -> None:
        """The stars of a review are the strongest word of it."""
        for place, post in enumerate(posts):
            if post.rating is not None:
                lean = STAR * (post.rating - 3)
                logits[place, self._feelings[0]] -= lean
                logits[place, self._feelings[2]] += lean
                logits[place, self._feelings[1]] -= abs(lean) / 2
                for head, adds in self._starred:
                    logits[place, head] *= BESIDE_STARS
                    logits[place, head] += adds[round(post.rating) - 1]


#: The trained heads in the order in which a reading is filled.
_READ = (
    "emotion.anger", "emotion.joy", "emotion.optimism", "emotion.sadness",
    "complaint", "question", "request", "praise", "purchase", "report",
    "urgency", "personal", "spam", "offensive", "irony", "hate",
)  # fmt: skip


def _batches(posts: Sequence[Post]) -> Iterator[tuple[list[Post], list[Features]]]:
    batch: list[Post] = []
    features: list[Features] = []
    tokens = 0
    for post in posts:
        one = extract(post.text)
        if batch and (len(batch) == MOST_POSTS or tokens + len(one.words) > MOST_TOKENS):
            yield batch, features
            batch, features, tokens = [], [], 0
        batch.append(post)
        features.append(one)
        tokens += len(one.words)
    if batch:
        yield batch, features


def _sentiment(negative: float, neutral: float, positive: float) -> Sentiment:
    neutral = round(1.0 - negative - positive, DECIMALS)  # so that the three sum to 1 as written
    label = max(("neutral", neutral), ("negative", negative), ("positive", positive), key=lambda item: item[1])[0]
    return Sentiment(label, negative, neutral, positive)


def _with_stars(why: Sequence[str], stars: float, reading: Reading) -> list[str]:
    """The stars stand first among the reasons of what they speak for."""
    told = f"rated {stars:g} of 5"
    spoken_for = {
        "sentiment": reading.sentiment.label == ("negative" if stars < 3 else "positive" if stars > 3 else ""),
        "complaint": stars < 3 and reading.intent.complaint >= HOLDS,
        "praise": stars > 3 and reading.intent.praise >= HOLDS,
    }
    lines = dict(line.split(": ", 1) for line in why)
    for name, holds in spoken_for.items():
        if holds:
            lines[name] = f"{told}, {lines[name]}" if name in lines else told
    return [f"{name}: {rest}" for name, rest in lines.items()]


@cache
def _load_heads() -> Heads:
    """One for all readers of a process: it is the greater part of the memory."""
    return Heads(load_model())


@cache
def _load_cascade(share: float, english_only: bool) -> Cascade | None:
    loaded = (load_deep(), None if english_only else load_many()) if share > 0 else ()
    readers = [deep for deep in loaded if deep is not None]
    return Cascade(readers, _load_heads().names, share) if readers else None


def load_reader(languages: Sequence[str] = (), share: float = 0.0) -> Reader:
    """A reader for a workspace. `languages` are its languages as ISO 639-1 codes ("pt-BR" is read as "pt"); none
    means that any may come. About `share` (0..1) of the relevant posts, the doubtful ones, are also read by the
    transformer, where the extra `rapport[deep]` is installed. Loads the word lists and the trained weights of the
    package; takes about a second.
    """
    codes = [plain_code(code) for code in languages]
    cascade = _load_cascade(share, english_only=set(codes) == {"en"})
    return Reader(LanguageFinder(codes), load_vocabularies(), _load_heads(), cascade)
