"""What stands in the composer of one conversation: text, target, account, limit, and whether it still fits."""

from __future__ import annotations

import datetime as dt

import msgspec
from django.http import QueryDict
from django.utils.translation import gettext as _

from rapport.core.guard import Policy, length, limit
from rapport.core.parts import cut_apart
from rapport.core.reply import Finding
from rapport.store.models import Channel, Conversation, Draft, DraftSource, Membership, Post, PreparedReply
from rapport.store.queries import talk as reads
from rapport.store.queries.approval_rules import asked_for
from rapport.store.queries.drafts import Offered, filled, is_unread, take_up
from rapport.store.queries.news import New, news_since
from rapport.store.queries.snippets import offered_here


class Composer(msgspec.Struct, frozen=True):
    """The reply box."""

    text: str
    #: the person's own draft, where the text comes from it
    draft: Draft | None
    #: the text is the machine's, nobody changed it yet
    machine: bool
    #: name of the prepared reply behind the machine's text
    template: str
    #: what they said since the own draft was written
    since: list[reads.Entry]
    target: Post | None
    channels: list[Channel]
    channel: Channel | None
    version: int
    #: why nothing can be sent from here; empty = it can
    cannot: str
    may_send: bool
    #: somebody else has to approve what this person writes here: "lead" or "admin"; "" = no rule says so
    asks: str = ""
    #: one line about what went wrong with the last try
    problem: str = ""
    findings: tuple[Finding, ...] = ()
    #: the conversation moved on while they wrote
    moved_on: bool = False
    #: who writes here now, with their words and the way to take over; told with a reply that came meanwhile
    seat: str = ""
    #: what is new since they looked, where it moved on
    news: tuple[New, ...] = ()
    #: changes with every reply that this person sends: text typed before it is not kept
    key: str = ""
    #: characters that fit, and that are left
    limit: int = 0
    left: int = 0
    #: how the network counts, for the counter in the browser
    counting: str = "graphemes"
    #: prepared replies to begin from
    replies: tuple[PreparedReply, ...] = ()
    #: slug of the one that the text began from; empty = none was chosen
    begun: str = ""
    #: the one that would replace words which somebody typed: they are asked first
    asked: Offered | None = None
    #: where the words came from, in a sentence; "" = they are somebody's own
    source: str = ""
    #: a service wrote these words, and nobody has changed or confirmed them: they cannot be sent
    unread: bool = False


def read_composer(
    talk: reads.Talk,
    member: Membership,
    typed: QueryDict | None = None,
    problem: str = "",
    findings: tuple[Finding, ...] = (),
    moved_on: bool = False,
    seat: str = "",
    to: str = "",
    begin: str = "",
    ask: str = "",
) -> Composer:
    """The box for `member`.

    `typed`: a form that could not be accepted, whose words are kept. `begin`: slug of a prepared reply that takes their
    place; `ask`: slug of one that would, if the person says so.
    """
    draft = talk.own_draft
    replies = _offered(talk, member, begin)
    wanted_draft = bool(begin) or _wants_draft(talk, member, typed)
    prepared = _prepare(talk, member, replies, begin) if wanted_draft else None
    target = _target(talk, typed.get("target", "") if typed else to)
    channels = reads.speaking_channels(talk.conversation)
    channel = _channel(channels, typed.get("channel", "") if typed else "")
    asks = _asks(talk, member, channel, target)
    kept = typed.get("text", "") if typed else draft.text if draft else ""
    text = prepared.text if prepared else kept
    network = channel.network if channel else talk.conversation.network
    most = limit(network)
    return Composer(
        text=text,
        draft=draft,
        machine=prepared is not None,
        template=prepared.name if prepared else "",
        since=talk.posts_after(draft.based_on if draft else None),
        target=target,
        channels=channels,
        channel=channel,
        version=talk.conversation.version,
        cannot=_why_not(talk, member, channel),
        may_send=member.may("send") and not asks,
        asks=asks,
        problem=problem,
        findings=findings,
        moved_on=moved_on,
        seat=seat,
        news=tuple(news_since(talk, member, seen_of(typed))) if moved_on and typed else (),
        key=f"{talk.conversation.pk}-{talk.own_sends}",
        limit=most,
        left=most - max(length(part, network) for part in cut_apart(text.replace("\r\n", "\n"))),
        counting=Policy().of(network).counting,
        replies=replies,
        begun=prepared.begun if prepared else typed.get("begun", "") if typed else _begun(draft, replies),
        asked=take_up(talk.conversation, member, ask) if ask else None,
        source=say_source(prepared.source, prepared.name) if prepared else "",
        unread=is_unread(text, talk.machine_draft, draft),
    )


