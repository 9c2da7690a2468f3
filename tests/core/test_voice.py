"""Hints on one's own words: what is left open, how near it is to what went out, how personal it is."""

from __future__ import annotations

import csv
import datetime as dt
import html
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import NOON
from rapport.core.guard import essence, similarity
from rapport.core.voice import (
    MOST_QUESTIONS,
    NEAR,
    Sent,
    families,
    is_put_off,
    left_open,
    nearest,
    own_share,
    questions,
    read_personal,
    weigh,
)

REFUND = "We have sent your refund today and it reaches your bank within five working days"
LATE = "The train to Leeds was late again. When do I get my refund?"


def sent(text: str, *, person: int = 1, hours: int = 0, answered: str = "") -> Sent:
    return Sent(text, "Mia", f"@p{person}", person, NOON + dt.timedelta(hours=hours), answered)


def asked(post: str, language: str = "en") -> list[str]:
    return [question.text for question in questions(post, language)]


# ---------------------------------------------------------------- what is asked


@pytest.mark.parametrize(
    ("language", "post", "kind"),
    [
        ("en", "When does the shop in Leeds open again?", "time"),
        ("en", "how do I change my address", "how"),
        ("en", "It broke. Can you send another one please?", "whether"),
        ("de", "Warum kommt meine Lieferung nicht?", "why"),
        ("de", "Wann kommt das Paket an", "time"),
        ("de", "Wie lange dauert die Erstattung?", "amount"),
        ("de", "Könnt ihr mir eine neue Rechnung schicken?", "whether"),
        ("fr", "Pourquoi ma commande est-elle annulée ?", "why"),
        ("fr", "Quand vais-je être remboursé ?", "time"),
        ("fr", "Pouvez-vous m'envoyer une facture", "whether"),
        ("es", "¿Cuándo llega mi pedido?", "time"),
        ("es", "¿Por qué no funciona la aplicación?", "why"),
        ("es", "¿Dónde puedo cambiar mi dirección?", "where"),
    ],
)
def test_a_sentence_that_asks_is_found_with_what_it_asks_for(language: str, post: str, kind: str) -> None:
    assert [question.kind for question in questions(post, language)] == [kind]


@pytest.mark.parametrize(
    ("language", "post"),
    [
        ("en", "Thank you so much, you are the best!"),
        ("en", "Hi, how are you? Just wanted to say thanks"),
        ("en", "They remembered my birthday, how cool is that?"),
        ("en", "Four hours on hold, are you kidding me?"),
        ("en", "I know how you feel and when it is late I go home"),
        ("en", "The guide is at https://example.com/help?page=2&when=now"),
        ("en", "??"),
        ("de", "Vielen Dank für die schnelle Hilfe!"),
        ("de", "Hallo, wie geht's? Danke nochmal"),
        ("fr", "Merci beaucoup pour votre aide !"),
        ("es", "Hola, ¿qué tal? Muchas gracias por la ayuda"),
        ("", ""),
    ],
)
def test_thanks_greetings_and_outcries_ask_for_nothing(language: str, post: str) -> None:
    assert asked(post, language) == []


def test_only_the_sentences_that_ask_are_quoted_without_handles() -> None:
    post = "@brand My order is late. When will it come? Version 11.0.3 was better. Is there a refund?"
    assert asked(post) == ["When will it come?", "Is there a refund?"]


def test_a_question_without_words_of_its_own_is_about_the_sentence_before_it() -> None:
    [question] = questions("The new router keeps blinking red. What is this?")
    assert "rout" in question.about


def test_a_post_of_a_thousand_questions_is_cut() -> None:
    assert len(questions("Where is my parcel? " * 1_000)) == MOST_QUESTIONS


# ---------------------------------------------------------------- what is answered


