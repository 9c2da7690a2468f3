"""The audit page."""

from __future__ import annotations

import ast
import datetime as dt
import re
from pathlib import Path
from typing import Any

BASE = "/w/fernway/settings/audit/"


def test_it_shows_who_did_what(cast: Any, enter: Any) -> None:
    page = enter(cast.lea).get(BASE).content.decode()
    assert "invited amir@fernway.example" in page
    assert 'title="member.invite"' in page


def test_it_is_narrowed_by_person_and_kind(cast: Any, enter: Any, now: dt.datetime) -> None:
    from rapport.actions.listening import save_topic

    save_topic(cast.lea, "", "Delays", "delay", now=now)
    client = enter(cast.lea)
    page = client.get(BASE, {"who": cast.lea.pk, "what": "topic"}).content.decode()
    assert re.findall(r'title="\w+\.\w+">(.*?)</span>', page) == ["saved a topic"]
    assert "Nothing fits" in client.get(BASE, {"who": cast.vera.pk}).content.decode()


def test_another_workspace_is_never_in_it(cast: Any, enter: Any) -> None:
    page = enter(cast.lea).get(BASE, {"who": cast.charlie.pk}).content.decode()
    assert "charlie" not in page.lower()


def test_a_filter_that_makes_no_sense_filters_nothing(cast: Any, enter: Any) -> None:
    for query in ({"who": "x"}, {"what": "actor__user__password"}, {"before": "-1"}, {"before": "9" * 30}):
        assert "invited " in enter(cast.lea).get(BASE, query).content.decode()


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
    with django_assert_max_num_queries(10):
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
    assert told == [("state", "open → snoozed"), ("assignee", "– → Amir")]
    assert "snoozed until 21 Nov 2026, 21:00" in page


def verbs_of_the_actions() -> set[str]:
    """Every verb that the source of the actions names, and those that it puts together."""
    import rapport.actions
    from rapport.store.queries.rule_days import OVERRIDDEN, TAKEN_BACK

    found: set[str] = set()
    for path in Path(rapport.actions.__path__[0]).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found |= {node.value} if re.fullmatch(r"[a-z]\w*\.[a-z]\w*", node.value) else set()
    steps = {"sent", "retry", "failed", "held", "unconfirmed", "reconciled", "dropped", "part"}
    made = {f"delivery.{step}" for step in steps} | {OVERRIDDEN, TAKEN_BACK}
    made |= {f"notices.{way}{when}" for way in ("mail", "push") for when in ("", "_later")}
    files = {"person.json", "person.html"}
    return {verb for verb in found if not verb.startswith("rapport")} - files | made


def test_every_deed_is_put_into_words() -> None:
    from rapport.web.settings.audit_words import DEEDS

    assert verbs_of_the_actions() == set(DEEDS)


def test_deeds_are_told_as_sentences(cast: Any, enter: Any, now: dt.datetime) -> None:
    from rapport.actions.audit import write_audit

    def done(verb: str, **detail: Any) -> str:
        write_audit(cast.workspace, cast.ben, verb, None, now, **detail)
        page = enter(cast.lea).get(BASE).content.decode()
        return str(re.findall(r'title="\w+\.\w+">(.*?)</span>', page)[0])

    assert done("conversation.assign", before={"assignee": None}, after={"assignee": cast.ben.pk}) == "assigned to Ben"
    assert done("conversation.assign", before={"assignee": 1}, after={"assignee": None}) == "gave back to the basket"
    assert done("reply.approve") == "approved a reply"
    assert done("channel.connect") == "connected an account"
    assert done("person.ignore", before={"ignored": True}, after={"ignored": False}) == "ignores a person no longer"
    assert done("something.new") == "something.new"
    assert done("person.join", name="{evidence}", evidence="<i>x</i>") == "joined {evidence} with this person"


def test_the_machine_is_shown_when_asked_for_and_never_drowns_people(cast: Any, enter: Any, now: dt.datetime) -> None:
    from rapport.actions.audit import write_audit

    write_audit(cast.workspace, cast.ben, "topic.save", None, now)
    for number in range(200):
        write_audit(cast.workspace, None, "posts.hear", None, now + dt.timedelta(seconds=number), new=2)
        write_audit(cast.workspace, None, "posts.record", None, now + dt.timedelta(seconds=number), conversations=1)
    write_audit(cast.workspace, cast.ben, "topic.delete", None, now)
    client = enter(cast.lea)
    people = client.get(BASE).content.decode()
    assert "took in" not in people
    everything = client.get(BASE, {"show": "all"}).content.decode()
    told = re.findall(r'title="\w+\.\w+">(.*?)</span>', everything)
    assert told[:3] == ["deleted a topic", "took in and sorted posts, in 400 steps", "saved a topic"]
    assert '<span class="muted">new</span> <span class="break">400</span>' in everything


def test_folded_pages_lose_nothing(cast: Any, enter: Any, now: dt.datetime, monkeypatch: Any) -> None:
    from rapport.actions.audit import write_audit
    from rapport.store.models import AuditEntry
    from rapport.web.settings import audit

    monkeypatch.setattr(audit, "FOLDED", 60)
    AuditEntry.objects.all().delete()
    for number in range(300):
        machine = number % 10 < 4
        write_audit(
            cast.workspace, None if machine else cast.ben, "posts.hear" if machine else "topic.save", None, now, n=1
        )
    client, seen, query = enter(cast.lea), 0, "?show=all"
    while query:
        page = client.get(BASE + query)
        seen += sum(line.steps for line in page.context["lines"])
        query = f"?{page.context['older']}" if page.context["older"] else ""
    assert seen == 300
