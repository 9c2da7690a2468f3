"""Every address of the interface for programs, in one table. Each has its row in tests/api/test_matrix.py."""

from __future__ import annotations

import functools

import msgspec
from django.http import HttpResponse
from django.urls import path

from rapport.actions.api import Taken
from rapport.api import conversations, corrections, holds, ledger, posts, readings, topics
from rapport.api.door import Endpoint, Parameter, serve
from rapport.api.openapi import render
from rapport.api.shapes import (
    ConversationList,
    ConversationWhole,
    CorrectionBody,
    CorrectionLine,
    CorrectionList,
    DeliveryList,
    DraftBody,
    HoldBody,
    HoldNow,
    LedgerList,
    OwnDraft,
    OwnModel,
    OwnModelBody,
    ReadingsBody,
    ReadingsInForce,
    TopicList,
)
from rapport.core.post import Post
from rapport.core.understand.corrected import READINGS
from rapport.store.queries.desk import ON_REQUEST, PAGE

_MACHINES = Parameter(
    "automated", "query", "`without` leaves out accounts that look automated.", {"type": "string", "enum": ["without"]}
)
_ID = Parameter("pk", "path", "The conversation's id.", {"type": "integer", "minimum": 1}, required=True)


@functools.cache
def _document() -> bytes:
    return msgspec.json.format(msgspec.json.encode(render(ENDPOINTS)), indent=2)