@pytest.mark.parametrize(
    ("language", "post", "text"),
    [
        ("en", LATE, "It will reach your bank on Friday."),
        ("en", "Do you deliver to Ireland?", "Yes, we do!"),
        ("en", "How much is the large one?", "It is 24 euros."),
        ("en", "How do I change my address?", "Go to Settings and tap your name."),
        ("en", "Why was the train cancelled?", "It could not run because of a broken signal."),
        ("en", "Any news on the outage?", "We have no news yet, I am sorry."),
        ("en", "Is the app broken?", "The app is down for everybody at the moment."),
        ("de", "Wann kommt mein Paket?", "Es kommt am Dienstag bei dir an."),
        ("de", "Kann ich das zurückgeben?", "Ja, das geht im Laden."),
        ("fr", "Quand arrive mon colis ?", "Il arrive demain."),
        ("es", "¿Cuánto cuesta el envío?", "Son 5 euros."),
    ],
)
def test_an_answer_is_taken_for_one(language: str, post: str, text: str) -> None:
    assert left_open(text, post, language) == ()


@pytest.mark.parametrize(
    ("language", "post", "text"),
    [
        ("en", LATE, "We are sorry to hear this and thank you for your patience."),
        ("en", "Why was the train cancelled?", "Thanks for reaching out to us!"),
        ("en", "How much is the large one?", "So glad that you like our shop."),
        ("de", "Wann kommt mein Paket?", "Das tut uns leid."),
        ("fr", "Pourquoi ma commande est-elle annulée ?", "Nous sommes désolés."),
        ("es", "¿Cuándo llega mi pedido?", "Lo sentimos mucho."),
    ],
)
def test_sympathy_alone_leaves_the_question_open(language: str, post: str, text: str) -> None:
    [question] = left_open(text, post, language)
    assert question.text in post


def test_of_two_questions_the_one_that_is_answered_is_not_named() -> None:
    post = "When will the parcel come? And how much is a second lamp?"
    assert [question.text for question in left_open("It will come on Monday.", post, "en")] == []
    assert [q.text for q in left_open("The lamp has our best wishes, sorry.", post, "en")] == [
        "When will the parcel come?"
    ]


def test_a_question_of_ours_answers_none_of_theirs() -> None:
    assert left_open("When did you order?", LATE, "en")
    assert is_put_off("When did you order?")
    assert is_put_off("Please DM us your number")
    assert not is_put_off("We are sorry to hear this.")


# ---------------------------------------------------------------- what went out before


def test_the_nearest_text_is_found_with_whom_it_went_to_and_measured_as_the_guard_does() -> None:
    near = REFUND.replace("today", "yesterday")
    found = nearest(REFUND, [sent("Your parcel stands at the post office in Leeds since Monday"), sent(near, person=2)])
    assert found is not None
    assert (found.sent.person, found.sent.by) == (2, "Mia")
    assert found.likeness == similarity(essence(REFUND), essence(near)) > 0.9


def test_of_equally_near_texts_the_newest_is_named() -> None:
    found = nearest(REFUND, [sent(REFUND, hours=1), sent(REFUND, hours=3), sent(REFUND, hours=2)])
    assert found is not None
    assert found.sent.sent_at == NOON + dt.timedelta(hours=3)


def test_short_texts_are_not_compared() -> None:
    assert nearest("You're welcome!", [sent("You're welcome!")]) is None


WORDS = st.lists(
    st.sampled_from(["lamp", "parcel", "late", "refund", "bank", "today", "five", "open", "shop"]),
    min_size=6,
    max_size=12,
)


@given(WORDS, st.lists(WORDS, min_size=1, max_size=6))
def test_leaving_out_what_cannot_be_nearer_changes_no_answer(mine: list[str], others: list[list[str]]) -> None:
    found = nearest(" ".join(mine), [sent(" ".join(other)) for other in others])
    assert found is not None
    assert found.likeness == max(similarity(essence(" ".join(mine)), essence(" ".join(other))) for other in others)


def test_the_same_text_to_different_complaints_is_a_family() -> None:
    complaints = ["The lamp came broken", "Nobody answers my mails", "I was charged twice in May"]
    told = [sent(REFUND, person=n, hours=n, answered=said) for n, said in enumerate(complaints)]
    [family] = families([*told, sent("Your parcel stands at the post office in Leeds", person=9)])
    assert [one.person for one in family] == [0, 1, 2]
    assert families([sent(REFUND, person=n, answered="The lamp came broken") for n in range(5)]) == ()
    assert families([sent(REFUND, person=1, answered=said) for said in complaints]) == ()


# ---------------------------------------------------------------- how personal, and whose words


