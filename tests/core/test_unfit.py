"""An offer that fits the complaint."""

from __future__ import annotations

import time

import pytest

from rapport.core.unfit import Unfit, find_unfit, gifts_in, leaves, refuses_gifts

GIFT = "Here is a €10 voucher for your next order"


@pytest.mark.parametrize(
    ("theirs", "why"),
    [
        ("I don’t want another voucher, I want my money back", "refused"),
        ("Your $10 coupons are useless", "refused"),
        ("A $25 voucher for a ruined wedding, seriously?", "refused"),
        ("Keep your gift cards!", "refused"),
        ("The voucher doesn't even cover a sandwich", "refused"),
        ("Ich brauche keinen Gutschein, ich will mein Geld", "refused"),
        ("I will never order here again", "leaving"),
        ("Nie wieder bestelle ich hier", "leaving"),
        ("You just lost a loyal customer", "leaving"),
    ],
)
def test_a_voucher_is_unfit_for_whoever_wants_none_or_leaves(theirs: str, why: str) -> None:
    found = find_unfit(GIFT, ["Thanks", theirs])
    assert found is not None
    assert (found.kind, found.why) == ("voucher", why)
    assert found.words


@pytest.mark.parametrize(
    "theirs",
    [
        "Where is my parcel?", "How do I redeem my voucher?", "I'd love a voucher", "no more hotel voucher? What now?",
        "Thank you for the vouchers, great service", "Can I use the 10% off twice?", "No voucher, no refund?", "",
    ],
)  # fmt: skip
def test_a_voucher_fits_whoever_says_nothing_against_it(theirs: str) -> None:
    assert find_unfit(GIFT, [theirs]) is None


@pytest.mark.parametrize(
    "draft",
    [
        "We pay your 40 EUR back",
        "We don't offer vouchers, sorry",
        "Not a voucher this time: your money",
        "Leider kein Gutschein",
    ],
)
def test_a_reply_that_offers_no_gift_has_nothing_unfit(draft: str) -> None:
    said = ["no more vouchers please, never again"]
    assert find_unfit(draft, said, ["voucher"]) is None


def test_what_was_declined_is_not_offered_again() -> None:
    assert find_unfit(GIFT, [], ["voucher"]) == Unfit("voucher", "declined")
    assert find_unfit(GIFT, [], ["shop-voucher"]) == Unfit("voucher", "declined")
    assert find_unfit(GIFT, [], ["refund"]) is None


def test_no_coupon_for_what_they_dislike() -> None:
    said = ["The burrito bowl was disgusting. The drinks were fine."]
    found = find_unfit("Take this coupon for a burrito bowl", said)
    assert found == Unfit("voucher", "disliked", "the burrito bowl was disgusting")
    assert find_unfit("Take this coupon for two drinks", said) is None


def test_gifts_are_named_in_several_languages() -> None:
    for text in ("a coupon", "20% off", "ein Gutschein", "10 % Rabatt", "un bon d'achat", "un descuento", "uno sconto"):
        assert gifts_in(text), text
    assert gifts_in("a discount store") == gifts_in("we refund you") == ()


@pytest.mark.parametrize(
    "text", ["voucher " * 4000, "not a " + "a " * 9000 + "gutschein", "never " * 5000, "$" * 20000]
)
def test_no_text_takes_long(text: str) -> None:
    began = time.process_time()
    refuses_gifts(text)
    leaves(text)
    find_unfit(text, [text] * 3)
    assert time.process_time() - began < 2
