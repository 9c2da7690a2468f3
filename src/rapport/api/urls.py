"""Every address of the interface for programs, in one table. Each has its row in tests/api/test_matrix.py."""

from __future__ import annotations

import functools

import msgspec
from django.http import HttpResponse
from django.urls import path

from rapport.actions.api import Taken
from rapport.api import conversations, posts
from rapport.api.door import Endpoint, Parameter, serve
from rapport.api.openapi import render
from rapport.api.shapes import ConversationList, ConversationWhole, DraftBody, OwnDraft
from rapport.core.post import Post
from rapport.store.queries.desk import ON_REQUEST, PAGE

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
)  # fmt: skip

app_name = "api"
urlpatterns = [path(endpoint.path, serve(endpoint), name=endpoint.name) for endpoint in ENDPOINTS]
