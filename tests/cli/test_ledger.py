"""The ledger of approvals notices every hand that was laid on it."""

import datetime as dt
import hashlib
import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapport.actions.ledger import BLANK, append_erasure, chain_hash, seal
from rapport.actions.ledger_check import Finding, verify
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
    found = verify(workspace)
    assert (found.entries, found.sequence) == (5, None)


@pytest.mark.parametrize(
    "change",
    [{"text": "other"}, {"visibility": "direct"}, {"to": ["somebody"]}, {"digest": "0" * 64}],
    ids=["text", "visibility", "to", "digest"],
)
def test_a_changed_reply_is_found(workspace: Workspace, change: dict[str, Any]) -> None:
    entries(sequence=3).update(**change)
    found = verify(workspace)
    assert found.sequence == 3
    assert "is not what was approved" in found.what


def test_a_reply_that_was_led_to_another_target_is_found(workspace: Workspace) -> None:
    entries(sequence=2).update(target=entries(sequence=4).get().target)
    assert verify(workspace).sequence == 2


def test_a_target_that_was_renamed_is_found(workspace: Workspace) -> None:
    Post.objects.filter(pk=entries(sequence=2).get().target_id).update(external_id="other")
    assert verify(workspace).sequence == 2


def test_another_person_or_time_is_found(workspace: Workspace, ben: Any) -> None:
    entries(sequence=4).update(person=ben)
    found = verify(workspace)
    assert (found.sequence, "does not follow" in found.what) == (4, True)
    entries(sequence=2).update(approved_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    assert verify(workspace).sequence == 2


def remove(sequence: int) -> None:
    one = entries(sequence=sequence).get()
    one.delivery.delete()
    one.delete()


@pytest.mark.parametrize("sequence", [1, 3, 5])
def test_a_missing_entry_is_found_wherever_it_stood(workspace: Workspace, sequence: int) -> None:
    remove(sequence)
    found = verify(workspace)
    assert found.sequence == sequence
    assert "missing" in found.what


def test_a_gap_that_was_closed_is_found(workspace: Workspace) -> None:
    remove(3)
    for sequence in (4, 5):
        entries(sequence=sequence).update(sequence=sequence - 1)
    assert verify(workspace).sequence == 3


def test_two_that_changed_places_are_found(workspace: Workspace) -> None:
    first, second = entries(sequence=2).get(), entries(sequence=3).get()
    for pk, sequence in ((first.pk, 99), (second.pk, 2), (first.pk, 3)):
        entries(pk=pk).update(sequence=sequence)
    assert verify(workspace).sequence == 2


def test_two_that_changed_their_words_and_digests_are_found(workspace: Workspace) -> None:
    first, second = entries(sequence=2).get(), entries(sequence=3).get()
    for one, other in ((first, second), (second, first)):
        entries(pk=one.pk).update(
            text=other.text, digest=other.digest, target=other.target, to=other.to, visibility=other.visibility
        )
    assert verify(workspace).sequence == 2


def test_a_chain_that_was_made_anew_over_another_text_is_found(workspace: Workspace) -> None:
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
    found = verify(workspace)
    assert (found.sequence, "audit" in found.what) == (4, True)


def test_a_person_who_renames_themselves_breaks_nothing(workspace: Workspace) -> None:
    from rapport.store.models import Handle

    Handle.objects.update(handle="renamed")
    assert verify(workspace).sequence is None


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


# ------------------------------------------------------------------ the two forms of an entry


@pytest.mark.parametrize(
    "change",
    [
        {"despite": ["near-same"]}, {"verdict": '{"standing":"allow"}'}, {"drafted": "a machine's words"},
        {"template": "thanks"}, {"kind": "boost"}, {"media": [{"digest": "0", "alt": ""}]}, {"parts": ["one", "two"]},
        {"form": None}, {"form": 3},
    ],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_what_was_decided_besides_the_words_cannot_be_changed_unseen(
    workspace: Workspace, change: dict[str, Any]
) -> None:
    entries(sequence=3).update(**change)
    assert verify(workspace).sequence == 3


def test_another_conversation_or_author_than_approved_is_found(workspace: Workspace, ben: Any) -> None:
    entries(sequence=4).update(asked_by=ben)
    assert verify(workspace).sequence == 4
    entries(sequence=2).update(conversation=entries(sequence=5).get().conversation)
    assert verify(workspace).sequence == 2


def test_entries_of_the_first_form_are_read_as_they_were_written(workspace: Workspace) -> None:
    previous = ""
    for row in entries(sequence__lte=3).order_by("sequence"):  # a ledger that began before the second form was known
        moment = row.approved_at.astimezone(dt.UTC).isoformat()
        said = [
            previous, str(row.workspace_id), str(row.sequence), row.digest, str(row.person_id), str(row.target_id),
            str(row.channel_id), moment,
        ]  # fmt: skip
        previous = hashlib.sha256("\n".join(said).encode()).hexdigest()
        entries(pk=row.pk).update(form=None, chain=previous)
    for row in entries(sequence__gt=3).order_by("sequence"):
        previous = chain_hash(previous, row)
        entries(pk=row.pk).update(chain=previous)
    assert verify(workspace) == Finding(workspace.slug, 5)
    entries(sequence=2).update(approved_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    assert verify(workspace).sequence == 2


@pytest.mark.parametrize(
    ("fields", "chain"),
    [
        ({"person_id": 7}, "2340ecb05e96caefbc5599fd545de9a2b6780c3fac962d1094c849dcd1133b0c"),
        (
            {"machine": "acknowledgement", "standing_word_id": 9},
            "a7d2a3b18ab48eeda81ef7a0e8a45d9de312017c07401a771f5982fbb373fbf1",
        ),
    ],
    ids=["a person's", "a machine's"],
)
def test_a_ledger_of_the_field_keeps_its_hashes(fields: dict[str, Any], chain: str) -> None:
    """Golden: written by the first release that had a ledger. A byte of difference breaks every ledger there is."""
    entry = Approval(
        workspace_id=3, sequence=12, digest="ab" * 32, target_id=41, channel_id=5,
        approved_at=dt.datetime(2026, 11, 21, 13, 5, 9, 120, tzinfo=dt.timezone(dt.timedelta(hours=2))), **fields,
    )  # fmt: skip
    assert chain_hash("cd" * 32, entry) == chain


# ------------------------------------------------------------------ after an erasure


def written_as_form_1(sequences: tuple[int, ...]) -> None:
    """The ledger as it would be if these entries had been written before the second form was known."""
    previous = ""
    for row in Approval.objects.order_by("sequence"):
        if row.sequence in sequences:
            row.form = None
        row.chain = previous = chain_hash(previous, row)
        row.save(update_fields=["form", "chain"])


def erase(alice: Any, *sequences: int) -> Approval:
    from conftest import NOON

    return append_erasure(alice, list(entries(sequence__in=sequences).order_by("sequence")), now=NOON)


def test_an_erased_entry_has_no_word_left_and_the_ledger_stays_whole(workspace: Workspace, alice: Any) -> None:
    written_as_form_1((1, 2))
    before = list(Approval.objects.order_by("sequence").values_list("chain", flat=True))
    entry = erase(alice, 2, 4)
    assert verify(workspace) == Finding(workspace.slug, 6, erased=2)
    assert str(verify(workspace)) == "fernway: 6 approvals, every one as it was approved; 2 of them erased."
    assert list(Approval.objects.filter(sequence__lt=6).order_by("sequence").values_list("chain", flat=True)) == before
    assert (entry.sequence, entry.kind, entry.person) == (6, "erase", alice)
    for row in entries(sequence__in=[2, 4]):
        assert (row.text, row.to, row.drafted, row.target, row.conversation) == ("", [], "", None, None)
        assert "number" not in json.dumps(Approval.objects.filter(pk=row.pk).values("verdict", "text", "to")[0])
    # the posts and the conversation can go now
    Post.objects.filter(conversation_id__in=Conversation.objects.order_by("pk")[3:4].values("pk")).delete()
    assert verify(workspace).sequence is None


#: what a hand may do to a ledger after entries 2 and 4 were erased by entry 6 -> the entry that it is found at
AFTER_ERASURE: dict[str, tuple[int, dict[str, Any], int]] = {
    "words come back": (2, {"text": "I never said so"}, 2),
    "an address comes back": (4, {"to": ["nadia"]}, 4),
    "a draft comes back": (4, {"drafted": "Sorry"}, 4),
    "an image comes back": (4, {"media": []}, 4),
    "the seal is another": (4, {"verdict": '{"sealed":"00","target":4,"conversation":4,"handle":null}'}, 4),
    "the seal is gone": (4, {"verdict": "{}"}, 4),
    "something beside the seal": (2, {"verdict": '{"sealed":"ab","target":2,"conversation":null,"handle":null}'}, 2),
    "the seal is no JSON": (2, {"verdict": "Sorry"}, 2),
    "the digest is another": (2, {"digest": "0" * 64}, 2),
    "it was erased at another time": (4, {"erased_at": dt.datetime(2026, 1, 1, tzinfo=dt.UTC)}, 4),
    "one more is blanked": (3, {"erased_at": dt.datetime(2026, 1, 1, tzinfo=dt.UTC)}, 3),
    "the erasure names another": (6, {"text": '{"erased":[[2,"x"],[3,"y"]]}'}, 6),
    "the erasure is blanked": (6, {"text": ""}, 6),
    "the erasure is erased": (6, {"erased_at": dt.datetime(2026, 1, 1, tzinfo=dt.UTC)}, 6),
}


@pytest.mark.parametrize("hand", AFTER_ERASURE)
def test_a_hand_laid_on_an_erased_ledger_is_found(workspace: Workspace, alice: Any, hand: str) -> None:
    written_as_form_1((1, 2))
    erase(alice, 2, 4)
    sequence, change, found_at = AFTER_ERASURE[hand]
    entries(sequence=sequence).update(**change)
    assert verify(workspace).sequence == found_at


def test_an_entry_blanked_without_an_erasure_is_found(workspace: Workspace, alice: Any) -> None:
    from conftest import NOON
    from rapport.actions.ledger import blank

    blank(entries(sequence=3).get(), NOON)
    found = verify(workspace)
    assert (found.sequence, "no erasure tells of it" in found.what) == (3, True)
    erase(alice, 4)
    assert verify(workspace).sequence == 3


def test_an_erasure_that_names_what_still_stands_is_found(workspace: Workspace, alice: Any) -> None:
    row = entries(sequence=2).get()
    kept = {name: getattr(row, name) for name in ("verdict", *BLANK)}
    erase(alice, 2)
    entries(sequence=2).update(erased_at=None, **kept)
    found = verify(workspace)
    assert (found.sequence, "it is not so" in found.what) == (2, True), found.what


def test_an_erased_entry_that_is_taken_out_with_its_erasure_is_found(workspace: Workspace, alice: Any) -> None:
    erase(alice, 5)
    entries(sequence=6).delete()
    remove(5)
    assert verify(workspace).sequence == 5


@settings(derandomize=True, deadline=None, max_examples=25)
@given(
    row=st.builds(
        Approval, workspace_id=st.just(3), sequence=st.just(2), digest=st.just("ab" * 32), person_id=st.just(7),
        channel_id=st.just(5), target_id=st.integers(1, 9), conversation_id=st.integers(1, 9),
        handle_id=st.none() | st.integers(1, 9), form=st.sampled_from([None, 2]),
        approved_at=st.just(dt.datetime(2026, 5, 3, tzinfo=dt.UTC)), verdict=st.text(max_size=9),
        drafted=st.text(max_size=9),
        template=st.text(max_size=9), media=st.none() | st.just([{"digest": "ab", "alt": "a shoe"}]),
        parts=st.none() | st.lists(st.text(max_size=9), max_size=3), despite=st.just(["near-same"]),
    ),
    other=st.text(max_size=9),
)  # fmt: skip
def test_blanked_an_entry_has_the_hash_that_it_had_and_with_other_words_another(row: Approval, other: str) -> None:
    chain, sealed = chain_hash("cd" * 32, row), seal(row)
    if row.form == 2:
        words, row.drafted = row.drafted, row.drafted + "x" + other
        assert chain_hash("cd" * 32, row) != chain
        row.drafted = words
    row.erased_at = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
    row.verdict = msgspec.json.encode(sealed).decode()
    row.text, row.drafted, row.template, row.media, row.parts = "", "", "", None, None
    row.target_id = row.conversation_id = row.handle_id = None
    assert chain_hash("cd" * 32, row) == chain
    row.verdict = msgspec.json.encode(msgspec.structs.replace(sealed, target=10)).decode()
    assert chain_hash("cd" * 32, row) != chain
