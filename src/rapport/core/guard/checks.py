"""`check`: may this reply leave the house? Runs at the approval and again just before the send."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Callable, Iterator
from typing import NamedTuple

import msgspec

from rapport.core.guard import length as counting
from rapport.core.guard.policy import Policy, Window
from rapport.core.guard.sameness import essence, similarity
from rapport.core.reply import Finding, Reply, Standing, Verdict


class SentText(NamedTuple):
    """A reply that went out, or is about to."""

    text: str
    #: database id of the person it went to
    person: int
    #: database id of the account that spoke; all are accounts of the network of the reply that is checked
    channel: int
    sent_at: dt.datetime


class GuardFacts(msgspec.Struct, frozen=True):
    """What the guard must know besides the reply itself."""

    #: when this account sent its replies of the last 24 hours, in any order
    sent_times: tuple[dt.datetime, ...] = ()
    #: replies on this network within the last week, by any of our accounts
    recent_texts: tuple[SentText, ...] = ()
    #: database id of the person who is answered, None when it is not known
    person: int | None = None
    #: why nothing may go to them any more (they asked us to stop, we ignore them); "" = nothing stands against it
    person_suppressed: str = ""
    #: their account is automated
    person_bot: bool = False
    #: why we take it for that; "" = it says so itself
    person_bot_reason: str = ""
    #: replies by brands, ours included, since the person last spoke
    brand_replies_since_last_word: int = 0
    #: why every queue of the workspace stands still; "" = it does not
    hold_reason: str = ""
    #: the post that is answered is gone from the network
    target_deleted: bool = False
    #: connected, off, or reauthorise
    channel_state: str = "connected"
    #: what the network said when the account was lost
    channel_reason: str = ""
    #: the server's own limit where it has told us one
    max_length: int | None = None
    #: rules that a lead has set aside for this reply; only those in `OVERRIDABLE` count
    despite: frozenset[str] = frozenset()
    #: it is the one automatic word of a conversation, which stands on the word of the admin who turned it on: nobody
    #: reads it first, and it says the same to everybody
    acknowledgement: bool = False


class Rule(NamedTuple):
    """One rule of the guard, for the reference page."""

    standing: Standing
    meaning: str


RULES: dict[str, Rule] = {
    "human-only": Rule(
        "refuse",
        "nobody approved exactly this reply; no setting turns this off. The acknowledgement, once in a conversation, "
        "stands on the word of the admin who turned it on",
    ),
    "unreadable": Rule("refuse", "the text contains characters that cannot be sent (NUL, half a surrogate pair)"),
    "empty": Rule("refuse", "the text has no visible character"),
    "too-long": Rule("refuse", "the text is longer than the network takes, as it counts"),
    "suppressed": Rule("refuse", "the person asked us to stop, or a colleague decided to ignore them"),
    "deleted": Rule("refuse", "the post that would be answered is gone"),
    "channel-off": Rule("hold", "the account is switched off or has to be connected again"),
    "crisis-hold": Rule("hold", "every queue of the workspace stands still"),
    "pace": Rule("hold", "the network's limit for this account is used up; the reply goes out by itself when it may"),
    "near-same": Rule("hold", "nearly the same words went to somebody else, or out of another account, this week"),
    "pile-on": Rule("hold", "brands have already answered this person often enough since they last spoke"),
    "bot": Rule(
        "allow",
        "the account is automated: it says so, a colleague did, or our score does; people may answer, machines never",
    ),
}
#: What a lead may set aside for one reply, on record. Nothing that protects a person from us, and nothing that a
#: network would refuse anyway.
OVERRIDABLE = frozenset({"near-same", "pile-on"})

_ORDER: tuple[Standing, ...] = ("allow", "hold", "refuse")


def check(reply: Reply, facts: GuardFacts, policy: Policy, now: dt.datetime) -> Verdict:
    """Every rule in turn -> the verdict, with one finding for each rule that has something to say.

    The strictest finding decides. `retry_at` is set when pace alone stands in the way. `now` is aware.
    """
    findings: list[Finding] = []
    retry_at: dt.datetime | None = None
    for rule in _CHECKS:
        findings += (_set_aside(found, facts) for found in rule(reply, facts, policy, now))
    for window in policy.of(reply.network).windows(reply.visibility):
        free_at = _free_at(facts.sent_times, window, now)
        if free_at is not None:
            findings.append(_pace_finding(window, free_at))
            retry_at = max(retry_at or free_at, free_at)
    standing: Standing = max((found.standing for found in findings), key=_ORDER.index, default="allow")
    waits_alone = all(found.rule == "pace" or found.standing == "allow" for found in findings)
    return Verdict(standing, tuple(findings), retry_at if waits_alone else None)


def _set_aside(finding: Finding, facts: GuardFacts) -> Finding:
    if finding.rule not in facts.despite or finding.rule not in OVERRIDABLE:
        return finding
    return Finding(finding.rule, "allow", f"{finding.reason} A lead has set this aside.")


def _find(rule: str, reason: str, remedy: str = "") -> Finding:
    return Finding(rule, RULES[rule].standing, reason, remedy)


Check = Callable[[Reply, GuardFacts, Policy, dt.datetime], Iterator[Finding]]


def _check_person(reply: Reply, facts: GuardFacts, policy: Policy, now: dt.datetime) -> Iterator[Finding]:
    """human-only, suppressed, bot."""
    if reply.approved_by is None and not facts.acknowledgement:
        yield _find("human-only", "Nobody has approved this reply.", "A person reads it and presses send.")
    if facts.person_suppressed:
        yield _find(
            "suppressed", f"Nothing goes to this person any more: {facts.person_suppressed}.", "Leave them in peace."
        )
    if facts.person_bot:
        found = _say_automated(facts.person_bot_reason)
        # whatever may one day go out without a person: a machine answers no machine
        yield found if reply.approved_by is not None else msgspec.structs.replace(found, standing="refuse")


def _say_automated(reason: str) -> Finding:
    if not reason:
        return _find("bot", "This account says that it is automated.", "Answer it only if a person will read it.")
    said = f"This account is probably automated ({reason})."
    return _find("bot", said, "Answer it only if a person will read it; if it is no bot, say so on their page.")


def _check_text(reply: Reply, facts: GuardFacts, policy: Policy, now: dt.datetime) -> Iterator[Finding]:
    """unreadable, empty, too-long."""
    if any(letter == "\x00" or "\ud800" <= letter <= "\udfff" for letter in reply.text):
        yield _find("unreadable", "The text contains characters that cannot be sent.", "Type it anew.")
        return
    if not any(_is_visible(letter) for letter in reply.text):
        yield _find("empty", "There is nothing to read in this reply.", "Write something.")
    row = policy.of(reply.network)
    most = facts.max_length or row.max_length
    used = counting.count(reply.text, row.counting)
    if used > most:
        said = f"{used:,} of {most:,} characters, as {reply.network} counts."
        yield _find("too-long", said, f"Shorten it by {used - most:,}.")
    size = len(reply.text.encode())
    if row.max_bytes is not None and size > row.max_bytes:
        yield _find("too-long", f"{size:,} of {row.max_bytes:,} bytes.", "Use fewer emoji and combined letters.")


def _is_visible(letter: str) -> bool:
    return not letter.isspace() and unicodedata.category(letter) not in ("Cc", "Cf", "Mn", "Me", "Cn")


def _check_place(reply: Reply, facts: GuardFacts, policy: Policy, now: dt.datetime) -> Iterator[Finding]:
    """deleted, channel-off, crisis-hold."""
    if facts.target_deleted:
        yield _find("deleted", "The post that this answers is gone.", "Choose another post, or let it be.")
    if facts.channel_state != "connected":
        lost = facts.channel_state == "reauthorise"
        reason = "The account has to be connected again" if lost else "The account is not connected"
        detail = f" ({facts.channel_reason})" if facts.channel_reason else ""
        yield _find("channel-off", f"{reason}{detail}.", "Connect it under Sources; then the reply can go out.")
    if facts.hold_reason:
        yield _find("crisis-hold", f"Every queue stands still: {facts.hold_reason}.", "A lead lifts the hold.")


def _check_crowd(reply: Reply, facts: GuardFacts, policy: Policy, now: dt.datetime) -> Iterator[Finding]:
    """near-same, pile-on."""
    same = None if facts.acknowledgement else _nearest_same(reply, facts, policy, now)
    if same is not None:
        twin, alike = same
        where = "to somebody else" if twin.person != facts.person else "from another of our accounts"
        yield _find(
            "near-same",
            f"Nearly the same words ({alike:.0%}) went {where} on {twin.sent_at:%d %B, %H:%M} UTC.",
            "Say it in your own words, to this person.",
        )
    if facts.brand_replies_since_last_word >= policy.pile_on:
        yield _find(
            "pile-on",
            f"{facts.brand_replies_since_last_word} replies by brands since they last spoke.",
            "Wait for their answer.",
        )


_CHECKS: tuple[Check, ...] = (_check_person, _check_text, _check_place, _check_crowd)


def _nearest_same(reply: Reply, facts: GuardFacts, policy: Policy, now: dt.datetime) -> tuple[SentText, float] | None:
    """The most alike of the texts that went to other people or out of other accounts, if it is alike enough."""
    since = now - dt.timedelta(days=policy.near_same_days)
    mine = essence(reply.text)
    best: tuple[SentText, float] | None = None
    for sent in facts.recent_texts:
        if sent.sent_at <= since or (sent.person == facts.person and sent.channel == reply.channel):
            continue
        alike = similarity(mine, essence(sent.text))
        if alike >= policy.near_same and (best is None or alike > best[1]):
            best = (sent, alike)
    return best


def _free_at(sent_times: tuple[dt.datetime, ...], window: Window, now: dt.datetime) -> dt.datetime | None:
    """When the sliding window has room again; None when it has room now."""
    span = dt.timedelta(seconds=window.seconds)
    inside = sorted(moment for moment in sent_times if moment > now - span)
    if len(inside) < window.most:
        return None
    return inside[len(inside) - window.most] + span


def _pace_finding(window: Window, free_at: dt.datetime) -> Finding:
    return _find(
        "pace",
        f"This account has sent {window.most:,} replies in {spell_span(window.seconds)}, which is all it may.",
        f"It goes out by itself at {free_at.astimezone(dt.UTC):%H:%M} UTC.",
    )


def spell_span(seconds: int) -> str:
    """ "3 hours"."""
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds % size == 0:
            amount = seconds // size
            return f"{amount} {unit}{'' if amount == 1 else 's'}"
    return f"{seconds} seconds"
