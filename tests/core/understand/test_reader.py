"""What the reader makes of texts as customers write them."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapport.core.post import Author, Post
from rapport.core.reading import Reading
from rapport.core.understand import load_reader

READER = load_reader(["en", "es", "fr", "de", "it", "pt"])
SHARED = Path(__file__).parents[3].parent / "shared" / "data"
INTENTS = ("complaint", "question", "request", "praise", "purchase", "report")


def post(text: str, rating: float | None = None, name: str = "1") -> Post:
    moment = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
    return Post("mastodon", name, text, moment, Author(handle="ann"), rating=rating)


def read(text: str, rating: float | None = None) -> Reading:
    return READER.read([post(text, rating)])[0]


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("@brand still waiting for my parcel, third time this month. Terrible service!", "complaint"),
        ("@brand the app keeps crashing since the update, please fix it", "complaint"),
        ("@brand how do I change the address of my order?", "question"),
        ("@brand Could you please call me about the booking", "request"),
        ("@brand thank you so much, the best crew ever ❤️", "praise"),
        ("Where can I buy the blue one, and how much is it?", "purchase"),
        ("@brand your website is down, error code 502 on the payment page", "report"),
        ("@marke mein Paket ist immer noch nicht angekommen, das ist eine Frechheit", "complaint"),
        ("@marca muchas gracias, excelente servicio", "praise"),
        ("@marque ça ne marche pas depuis trois jours, c'est inadmissible", "complaint"),
        ("@marca o aplicativo não funciona, péssimo atendimento", "complaint"),
        ("@marca ancora nessuna risposta, è una vergogna", "complaint"),
    ],
)
def test_a_clear_intent_is_sure(text: str, intent: str) -> None:
    assert getattr(read(text).intent, intent) >= 0.5


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("The food was horrible and the staff were rude", "negative"),
        ("What a wonderful evening, I love this place", "positive"),
        ("The shop opens at nine on Monday", "neutral"),
        ("not good at all", "negative"),
        ("no problem at all, thanks", "positive"),
        ("thanks for nothing", "negative"),
        ("It started well but it was the worst night ever", "negative"),
        ("😡😡", "negative"),
        ("😍", "positive"),
        ("Der Service war leider eine Katastrophe, alles kaputt", "negative"),
        ("C'est génial, j'adore ce magasin, merci beaucoup", "positive"),
    ],
)
def test_the_mood_of_a_clear_text_is_found(text: str, label: str) -> None:
    assert read(text).sentiment.label == label


def test_a_booster_makes_it_stronger_and_a_negator_turns_it() -> None:
    good, very_good = read("the food was good").sentiment, read("the food was very good").sentiment
    not_good = read("the food was not good").sentiment
    assert very_good.positive > good.positive > not_good.positive
    assert not_good.negative > good.negative


def test_hopeless_urgency_is_above_a_leisurely_question() -> None:
    pressing = read("@brand HELP, I'm stranded at the airport and locked out of my booking, need this today")
    leisurely = read("@brand no rush, but do you plan a blue one some day?")
    assert pressing.urgency > 0.5
    assert leisurely.urgency < 0.3


def test_a_story_of_ones_own_is_more_personal_than_a_statement() -> None:
    assert read("My order hasn't come and I paid for it last week, can you help me?").personal > 0.8
    assert read("Coke is the best soda").personal < 0.3


def test_a_begging_advert_is_spam_and_a_complaint_is_not() -> None:
    assert read("Click here to claim your free iphone! Follow me and win a cash prize").spam > 0.8
    assert read("You charged me twice and nobody answers the phone").spam < 0.1


def test_the_stars_of_a_review_count() -> None:
    text = "It came on a Tuesday in a brown box"
    angry, silent, happy = read(text, 1), read(text), read(text, 5)
    assert angry.intent.complaint > 0.5 > silent.intent.complaint > happy.intent.complaint
    assert happy.intent.praise > 0.5 > silent.intent.praise > angry.intent.praise
    assert angry.sentiment.label == "negative"
    assert happy.sentiment.label == "positive"
    assert any(line.startswith("complaint: rated 1 of 5") for line in angry.why)


def test_the_words_that_fired_are_the_reasons() -> None:
    why = read("@brand Still Waiting, third time now").why
    assert any(line.startswith("complaint: ") and "'still waiting'" in line and "'third time'" in line for line in why)
    assert any(line.startswith("sentiment: ") and "'terrible'" in line for line in read("a terrible day").why)


def test_a_text_that_says_nothing_has_no_reasons() -> None:
    reading = read("The shop is on the corner of the street")
    assert reading.why == ()
    assert reading.sentiment.label == "neutral"


def test_an_empty_text_is_read_as_neutral() -> None:
    reading = read("")
    assert (reading.language, reading.sentiment.label, reading.why) == ("und", "neutral", ())


def test_a_language_without_a_word_list_is_read_by_its_signs() -> None:
    reading = read("電車がまた遅れて、誰も理由を教えてくれませんでした 😡😡")
    assert reading.language == "ja"
    assert reading.sentiment.label == "negative"


def test_readings_come_in_the_order_of_the_posts_and_do_not_depend_on_the_batch() -> None:
    posts = [post(text, name=str(place)) for place, text in enumerate(["awful!", "", "thanks", "why?", "¿por qué?"])]
    together = READER.read(posts)
    assert [reading.id for reading in together] == ["0", "1", "2", "3", "4"]
    assert together == [READER.read([one])[0] for one in posts]
    assert list(reversed(READER.read(posts[::-1]))) == together


words = st.sampled_from(["still waiting", "thanks", "!!!", "?", "worst", "love", "not", "but", "3", "@a", "very", "😡"])


@given(st.one_of(st.text(max_size=300), st.lists(words, max_size=60).map(" ".join)), st.none() | st.floats(1, 5))
@settings(deadline=None)
def test_every_probability_lies_between_0_and_1(text: str, rating: float | None) -> None:
    reading = read(text, rating)
    mood = reading.sentiment
    assert mood.negative + mood.neutral + mood.positive == pytest.approx(1, abs=2e-4)
    assert max(mood.negative, mood.neutral, mood.positive) == getattr(mood, mood.label)
    values = [getattr(reading.intent, name) for name in INTENTS]
    values += [getattr(reading.emotion, name) for name in ("anger", "joy", "optimism", "sadness")]
    values += [reading.urgency, reading.personal, reading.spam, reading.offensive, reading.irony, reading.hate]
    values += [mood.negative, mood.neutral, mood.positive, reading.language_confidence]
    assert all(0 <= value <= 1 for value in values)


@given(st.lists(words, max_size=30).map(" ".join))
@settings(deadline=None)
def test_one_more_angry_word_never_makes_a_text_less_of_a_complaint(text: str) -> None:
    before, after = read(text), read(f"{text} . . . . fuming")
    assert after.intent.complaint >= before.intent.complaint
    assert after.sentiment.negative >= before.sentiment.negative


@pytest.mark.data
def test_naughty_strings_are_read() -> None:
    path = SHARED / "11_hostile" / "blns.json"
    if not path.exists():
        pytest.skip("the real data is not beside the project")
    texts = json.loads(path.read_text("utf-8"))
    assert len(READER.read([post(text) for text in texts])) == len(texts)