def openapi() -> HttpResponse:
    """The description of everything below."""
    return HttpResponse(_document(), content_type="application/json")


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        name="openapi",
        method="GET",
        path="openapi.json",
        right=None,
        view=openapi,
        summary="This document.",
        answer=None,
    ),
    Endpoint(
        name="posts",
        method="POST",
        path="posts",
        right="import",
        view=posts.hand_in_posts,
        summary="Hand in posts, at most 500 and 5 MB; what is known already changes nothing.",
        answer=Taken,
        body=list[Post],
        parameters=(
            Parameter(
                "channel", "query", "The slug of the channel that the posts come in through; made when it is missing.",
                {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,80}$"}, required=True,
            ),
            Parameter(
                posts.KEY, "header", "A new one for each list, the same for every retry; kept for seven days.",
                {"type": "string", "pattern": "^[\\x21-\\x7e]{1,255}$"}, required=True,
            ),
        ),
        refusals=(409, 413, 415),
    ),
    Endpoint(
        name="conversations",
        method="GET",
        path="conversations",
        right="read",
        view=conversations.list_conversations,
        summary="Conversations that the member sees, newest first.",
        answer=ConversationList,
        parameters=(
            Parameter("basket", "query", "The slug of a basket.", {"type": "string"}),
            Parameter(
                "state", "query", "One state; else all of these but `folded`.",
                {"type": "string", "enum": list(ON_REQUEST)},
            ),
            _MACHINES,
            Parameter(
                "limit", "query", f"How many at most; {PAGE} unless told.",
                {"type": "integer", "minimum": 1, "maximum": conversations.MAX_PAGE},
            ),
            Parameter("cursor", "query", "`next` of the page before.", {"type": "string"}),
        ),
        refusals=(404,),
    ),
    Endpoint(
        name="conversation",
        method="GET",
        path="conversations/<int:pk>",
        right="read",
        view=conversations.read_conversation,
        summary="One conversation: posts with readings, why it is where it is, notes.",
        answer=ConversationWhole,
        parameters=(_ID,),
        refusals=(404,),
    ),
    Endpoint(
        name="draft",
        method="POST",
        path="conversations/<int:pk>/draft",
        right="draft",
        view=conversations.save_draft,
        summary="Leave a draft, which a person then edits and sends.",
        answer=OwnDraft,
        body=DraftBody,
        parameters=(_ID,),
        refusals=(404, 409, 413, 415),
    ),
    Endpoint(
        name="ledger",
        method="GET",
        path="ledger",
        right="audit",
        view=ledger.read_ledger,
        summary="Who approved what, when, and what became of it: the chained ledger, newest entry first.",
        answer=LedgerList,
        parameters=(
            Parameter("kind", "query", "One kind of entry.", {"type": "string", "enum": list(ledger.KINDS)}),
            Parameter("since", "query", "Approved then or later.", {"type": "string", "format": "date-time"}),
            Parameter("until", "query", "Approved before.", {"type": "string", "format": "date-time"}),
            Parameter(
                "limit", "query", f"How many at most; {PAGE} unless told.",
                {"type": "integer", "minimum": 1, "maximum": ledger.MAX_PAGE},
            ),
            Parameter("cursor", "query", "`next` of the page before.", {"type": "string"}),
        ),
    ),
    Endpoint(
        name="deliveries",
        method="GET",
        path="deliveries",
        right="read",
        view=ledger.read_deliveries,
        summary="What is on its way to networks, and what became of it, in the member's conversations, newest first.",
        answer=DeliveryList,
        parameters=(
            Parameter("state", "query", "One state.", {"type": "string", "enum": list(ledger.STATES)}),
            Parameter(
                "limit", "query", f"How many at most; {PAGE} unless told.",
                {"type": "integer", "minimum": 1, "maximum": ledger.MAX_PAGE},
            ),
            Parameter("cursor", "query", "`next` of the page before.", {"type": "string"}),
        ),
    ),
    Endpoint(
        name="topics",
        method="GET",
        path="topics",
        right="configure",
        view=topics.list_topics,
        summary="Topics with what each one found in the last days.",
        answer=TopicList,
        parameters=(
            Parameter(
                "days", "query", f"How far back; {topics.DAYS} unless told.",
                {"type": "integer", "minimum": 1, "maximum": topics.MAX_DAYS},
            ),
            _MACHINES,
        ),
    ),
    Endpoint(
        name="corrections",
        method="GET",
        path="corrections",
        right="configure",
        view=corrections.read_corrections,
        summary="What people said of the machine's readings, newest first.",
        answer=CorrectionList,
        parameters=(
            Parameter(
                "reading", "query", "One reading; else all of them.", {"type": "string", "enum": list(READINGS)}
            ),
            Parameter(
                "limit", "query", f"How many at most; {corrections.PAGE} unless told.",
                {"type": "integer", "minimum": 1, "maximum": corrections.MAX_PAGE},
            ),
            Parameter("cursor", "query", "`next` of the page before.", {"type": "string"}),
        ),
    ),
    Endpoint(
        name="correct",
        method="POST",
        path="corrections",
        right="draft",
        view=corrections.correct,
        summary="Say what a reading of a post should have been, or take the member's own word back.",
        answer=CorrectionLine,
        body=CorrectionBody,
        refusals=(404, 413, 415),
    ),
    Endpoint(
        name="thresholds",
        method="GET",
        path="thresholds",
        right="configure",
        view=readings.read_thresholds,
        summary="From which certainty readings count, and how many posts get a second look.",
        answer=ReadingsInForce,
    ),
    Endpoint(
        name="save_thresholds",
        method="PUT",
        path="thresholds",
        right="configure",
        view=readings.save_thresholds,
        summary="Put thresholds and the share of the second look in force.",
        answer=ReadingsInForce,
        body=ReadingsBody,
        refusals=(413, 415),
    ),
    Endpoint(
        name="team_model",
        method="GET",
        path="team-model",
        right="configure",
        view=readings.read_team_model,
        summary="The team's own model: what is in force, and how good each version is.",
        answer=OwnModel,
    ),
    Endpoint(
        name="train_team_model",
        method="POST",
        path="team-model",
        right="configure",
        view=readings.train_team_model,
        summary="Have a model of the team's own learnt from its corrections; a worker does it.",
        answer=OwnModel,
    ),
    Endpoint(
        name="use_team_model",
        method="PUT",
        path="team-model",
        right="configure",
        view=readings.use_team_model,
        summary="Put a version of the team's own model in force, or the shipped model alone.",
        answer=OwnModel,
        body=OwnModelBody,
        refusals=(404, 413, 415),
    ),
    Endpoint(
        name="hold",
        method="GET",
        path="hold",
        right="read",
        view=holds.read_hold,
        summary="Whether everything going out is held, since when and why.",
        answer=HoldNow,
    ),
    Endpoint(
        name="begin_hold",
        method="POST",
        path="hold",
        right="hold",
        view=holds.hold,
        summary="Hold everything going out, in under a second and whatever sends it; again changes the words alone.",
        answer=HoldNow,
        body=HoldBody,
        refusals=(413, 415),
    ),
    Endpoint(
        name="end_hold",
        method="DELETE",
        path="hold",
        right="hold",
        view=holds.release,
        summary="Let everything go out again.",
        answer=HoldNow,
    ),
)  # fmt: skip

app_name = "api"
urlpatterns = [
    path(one.path, serve(*(each for each in ENDPOINTS if each.path == one.path)), name=one.name) for one in ENDPOINTS
]
