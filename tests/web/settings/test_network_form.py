"""Forms made from what a network asks for."""

from __future__ import annotations

from typing import Any

import pytest

from rapport.networks.base import Field
from rapport.store.models import Channel
from rapport.web.settings.network_form import ListField, form_fields

OPML = """<?xml version="1.0"?>
<opml version="2.0"><body>
<outline text="News">
<outline text="A" xmlUrl="https://a.example/feed"/>
</outline>
<outline text="More">
<outline text="B" xmlUrl="https://b.example/feed"/>
</outline>
</body></opml>"""


def test_lines_come_once_in_the_order_given() -> None:
    field = ListField(by_line=True)
    assert field.clean("https://a.example\n\n https://b.example \nhttps://a.example") == [
        "https://a.example",
        "https://b.example",
    ]
    assert field.clean("<b>\na\n<b>") == ["<b>", "a"]


def test_a_long_text_comes_as_it_was_typed_and_a_kept_list_is_shown_one_item_a_line() -> None:
    field = form_fields([Field("feeds", "Feeds", kind="long")])["feeds"]
    assert field.clean(OPML) == OPML
    assert field.prepare_value(["https://a.example", "https://b.example"]) == "https://a.example\nhttps://b.example"


@pytest.mark.django_db
def test_an_opml_file_that_is_pasted_becomes_a_source(cast: Any, enter: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rapport.networks.feeds.form.MOST_TRIED", 0)  # nothing is called in this test
    answer = enter(cast.alice).post("/w/fernway/settings/channels/connect/feeds/", {"feeds": OPML, "name": "N"})
    assert answer.status_code == 302, answer.content.decode()[-3000:]
    assert Channel.objects.get(network="feeds").settings["feeds"] == [
        "https://a.example/feed",
        "https://b.example/feed",
    ]
    page = f"/w/fernway/settings/channels/{Channel.objects.get(network='feeds').pk}/"
    assert "https://a.example/feed\nhttps://b.example/feed</textarea>" in enter(cast.alice).get(page).content.decode()
