"""The page of a rule tells what it says, what it did, and why it did not fire on a certain post."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from conftest import NOON
from rapport.actions import desk
from rapport.actions.rules import save_rules
from rapport.core.post import Author, Post
from rapport.core.rules import default_document
from rapport.store.models import Basket, Conversation, RuleDay, RuleSet
from rapport.store.models import Post as Row

pytestmark = pytest.mark.django_db

Hear = Callable[..., Any]
Make = Callable[..., Post]
LIST, PAGE = "/w/fernway/settings/rules/list/", "/w/fernway/settings/rules/rule/"
BOT = Author(id="b", handle="b", name="Beep", bot=True)


@pytest.fixture
def browser(alice: Any) -> Client:
    client = Client()
    client.force_login(alice.user)
    return client


def read(browser: Client, address: str, **query: str) -> str:
    answer = browser.get(address, query)
    assert answer.status_code == 200, answer.content
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def test_the_list_tells_of_every_rule_what_it_did(browser: Client, hear: Hear, make_post: Make) -> None:
    hear(make_post("Beep", author=BOT))
    RuleDay.objects.filter(rule="Automated account").update(fired=20, overridden=5, broken=2)
    shown = read(browser, LIST)
    assert "Automated account puts the tag bot on it, makes its priority low 20 25.0 % 2" in shown
    assert shown.index("Ignored person") < shown.index("Automated account")


def test_a_rule_is_told_in_words_with_what_it_fired_on(browser: Client, hear: Hear, make_post: Make) -> None:
    hear(make_post("Beep beep says the machine", author=BOT))
    shown = read(browser, PAGE, name="Repost by a bot")
    assert "When kind is repost and author.bot is yes" in shown
    assert "puts it into the quarantine" in shown
    assert "no later rule is tried" in shown
    shown = read(browser, PAGE, name="Automated account")
    assert "Beep beep says the machine" in shown
    assert "fired 1" in shown


def test_what_people_decided_otherwise_is_listed_on_the_rule(
    browser: Client, alice: Any, hear: Hear, make_post: Make
) -> None:
    hear(make_post("A repost", kind="repost", author=BOT))
    desk.take_out(alice, Conversation.objects.get(), Basket.objects.get(slug="care"), now=NOON)
    shown = read(browser, PAGE, name="Repost by a bot")
    assert "taken out of the quarantine into care" in shown
    assert "overridden 1" in shown


def test_a_rule_that_was_not_tried_names_the_one_that_ended_the_list(
    browser: Client, hear: Hear, make_post: Make
) -> None:
    hear(make_post("A repost", kind="repost", author=BOT, id="991", url="https://social.example/@b/991"))
    shown = read(browser, PAGE, name="Repost", post="https://social.example/@b/991")
    assert "It was not tried: the rule “Repost by a bot” matched before it" in shown
    assert "By itself it would have matched" in shown
    talk = Conversation.objects.get()
    shown = read(browser, PAGE, name="Spam", post=f"http://testserver/w/fernway/c/{talk.pk}/")
    assert "It did not match, because: spam 0" in shown
    assert "It does fire on this post" in read(browser, PAGE, name="Repost by a bot", post=str(talk.pk))


def test_a_rule_of_a_group_that_was_not_tried_is_told_with_the_condition_of_its_group(
    browser: Client, alice: Any, hear: Hear, make_post: Make
) -> None:
    from rapport.actions.rules import save_rules

    document = (
        '[[group]]\nname = "G"\nwhen = "author.bot"\n\n[[rule]]\nname = "All"\nwhen = "true"\nthen = ["tag:a"]\n'
        'stop = true\n\n[[rule]]\nname = "Late"\ngroup = "G"\nwhen = "has_link"\nthen = ["tag:b"]\n'
    )
    save_rules(alice, document, now=NOON)
    hear(make_post("No link", author=BOT))
    shown = read(browser, PAGE, name="Late", post=str(Conversation.objects.get().pk))
    assert "the rule “All” matched before it" in shown
    assert "By itself it would not have matched either: has_link is false" in shown


def test_a_post_by_an_address_that_says_nothing_of_its_id_is_found(
    browser: Client, hear: Hear, make_post: Make
) -> None:
    hear(make_post("Beep", author=BOT, id="at://one/two", url="https://app.example/profile/b/post/two"))
    shown = read(browser, PAGE, name="Automated account", post="https://app.example/profile/b/post/two")
    assert "It does fire on this post" in shown


@pytest.mark.parametrize("link", ["nothing", "https://elsewhere.example/1", "999999", "/w/other/c/1/", "-1", "\x00"])
def test_a_post_that_is_not_known_is_said_to_be_unknown(
    browser: Client, hear: Hear, make_post: Make, link: str
) -> None:
    hear(make_post("Beep", author=BOT, id="1"))
    assert "No post is known here by this link" in read(browser, PAGE, name="Spam", post=link)


def test_the_versions_that_changed_a_rule_are_told(browser: Client, alice: Any) -> None:
    from rapport.actions.rules import save_rules
    from rapport.core.rules import default_document

    changed = default_document().replace("spam >= 0.8", "spam >= 0.9")
    save_rules(alice, changed, "stricter", now=NOON)
    save_rules(alice, changed.replace('name = "Repost"', 'name = "Reposted"'), "another rule", now=NOON)
    shown = read(browser, PAGE, name="Spam")
    assert "Version 2 changed stricter" in shown
    assert "Version 3" not in shown
    assert "Version 1 begun" in shown
    assert "Version 3 begun another rule" in read(browser, PAGE, name="Reposted")


def test_a_rule_that_never_was_is_not_there(browser: Client) -> None:
    assert browser.get(PAGE, {"name": "No such rule"}).status_code == 404


def test_the_reasons_on_the_desk_lead_to_the_rule_for_those_who_may_look(
    browser: Client, alice: Any, ben: Any, hear: Hear, make_post: Make
) -> None:
    hear(make_post("Beep", author=BOT))
    talk = Conversation.objects.get()
    link = f"{PAGE}?name={quote('Automated account').replace('%20', '+')}"
    assert link in browser.get(f"/w/fernway/c/{talk.pk}/").content.decode()
    agent = Client()
    agent.force_login(ben.user)
    page = agent.get(f"/w/fernway/c/{talk.pk}/").content.decode()
    assert "Automated account" in page
    assert PAGE not in page


def test_the_pages_take_few_questions_to_the_database(
    browser: Client, hear: Hear, make_post: Make, django_assert_max_num_queries: Any
) -> None:
    hear(*(make_post(f"Beep {number}", author=BOT) for number in range(5)))
    assert Row.objects.count() == 5
    with django_assert_max_num_queries(30):
        read(browser, LIST)
    with django_assert_max_num_queries(42):
        read(browser, PAGE, name="Automated account")


def test_a_group_is_switched_off_and_on_as_one(browser: Client, alice: Any) -> None:
    grouped = default_document().replace(
        'name = "Spam"', 'name = "Spam"\ngroup = "Noise"', 1
    ).replace("[[rule]]", '[[group]]\nname = "Noise"\n\n[[rule]]', 1)  # fmt: skip
    save_rules(alice, grouped, "", now=NOON)
    page = read(browser, LIST)
    assert "Noise 1 rule Switch off" in page
    where = "/w/fernway/settings/rules/edit/group/"
    sent = {"name": "Noise", "on": "false", "revision": RuleSet.objects.count()}
    browser.post(where, sent)
    newest = RuleSet.objects.order_by("-version")[0]
    assert newest.note == "The group “Noise” off"
    assert newest.document == grouped.replace('name = "Noise"\n', 'name = "Noise"\non = false\n')
    assert "Noise off 1 rule Switch on" in read(browser, LIST)
    told = browser.post(where, {**sent, "on": "true"}, follow=True).content.decode()
    assert "A colleague saved version" in told
    browser.post(where, {**sent, "on": "true", "revision": newest.version})
    assert RuleSet.objects.order_by("-version")[0].document == grouped
    gone = browser.post(where, {**sent, "name": "Rain"}, follow=True).content.decode()
    assert "There is no group “Rain” any more." in gone