def _offered(talk: reads.Talk, member: Membership, begin: str) -> tuple[PreparedReply, ...]:
    """What somebody may begin from, with what was begun from already."""
    if not member.may("draft"):
        return ()
    draft = talk.own_draft
    named = (begin, talk.conversation.draft_slug)
    return offered_here(talk.conversation, talk.newest_inbound, named, draft.template if draft else "")


def _target(talk: reads.Talk, wanted: str) -> Post | None:
    """The post of theirs that is answered: the one with the number `wanted`, else their newest."""
    is_number = wanted.isascii() and wanted.isdigit() and len(wanted) < 19
    return (talk.inbound_post(int(wanted)) if is_number else None) or talk.newest_inbound


def _channel(channels: list[Channel], wanted: str) -> Channel | None:
    """The account that speaks: the one with the number `wanted`, else the first."""
    return next((each for each in channels if str(each.pk) == wanted), channels[0] if channels else None)


def _asks(talk: reads.Talk, member: Membership, channel: Channel | None, target: Post | None) -> str:
    """Whose word these words need besides: "lead", "admin", "" where no rule asks for one."""
    if channel is None or target is None or not getattr(channel, "asking", True) or not member.may("send"):
        return ""
    rule = asked_for(member, talk.conversation, channel, target)
    return rule.approver if rule else ""


def say_source(source: str, name: str) -> str:
    """Where words that somebody may begin from came from."""
    if source == DraftSource.ALIKE:
        return _("Draft from an answer of ours to something like it, read it and make it yours")
    if source == DraftSource.ARTICLE:
        return _("Draft from the article “%(name)s”, read it and make it yours") % {"name": name}
    if source == DraftSource.SERVICE:
        return _("Written by a service, read it and make it yours")
    if name:
        return _("Draft from “%(name)s”, read it and make it yours") % {"name": name}
    return _("A prepared draft, read it and make it yours")


def seen_of(typed: QueryDict) -> dt.datetime:
    """When the page was made that a form came from (`seen`, seconds since 1970); the far past where it does not say."""
    text = typed.get("seen", "")
    seconds = float(text) if text.replace(".", "", 1).isdecimal() and text.isascii() and len(text) < 20 else 0.0
    return dt.datetime.fromtimestamp(min(seconds, 4e9), dt.UTC)


def _prepare(talk: reads.Talk, member: Membership, replies: tuple[PreparedReply, ...], begin: str) -> Offered | None:
    """As `take_up`, from what was read already where that is enough."""
    conversation = talk.conversation
    template = next((each for each in replies if each.slug == (begin or conversation.draft_slug)), None)
    newest, person = talk.newest_inbound, conversation.person
    if newest is None or newest.kind == "repost":
        return None
    if template is None:
        return take_up(conversation, member, begin) if begin or talk.machine_draft else None
    if person is not None and newest.handle.person_id == person.pk:
        newest.handle.person = person
    return filled(template, newest, conversation, member)


def _begun(draft: Draft | None, replies: tuple[PreparedReply, ...]) -> str:
    """Slug of the prepared reply that a kept draft says it came from."""
    return next((each.slug for each in replies if draft and draft.template and each.name == draft.template), "")


def is_typed(conversation: Conversation, member: Membership, text: str, begun: str) -> bool:
    """Whether somebody's own words would be lost with `text`: neither empty nor just what was prepared for them."""
    words = text.replace("\r\n", "\n").strip()
    if not words:
        return False
    prepared = [take_up(conversation, member, slug) for slug in {begun, ""}]
    return all(draft is None or draft.text.replace("\r\n", "\n").strip() != words for draft in prepared)


def _wants_draft(talk: reads.Talk, member: Membership, typed: QueryDict | None) -> bool:
    """The machine proposes words only where somebody waits for them and nobody began to write."""
    waits = talk.conversation.waiting_since is not None and not talk.answered
    return typed is None and talk.own_draft is None and waits and member.may("draft")


def _why_not(talk: reads.Talk, member: Membership, channel: Channel | None) -> str:
    person = talk.conversation.person
    if not member.may("draft"):
        return _("Your role reads along. Ask an admin if you should answer here.")
    if person is not None and person.suppressed_reason:
        return _("They asked us to stop (%(reason)s): nothing goes to them any more.") % {
            "reason": person.suppressed_reason
        }
    if talk.newest_inbound is None:
        return _("There is no post of theirs left to answer.")
    if channel is None:
        return _(
            "No account of ours is connected on %(network)s, so an answer cannot leave from here. "
            "Connect one under Sources."
        ) % {"network": talk.conversation.network}
    return ""
