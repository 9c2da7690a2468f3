"""`check`: may this reply leave the house? Runs at the approval and again just before the send."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from rapport.core.guard import length as counting
from rapport.core.guard.cashtags import count_cashtags
from rapport.core.guard.pace import free_at, midnight, next_month, price_of, spell_money, spell_span
from rapport.core.guard.policy import DAY, NetworkPolicy, Policy, Window
from rapport.core.guard.sameness import essence, similarity
from rapport.core.parts import whole
from rapport.core.reply import Finding, Reply, Standing, Verdict
from rapport.core.unfit import Unfit


class SentText(NamedTuple):
    """A reply that went out, or is about to."""

    text: str
    #: database id of the person it went to; 0 for a post of our own, which went to nobody
    person: int
    #: database id of the account that spoke; all are accounts of the network of the reply that is checked
    channel: int
    sent_at: dt.datetime


class GuardFacts(msgspec.Struct, frozen=True):
    """What the guard must know besides the reply itself."""

    #: when this account sent its replies of the last 24 hours, in any order
    sent_times: tuple[dt.datetime, ...] = ()
    #: what each of these was ("reply", "like", ...), in the same order; empty = replies all
    sent_kinds: tuple[str, ...] = ()
    #: when the app that speaks for this account sent its public posts of the last 24 hours, out of any account; empty
    #: where it has plenty of room
    app_times: tuple[dt.datetime, ...] = ()
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
    #: when we wrote to this person within the last 24 hours, from any account, without a word of theirs since
    unanswered_times: tuple[dt.datetime, ...] = ()
    #: when they last wrote to us here; None = not known
    last_word_at: dt.datetime | None = None
    #: the post that is answered mentions or quotes us, or answers a post of ours
    addressed_us: bool = True
    #: what this account has spent since 00:00 UTC and since the first of the month, in thousandths of a US dollar
    spent_today: int = 0
    spent_this_month: int = 0
    #: the account may use the tag of the network that says that a human writes
    may_tag: bool = False
    #: why every queue of the workspace stands still; "" = it does not
    hold_reason: str = ""
    #: somebody has let this one through since the queues stand still
    let_through: bool = False
    #: the post that is answered is gone from the network
    target_deleted: bool = False
    #: connected, off, or reauthorise
    channel_state: str = "connected"
    #: what the network said when the account was lost
    channel_reason: str = ""
    #: the server's own limit where it has told us one
    max_length: int | None = None
    #: posts of this thread that are on the network already
    parts_sent: int = 0
    #: images of this reply that say nothing to those who cannot see them, where nobody said that this is meant
    images_without_words: int = 0
    #: a service wrote exactly these words, and nobody has changed or confirmed them
    unread: bool = False
    #: rules that a lead has set aside for this reply; only those in `OVERRIDABLE` count
    despite: frozenset[str] = frozenset()
    #: it is the one automatic word of a conversation, which stands on the word of the admin who turned it on: nobody
    #: reads it first, and it says the same to everybody
    acknowledgement: bool = False
    #: why a voucher or discount that it offers does not fit them; None = it offers none, or nothing speaks against it
    unfit: Unfit | None = None


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
    "unread-draft": Rule("refuse", "a service wrote exactly these words, and nobody has changed or confirmed them"),
    "unreadable": Rule("refuse", "the text contains characters that cannot be sent (NUL, half a surrogate pair)"),
    "empty": Rule("refuse", "the text has no visible character"),
    "too-long": Rule("refuse", "the text is longer than the network takes, as it counts"),
    "no-alt": Rule("refuse", "an image has no words for those who cannot see it, and nobody said that it needs none"),
    "x-cashtag": Rule("refuse", "more $TICKERs than the network takes in a post of a program"),
    "window": Rule("refuse", "the network lets nobody write directly so long after the person's last word"),
    "suppressed": Rule("refuse", "the person asked us to stop, or a colleague decided to ignore them"),
    "deleted": Rule("refuse", "the post that would be answered is gone"),
    "channel-off": Rule("hold", "the account is switched off or has to be connected again"),
    "crisis-hold": Rule("hold", "every queue of the workspace stands still"),
    "x-handover": Rule(
        "hold", "the network takes answers of programs only to those who mentioned us: a person answers on the site"
    ),
    "budget": Rule("hold", "the account has spent what it may in this day or month"),
    "pace": Rule("hold", "the network's limit for this account is used up; the reply goes out by itself when it may"),
    "near-same": Rule(
        "hold", "nearly the same words went to somebody else, into a post, or out of another account, this week"
    ),
    "pile-on": Rule("hold", "brands have already answered this person often enough since they last spoke"),
    "person-cap": Rule("hold", "we have written to this person often enough today, on any network, without an answer"),
    "unfit-offer": Rule(
        "hold", "it offers a voucher or discount to somebody who wants none, declined one, leaves or dislikes it"
    ),
    "bot": Rule(
        "allow",
        "the account is automated: it says so, a colleague did, or our score does; people may answer, machines never",
    ),
}
#: What a lead may set aside for one reply, on record. Nothing that protects a person from us, and nothing that a
#: network would refuse anyway.
OVERRIDABLE = frozenset({"near-same", "pile-on", "person-cap", "unfit-offer"})
#: of these, what whoever sends may set aside themselves: a question of taste, in which words alone can be wrong
BY_SENDER = frozenset({"unfit-offer"})

_ORDER: tuple[Standing, ...] = ("allow", "hold", "refuse")


def check(reply: Reply, facts: GuardFacts, policy: Policy, now: dt.datetime) -> Verdict:
    """Every rule in turn -> the verdict, with one finding for each rule that has something to say.

    The strictest finding decides. `retry_at` is set when pace alone stands in the way. `now` is aware.
    """
    return verdict_of([_set_aside(found, facts) for rule in _CHECKS for found in rule(reply, facts, policy, now)])


def verdict_of(findings: Sequence[Finding]) -> Verdict:
    """What these findings come to together."""
    standing: Standing = max((found.standing for found in findings), key=_ORDER.index, default="allow")
    in_the_way = [found for found in findings if found.standing != "allow"]
    waits_alone = bool(in_the_way) and all(found.rule == "pace" for found in in_the_way)
    moments = [found.passes_at for found in in_the_way if found.passes_at is not None]
    return Verdict(standing, tuple(findings), max(moments) if waits_alone else None)


#: rules whose end is known, so that what they hold goes on by itself then: the switch, an account that is connected
_ENDS_BY_ITSELF = ("crisis-hold", "channel-off")


def holding_rule(verdict: Verdict) -> str:
    """The rule that a reply waits for, of those that hold it: first one whose end sets it free without a person."""
    rules = [found.rule for found in verdict.findings if found.standing != "allow"]
    return min(rules, key=lambda rule: rule not in _ENDS_BY_ITSELF, default="")


def _set_aside(finding: Finding, facts: GuardFacts) -> Finding:
    if finding.rule not in facts.despite or finding.rule not in OVERRIDABLE:
        return finding
    said = f"{finding.reason} A lead has set this aside."
    return msgspec.structs.replace(finding, standing="allow", reason=said, remedy="", passes_at=None)


def _find(rule: str, reason: str, remedy: str = "", passes_at: dt.datetime | None = None, **values: object) -> Finding:
    told = {name: str(value) for name, value in values.items() if value != ""}
    return Finding(rule, RULES[rule].standing, reason, remedy, told, passes_at)


Check = Callable[[Reply, GuardFacts, Policy, dt.datetime], Iterator[Finding]]


def _check_person(reply: Reply, facts: GuardFacts, policy: Policy, now: dt.datetime) -> Iterator[Finding]:
    """human-only, unread-draft, suppressed, bot."""
    if reply.approved_by is None and not facts.acknowledgement:
        yield _find("human-only", "Nobody has approved this reply.", "A person reads it and presses send.")
    if facts.unread:
        said = "A service wrote these words, and nobody has changed or confirmed them."
        yield _find("unread-draft", said, "Change them, or say that you have read them and they stand as they are.")
    if facts.person_suppressed:
        yield _find(
            "suppressed", f"Nothing goes to this person any more: {facts.person_suppressed}.", "Leave them in peace.",
            why=facts.person_suppressed,
        )  # fmt: skip
    if facts.person_bot:
        found = _say_automated(facts.person_bot_reason)
        # whatever may one day go out without a person: a machine answers no machine
        yield found if reply.approved_by is not None else msgspec.structs.replace(found, standing="refuse")


def _say_automated(reason: str) -> Finding:
    if not reason:
        return _find("bot", "This account says that it is automated.", "Answer it only if a person will read it.")
    said = f"This account is probably automated ({reason})."
    remedy = "Answer it only if a person will read it; if it is no bot, say so on their page."
    return _find("bot", said, remedy, why=reason)


def _check_text(reply: Reply, facts: GuardFacts, policy: Policy, now: dt.datetime) -> Iterator[Finding]:
    """unreadable, empty, too-long, x-cashtag: of every post; no-alt."""
    for number, text in enumerate(reply.parts or (reply.text,), 1):
        for found in _check_post(text, reply.network, facts, policy.of(reply.network)):
            yield _in_part(found, number) if reply.parts else found
    if facts.images_without_words:
        yield _find(
            "no-alt", "An image says nothing to those who cannot see it.",
            "Write what is to be seen, or tick that it needs no words.", count=facts.images_without_words,
        )  # fmt: skip


def _in_part(found: Finding, number: int) -> Finding:
    told = {**found.values, "part": str(number)}
    return msgspec.structs.replace(found, reason=f"Post {number}: {found.reason}", values=told)


def _check_post(text: str, network: str, facts: GuardFacts, row: NetworkPolicy) -> Iterator[Finding]:
    if any(letter == "\x00" or "\ud800" <= letter <= "\udfff" for letter in text):
        yield _find("unreadable", "The text contains characters that cannot be sent.", "Type it anew.")
        return
    if not any(_is_visible(letter) for letter in text):
        yield _find("empty", "There is nothing to read in this reply.", "Write something.")
    most = facts.max_length or row.max_length
    used = counting.count(text, row.counting)
    if used > most:
        said = f"{used:,} of {most:,} characters, as {network} counts."
        yield _find("too-long", said, f"Shorten it by {used - most:,}.", used=used, most=most, over=used - most)
    size = len(text.encode())
    if row.max_bytes is not None and size > row.max_bytes:
        said, remedy = f"{size:,} of {row.max_bytes:,} bytes.", "Use fewer emoji and combined letters."
        yield _find("too-long", said, remedy, bytes=size, most=row.max_bytes)
    if row.max_cashtags is not None and (tags := count_cashtags(text)) > row.max_cashtags:
        said = f"{tags} $TICKERs; the network takes {row.max_cashtags} in a post of a program."
        yield _find("x-cashtag", said, "Leave the others without the $.", used=tags, most=row.max_cashtags)


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
        remedy = "Connect it under Sources; then the reply can go out."
        yield _find("channel-off", f"{reason}{detail}.", remedy, state=facts.channel_state, why=facts.channel_reason)
    if facts.hold_reason:
        said, remedy = f"Every queue stands still: {facts.hold_reason}.", "A lead lifts the hold."
        found = _find("crisis-hold", said, remedy, why=facts.hold_reason)
        if facts.let_through:
            said = f"{said} This one was let through."
            found = msgspec.structs.replace(found, standing="allow", reason=said, remedy="")
        yield found


def _check_door(reply: Reply, facts: GuardFacts, policy: Policy, now: dt.datetime) -> Iterator[Finding]:
    """x-handover, window."""
    row = policy.of(reply.network)
    public = reply.visibility != "direct"
    if row.addressed_only and public and not facts.addressed_us and not policy.answers_anyone:
        said = "They have neither mentioned nor quoted us, and the network takes no answer of a program to them."
        yield _find("x-handover", said, "Open the post on the site and answer there; the text is copied for you.")
    within = row.tagged_within if facts.may_tag and not facts.acknowledgement else row.direct_within
    if within is not None and not public and facts.last_word_at is not None:
        closed = facts.last_word_at + dt.timedelta(seconds=within)
        if closed <= now:
            said = f"Their last word is over {spell_span(within)} old; until the next one the network takes no message."
            yield _find("window", said, "Wait for their next word, or answer in public.", closed=_moment(closed))


def _check_crowd(reply: Reply, facts: GuardFacts, policy: Policy, now: dt.datetime) -> Iterator[Finding]:
    """near-same, pile-on, person-cap."""
    same = None if facts.acknowledgement else _nearest_same(reply, facts, policy, now)
    if same is not None:
        twin, alike = same
        if not twin.person:
            where, told = "post", "were said in a post of ours"
        elif twin.person != facts.person:
            where, told = "person", "went to somebody else"
        else:
            where, told = "account", "went from another of our accounts"
        yield _find(
            "near-same",
            f"Nearly the same words ({alike:.0%}) {told} on {twin.sent_at:%d %B, %H:%M} UTC.",
            "Say it in your own words, to this person." if reply.target else "Say it in other words.",
            twin.sent_at + dt.timedelta(days=policy.near_same_days),
            percent=f"{alike:.0%}", where=where, at=_moment(twin.sent_at),
        )  # fmt: skip
    if facts.brand_replies_since_last_word >= policy.pile_on:
        count = facts.brand_replies_since_last_word
        yield _find(
            "pile-on", f"{count} replies by brands since they last spoke.", "Wait for their answer.", count=count
        )
    day = dt.timedelta(seconds=DAY)
    unanswered = sorted(moment for moment in facts.unanswered_times if moment > now - day)
    if len(unanswered) >= policy.person_day and not facts.acknowledgement:
        yield _find(
            "person-cap", f"We have written {len(unanswered)} times to them within a day, and they have not answered.",
            "Wait for their answer.", unanswered[len(unanswered) - policy.person_day] + day,
            count=len(unanswered), most=policy.person_day,
        )  # fmt: skip


def _check_spending(reply: Reply, facts: GuardFacts, policy: Policy, now: dt.datetime) -> Iterator[Finding]:
    """budget, pace."""
    row = policy.of(reply.network)
    posts = (reply.parts or (reply.text,))[facts.parts_sent :]
    price = sum(price_of(text, facts.addressed_us, row.prices) for text in posts)
    for most, spent, span, again in (
        (policy.day_budget, facts.spent_today, "today", midnight(now) + dt.timedelta(seconds=DAY)),
        (policy.month_budget, facts.spent_this_month, "this month", next_month(now)),
    ):
        if most is not None and price and spent + price > most:
            said = f"This costs {spell_money(price)}; {spell_money(spent)} of {spell_money(most)} are spent {span}."
            yield _find(
                "budget", said, "An admin can raise the budget of the account.", again if price <= most else None,
                price=spell_money(price), spent=spell_money(spent), most=spell_money(most), span=span,
            )  # fmt: skip
    yield from check_pace("reply", reply.visibility, facts, row, now, len(posts))


def check_pace(
    kind: str, visibility: str, facts: GuardFacts, row: NetworkPolicy, now: dt.datetime, times: int = 1
) -> Iterator[Finding]:
    """pace: of a reply, which may be of several posts (`times`), or of an act of another kind."""
    kinds = facts.sent_kinds or ("reply",) * len(facts.sent_times)
    spent = [(at, row.cost(each, kind)) for at, each in zip(facts.sent_times, kinds, strict=True)]
    for window in row.windows(visibility, kind):
        free = free_at(spent, window, row.cost(kind, kind) * times, now)
        if free is not None:
            yield _pace_finding(window, free, "points" if row.points else _MANY.get(kind, "replies"))
    alike = [(at, 1) for at, each in zip(facts.sent_times, kinds, strict=True) if each == kind]
    for window in row.own_acts.get(kind, ()):
        free = free_at(alike, window, times, now)
        if free is not None:
            yield _pace_finding(window, free, _MANY.get(kind, "replies"))
    for window in row.app_pace if kind in ("reply", "post") and visibility != "direct" else ():
        free = free_at([(at, 1) for at in facts.app_times], window, times, now)
        if free is not None:
            yield _pace_finding(window, free, "posts", "The app that speaks for this account")


_UNFIT = {
    "refused": "They said that this is of no use to them: “{words}”.",
    "declined": "They declined a {kind} before.",
    "leaving": "They said that they will not come back: “{words}”. A {kind} serves only whoever does.",
    "disliked": "They dislike what it is for: “{words}”.",
}


def _check_offer(reply: Reply, facts: GuardFacts, policy: Policy, now: dt.datetime) -> Iterator[Finding]:
    """unfit-offer."""
    if (unfit := facts.unfit) is not None:
        said = _UNFIT[unfit.why].format(kind=unfit.kind, words=unfit.words)
        remedy = "Offer what mends it, or ask what would."
        yield _find("unfit-offer", said, remedy, why=unfit.why, kind=unfit.kind, words=unfit.words)


_CHECKS: tuple[Check, ...] = (
    _check_person, _check_text, _check_place, _check_door, _check_crowd, _check_offer, _check_spending,
)  # fmt: skip


def _nearest_same(reply: Reply, facts: GuardFacts, policy: Policy, now: dt.datetime) -> tuple[SentText, float] | None:
    """The most alike of the texts that went to other people or out of other accounts, if it is alike enough."""
    since = now - dt.timedelta(days=policy.near_same_days)
    mine = essence(whole(reply.parts, reply.text))
    best: tuple[SentText, float] | None = None
    for sent in facts.recent_texts:
        if sent.sent_at <= since or (sent.person == facts.person and sent.channel == reply.channel):
            continue
        alike = similarity(mine, essence(sent.text))
        if alike >= policy.near_same and (best is None or alike > best[1]):
            best = (sent, alike)
    return best


#: how acts are counted in words
_MANY = {
    "like": "likes", "unlike": "likes taken back", "boost": "boosts", "unboost": "boosts taken back",
    "follow": "follows", "unfollow": "follows taken back", "delete": "deletions", "edit": "edits",
}  # fmt: skip


def _pace_finding(window: Window, free: dt.datetime, what: str, who: str = "This account") -> Finding:
    span = "a day (it begins at 00:00 UTC)" if window.by_day else spell_span(window.seconds)
    at = free.astimezone(dt.UTC)
    said = f"{who} has used {window.most:,} {what} in {span}, which is all it may."
    remedy = f"It goes out by itself at {at:%H:%M} UTC."
    return _find("pace", said, remedy, at, most=window.most, what=what, seconds=window.seconds)


def _moment(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat(timespec="minutes")
