"""`Reading`: what the machine understands of one text. Every probability lies in 0..1."""

from __future__ import annotations

import msgspec


class Sentiment(msgspec.Struct, frozen=True, gc=False):
    """How the text feels; the three probabilities sum to 1. `label` is the most probable of them."""

    label: str = "neutral"
    negative: float = 0.0
    neutral: float = 1.0
    positive: float = 0.0


class Emotion(msgspec.Struct, frozen=True, gc=False):
    """Which emotion is present; the four are judged one by one and need not sum to 1."""

    anger: float = 0.0
    joy: float = 0.0
    optimism: float = 0.0
    sadness: float = 0.0


class Intent(msgspec.Struct, frozen=True, gc=False):
    """What the author wants; judged one by one, several can be true."""

    complaint: float = 0.0
    question: float = 0.0
    request: float = 0.0
    praise: float = 0.0
    purchase: float = 0.0
    report: float = 0.0


class Toward(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The mood toward what one topic listens for, where it may differ from the mood of the whole text."""

    #: slug of the topic
    topic: str
    #: who is meant, as the author wrote it
    name: str
    sentiment: Sentiment
    #: the words that carried it, in lower case
    words: tuple[str, ...] = ()
    #: the topic asks for one of our own handles
    ours: bool = False


class Reading(msgspec.Struct, frozen=True, gc=False):
    """Everything read from one post."""

    network: str
    id: str
    language: str = "und"
    language_confidence: float = 0.0
    sentiment: Sentiment = Sentiment()
    emotion: Emotion = Emotion()
    intent: Intent = Intent()
    urgency: float = 0.0
    irony: float = 0.0
    offensive: float = 0.0
    hate: float = 0.0
    spam: float = 0.0
    #: how much the text asks for a personal answer, as against an impersonal statement
    personal: float = 0.0
    model: str = ""
    #: "complaint: 'still waiting', 'third time'": the words that carried a reading, one line a reading
    why: tuple[str, ...] = ()
