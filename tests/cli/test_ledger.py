"""The ledger of approvals notices every hand that was laid on it."""

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import pytest

from rapport.cli import ledger
from rapport.cli.main import main
from rapport.store.models import Approval, Conversation, Post, Workspace


@pytest.fixture
def workspace(alice: Any, channel: Any, hear: Any, make_post: Callable[..., Any]) -> Workspace:
    """Alice's, with five approvals."""
    from conftest import NOON
    from rapport.actions.outbound import approve
    from rapport.store.queries.outbound import newest_inbound

    for number in range(5):
        hear(make_post(f"My parcel {number} is broken, @fernway!", author=f"nadia{number}"))
    for number, row in enumerate(Conversation.objects.order_by("pk")):
        target = newest_inbound(row)
        assert target is not None
        text = f"@nadia{number} I look into number {number}, which is another matter than the {number * 7}th."
        approve(
            alice, row, text, target=target, channel=channel, version=row.version,
            now=NOON + dt.timedelta(hours=number),
        )  # fmt: skip
    assert Approval.objects.count() == 5
    found: Workspace = alice.workspace
    return found


def entries(**where: Any) -> Any:
    return Approval.objects.filter(**where)


def test_a_ledger_that_nobody_touched_is_whole(workspace: Workspace) -> None:
    found = ledger.verify(workspace)
    assert (found.entries, found.sequence) == (5, None)


@pytest.mark.parametrize(
    "change",
    [{"text": "other"}, {"visibility": "direct"}, {"to": ["somebody"]}, {"digest": "0" * 64}],
    ids=["text", "visibility", "to", "digest"],
)
def test_a_changed_reply_is_found(workspace: Workspace, change: dict[str, Any]) -> None:
    entries(sequence=3).update(**change)
    found = ledger.verify(workspace)
    assert found.sequence == 3
    assert "is not what was approved" in found.what


def test_a_reply_that_was_led_to_another_target_is_found(workspace: Workspace) -> None:
    entries(sequence=2).update(target=entries(sequence=4).get().target)
    assert ledger.verify(workspace).sequence == 2


def test_a_target_that_was_renamed_is_found(workspace: Workspace) -> None:
    Post.objects.filter(pk=entries(sequence=2).get().target_id).update(external_id="other")
    assert ledger.verify(workspace).sequence == 2


def test_another_person_or_time_is_found(workspace: Workspace, ben: Any) -> None:
    entries(sequence=4).update(person=ben)
    found = ledger.verify(workspace)
    assert (found.sequence, "does not follow" in found.what) == (4, True)
    entries(sequence=2).update(approved_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    assert ledger.verify(workspace).sequence == 2


def remove(sequence: int) -> None:
    one = entries(sequence=sequence).get()
    one.delivery.delete()
    one.delete()


@pytest.mark.parametrize("sequence", [1, 3, 5])
def test_a_missing_entry_is_found_wherever_it_stood(workspace: Workspace, sequence: int) -> None:
    remove(sequence)
    found = ledger.verify(workspace)
    assert found.sequence == sequence
    assert "missing" in found.what


def test_a_gap_that_was_closed_is_found(workspace: Workspace) -> None:
    remove(3)
    for sequence in (4, 5):
        entries(sequence=sequence).update(sequence=sequence - 1)
    assert ledger.verify(workspace).sequence == 3


def test_two_that_changed_places_are_found(workspace: Workspace) -> None:
    first, second = entries(sequence=2).get(), entries(sequence=3).get()
    for pk, sequence in ((first.pk, 99), (second.pk, 2), (first.pk, 3)):
        entries(pk=pk).update(sequence=sequence)
    assert ledger.verify(workspace).sequence == 2


def test_two_that_changed_their_words_and_digests_are_found(workspace: Workspace) -> None:
    first, second = entries(sequence=2).get(), entries(sequence=3).get()
    for one, other in ((first, second), (second, first)):
        entries(pk=one.pk).update(
            text=other.text, digest=other.digest, target=other.target, to=other.to, visibility=other.visibility
        )
    assert ledger.verify(workspace).sequence == 2


def test_a_chain_that_was_made_anew_over_another_text_is_found(workspace: Workspace) -> None:
    import msgspec

    from rapport.actions.outbound import chain_hash
    from rapport.store.queries.outbound import reply_of

    previous = ""
    for approval in Approval.objects.order_by("sequence"):
        if approval.sequence == 4:
            approval.text = "Something that Alice never said"
            reply = reply_of(approval.channel, approval.target, approval.text, approval.person)
            approval.digest = msgspec.structs.replace(
                reply, visibility=approval.visibility, to=tuple(approval.to)
            ).digest
        approval.chain = previous = chain_hash(previous, approval)
        approval.save()
    found = ledger.verify(workspace)
    assert (found.sequence, "audit" in found.what) == (4, True)


def test_a_person_who_renames_themselves_breaks_nothing(workspace: Workspace) -> None:
    from rapport.store.models import Handle

    Handle.objects.update(handle="renamed")
    assert ledger.verify(workspace).sequence is None


def test_the_command_names_the_first_broken_entry_and_ends_with_1(
    workspace: Workspace, charlie: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ledger, "load_django", lambda data: None)
    assert main(["ledger", "verify"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "fernway: 5 approvals, every one as it was approved.",
        "other: 0 approvals, every one as it was approved.",
    ]
    entries(sequence__in=[2, 4]).update(text="other")
    assert main(["ledger", "verify", "--workspace", "fernway"]) == 1
    assert capsys.readouterr().out.startswith("fernway: entry 2 is broken: its text, target or account")
    assert main(["ledger", "verify", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert [(each["workspace"], each["sequence"]) for each in told] == [("fernway", 2), ("other", None)]
    assert main(["ledger", "verify", "--workspace", "other"]) == 0
    assert main(["ledger", "verify", "--workspace", "nowhere"]) == 2
