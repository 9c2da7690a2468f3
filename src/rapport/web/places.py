"""The pages of a workspace beside its baskets: where each is, its key, who may open it, and what it is for."""

from __future__ import annotations

from typing import Any

import msgspec
from django.utils.translation import gettext_lazy

from rapport.core.roles import Right
from rapport.store.models import Membership


class Page(msgspec.Struct, frozen=True):
    """One page, as the navigation and the settings name it."""

    name: Any
    #: behind /w/SLUG/
    path: str
    icon: str
    #: the letter after `g`
    key: str
    right: Right
    #: what one does there
    what: Any = ""


TASKS = Page(gettext_lazy("Tasks"), "tasks/", "circle-check", "w", "read")
DRAFTS = Page(gettext_lazy("My drafts"), "drafts/", "pencil", "D", "draft")
NAMED = Page(gettext_lazy("Where I was named"), "named/", "at-sign", "N", "read")
APPROVALS = Page(gettext_lazy("To approve"), "approvals/", "user-check", "v", "send")
NOTICES = Page(gettext_lazy("Notices"), "notices/", "bell", "n", "read")
SETTINGS = Page(gettext_lazy("Settings"), "settings/", "settings", "e", "read")

CAMPAIGNS = Page(
    gettext_lazy("Campaigns"), "campaigns/", "send", "C", "send",
    gettext_lazy("Posts about one matter, found and answered one after the other."),
)  # fmt: skip
POSTS = Page(
    gettext_lazy("Posts"), "posts/", "message-square-text", "P", "draft",
    gettext_lazy("What we say of our own accord, on every account; who approved it, and what came back."),
)  # fmt: skip
SAME_WORDS = Page(
    gettext_lazy("The same words"), "same-words/", "copy", "V", "configure",
    gettext_lazy("What went to several people nearly alike, although they had said different things."),
)  # fmt: skip
TOPICS = Page(
    gettext_lazy("Topics"), "settings/topics/", "hash", "t", "configure",
    gettext_lazy("What is searched for in everything that is heard."),
)  # fmt: skip
RULES = Page(
    gettext_lazy("Rules"), "settings/rules/", "workflow", "r", "configure",
    gettext_lazy("What happens with a mention: try changes on history, publish them, go back to a version."),
)  # fmt: skip
SOURCES = Page(
    gettext_lazy("Sources"), "settings/channels/", "radio", "s", "channels",
    gettext_lazy("Accounts, feeds and folders that are listened to, and how each does."),
)  # fmt: skip
PROMISES = Page(
    gettext_lazy("Promises"), "promises/", "hourglass", "i", "read",
    gettext_lazy("How the times that we promise were kept, and what broke."),
)  # fmt: skip
OFFERS = Page(
    gettext_lazy("Offers"), "offers/", "badge-check", "j", "allow",
    gettext_lazy("What colleagues would like to offer above their limit, and what came of what was offered."),
)  # fmt: skip
#: the same page where something waits on it, among what is to be done
OFFERS_ASKED = Page(gettext_lazy("Offers to decide"), "offers/", "badge-check", "j", "allow")
PEOPLE = Page(
    gettext_lazy("People"), "people/", "user-round", "u", "read",
    gettext_lazy("Everybody whom this desk has met, found by name, handle and what is known of them."),
)  # fmt: skip
CORRECTIONS = Page(
    gettext_lazy("Corrections"), "settings/corrections/", "pencil", "k", "configure",
    gettext_lazy("What colleagues set right in what the machine read."),
)  # fmt: skip

