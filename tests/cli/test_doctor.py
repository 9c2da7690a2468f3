"""The doctor finds what is wrong, and says how to mend it."""

import datetime as dt
from pathlib import Path

import pytest
from django.conf import settings

from cli.running import rapport
from rapport.cli import doctor
from rapport.store.models import AuditEntry, BusMessage, Channel, Workspace
from rapport.store.secrets import seal

NOW = dt.datetime(2026, 11, 21, 10, tzinfo=dt.UTC)
LONG_AGO = NOW - dt.timedelta(hours=1)


@pytest.fixture
def workspace(db: None) -> Workspace:
    return Workspace.objects.create(slug="acme", name="Acme")


def channel(workspace: Workspace, **fields: object) -> Channel:
    usual = {"network": "mastodon", "slug": "m", "name": "Acme", "state": "connected", "token": seal("secret")}
    return Channel.objects.create(workspace=workspace, **(usual | {"last_pull_at": NOW, "state_at": NOW} | fields))


def said(check: doctor.Check) -> str:
    return "\n".join(map(str, check(NOW)))


def test_posts_set_aside_are_named_with_their_cause(workspace: Workspace) -> None:
    BusMessage.objects.create(
        workspace=workspace,
        payload=b"[]",
        size=1,
        state="quarantined",
        error="Traceback\nValueError: no",
        created_at=NOW,
    )
    assert "1 posts were set aside after five tries. The first one: ValueError: no." in said(doctor.check_bus)


@pytest.mark.parametrize(
    ("fields", "waits"),
    [
        ({"state": "ready", "created_at": LONG_AGO}, True),
        ({"state": "ready", "created_at": NOW}, False),
        ({"state": "claimed", "created_at": LONG_AGO, "lease_until": LONG_AGO}, True),
        ({"state": "claimed", "created_at": LONG_AGO, "lease_until": NOW}, False),
    ],
)
def test_posts_that_nobody_works_on_are_noticed(workspace: Workspace, fields: dict[str, object], waits: bool) -> None:
    BusMessage.objects.create(workspace=workspace, payload=b"[]", size=1, **fields)
    assert ("rapport work" in said(doctor.check_bus)) is waits


def test_a_channel_in_order_is_no_problem(workspace: Workspace) -> None:
    channel(workspace)
    channel(workspace, slug="off", state="off", last_pull_at=None, state_at=LONG_AGO)
    assert said(doctor.check_channels) == ""


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"state": "reauthorise", "state_reason": "the token was revoked"}, "connected again: the token was revoked"),
        ({"last_pull_at": LONG_AGO}, "rapport listen"),
        ({"last_pull_at": None, "state_at": LONG_AGO}, "never"),
        ({"token": b"not ours"}, "token.keys"),
    ],
)
def test_a_channel_that_does_not_listen_is_named(workspace: Workspace, fields: dict[str, object], what: str) -> None:
    channel(workspace, **fields)
    assert what in said(doctor.check_channels)
    assert "acme/m" in said(doctor.check_channels)


def test_a_clock_that_went_back_is_noticed(workspace: Workspace) -> None:
    entry = AuditEntry.objects.create(workspace=workspace, verb="test", at=NOW)
    assert said(doctor.check_clock) == ""
    entry.at = NOW + dt.timedelta(hours=1)
    entry.save()
    assert "earlier than the last record" in said(doctor.check_clock)


def test_keys_that_others_can_read_are_named() -> None:
    folder: Path = settings.RAPPORT.data_dir
    key = folder / "secret.key"
    before = key.stat().st_mode
    assert str(key) not in said(doctor.check_files)
    key.chmod(0o644)
    try:
        assert f"chmod 600 {key}" in said(doctor.check_files)
    finally:
        key.chmod(before)


def test_a_full_disk_is_announced(monkeypatch: pytest.MonkeyPatch) -> None:
    assert said(doctor.check_disk) == ""
    monkeypatch.setattr(doctor, "ENOUGH_DISK", 2**62)
    assert "Make room" in said(doctor.check_disk)


def test_problems_end_with_status_1_and_a_good_desk_with_0(tmp_path: Path) -> None:
    data = tmp_path / "data"
    new = rapport(data, "doctor")
    assert new.returncode == 1
    assert "database: " in new.stdout
    rapport(data, "import", "-", "--channel", "a")
    good = rapport(data, "doctor")
    assert (good.returncode, good.stdout.startswith("All is well")) == (0, True), good.stdout
    wrong = rapport(data, "doctor", "--json", RAPPORT_BATCH="many")
    assert wrong.returncode == 1
    assert '"check": "settings"' in wrong.stdout
