"""What ships is said in the language of whoever makes it, and does the same in each."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from django.utils import translation

from conftest import NOON
from rapport.actions.accounts import create_workspace
from rapport.actions.rules import check_document
from rapport.actions.shipped import names_of_pack, say_pack, say_shipped
from rapport.cli.desk import make_workspace
from rapport.core.draft import check_template
from rapport.core.rules import compile_rules, default_document
from rapport.core.rules.pack import PACKS, add_pack, has_pack, read_pack
from rapport.core.rules.spoken import spoken
from rapport.settings import SettingsError, load_settings
from rapport.store.models import Basket, PreparedReply, RuleSet, User


def conditions(document: str) -> list[tuple[str, bool]]:
    """What stays the same in each language."""
    return [(rule.when, rule.stop) for rule in compile_rules(document).rules]


@pytest.mark.django_db
def test_a_workspace_is_made_in_the_language_of_its_owner() -> None:
    ute = User.objects.create_user(email="ute@example.com", password="x", name="Ute", language="de")
    uli = User.objects.create_user(email="uli@example.com", password="x", name="Uli")
    german = create_workspace(ute, "Fernweg", now=NOON)
    with translation.override("de"):  # the language of the owner counts, not of whoever calls
        english = create_workspace(uli, "Fernroad", now=NOON)
    names: Any = {each: dict(Basket.objects.of(each).values_list("slug", "name")) for each in (german, english)}
    assert names[german]["questions"] == "Fragen"
    assert names[english]["questions"] == "Questions"
    assert names[german].keys() == names[english].keys()
    assert (
        PreparedReply.objects.of(german).get(slug="thanks").text
        == "Danke, {first_name}, das hat uns den Tag verschönert. "
    )
    kept = RuleSet.objects.of(german).get()
    assert 'name = "Wiederholte Beschwerde"' in kept.document
    assert '"tag:wiederholt"' in kept.document
    check_document(german, kept.document)
    assert RuleSet.objects.of(english).get().document == default_document()


@pytest.mark.django_db
def test_the_first_workspace_speaks_the_language_of_the_settings(settings: Any) -> None:
    settings.RAPPORT = msgspec.structs.replace(settings.RAPPORT, language="de")
    made = make_workspace("Fernweg", "fernweg", NOON)
    assert Basket.objects.of(made).get(slug="praise").name == "Lob"
    assert User.objects.get().language == "de"
    with pytest.raises(SettingsError, match="language"):
        load_settings({"RAPPORT_LANGUAGE": "fr"})


def test_the_rules_decide_the_same_in_german() -> None:
    with translation.override("de"):
        german = spoken(default_document(), say_shipped)
    assert conditions(german) == conditions(default_document())
    assert "Escalation" not in german
    assert "# Die Regeln, mit denen ein neuer Arbeitsbereich beginnt." in german


@pytest.mark.parametrize("slug", PACKS)
def test_a_pack_decides_the_same_in_german_and_is_added_once_in_whatever_language(slug: str) -> None:
    plain = read_pack(slug)
    with translation.override("de"):
        pack = say_pack(plain)
    added = add_pack(default_document(), pack)
    assert conditions(added) == conditions(add_pack(default_document(), plain))
    assert [each["name"] for each in pack.rules] != [each["name"] for each in plain.rules]
    assert [each.slug for each in pack.baskets] == [each.slug for each in plain.baskets]
    assert [each.slug for each in pack.replies] == [each.slug for each in plain.replies]
    for reply in pack.replies:
        check_template(reply.text)
    assert has_pack(added, plain, names_of_pack(plain))
    assert add_pack(added, plain, names_of_pack(plain)) == added
    with translation.override("en"):
        assert say_pack(plain) == plain
