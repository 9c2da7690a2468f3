"""Every pack compiles beside the rules that ship, needs only what it brings, and has nothing wrong with it."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest

from rapport.core.decision import NOBODY, PRIORITIES, Decision, Score
from rapport.core.draft import check_template
from rapport.core.post import Author, Post
from rapport.core.reading import Intent, Reading, Sentiment
from rapport.core.rules import DEFAULT_BASKETS, Circumstances, RuleSet, compile_rules, default_document
from rapport.core.rules.analysis import find_flaws
from rapport.core.rules.cost import SET_STEPS
from rapport.core.rules.edit import pieces
from rapport.core.rules.pack import PACKS, add_pack, has_pack, read_pack

NOON = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)
SHIPPED = len(compile_rules(default_document()).rules)
SHIPPED_REPLIES = {"sorry", "thanks", "sales", "answer", "review"}


@pytest.mark.parametrize("slug", PACKS)
def test_a_pack_needs_only_what_it_brings_and_has_nothing_wrong_with_it(slug: str) -> None:
    pack = read_pack(slug)
    baskets = {basket.slug for basket in DEFAULT_BASKETS} | {basket.slug for basket in pack.baskets}
    replies = SHIPPED_REPLIES | {reply.slug for reply in pack.replies}
    rules = compile_rules(add_pack(default_document(), pack), baskets=baskets, replies=replies)
    assert find_flaws(rules) == []
    assert len(rules.rules) == SHIPPED + len(pack.rules)
    named = {action.partition(":")[2] for rule in pack.rules for action in rule["then"] if action.startswith("draft:")}
    assert {reply.slug for reply in pack.replies} <= named
    for reply in pack.replies:
        check_template(reply.text)
        assert "{first_name}" in reply.text


@pytest.mark.parametrize("slug", PACKS)
def test_a_pack_is_added_once_behind_the_noise_and_changes_nothing_else(slug: str) -> None:
    pack = read_pack(slug)
    document = default_document()
    added = add_pack(document, pack)
    assert add_pack(added, pack) == added
    assert has_pack(added, pack)
    assert not has_pack(document, pack)
    names = [piece.name for piece in pieces(added)]
    first = names.index(pack.rules[0]["name"])
    assert names[first + len(pack.rules)] == "Bad review"
    assert "Repost" in names[:first]
    assert added.index("pack: ") < added.index("- reviews\n") < added.index('"Bad review"')
    before, _, rest = added.partition(f"# {'-' * 64} pack: {pack.name}\n")
    assert before + rest.replace(pack.text + "\n\n", "", 1) == document


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(PACKS, 2)))
def test_two_packs_go_together(one: str, other: str) -> None:
    document = add_pack(add_pack(default_document(), read_pack(one)), read_pack(other))
    assert len(compile_rules(document).rules) == SHIPPED + len(read_pack(one).rules) + len(read_pack(other).rules)


def test_a_pack_goes_into_an_empty_document() -> None:
    assert compile_rules(add_pack("", read_pack("shop"))).rules[0].name.startswith("Shop: ")


def test_a_pack_that_is_not_there_is_no_pack() -> None:
    with pytest.raises(KeyError):
        read_pack("../default")


SAID = [
    ("shop", "where is my order", "Where is my parcel? It was due on Monday.", {"question": 0.8}),
    ("shop", "where is my order", "Meine Bestellung ist noch nicht angekommen", {"complaint": 0.6}),
    ("shop", "where is my order", "Toujours pas reçu ma commande", {"complaint": 0.6}),
    ("shop", "where is my order", "Mi pedido no ha llegado", {"complaint": 0.6}),
    ("shop", "broken or wrong", "The cup came cracked", {"complaint": 0.6}),
    ("shop", "refund or return", "Ich möchte das Geld zurück", {"request": 0.7}),
    ("shop", "payment", "Mi tarjeta rechazada otra vez", {"complaint": 0.5}),
    ("shop", "is it in stock", "Ist die Jacke wieder da?", {"question": 0.8}),
    ("shop", "a happy buyer", "Colis reçu, merci", {"praise": 0.8}),
    ("software", "it is down", "Are your servers down?", {"question": 0.8}),
    ("software", "it is down", "Habt ihr gerade einen Ausfall?", {"question": 0.8}),
    ("software", "account", "J'ai oublié mon mot de passe", {"request": 0.6}),
    ("software", "account", "I can’t log in", {"complaint": 0.5}),
    ("software", "about to leave", "I am switching to another app", {"complaint": 0.6}),
    ("software", "about to leave", "Dann werde ich mein Abo kündigen", {"negative": 0.7}),
    ("software", "billing", "Why was I charged twice?", {"question": 0.7}),
    ("software", "a fault", "La app se cierra sola desde la última actualización", {"complaint": 0.5}),
    ("software", "a wish", "Es wäre toll, wenn man Listen teilen kann", {}),
    ("software", "how do I", "Wie kann ich meine Daten ausführen?", {"question": 0.8}),
    ("airline", "a person in need", "Wo ist der Rollstuhl für meine Mutter?", {"question": 0.7}),
    ("airline", "stranded now", "We are stuck in Vienna since noon", {"complaint": 0.6}),
    ("airline", "stranded now", "Bloqués à Lyon depuis ce matin", {"complaint": 0.6}),
    ("airline", "baggage", "Mein Koffer fehlt", {"complaint": 0.4}),
    ("airline", "delayed or cancelled", "Vuelo cancelado sin aviso", {"complaint": 0.7}),
    ("airline", "refund or claim", "When does my refund come?", {"question": 0.8}),
    ("airline", "booking and check-in", "What may my bags weigh?", {"question": 0.8}),
    ("airline", "thanks to a crew", "Merci à l'équipage", {"praise": 0.8}),
    ("public-body", "danger", "Im Hof ist Gasgeruch", {"report": 0.6}),
    ("public-body", "danger", "There is a gas leak on the corner", {"urgency": 0.6}),
    ("public-body", "formal request", "Quiero presentar una queja formal", {"request": 0.6}),
    ("public-body", "broken in the street", "The street light by the school is out", {"report": 0.5}),
    ("public-body", "broken in the street", "Un nid-de-poule devant la mairie", {"report": 0.5}),
    ("public-body", "hours and appointments", "Wann habt ihr geöffnet?", {"question": 0.8}),
    ("public-body", "papers", "¿Qué necesito para el pasaporte?", {"question": 0.8}),
    ("agency", "somebody who wants to sell to us", "Get more followers this week", {"spam": 0.6}),
    ("agency", "asks for an offer", "Can we get a quote for a new site?", {"question": 0.7}),
    ("agency", "asks for an offer", "Wir suchen eine Agentur", {}),
    ("agency", "invitation", "Would you come to our podcast?", {"question": 0.7}),
    ("agency", "wants to work with us", "Bietet ihr ein Praktikum an?", {"question": 0.7}),
    ("agency", "said of our work", "Great campaign", {"praise": 0.8}),
]


@pytest.mark.parametrize(("slug", "rule", "text", "read"), SAID)
def test_a_pack_knows_what_is_said_in_four_languages(slug: str, rule: str, text: str, read: dict[str, float]) -> None:
    assert fired(slug, text, read) == [f"{read_pack(slug).name}: {rule}"]


UNSAID = [
    ("software", "My phone is fully charged", {"question": 0.5}),
    ("public-body", "Isso foi ótimo", {"question": 0.5}),
    ("public-body", "Tengo un sueño", {"complaint": 0.5}),
    ("airline", "Found my bag, thank you so much", {"praise": 0.8}),
    ("agency", "Cena en el Casino", {"spam": 0.6}),
]


@pytest.mark.parametrize(("slug", "text", "read"), UNSAID)
def test_a_pack_passes_over_words_that_only_look_alike(slug: str, text: str, read: dict[str, float]) -> None:
    assert fired(slug, text, read) == []


@pytest.mark.parametrize("slug", PACKS)
def test_a_pack_makes_no_complaint_less_pressing_than_it_is_without(slug: str) -> None:
    shipped, packed = (
        compile_rules(one) for one in (default_document(), add_pack(default_document(), read_pack(slug)))
    )
    for _, _, text, _ in SAID:
        for urgency in (0.1, 0.9):
            read = {"complaint": 0.9, "urgency": urgency}
            before, after = (PRIORITIES.index(decide(rules, text, read).priority) for rules in (shipped, packed))
            assert after >= before, text


def test_the_words_of_a_pack_cost_little_so_that_all_packs_go_together() -> None:
    document = default_document()
    for slug in PACKS:
        document = add_pack(document, read_pack(slug))
    assert sum(rule.cost for rule in compile_rules(document).rules) < SET_STEPS / 20


def fired(slug: str, text: str, read: dict[str, float]) -> list[str]:
    """The rules of a pack that sort a post with these readings."""
    pack = read_pack(slug)
    decided = decide(compile_rules(pack.text), text, read)
    return [step.rule for step in decided.trace if any(each.startswith("basket:") for each in step.actions)]


def decide(rules: RuleSet, text: str, read: dict[str, float]) -> Decision:
    intent = Intent(**{name: share for name, share in read.items() if name in Intent.__struct_fields__})
    mood = Sentiment("negative", read["negative"], 0.0, 0.0) if "negative" in read else Sentiment()
    post = Post(network="x", id="1", text=text, created_at=NOON, author=Author(handle="ann"), mentions=("us",))
    urgency, spam = read.get("urgency", 0.0), read.get("spam", 0.0)
    reading = Reading("x", "1", "en", 1.0, mood, intent=intent, urgency=urgency, spam=spam)
    return rules.decide(post, reading, Score(), NOBODY, (), Circumstances(NOON))
