"""Heads of the ledger, outside of the database: what was rewritten as a whole is found."""

from __future__ import annotations

import datetime as dt
import json
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.core import mail

from certificates import self_signed
from conftest import NOON
from rapport.actions.ledger import chain_hash
from rapport.actions.ledger_check import verify
from rapport.actions.ledger_heads import EVERY, due_heads, newest_of, read_heads
from rapport.actions.outbound import approve
from rapport.cli import ledger
from rapport.cli.main import main
from rapport.core.errors import AddressRefused, InvalidInput
from rapport.networks.http import GuardedSession
from rapport.pipeline.clock import Clock
from rapport.pipeline.heads import HeadKeeper
from rapport.settings import SettingsError, load_settings
from rapport.store.models import Approval, AuditEntry, Conversation, Workspace
from rapport.store.queries.outbound import newest_inbound
from rapport.store.queries.parts import reply_as_approved
from wires import Caller, byte_server

pytestmark = pytest.mark.django_db

HOUR = dt.timedelta(hours=1)


@pytest.fixture
def say(alice: Any, channel: Any, hear: Any, make_post: Callable[..., Any]) -> Callable[[int], None]:
    """One more entry of Alice's ledger."""

    def one(number: int) -> None:
        hear(make_post(f"My parcel {number} is broken, @fernway!", author=f"nadia{number}"))
        row = Conversation.objects.latest("pk")
        target = newest_inbound(row)
        assert target is not None
        text = f"@nadia{number} I look into number {number}, which is another matter than the {number * 7}th."
        approve(
            alice, row, text, target=target, channel=channel, version=row.version,
            now=NOON + dt.timedelta(minutes=20 * number),
        )  # fmt: skip

    return one


def closed() -> GuardedSession:
    raise AddressRefused("nothing is called in this test")


def keeper_of(path: Path, to: str = "") -> HeadKeeper:
    return HeadKeeper(path, to, closed)


def rewrite_everything() -> None:
    """As somebody would who has the database to themselves: words, digests, chain and audit, all that fits together."""
    previous = ""
    for approval in Approval.objects.order_by("sequence"):
        if approval.sequence == 2:
            approval.text = "Something that Alice never said"
            approval.digest = reply_as_approved(approval).digest
            told = AuditEntry.objects.get(verb="reply.approve", subject_id=str(approval.pk))
            told.detail["digest"] = approval.digest
            AuditEntry.objects.filter(pk=told.pk).update(detail=told.detail)
        approval.chain = previous = chain_hash(previous, approval)
        approval.save()