def test_the_name_their_words_and_a_detail_of_ones_own_make_it_personal() -> None:
    post = "My espresso machine leaks since the update in Bristol"
    warm = read_personal("Ann, a leaking espresso machine at breakfast: bring it to Park Street", post, name="Ann")
    assert warm.named
    assert set(warm.taken_up) == {"leaking", "espresso", "machine"}
    assert "street" in warm.details
    cold = read_personal("Sorry to hear this. Please contact our support team.", post, name="Ann")
    assert (cold.named, cold.taken_up, cold.details, cold.points) == (False, (), (), 0)
    assert warm.points > 90


def test_words_of_the_prepared_reply_are_no_detail_of_ones_own() -> None:
    assert read_personal("Bring it to Park Street", "It leaks", template="Bring it to Park Street").details == ()


def test_the_share_of_ones_own_is_what_the_prepared_reply_does_not_hold() -> None:
    assert own_share(REFUND, REFUND) == 0.0
    assert own_share("one two three four", "one two") == 0.5
    assert own_share("", REFUND) == 0.0


# ---------------------------------------------------------------- hints


def test_hints_name_what_matters_most_first_with_stable_codes() -> None:
    canned = "We are sorry to hear this and thank you for your patience."
    found = weigh(canned, LATE, language="en", name="Ann", template=canned, sent=[sent(canned, person=7)])
    assert [hint.code for hint in found] == ["question-open", "near-sent", "impersonal", "little-own"]
    assert found[0].quote == "When do I get my refund?"
    assert found[1].value == 100
    assert found[1].sent is not None
    assert found[1].sent.person == 7
    assert (found[2].value, found[3].value) == (0, 0)


def test_a_question_that_is_asked_back_is_put_off_and_not_left_open() -> None:
    found = weigh("Ann, which train to Leeds did you take, and what is your booking number?", LATE, name="Ann")
    assert [hint.code for hint in found] == ["question-put-off"]


def test_nothing_is_said_of_a_good_answer_nor_of_an_empty_box() -> None:
    text = "Ann, your refund for the train to Leeds left us at noon and is with you on Friday."
    assert weigh(text, LATE, language="en", name="Ann", sent=[sent("Something else went to somebody else today")]) == ()
    assert weigh("  ", LATE) == ()
    assert 0 < NEAR < 0.9


@given(st.text(max_size=300), st.text(max_size=300), st.sampled_from(["", "en", "de", "fr", "es", "ja"]))
def test_any_text_can_be_weighed(text: str, post: str, language: str) -> None:
    for hint in weigh(text, post, language=language, template=post, sent=[sent(post)]):
        assert 0 <= hint.value <= 100


# ---------------------------------------------------------------- real threads

THREADS = Path(__file__).parents[2].parent / "shared" / "data" / "03_twcs" / "threads.csv"
#: posts that ask, whose answer by the brand was read: it answers, or there was nothing to answer
ANSWERED = (
    "699074 391817 1555 2952 472561 7307 642132 2102 123492 6650 2946 7570 2278 3173 3218 1610 7044 199124 2344 3613 "
    "238554 5782 744388"
)
#: ... it does not
NOT_ANSWERED = "4062 799360 412333 559949 573783 816282 2811 5147 6969 228057 1899 58299 448851 5034 4654 5731 2561"


@pytest.mark.data
def test_on_real_threads_it_is_as_often_right_as_the_reference_page_says() -> None:
    if not THREADS.exists():
        pytest.skip("the threads of ../shared/data are not here")
    with THREADS.open(newline="", encoding="utf-8") as lines:
        rows = {row["tweet_id"]: row for row in csv.DictReader(lines)}
    answers: dict[str, str] = {}
    for row in rows.values():
        if row["inbound"] == "False":
            answers.setdefault(row["in_response_to_tweet_id"], html.unescape(row["text"]))

    def told(posts: str) -> Counter[str]:
        counted: Counter[str] = Counter()
        for post in posts.split():
            found = left_open(answers[post], html.unescape(rows[post]["text"]), "en")
            counted["silent" if not found else "put off" if is_put_off(answers[post]) else "open"] += 1
        return counted

    assert told(ANSWERED) == {"open": 3, "put off": 2, "silent": 18}
    assert told(NOT_ANSWERED) == {"open": 2, "put off": 9, "silent": 6}
