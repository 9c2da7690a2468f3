"""Every table.

They point one way: accounts <- people <- listening <- readings <- desk <- outbound <- work; promises, notices <- desk;
rules, api <- accounts.
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
from rapport.store.models.notices import Notification, NotificationSettings, PushSubscription
from rapport.store.models.outbound import Approval, Attempt, Delivery, Draft, DraftReturn, PreparedReply
from rapport.store.models.people import Handle, Person, PersonMerge
from rapport.store.models.promises import Absence, Promise
from rapport.store.models.readings import Correction, ReadingSettings, TeamModel
from rapport.store.models.rules import BackTest, RuleDay, RuleDraft, RuleSet, ScoreWeights, ShadowDifference
from rapport.store.models.work import (
    Acknowledgement,
    AcknowledgementSettings,
    Escalation,
    Ignoring,
    RuleEffect,
    Task,
    Webhook,
    WebhookCall,
)

__all__ = [
    "Absence",
    "Acknowledgement",
    "AcknowledgementSettings",
    "ApiToken",
    "Approval",
    "Attempt",
    "AuditEntry",
    "BackTest",
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
    "DraftReturn",
    "Escalation",
    "Fingerprint",
    "Gap",
    "Handle",
    "Ignoring",
    "KeptAnswer",
    "Membership",
    "MoodHour",
    "NetworkApp",
    "Note",
    "Notification",
    "NotificationSettings",
    "Outcome",
    "Person",
    "PersonMerge",
    "Post",
    "PreparedReply",
    "Promise",
    "PushSubscription",
    "ReadingSettings",
    "Received",
    "RuleDay",
    "RuleDraft",
    "RuleEffect",
    "RuleSet",
    "ScoreCorrection",
    "ScoreWeights",
    "ShadowDifference",
    "SignInLink",
    "Task",
    "TeamModel",
    "ThreadLink",
    "Tombstone",
    "Topic",
    "TopicMatch",
    "User",
    "Webhook",
    "WebhookCall",
    "Workspace",
]
