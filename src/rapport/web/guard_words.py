"""What the guard says, in the language of whoever reads the page.

The guard speaks plain English (the ledger, the API and the command line keep its words). Each rule says one of a few
sentences; here they stand as patterns of gettext, and a finding is said anew from the values in its words.
"""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache

from django.utils.formats import date_format
from django.utils.translation import get_language, gettext, ngettext
from django.utils.translation import gettext_noop as _

from rapport.core.reply import Finding
from rapport.web.network_words import said_network

#: rule -> every sentence that it says, as reason or as remedy
SENTENCES: dict[str, tuple[str, ...]] = {
    "human-only": (_("Nobody has approved this reply."), _("A person reads it and presses send.")),
    "unread-draft": (
        _("A service wrote these words, and nobody has changed or confirmed them."),
        _("Change them, or say that you have read them and they stand as they are."),
    ),
    "unreadable": (_("The text contains characters that cannot be sent."), _("Type it anew.")),
    "empty": (_("There is nothing to read in this reply."), _("Write something.")),
    "too-long": (
        _("%(used)s of %(most)s characters, as %(network)s counts."),
        _("Shorten it by %(over)s."),
        _("%(used)s of %(most)s bytes."),
        _("Use fewer emoji and combined letters."),
    ),
    "no-alt": (
        _("An image says nothing to those who cannot see it."),
        _("Write what is to be seen, or tick that it needs no words."),
    ),
    "x-cashtag": (
        _("%(used)s $TICKERs; the network takes %(most)s in a post of a program."),
        _("Leave the others without the $."),
    ),
    "window": (
        _("Their last word is over %(span)s old; until the next one the network takes no message."),
        _("Wait for their next word, or answer in public."),
    ),
    "suppressed": (_("Nothing goes to this person any more: %(why)s."), _("Leave them in peace.")),
    "deleted": (_("The post that this answers is gone."), _("Choose another post, or let it be.")),
    "channel-off": (
        _("The account has to be connected again."),
        _("The account has to be connected again (%(why)s)."),
        _("The account is not connected."),
        _("The account is not connected (%(why)s)."),
        _("Connect it under Sources; then the reply can go out."),
    ),
    "crisis-hold": (_("Every queue stands still: %(why)s."), _("A lead lifts the hold.")),
    "x-handover": (
        _("They have neither mentioned nor quoted us, and the network takes no answer of a program to them."),
        _("Open the post on the site and answer there; the text is copied for you."),
    ),
    "budget": (
        _("This costs %(price)s; %(spent)s of %(most)s are spent %(when)s."),
        _("An admin can raise the budget of the account."),
    ),
    "pace": (
        _("This account has used %(most)s %(what)s in %(span)s, which is all it may."),
        _("The app that speaks for this account has used %(most)s %(what)s in %(span)s, which is all it may."),
        _("It goes out by itself at %(time)s UTC."),
    ),
    "near-same": (
        _("Nearly the same words (%(percent)s) went to somebody else on %(moment)s UTC."),
        _("Nearly the same words (%(percent)s) went from another of our accounts on %(moment)s UTC."),
        _("Nearly the same words (%(percent)s) were said in a post of ours on %(moment)s UTC."),
        _("Say it in your own words, to this person."),
        _("Say it in other words."),
    ),
    "pile-on": (_("%(count)s replies by brands since they last spoke."), _("Wait for their answer.")),
    "person-cap": (
        _("We have written %(count)s times to them within a day, and they have not answered."),
        _("Wait for their answer."),
    ),
    "unfit-offer": (
        _("They said that this is of no use to them: “%(words)s”."),
        _("They declined a %(kind)s before."),
        _("They said that they will not come back: “%(words)s”. A %(kind)s serves only whoever does."),
        _("They dislike what it is for: “%(words)s”."),
        _("Offer what mends it, or ask what would."),
    ),
    "bot": (
        _("This account says that it is automated."),
        _("Answer it only if a person will read it."),
        _("This account is probably automated (%(why)s)."),
        _("Answer it only if a person will read it; if it is no bot, say so on their page."),
    ),
}
#: rule -> a few words for a chip; the ledger and the API keep the id
NAMES: dict[str, str] = {
    "human-only": _("approval missing"),
    "unread-draft": _("unread draft"),
    "unreadable": _("unreadable characters"),
    "empty": _("empty text"),
    "too-long": _("too long"),
    "no-alt": _("image without words"),
    "x-cashtag": _("too many $TICKERs"),
    "window": _("too late to write directly"),
    "suppressed": _("not to be written to"),
    "deleted": _("post gone"),
    "channel-off": _("account off"),
    "crisis-hold": _("everything held"),
    "x-handover": _("to be answered on the site"),
    "budget": _("budget spent"),
    "pace": _("limit of the network"),
    "near-same": _("nearly the same words"),
    "pile-on": _("many answers by brands"),
    "person-cap": _("written to often enough"),
    "unfit-offer": _("offer does not fit"),
    "bot": _("automated account"),
}
#: sentences that hang on to a reason, whatever the rule
AFTER = (_("A lead has set this aside."), _("This one was let through."))
_PART = _("Post %(number)s: %(said)s")
#: words inside a sentence
_INSIDE = frozenset(
    (
        _("today"), _("this month"), _("points"), _("posts"), _("replies"), _("likes"), _("likes taken back"),
        _("boosts"), _("boosts taken back"), _("follows"), _("follows taken back"), _("deletions"), _("edits"),
        _("a day (it begins at 00:00 UTC)"), _("voucher"), _("discount"),
    )
)  # fmt: skip
_RULE = re.compile(rf"(?:^| )({'|'.join(sorted(SENTENCES, key=len, reverse=True))}): ")
_PLACE = re.compile(r"%\((\w+)\)s")


