"""Whatever is sent, the answer is an answer: no 5xx, and every refusal is a problem."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.cache import cache
from django.http import HttpResponse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.conftest import Program, a_post
from rapport.api.body import split_list
from rapport.api.problems import MEDIA, Refused
from rapport.core.post import Post
from rapport.store.models import Approval, Delivery

#: the database is undone after the test, not after each example: what they leave behind is part of the weather
weather = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
#: any character, lone surrogates included
words = st.text(alphabet=st.characters(codec=None), max_size=20)
numbers = st.one_of(st.integers(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False))
values: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, words),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(words, inner, max_size=4)),
    max_leaves=12,
)
FIELDS = Post.__struct_fields__
authors = st.dictionaries(st.sampled_from(["id", "handle", "name", "followers", "bio", "created_at", "ours"]), values)
changes = st.dictionaries(
    st.one_of(st.sampled_from(FIELDS), words), st.one_of(values, authors, st.sampled_from(["2026-11-20T10:00:00Z"]))
)
near_posts = changes.map(lambda changed: a_post(**changed))


def check(answer: HttpResponse) -> None:
    assert answer.status_code < 500, answer.content
    if answer.status_code >= 400:
        assert answer.headers["Content-Type"] == MEDIA
        assert answer.json()["status"] == answer.status_code
    assert not Approval.objects.exists()
    assert not Delivery.objects.exists()
    cache.clear()


@weather
@given(body=st.one_of(values, st.lists(st.one_of(near_posts, values), max_size=4)))
def test_any_json_handed_in_is_answered(sync: Program, body: Any) -> None:
    check(sync.post("posts?channel=shop", body))


@weather
@given(body=st.one_of(st.binary(max_size=60), st.text(alphabet='[]{}",:\\u0d18e19ntf -.', max_size=40).map(str.encode)))
def test_any_bytes_handed_in_are_answered(sync: Program, body: bytes) -> None:
    check(sync.post("posts?channel=shop", body))
    check(sync.post("conversations/1/draft", body))


@weather
@given(text=values, replaces=values, propose=values, more=st.dictionaries(words, values, max_size=1))
def test_any_draft_is_answered(
    sync: Program, conversation: Any, text: Any, replaces: Any, propose: Any, more: dict[str, Any]
) -> None:
    body = {"text": text, "replaces": replaces, "propose": propose, **more}
    check(sync.post(f"conversations/{conversation.pk}/draft", body))


@weather
@given(query=st.dictionaries(st.sampled_from(["limit", "cursor", "state", "basket", "x"]), words))
def test_any_question_is_answered(sync: Program, query: dict[str, str]) -> None:
    plain = {name: value.encode(errors="replace").decode() for name, value in query.items()}
    check(sync.get("conversations", **plain))


@weather
@given(
    items=st.lists(values, max_size=6), space=st.sampled_from(["", " ", "\n\t\r "])
)  # fmt: skip
def test_a_list_is_split_into_exactly_the_bytes_of_its_items(items: list[Any], space: str) -> None:
    parts = [json.dumps(item).encode() for item in items]
    gap = space.encode()
    body = gap + b"[" + gap + (gap + b"," + gap).join(parts) + gap + b"]" + gap
    assert split_list(body, 10) == parts
    with pytest.raises(Refused):
        split_list(body[: body.rindex(b"]")], 10)