#: the groups of the navigation below the baskets
GROUPS: tuple[tuple[Any, tuple[Page, ...]], ...] = (
    (gettext_lazy("Reaching out"), (POSTS, CAMPAIGNS, SAME_WORDS)),
    (gettext_lazy("Listening and rules"), (TOPICS, RULES, SOURCES)),
    (gettext_lazy("Insight"), (PEOPLE, PROMISES, OFFERS, CORRECTIONS)),
)
#: the groups of the page of settings; what stands in the navigation already is named again, for whoever looks here
SECTIONS: tuple[tuple[Any, tuple[Page, ...]], ...] = (
    (
        gettext_lazy("How work is sorted and answered"),
        (
            RULES,
            Page(
                gettext_lazy("Baskets"), "settings/baskets/", "inbox", "b", "configure",
                gettext_lazy("Who does what, when, within which time, and how work is given out."),
            ),
            Page(
                gettext_lazy("Prepared replies"), "settings/replies/", "message-square-text", "p", "configure",
                gettext_lazy("Texts to begin an answer from."),
            ),
            Page(
                gettext_lazy("Steps over days"), "settings/steps/", "calendar", "", "configure",
                gettext_lazy("What is done after how many days, until somebody speaks again."),
            ),
            Page(
                gettext_lazy("Surveys"), "settings/surveys/", "circle-help", "g", "configure",
                gettext_lazy("A few questions by a link at the end of a conversation, and what people answered."),
            ),
            Page(
                gettext_lazy("Articles"), "settings/articles/", "file-text", "x", "policy",
                gettext_lazy("What policy says, beside the conversations that it is about."),
            ),
            Page(
                gettext_lazy("What may be offered"), "settings/allowances/", "badge-check", "", "policy",
                gettext_lazy("What each role may offer by its own judgement, and up to how much."),
            ),
            Page(
                gettext_lazy("Who approves"), "settings/approvals/", "user-check", "", "team",
                gettext_lazy("Which replies need somebody else's word: by role, basket, account and condition."),
            ),
            Page(
                gettext_lazy("Drafts"), "settings/drafting/", "pencil", "", "configure",
                gettext_lazy("How far people take what they begin from, and a service that may write some."),
            ),
            Page(
                gettext_lazy("Acknowledgement"), "settings/acknowledgement/", "bot", "y", "channels",
                gettext_lazy("The one thing that may be said without a person, and what came of it."),
            ),
        ),
    ),
    (
        gettext_lazy("What is heard, and how it is read"),
        (
            SOURCES,
            TOPICS,
            Page(
                gettext_lazy("Score"), "settings/score/", "sliders-horizontal", "o", "configure",
                gettext_lazy("What makes one mention more pressing than another."),
            ),
            Page(
                gettext_lazy("Readings"), "settings/readings/", "eye", "d", "configure",
                gettext_lazy("Mood, intent and urgency: from where each counts, in the words of your field."),
            ),
            Page(
                gettext_lazy("Webhooks"), "settings/webhooks/", "plug", "h", "channels",
                gettext_lazy("Other programs that rules tell of a conversation."),
            ),
        ),
    ),
    (
        gettext_lazy("Colleagues"),
        (
            Page(
                gettext_lazy("Team"), "settings/team/", "users", "m", "team",
                gettext_lazy("Who works here, in which role and in which baskets."),
            ),
            Page(
                gettext_lazy("Accounts of other firms"), "settings/brands/", "users", "B", "configure",
                gettext_lazy("Whose answers count, so that not everybody jumps on one person."),
            ),
            Page(
                gettext_lazy("Fields on people"), "settings/people/", "tag", "z", "configure",
                gettext_lazy("What you keep of people beside what they said."),
            ),
            Page(
                gettext_lazy("Who is away"), "settings/absences/", "calendar", "f", "draft",
                gettext_lazy("Absences, who stands in, and handing over."),
            ),
            Page(
                gettext_lazy("Ledger"), "ledger/", "shield-check", "", "audit",
                gettext_lazy("Who approved what went out, and what became of it; the chain, checked."),
            ),
            Page(
                gettext_lazy("Audit"), "settings/audit/", "scroll-text", "a", "audit",
                gettext_lazy("Who changed what, and when."),
            ),
        ),
    ),
)  # fmt: skip
#: on the settings page alone, for everybody
NOTICE_WAYS = Page(
    gettext_lazy("How I am told"), "notices/settings/", "bell", "", "read",
    gettext_lazy("At the desk, by mail, by push; and when not at all."),
)  # fmt: skip

VIEWS = Page(
    gettext_lazy("Saved views"), "views/", "star", "", "read",
    gettext_lazy("Lists with their filters that you, or all of you, keep under a name."),
)  # fmt: skip


def open_to(member: Membership, groups: tuple[tuple[Any, tuple[Page, ...]], ...]) -> list[tuple[Any, list[Page]]]:
    """The groups with the pages that this member's role opens; a group without any is left out."""
    found = [(name, [page for page in pages if member.may(page.right)]) for name, pages in groups]
    return [(name, pages) for name, pages in found if pages]
