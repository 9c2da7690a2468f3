"""Discretion in numbers: what a role may offer and up to how much, and the sums of money that stand in a text."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Literal

import msgspec

from rapport.core.errors import InvalidInput

#: ISO 4217 codes that an allowance or an offer can be in
CURRENCIES = (
    "EUR", "USD", "GBP", "CHF", "AED", "AUD", "BRL", "CAD", "CNY", "CZK", "DKK", "HKD", "HUF", "ILS", "INR", "JPY",
    "KRW", "MXN", "NOK", "NZD", "PLN", "RON", "SEK", "SGD", "THB", "TRY", "UAH", "ZAR",
)  # fmt: skip
#: more is a slip of the keyboard, and no column holds it
MOST = Decimal("99999999.99")

#: within what the role may offer; above its limit; not to be offered by the role at all; limited, and no sum is named;
#: in another currency than the limit
Standing = Literal["within", "above", "never", "no-sum", "other-currency"]

_DOLLARS = frozenset({"USD", "AUD", "CAD", "HKD", "MXN", "NZD", "SGD"})
_CROWNS = frozenset({"SEK", "NOK", "DKK", "CZK"})
#: what people write for a currency -> the currencies that it can mean
_SIGNS: dict[str, frozenset[str]] = {
    "€": frozenset({"EUR"}), "£": frozenset({"GBP"}), "¥": frozenset({"JPY", "CNY"}), "₹": frozenset({"INR"}),
    "$": _DOLLARS, "₺": frozenset({"TRY"}), "₩": frozenset({"KRW"}), "zł": frozenset({"PLN"}), "kr": _CROWNS,
    "sfr": frozenset({"CHF"}), "r$": frozenset({"BRL"}),
    "euro": frozenset({"EUR"}), "euros": frozenset({"EUR"}), "dollar": _DOLLARS, "dollars": _DOLLARS,
    "bucks": _DOLLARS, "pound": frozenset({"GBP"}), "pounds": frozenset({"GBP"}), "quid": frozenset({"GBP"}),
    "franken": frozenset({"CHF"}), "rupees": frozenset({"INR"}), "kronor": _CROWNS, "kroner": _CROWNS,
    **{code.lower(): frozenset({code}) for code in CURRENCIES},
}  # fmt: skip
_NUMBER = r"(?:\d{1,3}(?:[.,'’ \u00a0\u202f]\d{3})+|\d{1,9})(?:[.,]\d{1,2})?(?![\d])"
_SIGN = "|".join(sorted((re.escape(sign) for sign in _SIGNS), key=len, reverse=True))
_SUM = re.compile(
    rf"(?<![\w.,])(?P<before>{_SIGN})\s?(?P<first>{_NUMBER})|(?<![\w.,:-])(?P<second>{_NUMBER})\s?(?P<after>{_SIGN})(?!\w)",
    re.IGNORECASE,
)
MOST_CHARACTERS = 20_000  # of a text that is looked through


class Money(msgspec.Struct, frozen=True):
    """A sum, and the currencies that it can be in: "$" alone says no more than dollars."""

    amount: Decimal
    currencies: frozenset[str]


class Limit(msgspec.Struct, frozen=True):
    """What a role may offer by its own judgement."""

    what: str
    #: None = it has no sum, or no limit
    most: Decimal | None = None
    #: "" = any
    currency: str = ""


def read_amount(text: str) -> Decimal | None:
    """What somebody typed as a sum: "1,250.50", "1.250,50", "12,5", "40". Empty is None. Raises `InvalidInput`."""
    plain = re.sub(r"[\s'’]", "", text)
    if not plain:
        return None
    if re.fullmatch(r"\d{1,3}(?:[.,]\d{3})*(?:[.,]\d{1,2})?|\d+(?:[.,]\d{1,2})?", plain) is None or len(plain) > 16:
        raise InvalidInput(f"“{text.strip()[:30]}” is no sum; write it as 40 or 12.50.")
    amount = _number(plain)
    if amount <= 0 or amount > MOST:
        raise InvalidInput("Write a sum above 0.")
    return amount


def sums_in(text: str) -> tuple[Money, ...]:
    """The sums of money that a text names, in their order."""
    found = []
    for match in _SUM.finditer(text[:MOST_CHARACTERS]):
        sign = (match["before"] or match["after"]).lower()
        try:
            amount = _number(re.sub(r"[\s'’]", "", match["first"] or match["second"]))
        except InvalidOperation:
            continue
        if amount > 0:
            found.append(Money(amount, _SIGNS[sign]))
    return tuple(found)


def stand(limit: Limit | None, amount: Decimal | None, currency: str, decides: bool) -> Standing:
    """Whether something may be offered without asking.

    limit: that of the role for this thing, None where it has none; `decides`: the role decides on offers of others,
    which stands for everything that it has no limit for.
    """
    if limit is None:
        return "within" if decides else "never"
    if limit.most is None:
        return "within"
    if amount is None:
        return "no-sum"
    if limit.currency and currency != limit.currency:
        return "other-currency"
    return "within" if amount <= limit.most else "above"


def highest_above(
    text: str, theirs: str, limits: Mapping[str, Limit], settled: Iterable[tuple[Decimal, str]] = ()
) -> Money | None:
    """The highest sum in a reply that is above everything that the role may offer; None where there is none.

    theirs: the words that are answered: a sum that they named themselves is no offer. settled: (amount, currency) of
    offers that are within the limit or were allowed. A currency that no limit is in has no limit.
    """
    named = {money.amount for money in sums_in(theirs)}
    allowed = list(settled)
    above = [
        money
        for money in sums_in(text)
        if money.amount not in named
        and (most := _most_in(money.currencies, limits)) is not None
        and money.amount > most
        and not any(money.amount <= amount and currency in money.currencies for amount, currency in allowed)
    ]
    return max(above, key=lambda money: money.amount, default=None)


def _most_in(currencies: Collection[str], limits: Mapping[str, Limit]) -> Decimal | None:
    """The highest limit in one of these currencies; None where there is none, or one thing has none."""
    near = [limit for limit in limits.values() if limit.currency in currencies]
    found = [limit.most for limit in near if limit.most is not None]
    return max(found) if found and len(found) == len(near) else None


def _number(plain: str) -> Decimal:
    """ "1.250,50" and "1,250.50" -> 1250.50; "1.250" -> 1250; "12,5" -> 12.5."""
    cents = re.search(r"[.,](\d{1,2})\Z", plain)
    whole = re.sub(r"\D", "", plain[: cents.start()] if cents else plain)
    return Decimal(f"{whole}.{cents[1]}") if cents else Decimal(whole)
