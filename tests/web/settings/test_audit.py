"""The audit page."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

BASE = "/w/fernway/settings/audit/"


def test_it_shows_who_did_what(cast: Any, enter: Any) -> None:
    page = enter(cast.lea).get(BASE).content.decode()
    assert "<code>member.invite</code>" in page
    assert "amir@fernway.example" in page


def test_it_is_narrowed_by_person_and_kind(cast: Any, enter: Any, now: dt.datetime) -> None:
    from rapport.actions.listening import save_topic

    save_topic(cast.lea, "", "Delays", "delay", now=now)
    client = enter(cast.lea)
    page = client.get(BASE, {"who": cast.lea.pk, "what": "topic"}).content.decode()
    assert re.findall(r"<td><code>(.*?)</code>", page) == ["topic.save"]
    assert "Nothing fits" in client.get(BASE, {"who": cast.vera.pk}).content.decode()


def test_another_workspace_is_never_in_it(cast: Any, enter: Any) -> None:
    page = enter(cast.lea).get(BASE, {"who": cast.charlie.pk}).content.decode()
    assert "charlie" not in page.lower()


def test_a_filter_that_makes_no_sense_filters_nothing(cast: Any, enter: Any) -> None:
    for query in ({"who": "x"}, {"what": "actor__user__password"}, {"before": "-1"}, {"before": "9" * 30}):
        assert "member.invite" in enter(cast.lea).get(BASE, query).content.decode()


def test_it_is_leafed_through_in_pages_of_fifty_without_loss(cast: Any, enter: Any, now: dt.datetime) -> None:
    from rapport.actions.audit import write_audit
    from rapport.store.models import AuditEntry

    AuditEntry.objects.all().delete()
    for number in range(120):
        write_audit(cast.workspace, cast.ben, "topic.save", None, now, n=number)
    client, seen, query = enter(cast.lea), [], "?what=topic"
    while query:
        page = client.get(BASE + query).content.decode()
        seen += [int(n) for n in re.findall(r'n</span> <span class="break">(\d+)<', page)]
        found = re.search(r'href="(\?[^"]*before=\d+)">Older', page)
        query = found[1].replace("&amp;", "&") if found else ""
    assert seen == list(range(119, -1, -1))


def test_markup_in_a_detail_stays_text(cast: Any, enter: Any, now: dt.datetime) -> None:
    from rapport.actions.audit import write_audit

    write_audit(cast.workspace, cast.ben, "topic.save", None, now, name="<script>alert(1)</script>")
    assert "<script>alert" not in enter(cast.lea).get(BASE).content.decode()


def test_a_page_costs_few_queries(cast: Any, enter: Any, django_assert_max_num_queries: Any) -> None:
    client = enter(cast.lea)
    client.get(BASE)
    with django_assert_max_num_queries(9):
        client.get(BASE)


def test_a_change_is_told_in_names_and_local_times(cast: Any, enter: Any, now: dt.datetime) -> None:
    from rapport.actions.audit import write_audit

    cast.lea.user.timezone = "Asia/Tokyo"
    cast.lea.user.save()
    before = {"state": "open", "assignee": None, "snoozed_until": None, "waiting_since": None}
    after = {"state": "snoozed", "assignee": cast.amir.pk, "snoozed_until": now.isoformat(), "waiting_since": None}
    write_audit(cast.workspace, cast.ben, "conversation.snooze", None, now, before=before, after=after)
    page = enter(cast.lea).get(BASE, {"what": "conversation"}).content.decode()
    told = re.findall(r'<span class="muted">([\w ]+)</span> <span class="break">(.*?)</span>', page)
    assert told == [("state", "open → snoozed"), ("assignee", "– → Amir"), ("snoozed until", "– → 21 Nov 2026, 21:00")]
