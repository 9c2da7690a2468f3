"""Faults of rules and queries in German, with their places, values and the nearest names."""

from __future__ import annotations

import pytest
from django.utils import translation

from rapport.core.errors import InvalidQuery, InvalidRule
from rapport.core.query.parse import parse
from rapport.core.rules import compile_rules
from rapport.web.fault_words import said_fault, said_with
from rapport.web.told import told

RULES = {
    "": "Zeile 3, Spalte 9: die Bedingung ist leer; schreiben Sie eine, oder true",
    "complant > 1": "Zeile 3, Spalte 9: das Feld complant gibt es nicht; meinten Sie complaint?",
    "complaint and": "Spalte 22: die Bedingung endet zu früh; erwartet: ein Feld, eine Zahl",
    'complaint > "a"': "complaint ist eine Zahl und lässt sich damit nicht vergleichen: ein Text",
    "complaint + now > 3": "eine Zahl + ein Zeitpunkt lässt sich nicht ausrechnen; meinten Sie now - 2 days?",
    "min(praise) > 1": "min nimmt 2 oder mehr Angaben, und hier sind es 1; meinten Sie min(praise, irony)?",
    "complaint like 3": "erwartet: ein Vergleich, + - * /, and, or, das Ende; meinten Sie matches?",
    'text matches "("': "das Muster wird abgelehnt: es fehlt eine ): (",
    "a" * 5000: "die Bedingung hat 5.000 Zeichen; höchstens 4.000 werden gelesen",
}
QUERIES = {
    "": "bei Zeichen 1: die Suche ist leer; erwartet: ein Wort, nach dem gesucht wird",
    "from:ann": "das Feld „from“ gibt es nicht; meinten Sie author:ann?; erwartet: eines von raw, author",
    "a NEAR/0 b": "bei Zeichen 3: ein Abstand von 0; erwartet: ein Abstand von 1 bis 1.000",
    "a OR": "bei Zeichen 5: die Suche endet zu früh; erwartet: ein Wort, eine Wortfolge in Anführungszeichen",
    "(a": "diese Gruppe wird nie geschlossen; erwartet: eine „)“, vielleicht ganz am Ende",
}
ACTIONS = {
    "basket:caer": "den Korb caer gibt es nicht; meinten Sie care?",
    "draft:sory": "Textbaustein sory gibt es nicht; meinten Sie sorry?",
    "survey:tant": "die Umfrage tant gibt es nicht; meinten Sie tent?",
    "basket": "basket braucht eine Angabe; meinten Sie basket:SLUG?",
}


def told_rule(when: str = "true", then: str = "basket:care") -> str:
    document = f'[[rule]]\nname = "x"\nwhen = {chr(39)}{when}{chr(39)}\nthen = ["{then}"]\n'
    with pytest.raises(InvalidRule) as raised:
        compile_rules(document, baskets={"care"}, replies={"sorry"}, surveys={"tent"})
    with translation.override("en"):
        assert told(raised.value) == str(raised.value)
    with translation.override("de"):
        return told(raised.value)


@pytest.mark.parametrize("when", RULES, ids=lambda when: when[:20])
def test_a_fault_of_a_condition_is_said_in_german(when: str) -> None:
    assert RULES[when] in told_rule(when)


@pytest.mark.parametrize("then", ACTIONS)
def test_a_fault_of_an_action_is_said_in_german(then: str) -> None:
    assert ACTIONS[then] in told_rule(then=then)


@pytest.mark.parametrize("query", QUERIES)
def test_a_fault_of_a_query_is_said_in_german(query: str) -> None:
    with pytest.raises(InvalidQuery) as raised:
        parse(query)
    with translation.override("de"):
        assert QUERIES[query] in told(raised.value)
    with translation.override("en"):
        assert told(raised.value) == str(raised.value)


def test_what_toml_says_is_german_too_and_what_nobody_knows_stays() -> None:
    with pytest.raises(InvalidRule) as raised:
        compile_rules("a = \n")
    with translation.override("de"):
        assert told(raised.value) == "Zeile 1, Spalte 5: kein TOML: ungültiger Wert"
        assert said_fault("the moon is full") == "the moon is full"
        assert said_with("the moon is full", "") == "the moon is full"
        assert (
            said_with("the list is empty", "a point, as 0.5") == "die Liste ist leer; meinten Sie einen Punkt, wie 0.5?"
        )
