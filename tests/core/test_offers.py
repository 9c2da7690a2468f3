"""Sums of money in texts, and limits."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.core.errors import InvalidInput
from rapport.core.offers import Limit, highest_above, read_amount, stand, sums_in

EUR = Limit("refund", Decimal(40), "EUR")


@pytest.mark.parametrize(
    ("text", "sums"),
    [
        ("We give you €50 back", ["50"]),
        ("50 € oder 1.250,50 EUR", ["50", "1250.50"]),
        ("That is $1,250.50!", ["1250.50"]),
        ("20 dollars, 3 pounds and 5 quid", ["20", "3", "5"]),
        ("100kr tillbaka, 10,000 rupees", ["100", "10000"]),
        ("EUR40.5 or CHF 12", ["40.5", "12"]),
        ("call +49 30 123456, at 12:30, order 4711, 50km", []),
        ("the 5 star iPhone12 for 2 people", []),
        ("at 12:30 GBP opens", []),
    ],
)
def test_sums_are_found_in_the_ways_that_people_write_them(text: str, sums: list[str]) -> None:
    assert [money.amount for money in sums_in(text)] == [Decimal(each) for each in sums]


@pytest.mark.parametrize(
    ("typed", "amount"),
    [
        ("40", "40"),
        ("12,5", "12.5"),
        ("1.250,50", "1250.50"),
        ("1,250.50", "1250.50"),
        ("1 250", "1250"),
        ("４０", "40"),
        ("", None),
    ],
)
def test_what_is_typed_as_a_sum_is_read_in_either_way_of_writing(typed: str, amount: str | None) -> None:
    assert read_amount(typed) == (Decimal(amount) if amount else None)


@pytest.mark.parametrize("typed", ["-5", "0", "five", "1e9", "1.2.3", "9" * 12, "5 or 6", "NaN", "\x00"])
def test_what_is_no_sum_is_refused(typed: str) -> None:
    with pytest.raises(InvalidInput):
        read_amount(typed)


@given(st.text(alphabet="0123456789.,' €$£kr EURUSD\u00a0-", max_size=60))
def test_no_text_breaks_the_reading_of_sums(text: str) -> None:
    assert all(money.amount > 0 and money.currencies for money in sums_in(text))


@pytest.mark.parametrize(
    ("limit", "amount", "currency", "decides", "found"),
    [
        (None, Decimal(5), "EUR", False, "never"),
        (None, Decimal(5), "EUR", True, "within"),
        (EUR, Decimal(40), "EUR", False, "within"),
        (EUR, Decimal("40.01"), "EUR", False, "above"),
        (EUR, Decimal("40.01"), "EUR", True, "above"),
        (EUR, None, "", False, "no-sum"),
        (EUR, Decimal(5), "USD", False, "other-currency"),
        (Limit("callback"), None, "", False, "within"),
    ],
)
def test_a_limit_holds_for_the_role_that_has_it(
    limit: Limit | None, amount: Decimal | None, currency: str, decides: bool, found: str
) -> None:
    assert stand(limit, amount, currency, decides) == found


def test_a_sum_above_every_limit_is_seen_unless_they_named_it_or_it_was_allowed() -> None:
    limits = {"refund": EUR, "callback": Limit("callback")}
    above = highest_above("We give you €50, or 20 €.", "", limits)
    assert above is not None
    assert above.amount == 50
    assert highest_above("You paid €59.99, we look into it.", "I paid 59.99 EUR for this!", limits) is None
    assert highest_above("We give you €50.", "", limits, [(Decimal(50), "EUR")]) is None
    assert highest_above("We give you $50.", "", limits) is None  # no limit is in dollars
    assert highest_above("We give you $50.", "", {"refund": Limit("refund", Decimal(40), "CAD")}) is not None