def rule_name(rule: str) -> str:
    """A rule of the guard in a few words of the language in force; its id where none is known."""
    return gettext(NAMES[rule]) if rule in NAMES else rule


def said_reason(finding: Finding) -> str:
    """Why, in the language in force; the guard's own words where none is known."""
    return finding.reason if _is_english() else _reason(finding.rule, finding.reason)


def said_remedy(finding: Finding) -> str:
    """What to do about it, in the language in force."""
    return finding.remedy if _is_english() else _say(finding.rule, finding.remedy) or finding.remedy


def said_cause(cause: str) -> str:
    """Why a delivery waits, as `actions.outbound.describe` wrote it ("rule: reason remedy", one after the other); each
    rule by its name.
    """
    pieces = _RULE.split(cause)
    if len(pieces) == 1:
        return cause if _is_english() else said_network(cause) or cause
    said = " ".join(
        f"{_with_capital(rule_name(rule))}: {text.strip() if _is_english() else _reason_and_remedy(rule, text.strip())}"
        for rule, text in zip(pieces[1::2], pieces[2::2], strict=True)
    )
    return f"{pieces[0]} {said}".strip()


def _with_capital(name: str) -> str:
    return name[:1].upper() + name[1:]


def _is_english() -> bool:
    return (get_language() or "en").startswith("en")


def _reason_and_remedy(rule: str, text: str) -> str:
    for remedy, _pattern in patterns(rule):
        # the remedy first: a value at the end of a reason would take it in
        tail = re.search(f" ({_expression(remedy)})$", text, re.DOTALL)
        if tail is not None and (said := _reason(rule, text[: tail.start()])) != text[: tail.start()]:
            return f"{said} {_say(rule, tail[1]) or tail[1]}"
    return _reason(rule, text)


def _reason(rule: str, text: str) -> str:
    part = re.fullmatch(r"Post (\d+): (.*)", text, re.DOTALL)
    said = part[2] if part is not None else text
    tail = next((each for each in AFTER if said.endswith(f" {each}")), "")
    bare = said.removesuffix(f" {tail}") if tail else said
    said = _say(rule, bare) or bare
    if tail:
        said = f"{said} {gettext(tail)}"
    return said if part is None else gettext(_PART) % {"number": part[1], "said": said}


def _say(rule: str, text: str) -> str | None:
    """A sentence of the rule in the language in force; None = it is none of the table."""
    for template, pattern in patterns(rule):
        values = pattern.fullmatch(text)
        if values is not None:
            inside = {name: _inside(name, value) for name, value in values.groupdict().items()}
            return gettext(template) % inside if inside else gettext(template)
    return None


def _inside(name: str, value: str) -> str:
    """A value as it stands in a sentence of this language."""
    if name == "moment":
        # a year that has every day: the sentence names none
        moment = dt.datetime.strptime(f"2024 {value} +0000", "%Y %d %B, %H:%M %z")
        return date_format(moment, gettext("j F, H:i"))
    if name == "span" and (length := re.fullmatch(r"(\d+) (day|hour|minute|second)s?", value)):
        n = int(length[1])
        words = {
            "day": ngettext("%(n)d day", "%(n)d days", n),
            "hour": ngettext("%(n)d hour", "%(n)d hours", n),
            "minute": ngettext("%(n)d minute", "%(n)d minutes", n),
            "second": ngettext("%(n)d second", "%(n)d seconds", n),
        }[length[2]]
        return words % {"n": n}
    return gettext(value) if value in _INSIDE else value


@lru_cache(maxsize=64)
def patterns(rule: str) -> tuple[tuple[str, re.Pattern[str]], ...]:
    """The sentences of a rule and what matches each."""
    return tuple((each, re.compile(_expression(each), re.DOTALL)) for each in SENTENCES.get(rule, ()))


def _expression(template: str) -> str:
    pieces = _PLACE.split(template)
    return "".join(f"(?P<{each}>.+?)" if at % 2 else re.escape(each) for at, each in enumerate(pieces))