def test_a_ledger_that_was_made_anew_as_a_whole_passes_alone_and_fails_with_its_heads(
    say: Callable[[int], None], alice: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    path = tmp_path / "heads.jsonl"
    for number in range(3):
        say(number)
    keeper_of(path).look(now=NOON + HOUR)
    say(3)
    monkeypatch.setattr(ledger, "load_django", lambda data: None)
    assert main(["ledger", "verify", "--heads", str(path)]) == 0
    rewrite_everything()
    assert verify(alice.workspace).sequence is None
    assert main(["ledger", "verify"]) == 0
    capsys.readouterr()
    assert main(["ledger", "verify", "--heads", str(path)]) == 1
    assert "entry 3 is broken: it is not the one that was kept outside" in capsys.readouterr().out


def test_a_ledger_that_was_cut_off_with_its_audit_and_a_workspace_that_is_gone_are_found(
    say: Callable[[int], None], alice: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    path = tmp_path / "heads.jsonl"
    for number in range(2):
        say(number)
    [head] = keeper_of(path).look(now=NOON + HOUR)
    last = Approval.objects.latest("sequence")
    AuditEntry.objects.filter(verb="reply.approve", subject_id=str(last.pk)).delete()
    last.delivery.delete()
    last.delete()
    assert verify(alice.workspace).sequence is None
    found = verify(alice.workspace, heads=[head])
    assert (found.sequence, "missing" in found.what) == (2, True)
    path.write_bytes(msgspec.json.encode(msgspec.structs.replace(head, id=head.id + 999, workspace="gone")) + b"\n")
    monkeypatch.setattr(ledger, "load_django", lambda data: None)
    assert main(["ledger", "verify", "--heads", str(path)]) == 1
    assert "gone: entry 1 is broken: its workspace" in capsys.readouterr().out


def test_a_head_is_kept_at_the_first_entry_then_each_hour_or_each_hundred_entries(
    say: Callable[[int], None], charlie: Any, tmp_path: Path
) -> None:
    path = tmp_path / "heads.jsonl"
    keeper = keeper_of(path)
    assert keeper.look(now=NOON) == []
    assert not path.exists()
    say(0)
    assert [head.sequence for head in keeper.look(now=NOON)] == [1]
    say(1)
    assert keeper.look(now=NOON + HOUR / 2) == []
    assert [head.sequence for head in keeper.look(now=NOON + HOUR)] == [2]
    assert keeper.look(now=NOON + 5 * HOUR) == [], "nothing new"
    known = newest_of(read_heads(path))
    far = {pk: msgspec.structs.replace(head, sequence=2 - EVERY, at=NOON) for pk, head in known.items()}
    assert [head.sequence for head in due_heads(far, now=NOON)] == [2]


def test_the_file_is_only_added_to_and_goes_on_after_a_start_and_a_line_that_was_cut_off(
    say: Callable[[int], None], tmp_path: Path
) -> None:
    path = tmp_path / "heads.jsonl"
    say(0)
    keeper_of(path).look(now=NOON)
    first = path.read_bytes()
    assert json.loads(first)["sequence"] == 1
    assert path.stat().st_mode & 0o077 == 0
    assert keeper_of(path).look(now=NOON + HOUR) == [], "a start alone is no reason"
    path.write_bytes(first + b'{"id": 1, "works')
    say(1)
    assert len(keeper_of(path).look(now=NOON + HOUR)) == 1
    assert path.read_bytes().startswith(first + b'{"id": 1, "works\n')
    assert [head.sequence for head in read_heads(path)] == [1, 2]


def test_a_disk_that_refuses_is_said_and_tried_again(
    say: Callable[[int], None], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    say(0)
    folder = tmp_path / "not-there"
    keeper = keeper_of(folder / "heads.jsonl")
    assert keeper.look(now=NOON) == []
    assert "cannot be kept" in caplog.text
    folder.mkdir()
    assert len(keeper.look(now=NOON)) == 1


def test_a_head_goes_away_by_mail_and_waits_where_the_receiver_does_not_answer(
    say: Callable[[int], None], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    say(0)
    keeper_of(tmp_path / "one", "audit@fernway.example").look(now=NOON)
    [message] = mail.outbox
    assert json.loads(str(message.body))["sequence"] == 1
    keeper = keeper_of(tmp_path / "two", "https://witness.example/heads")
    keeper.look(now=NOON)
    assert "could not be sent to witness.example" in caplog.text
    keeper.to = "audit@fernway.example"
    keeper.look(now=NOON)
    assert len(mail.outbox) == 2


def test_heads_go_to_a_witness_of_the_web_in_order_and_one_that_it_did_not_take_goes_again(
    say: Callable[[int], None], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    refused = iter(["503 not now", "307 elsewhere"])

    def witness(caller: Caller) -> None:
        caller.send(next(refused, "201 Created"), b"", "Location: https://elsewhere.example/")

    public, private = self_signed("localhost", tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(public, private)
    with byte_server(witness, tls=tls) as server:

        def session() -> GuardedSession:
            found = GuardedSession(allow={f"localhost:{server.port}"})
            found.verify = str(public)
            return found

        keeper = HeadKeeper(tmp_path / "heads", f"https://localhost:{server.port}/heads", session)
        say(0)
        keeper.look(now=NOON)
        say(1)
        keeper.look(now=NOON + HOUR)
        assert caplog.text.count("could not be sent to localhost") == 2
        keeper.look(now=NOON + HOUR)
        keeper.look(now=NOON + HOUR)
        # one that nobody vouches for learns nothing
        HeadKeeper(tmp_path / "other", keeper.to, lambda: GuardedSession(allow={f"localhost:{server.port}"})).look(
            now=NOON
        )
    assert [json.loads(caller.body)["sequence"] for caller in server.callers] == [1, 1, 1, 2]
    assert [json.loads(caller.body) for caller in server.callers[2:]] == [
        json.loads(line) for line in (tmp_path / "heads").read_text().splitlines()
    ]
    assert {(caller.method, caller.path, caller.header("Content-Type")) for caller in server.callers} == {
        ("POST", "/heads", "application/json")
    }


def test_the_clock_keeps_them(say: Callable[[int], None], tmp_path: Path) -> None:
    say(0)
    path = tmp_path / "heads.jsonl"
    Clock(lambda: NOON, keeper_of(path)).tick()
    workspace = Workspace.objects.get(slug="fernway")
    assert read_heads(path)[0].id == workspace.pk


def test_a_file_without_heads_and_an_address_that_is_none_are_refused_with_a_word(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot be read"):
        read_heads(tmp_path / "nothing")
    (tmp_path / "other").write_text("hello\n")
    with pytest.raises(InvalidInput, match="holds no head"):
        read_heads(tmp_path / "other")
    for wrong in ("ftp://witness.example", "https://", "nobody", "audit@fernway.example"):
        with pytest.raises(SettingsError, match="LEDGER_HEADS_TO"):
            load_settings({"RAPPORT_LEDGER_HEADS_TO": wrong})
    assert load_settings({"RAPPORT_LEDGER_HEADS_TO": "https://witness.example/x"}).ledger_heads_to
