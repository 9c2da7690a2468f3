"""What follows from rules apart from sorting: done, proposed or refused, once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from conftest import NOON
from rapport.actions import desk, hearing
from rapport.core.decision import Effect
from rapport.core.guard.autonomy import MOST_EFFECTS_A_DAY
from rapport.core.post import Author, Post
from rapport.pipeline.line import process
from rapport.store.models import (
    AuditEntry,
    Conversation,
    Escalation,
    Note,
    Person,
    RuleEffect,
    Task,
    Webhook,
    WebhookCall,
    Workspace,
)
from rapport.store.secrets import seal

pytestmark = pytest.mark.django_db
Fire = Callable[..., None]


def effect(verb: str, argument: str = "", level: Any = "act", rule: str = "A rule") -> Effect:
    return Effect(rule, verb, argument, level)


@pytest.fixture
def fire(channel: Any, bus: Any, worker: Any) -> Fire:
    """Posts come in, and the rules say what follows from each."""

    def take(*effects: Effect, posts: tuple[Post, ...] = (), now: dt.datetime = NOON, times: int = 1) -> None:
        said = posts or (Post("mastodon", "1", "My parcel is broken", NOON, Author(id="n", handle="nadia")),)
        hearing.hear(channel, said, bus, now=now)
        for _ in range(times):
            batch = bus.claim("w", now, dt.timedelta(minutes=1))
            if batch is None:
                return
            outcomes = [
                msgspec.structs.replace(
                    each, decision=msgspec.structs.replace(each.decision, effects=effects, quarantined=False)
                )
                for each in process([post for _, post in batch.posts], worker.snapshot(batch), now)
            ]
            desk.record(batch, outcomes, bus, now=now)

    return take


def states() -> list[tuple[str, str]]:
    return list(RuleEffect.objects.order_by("pk").values_list("verb", "state"))


def reply(number: int, text: str = "And again", at: dt.datetime = NOON) -> Post:
    """One more word of the same person in the same thread."""
    return Post("mastodon", str(number), text, at, Author(id="n", handle="nadia"), in_reply_to="1")


def test_a_note_task_ticket_and_idea_are_there_with_the_name_of_the_rule(fire: Fire) -> None:
    fire(
        effect("note", "Call them"), effect("task", "2 days:Call back"), effect("ticket", "Broken"), effect("idea", "X")
    )
    talk = Conversation.objects.get()
    note = Note.objects.get()
    assert (note.conversation, note.rule, note.author, note.text) == (talk, "A rule", None, "Call them")
    found = {task.kind: task for task in Task.objects.all()}
    assert found["task"].title == "Call back"
    assert found["task"].due_at == NOON + dt.timedelta(days=2)
    assert {task.kind: task.due_at for task in found.values() if task.kind != "task"} == {"ticket": None, "idea": None}
    assert {(task.rule, task.conversation_id, task.person_id) for task in found.values()} == {
        ("A rule", talk.pk, talk.person_id)
    }
    assert states() == [("note", "done"), ("task", "done"), ("ticket", "done"), ("idea", "done")]
    assert AuditEntry.objects.filter(verb="effects.carry_out", detail={"effects": 4, "done": 4}).exists()


def test_what_a_rule_suggests_waits_for_a_person_and_changes_nothing(fire: Fire) -> None:
    fire(effect("basket", "praise", "suggest"), effect("note", "x", "suggest"), effect("boost"), effect("ignore"))
    assert {state for _, state in states()} == {"proposed"}
    assert not Note.objects.exists()
    assert not Person.objects.get(handles__handle="nadia").ignored


def test_a_rule_that_observes_leaves_a_trace_and_nothing_else(fire: Fire) -> None:
    fire(effect("note", "x", "observe"))
    assert states() == [("note", "noted")]
    assert not Note.objects.exists()


def test_a_batch_that_is_recorded_twice_does_nothing_twice(fire: Fire, bus: Any, channel: Any) -> None:
    fire(effect("note", "x"), effect("task", "1 day:call"))
    edited = Post("mastodon", "1", "My parcel is broken!", NOON, Author(id="n", handle="nadia"), edited_at=NOON)
    fire(effect("note", "x"), effect("task", "1 day:call"), posts=(edited,))
    assert Note.objects.count() == Task.objects.count() == 1


def test_a_crash_before_the_end_of_the_record_leaves_nothing_behind(
    fire: Fire, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*args: object, **rest: object) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(desk, "announce", die)
        with pytest.raises(RuntimeError):
            fire(effect("note", "x"))
    assert not RuleEffect.objects.exists()
    assert not Note.objects.exists()


def test_a_conversation_of_many_posts_gets_one_ticket_and_one_proposal(fire: Fire) -> None:
    fire(effect("ticket", "Broken"), effect("basket", "praise", "suggest"))
    fire(effect("ticket", "Broken"), effect("basket", "praise", "suggest"), posts=(reply(2), reply(3)))
    assert states() == [("ticket", "done"), ("basket", "proposed")]


def test_a_rule_that_repeats_itself_is_stopped_by_the_budget_and_says_so_once(fire: Fire, alice: Any) -> None:
    Webhook.objects.create(
        workspace=alice.workspace, slug="crm", url="https://crm.example/", secret=seal("whsec_eA==").decode(),
        created_at=NOON,
    )  # fmt: skip
    fire(effect("webhook", "crm"))
    fire(effect("webhook", "crm"), posts=tuple(reply(number) for number in range(2, MOST_EFFECTS_A_DAY + 11)))
    assert WebhookCall.objects.count() == MOST_EFFECTS_A_DAY
    refused = RuleEffect.objects.get(state="refused")
    assert "within a day" in refused.cause
    fire(effect("webhook", "crm"), posts=(reply(99),), now=NOON + dt.timedelta(days=2))
    assert WebhookCall.objects.count() == MOST_EFFECTS_A_DAY + 1


def test_a_webhook_that_is_missing_or_paused_is_refused_with_the_remedy(fire: Fire, alice: Any) -> None:
    Webhook.objects.create(
        workspace=alice.workspace, slug="off", url="https://x.example/", secret="", active=False, created_at=NOON
    )
    fire(effect("webhook", "crm"), effect("webhook", "off"))
    causes = list(RuleEffect.objects.order_by("pk").values_list("state", "cause"))
    assert [state for state, _ in causes] == ["refused", "refused"]
    assert "no webhook crm" in causes[0][1]
    assert "paused" in causes[1][1]


def test_a_webhook_is_told_of_the_rule_the_conversation_and_the_post(fire: Fire, alice: Any) -> None:
    Webhook.objects.create(
        workspace=alice.workspace, slug="crm", url="https://crm.example/", secret="", created_at=NOON
    )
    fire(effect("webhook", "crm", rule="Recall"))
    told = msgspec.json.decode(WebhookCall.objects.get().body)
    talk = Conversation.objects.get()
    assert (told["type"], told["timestamp"]) == ("rule.fired", NOON.isoformat())
    assert told["data"]["rule"] == "Recall"
    assert told["data"]["conversation"]["path"] == f"/w/fernway/c/{talk.pk}/"
    assert told["data"]["post"]["author"]["handle"] == "nadia"


def test_nothing_is_proposed_toward_somebody_who_asks_us_to_stop_in_the_same_post(fire: Fire) -> None:
    stop = Post("mastodon", "1", "STOP", NOON, Author(id="n", handle="nadia"))
    fire(effect("boost"), effect("note", "They want to be left alone"), posts=(stop,))
    assert states() == [("boost", "refused"), ("note", "done")]
    assert RuleEffect.objects.get(verb="boost").cause == "They asked us to stop."


def test_nothing_is_proposed_toward_bots_the_ignored_and_while_everything_is_held(fire: Fire, alice: Any) -> None:
    bot = Post("mastodon", "7", "Buy", NOON, Author(id="b", handle="bot", bot=True))
    fire(effect("like"), posts=(bot,))
    fire(posts=(reply(1),))
    Person.objects.filter(handles__handle="nadia").update(ignored=True)
    fire(effect("like"), posts=(reply(8),))
    Person.objects.update(ignored=False)
    Workspace.objects.update(held_at=NOON, hold_reason="storm")
    fire(effect("like"), posts=(Post("mastodon", "9", "Hi", NOON, Author(id="o", handle="olga")),))
    assert states() == [("like", "refused")] * 3
    causes = list(RuleEffect.objects.order_by("pk").values_list("cause", flat=True))
    assert ["automated" in causes[0], "not to answer" in causes[1], "held" in causes[2]] == [True] * 3


def test_a_step_of_the_ladder_counts_negative_words_on_all_networks_and_stands_once_while_open(fire: Fire) -> None:
    angry = "This is terrible, awful service, I hate it"
    fire(posts=(Post("mastodon", "1", angry, NOON, Author(id="n", handle="nadia")),))
    fire(effect("escalate", "second"), posts=(reply(2, angry), reply(3, angry)))
    found = Escalation.objects.get()
    assert (found.step, found.count, found.way, found.rule) == ("second", 3, "", "A rule")
    Escalation.objects.update(way="acknowledged")
    fire(effect("escalate", "second"), posts=(reply(4, angry),))
    assert Escalation.objects.count() == 2


def test_who_is_told_at_once_is_left_to_the_notices(fire: Fire) -> None:
    fire(effect("notify", "duty"), effect("notify", "leads", "suggest"))
    assert states() == [("notify", "proposed")]


def test_what_hangs_on_a_conversation_that_turns_out_to_be_part_of_another_moves_with_it(fire: Fire) -> None:
    other = Post("mastodon", "5", "Elsewhere", NOON, Author(id="o", handle="olga"))
    fire(effect("task", "1 day:call"), effect("escalate", "first"), effect("boost"), posts=(other,))
    fire(posts=(Post("mastodon", "1", "My parcel", NOON - dt.timedelta(hours=1), Author(id="n", handle="nadia")),))
    both = Post("mastodon", "6", "Both", NOON, Author(id="n", handle="nadia"), in_reply_to="5", thread="1")
    fire(posts=(both,))
    kept = Conversation.objects.exclude(state="merged").get()
    assert {kept.pk} == {
        *Task.objects.values_list("conversation_id", flat=True),
        *Escalation.objects.values_list("conversation_id", flat=True),
        *RuleEffect.objects.values_list("conversation_id", flat=True),
    }
