"""Every table.

They point one way: accounts <- people <- listening <- readings <- desk <- outbound; rules, api <- accounts.
"""

from rapport.store.models.accounts import AuditEntry, Membership, SignInLink, User, Workspace
from rapport.store.models.api import ApiToken, KeptAnswer
from rapport.store.models.desk import (
    Basket,
    BasketMember,
    Check,
    Conversation,
    DeskEvent,
    Note,
    ScoreCorrection,
    ThreadLink,
)
from rapport.store.models.listening import (
    BusMessage,
    Channel,
    ChannelHour,
    Cursor,
    Fingerprint,
    Gap,
    MoodHour,
    NetworkApp,
    Outcome,
    Post,
    Received,
    Tombstone,
    Topic,
    TopicMatch,
)
from rapport.store.models.outbound import Approval, Attempt, Delivery, Draft, PreparedReply
from rapport.store.models.people import Handle, Person, PersonMerge
from rapport.store.models.readings import Correction, ReadingSettings, TeamModel
from rapport.store.models.rules import RuleSet, ScoreWeights

__all__ = [
    "ApiToken",
    "Approval",
    "Attempt",
    "AuditEntry",
    "Basket",
    "BasketMember",
    "BusMessage",
    "Channel",
    "ChannelHour",
    "Check",
    "Conversation",
    "Correction",
    "Cursor",
    "Delivery",
    "DeskEvent",
    "Draft",
    "Fingerprint",
    "Gap",
    "Handle",
    "KeptAnswer",
    "Membership",
    "MoodHour",
    "NetworkApp",
    "Note",
    "Outcome",
    "Person",
    "PersonMerge",
    "Post",
    "PreparedReply",
    "ReadingSettings",
    "Received",
    "RuleSet",
    "ScoreCorrection",
    "ScoreWeights",
    "SignInLink",
    "TeamModel",
    "ThreadLink",
    "Tombstone",
    "Topic",
    "TopicMatch",
    "User",
    "Workspace",
]
