"""Marking what a query found."""

from __future__ import annotations

import pytest

from rapport.core.query import highlight, parse


def marked(query: str, text: str) -> list[str]:
    return [text[start:end] for start, end in highlight(parse(query), text)]


@pytest.mark.parametrize(
    ("query", "text", "marks"),
    [
        ("delay OR bag", "DELAY! my bag, #Delay, @delay", ["DELAY", "bag", "#Delay"]),
        ("delay NOT refund", "delay and refund", ["delay"]),
        ("NOT (NOT delay)", "delay", ["delay"]),
        ('"customer service" OR service', "Customer-Service, self service", ["Customer-Service", "service"]),
        ("lost NEAR/2 bag", "lost my bag. The other bag", ["lost", "bag", "bag"]),
        ("delay OR lost NEAR/2 bag", "a delay, lost it far away from the bag", ["delay"]),
        ("cancel* #fail @united", "Cancelled again #FAIL @United's", ["Cancelled", "#FAIL", "@United's"]),
        ("cafe", "Ｃａｆé und cafe\u0301", ["Ｃａｆé", "cafe\u0301"]),
        ("航班 手机", "我的航班和 #手机", ["航班", "#手机"]),
        ('raw:"Air" airasia', "AirAsia air", ["AirAsia"]),
        ("has:media delay", "delay", ["delay"]),
    ],
)
def test_positive_terms_are_marked_in_the_original(query: str, text: str, marks: list[str]) -> None:
    assert marked(query, text) == marks


def test_a_query_may_be_given_as_text() -> None:
    assert highlight("delay", "a delay") == [(2, 7)]
