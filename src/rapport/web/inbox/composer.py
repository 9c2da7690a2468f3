"""What stands in the composer of one conversation: text, target, account, limit, and whether it still fits."""

from __future__ import annotations

import msgspec
from django.http import QueryDict
from django.utils.translation import gettext as _

from rapport.core.guard import Policy, length, limit
from rapport.core.reply import Finding
from rapport.store.models import Channel, Conversation, Draft, Membership, Post, PreparedReply
from rapport.store.queries import talk as reads
from rapport.store.queries.outbound import prepare_draft


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
    #: one line about what went wrong with the last try
    problem: str = ""
    findings: tuple[Finding, ...] = ()
    #: the conversation moved on while they wrote
    moved_on: bool = False
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
    asked: PreparedReply | None = None


def read_composer(
    talk: reads.Talk,
    member: Membership,
    typed: QueryDict | None = None,
    problem: str = "",
    findings: tuple[Finding, ...] = (),
    moved_on: bool = False,
    to: str = "",
    begin: str = "",
    ask: str = "",
) -> Composer:
    """The box for `member`.

    `typed`: a form that could not be accepted, whose words are kept. `begin`: slug of a prepared reply that takes their
    place; `ask`: slug of one that would, if the person says so.
    """
    draft = talk.own_draft
    replies = tuple(PreparedReply.objects.of(talk.conversation.workspace_id)) if member.may("draft") else ()
    wanted_draft = bool(begin) or _wants_draft(talk, member, typed)
    prepared = prepare_draft(talk.conversation, member, begin) if wanted_draft else None
    wanted = typed.get("target", "") if typed else to
    target = talk.inbound_post(int(wanted)) if wanted.isascii() and wanted.isdigit() and len(wanted) < 19 else None
    channels = reads.speaking_channels(talk.conversation)
    chosen = typed.get("channel", "") if typed else ""
    channel = next((each for each in channels if str(each.pk) == chosen), channels[0] if channels else None)
    kept = typed.get("text", "") if typed else draft.text if draft else ""
    text = prepared.text if prepared else kept
    network = channel.network if channel else talk.conversation.network
    most = limit(network)
    return Composer(
        text=text,
        draft=draft,
        machine=prepared is not None,
        template=prepared.template if prepared else "",
        since=talk.posts_after(draft.based_on if draft else None),
        target=target or talk.newest_inbound,
        channels=channels,
        channel=channel,
        version=talk.conversation.version,
        cannot=_why_not(talk, member, channel),
        may_send=member.may("send"),
        problem=problem,
        findings=findings,
        moved_on=moved_on,
        key=f"{talk.conversation.pk}-{talk.own_sends}",
        limit=most,
        left=most - length(text.strip(), network),
        counting=Policy().of(network).counting,
        replies=replies,
        begun=begin or (typed.get("begun", "") if typed else _begun(draft, replies)),
        asked=next((each for each in replies if each.slug == ask), None),
    )


def _begun(draft: Draft | None, replies: tuple[PreparedReply, ...]) -> str:
    """Slug of the prepared reply that a kept draft says it came from."""
    return next((each.slug for each in replies if draft and each.name == draft.template), "")


def is_typed(conversation: Conversation, member: Membership, text: str, begun: str) -> bool:
    """Whether somebody's own words would be lost with `text`: neither empty nor just what was prepared for them."""
    words = text.replace("\r\n", "\n").strip()
    if not words:
        return False
    prepared = [prepare_draft(conversation, member, slug) for slug in {begun, ""}]
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
