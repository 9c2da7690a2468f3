"""Forms made from what a network asks for."""

from __future__ import annotations

from typing import Any

import pytest

from rapport.store.models import Channel
from rapport.web.settings.network_form import ListField

OPML = """<?xml version="1.0"?>
<opml version="2.0"><body>
<outline text="News">
<outline text="A" xmlUrl="https://a.example/feed"/>
</outline>
<outline text="More">
<outline text="B" xmlUrl="https://b.example/feed"/>
</outline>
</body></opml>"""


def test_lines_come_once_and_a_pasted_file_stays_whole() -> None:
    field = ListField(by_line=True)
    assert field.clean("https://a.example\n\n https://b.example \nhttps://a.example") == [
        "https://a.example",
        "https://b.example",
    ]
    assert field.clean(f"\n{OPML}\n") == [OPML]


@pytest.mark.django_db
def test_an_opml_file_that_is_pasted_becomes_a_source(cast: Any, enter: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rapport.networks.feeds.form.MOST_TRIED", 0)  # nothing is called in this test
    answer = enter(cast.alice).post("/w/fernway/settings/channels/connect/feeds/", {"feeds": OPML, "name": "N"})
    assert answer.status_code == 302, answer.content.decode()[-3000:]
    assert Channel.objects.get(network="feeds").settings["feeds"] == [
        "https://a.example/feed",
        "https://b.example/feed",
    ]
