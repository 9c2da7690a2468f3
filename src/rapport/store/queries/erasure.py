"""Where a person is kept: every table that holds something of theirs, and what an erasure makes of it.

`HOLDERS` is the one list. Whoever adds a table that points at a person, a post, an account or a conversation, or that
keeps text, names it there, or in `KEPT` with the reason why nothing of a person is in it; tests/store/test_erasure.py
fails for one that is in neither.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

import msgspec
from django.apps import apps
from django.db import models
from django.db.models import Q

from rapport.core.traces import Traces
from rapport.store.models import Approval, Channel, Conversation, Handle, Person, PersonMerge, Post
from rapport.store.queries.sql import chunks


class Holder(NamedTuple):
    """A table that holds something of people outside."""

    table: str
    #: what becomes of it, in words for an admin
    said: str
    #: columns that are emptied while the row stays; none = the row goes
    blanked: tuple[str, ...] = ()
    #: texts of colleagues or of a machine. In a conversation in which others speak too, the row goes where one of them
    #: names the person or repeats what they said; where nobody else speaks, it goes with its conversation
    texts: tuple[str, ...] = ()
    #: other columns that could hold something of theirs, and why they stay as they are
    stays: str = ""


_WITH_POST, _WITH_TALK, _WITH_PERSON = "goes with their post", "goes with its conversation", "goes with the person"
_NAMED = "goes with its conversation; where others speak too, if it names them or repeats their words"

HOLDERS: tuple[Holder, ...] = (
    Holder("Person", "removed"),
    Holder("Handle", "removed, all of their accounts"),
    Holder("PersonMerge", "removed: joins that they were part of"),
    Holder("PersonValue", _WITH_PERSON),
    Holder("PersonNote", _WITH_PERSON),
    Holder("Consent", _WITH_PERSON),
    Holder(
        "Suppression", "stays, so that nothing goes to them: a keyed digest of each account; the reasons are emptied",
        blanked=("reason", "lift_reason"), stays="digest: it cannot be read back without the key of the installation",
    ),
    Holder("Deed", "removed, those on people and tasks: what colleagues could still take back"),
    Holder("BrandHandle", "removed, where one of their accounts was named as another firm's"),
    Holder(
        "PersonJob", "stays, as the record of exports and erasures; files of exports are deleted", blanked=("path",),
        stays="person, report, reason, problem: numbers, and what an admin wrote without naming them",
    ),
    Holder("Post", "removed, and what others passed on of it word for word"),
    Holder("Fingerprint", _WITH_POST),
    Holder("Outcome", _WITH_POST),
    Holder("TopicMatch", _WITH_POST),
    Holder("Correction", _WITH_POST),
    Holder("CampaignPost", _WITH_POST),
    Holder(
        "Tombstone", "replaced: a keyed digest keeps what they posted from coming in again",
        blanked=("external_id",),
    ),
    Holder("BusMessage", "removed, or what is theirs is taken out of it", blanked=("payload", "error")),
    Holder("Conversation", "removed where nobody else outside speaks; else what it shows is made anew"),
    Holder("ThreadLink", "removed: ids of their posts", stays="digests of posts that were passed on"),
    Holder("Check", _WITH_TALK),
    Holder("ConversationTag", _WITH_TALK, stays="a word of the house that rules sort by"),
    Holder("ScoreCorrection", _WITH_TALK, stays="numbers"),
    Holder("Note", _NAMED, texts=("text",)),
    Holder("NoteMention", _WITH_TALK),
    Holder("Presence", _WITH_TALK),
    Holder("ComposerClaim", _WITH_TALK),
    Holder("Promise", _WITH_TALK, stays="times"),
    Holder("Draft", _NAMED, texts=("text", "origin")),
    Holder("DraftReturn", _NAMED, texts=("text", "reason")),
    Holder("DraftVersion", _NAMED, texts=("text",)),
    Holder("DraftUse", _WITH_TALK, stays="name: of a prepared reply, an article or a model"),
    Holder(
        "Approval", "its words and whom it went to are emptied; the row stays in the chain, which tells of it",
        blanked=(
            "text", "to", "drafted", "template", "media", "parts", "verdict", "fingerprint", "conversation", "target",
            "handle",
        ),
        stays="digest, chain, despite, machine, kind, visibility: they have no word of it",
    ),
    Holder(
        "Delivery", "emptied: where it is on the network and why it waited",
        blanked=("conversation", "cause", "external_id", "url"),
        stays="idempotency_key, claimed_by, held_by: of this house",
    ),
    Holder("DeliveryPart", "emptied: where it is on the network", blanked=("external_id", "url"), stays="key"),
    Holder("Attempt", "emptied: what the network said", blanked=("detail",)),
    Holder("Attachment", "removed, with its file", texts=("alt",)),
    Holder(
        "Offer", "stays in the books of the house without their name or any word",
        blanked=("person", "conversation", "reason", "decision", "outcome"),
    ),
    Holder("Invitation", _WITH_PERSON),
    Holder("SurveyAnswer", _WITH_PERSON),
    Holder("Notification", _NAMED, texts=("text", "bundle")),
    Holder("Task", _NAMED, texts=("title", "dropped")),
    Holder("RuleEffect", "removed where a rule fired on a post of theirs", texts=("argument", "cause")),
    Holder("Acknowledgement", "removed where it answers them", texts=("text",)),
    Holder("Escalation", _WITH_PERSON),
    Holder("Ignoring", _WITH_PERSON),
    Holder("RuleDay", "emptied: the words of a rule that broke on a post of theirs", blanked=("error", "broken_post")),
    Holder("WebhookCall", "removed, where it tells of them", stays="cause, key: of the receiver"),
    Holder("KeptAnswer", "removed, where it names one of their accounts"),
    Holder("AuditEntry", "stays; every word of it is taken out of the entries about them", blanked=("detail",)),
)  # fmt: skip

#: tables without anything of a person outside, and why
KEPT: dict[str, str] = {
    "User": "a colleague",
    "Membership": "a colleague",
    "Workspace": "the house; hold_reason is written by colleagues about the house",
    "SignInLink": "of a colleague",
    "ApiToken": "of a program of the house",
    "Hold": "why everything was held; written by colleagues about the house",
    "NetworkApp": "the house on a network",
    "Channel": "an account of ours",
    "Cursor": "a place in a stream of a network",
    "Gap": "a stretch of a stream",
    "ChannelHour": "a count",
    "MoodHour": "a count",
    "Received": "an id of a delivery at the door, gone after a week",
    "Topic": "what the house listens for; the report of an erasure tells of a search for one of their accounts",
    "PersonField": "which fields there are",
    "Basket": "a place for work",
    "BasketMember": "a colleague",
    "DeskEvent": "numbers of rows, gone after an hour",
    "SavedView": "a search of a colleague; the report of an erasure tells of one for their accounts",
    "PostDraft": "words of the house to everybody",
    "PreparedReply": "a text of the house for everybody",
    "ReplyBasket": "two numbers",
    "ApprovalRule": "a rule of the house",
    "ChannelPolicy": "numbers",
    "Spend": "a count",
    "DraftingSettings": "settings",
    "Campaign": "a search and a name",
    "Variant": "a text of the house for everybody",
    "Article": "a text of the house for everybody",
    "ArticleTopic": "two numbers",
    "Allowance": "what a role may offer",
    "Survey": "questions of the house",
    "StepPlan": "steps that the house takes with anybody",
    "NotificationSettings": "of a colleague",
    "PushSubscription": "a browser of a colleague",
    "Absence": "of a colleague",
    "ReadingSettings": "numbers",
    "TeamModel": "weights of words in numbers; no text can be read out of them. Made anew, it has not heard of them",
    "RuleSet": "rules of the house; the report of an erasure tells of one that names their accounts",
    "RuleDraft": "rules of the house",
    "ScoreWeights": "numbers",
    "ShadowDifference": "names of baskets and rules, counts, numbers of rows",
    "BackTest": "names of baskets and rules, counts, numbers of rows",
    "Webhook": "an address of a program",
    "AcknowledgementSettings": "texts of the house for everybody",
}

#: what no erasure in this house reaches; told on the page, in the report and in docs/howto/person-data.md
UNREACHED = ("backups", "networks", "others", "receivers", "mail", "logs", "exports")


def model_of(name: str) -> type[models.Model]:
    """The table of this name."""
    return apps.get_model("store", name)


class Reach(msgspec.Struct, frozen=True):
    """Some conversations of a person, and what of them an erasure takes away."""

    #: in which nobody else outside speaks: they go
    theirs: list[int]
    #: in which others speak too
    shared: list[int]
    #: the posts that go: theirs, what was passed on of them, ours that answer or repeat them
    posts: list[int]
    #: (network, id on the network) of the same
    named: list[tuple[str, str]]
    #: what gives them away in the texts of colleagues
    traces: Traces
    #: the same in what we said to others: their whole name or words alone, so that no more of it goes than has to
    in_ours: Traces
    #: they may not come in again
    for_good: bool = True


def accounts_of(person: Person) -> list[Handle]:
    """Their accounts."""
    return list(Handle.objects.of(person.workspace_id).filter(person=person).order_by("pk"))


def names_of(person: Person, handles: Iterable[Handle]) -> list[str]:
    """What they are called, here and on the networks; none twice."""
    called = [person.name, *(name for row in handles for name in (row.name, row.handle, row.external_id))]
    return [name for name in dict.fromkeys(called) if name]


def joined_to(person: Person) -> list[int]:
    """Row ids under which they ever stood: their own, and those of everybody who was joined to them."""
    found, fresh = {person.pk}, {person.pk}
    while fresh:
        rows = PersonMerge.objects.of(person.workspace_id).filter(kept__in=fresh, undone_at__isnull=True)
        fresh = set(rows.values_list("absorbed", flat=True)) - found
        found |= fresh
    return sorted(found)


def next_conversations(person: Person, handles: Collection[Handle], most: int) -> list[int]:
    """Conversations in which something of theirs is left, at most so many."""
    talks = Conversation.objects.of(person.workspace_id).filter(person=person).order_by("pk")
    found = list(talks.values_list("pk", flat=True)[:most])
    said = Post.objects.of(person.workspace_id).filter(handle__in=handles, conversation_id__isnull=False)
    rows = said.exclude(conversation_id__in=found).order_by().values_list("conversation_id", flat=True).distinct()
    return sorted({*found, *(each for each in rows[: most - len(found)] if each is not None)})


def reach(person: Person, handles: Collection[Handle], talks: Collection[int]) -> Reach:
    """What of these conversations goes."""
    rows = list(
        Post.objects.of(person.workspace_id)
        .filter(conversation_id__in=talks)
        .only(
            "pk",
            "network",
            "external_id",
            "in_reply_to",
            "thread",
            "conversation_id",
            "handle_id",
            "ours",
            "kind",
            "text",
        )
    )
    known = {row.pk for row in handles}
    mine = [row for row in rows if row.handle_id in known]
    ids, said = {row.external_id for row in mine}, Traces((), (row.text for row in mine))
    passed_on = [
        row
        for row in rows
        if row.handle_id not in known
        and row.kind == "repost"
        and (row.in_reply_to in ids or row.thread in ids or said.are_in(row.text))
    ]
    going = {row.pk for row in (*mine, *passed_on)}
    shared = {row.conversation_id or 0 for row in rows if not row.ours and row.pk not in going}
    names, words = names_of(person, handles), [row.text for row in mine]
    in_ours = Traces(names, words, parts=False)
    ours = [
        row
        for row in rows
        if row.ours
        and row.pk not in going
        and (row.conversation_id not in shared or row.in_reply_to in ids or in_ours.are_in(row.text))
    ]
    gone = [*mine, *passed_on, *ours]
    theirs = set(talks) - shared
    return Reach(
        theirs=sorted(theirs | merged_into(theirs)),
        shared=sorted(shared),
        posts=[row.pk for row in gone],
        named=[(row.network, row.external_id) for row in gone],
        traces=Traces(names, words),
        in_ours=in_ours,
    )


def reach_of_channel(channel: Channel, most: int) -> Reach | None:
    """The next of what was heard through an account of ours, at most so many conversations; None where nothing is left.

    It may be heard again when the account is connected again.
    """
    rows = Post.objects.of(channel.workspace_id).filter(channel=channel)
    talks = Conversation.objects.of(channel.workspace_id).filter(channel=channel).order_by("pk")
    found = set(talks.values_list("pk", flat=True)[:most])
    said = rows.filter(conversation_id__isnull=False).exclude(conversation_id__in=found)
    more = said.order_by().values_list("conversation_id", flat=True).distinct()
    found |= {each for each in more[: most - len(found)] if each is not None}
    loose = rows.filter(conversation_id__isnull=True) if not found else rows.filter(conversation_id__in=found)
    posts = list(loose.values_list("pk", "network", "external_id")[: None if found else 500])
    if not found and not posts:
        return None
    others = Post.objects.of(channel.workspace_id).filter(conversation_id__in=found).exclude(channel=channel)
    shared = {each or 0 for each in others.order_by().values_list("conversation_id", flat=True).distinct()}
    theirs = found - shared
    return Reach(
        theirs=sorted(theirs | merged_into(theirs)), shared=sorted(shared), posts=[row[0] for row in posts],
        named=[(row[1], row[2]) for row in posts], traces=Traces((), ()), in_ours=Traces((), ()), for_good=False,
    )  # fmt: skip


def merged_into(talks: Collection[int]) -> set[int]:
    """Conversations that became part of these, or of one that did: they show the beginning of a post."""
    found: set[int] = set()
    fresh = set(talks)
    while fresh:
        fresh = set(Conversation.objects.filter(merged_into__in=fresh).values_list("pk", flat=True)) - found
        found |= fresh
    return found


def entries_about(found: Reach, workspace: int) -> list[Approval]:
    """The entries of the ledger that answer what goes, tell others of it, or were decided about one that does; in
    their order.
    """
    rows = Approval.objects.of(workspace).filter(erased_at__isnull=True).exclude(kind=Approval.Kind.ERASE)
    entries = {row.pk: row for row in rows.filter(conversation__in=found.theirs)}
    entries |= {row.pk: row for row in rows.filter(conversation__in=found.shared) if _tells(found.in_ours, row)}
    for part in chunks(found.posts, 500):
        entries |= {row.pk: row for row in rows.filter(target__in=part)}
    return with_decisions(entries.values(), workspace)


def entries_of_handles(handles: Collection[Handle], workspace: int) -> list[Approval]:
    """Entries about the accounts themselves (a follow), and any about a post that is left, in their order."""
    rows = Approval.objects.of(workspace).filter(erased_at__isnull=True)
    about = rows.filter(Q(handle__in=handles) | Q(target__handle__in=handles))
    return with_decisions(about, workspace)


def _tells(traces: Traces, entry: Approval) -> bool:
    return any(traces.are_in(text) for text in (entry.text, entry.drafted, *(entry.parts or ())))


def with_decisions(entries: Iterable[Approval], workspace: int) -> list[Approval]:
    """These entries of the ledger, and those that were decided about them, in their order."""
    found = {row.pk: row for row in entries}
    rows = Approval.objects.of(workspace).filter(erased_at__isnull=True)
    for part in chunks(list(found), 500):
        found |= {row.pk: row for row in rows.filter(subject__approval__in=part)}
    return sorted(found.values(), key=lambda row: row.sequence)
