"""The catalogs of words: whole, compiled, and read by the pages. The script that keeps them is tests/messages.py."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from django.test import Client
from django.utils import translation

from message_files import Entry, compiled, read_po, written
from messages import (
    ERROR_WORDS,
    PLACE,
    catalogs,
    error_words,
    faults,
    find_all,
    in_template,
    merged,
    raised,
    untranslated,
)
from rapport.store.models import User
from rapport.web.error_words import TEMPLATES
from rapport.web.told import told

CATALOGS = catalogs()


def test_german_is_spoken() -> None:
    assert [path.parent.parent.name for path in CATALOGS] == ["de"]


@pytest.mark.parametrize("path", CATALOGS, ids=lambda path: path.parent.parent.name)
def test_a_catalog_keeps_values_tags_and_plurals_and_is_compiled(path: Path) -> None:
    header, entries = read_po(path.read_text())
    assert faults(entries, header.forms) == []
    assert path.with_suffix(".mo").read_bytes() == compiled(header, entries)
    assert written(header, entries) == path.read_text()


def test_a_translation_that_loses_a_value_a_form_or_a_tag_is_found() -> None:
    good = Entry("", "%(n)s reply", "%(n)s replies", said=("%(n)s Antwort", "%(n)s Antworten"))
    assert faults([good], 2) == []
    bad = [
        Entry("", "%(n)s reply", "%(n)s replies", said=("%(n)s Antwort", "Antworten")),
        Entry("", "%(n)s reply", "%(n)s replies", said=("%(n)s Antwort",)),
        Entry("", "In <b>%(name)s</b>", said=("In %(name)s",)),
        Entry("", "All of %(name)s", said=("Alles von %(nmae)s",)),
        Entry("", "Send", said=("Senden",), flags=("fuzzy",)),
    ]
    assert len(faults(bad, 2)) == len(bad)


def test_strings_of_templates_and_sentences_of_errors_are_found() -> None:
    counted = "{% blocktranslate count n=n %}{{ n }} post{% plural %}{{ n }} posts{% endblocktranslate %}"
    text = '{% load i18n %}{% translate "Go" %}' + counted
    assert list(in_template(text, "x.html")) == [("", "Go", ""), ("", "%(n)s post", "%(n)s posts")]
    tree = ast.parse("raise InvalidInput(f'There is no basket “{row.name}” for {row.name}.')")
    assert list(raised(tree)) == ["There is no basket “%(name)s” for %(name2)s."]


def test_an_error_is_told_in_german_with_its_values() -> None:
    _, entries = read_po(CATALOGS[0].read_text())
    german = {entry.one: entry.said[0] for entry in entries if entry.context == "error" and entry.said}
    for template in TEMPLATES:
        if template not in german:
            continue
        places = {place[2:-2]: f"W{at}" for at, place in enumerate(PLACE.findall(template))}
        raised_words = template % places if places else template
        with translation.override("en"):
            assert told(raised_words) == raised_words
        with translation.override("de"):
            assert told(raised_words) == (german[template] % places if places else german[template])
    with translation.override("de"):
        assert told("410 Gone") == "410 Gone"


@pytest.mark.django_db
def test_pages_speak_the_language_of_the_person_and_before_sign_in_that_of_the_browser(client: Client) -> None:
    # a page leaves its language in force for the thread, and the next test would meet it
    with translation.override("en"):
        user = User.objects.create_user(email="ute@example.com", password="x", name="Ute")
        assert '<html lang="de" dir="ltr"' in client.get("/account/login/", headers={"Accept-Language": "de"}).text
        assert '<html lang="en" dir="ltr"' in client.get("/account/login/", headers={"Accept-Language": "fr"}).text
        User.objects.filter(pk=user.pk).update(language="de")
        client.force_login(user)
        page = client.get("/me/", headers={"Accept-Language": "en"}).text
        assert '<html lang="de" dir="ltr"' in page
        assert "Ihr Profil" in page


def test_every_string_of_the_source_is_said_in_every_language() -> None:
    found = find_all()
    assert found.clashes == []
    assert ERROR_WORDS.read_text() == error_words(found), "run `make messages`"
    for path in CATALOGS:
        _, kept = read_po(path.read_text())
        missing = untranslated(merged(found, kept))
        assert [f"{entry.places[0]}: {entry.one}" for entry in missing] == [], "run `make messages`, then say them"
