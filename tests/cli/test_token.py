"""Tokens of programs, from the command line."""

import json
from pathlib import Path
from typing import Any

import pytest

import tables
from cli.running import rapport
from rapport.cli import token as command
from rapport.cli.main import main
from rapport.core.errors import InvalidInput
from rapport.store.models import ApiToken


@pytest.fixture(autouse=True)
def settings_are_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test's own database stands for the data folder."""
    monkeypatch.setattr(command, "load_django", lambda data: None)


def test_a_token_is_shown_once_and_lets_its_program_in(
    alice: Any, client: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["token", "create", "--user", "Alice@Fernway.example", "--name", "Shop sync"]) == 0
    text = capsys.readouterr().out.splitlines()[0]
    headers = {"Authorization": f"Bearer {text}"}
    assert client.get("/api/v1/conversations", headers=headers).status_code == 200
    assert main(["token", "list"]) == 0
    listed = capsys.readouterr().out
    assert "Shop sync  alice@fernway.example in fernway  in force, last used 2" in listed
    assert text not in listed
    assert main(["token", "revoke", str(ApiToken.objects.get().pk)]) == 0
    assert client.get("/api/v1/conversations", headers=headers).status_code == 401
    capsys.readouterr()
    assert main(["token", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["state"] == "revoked"


def test_a_program_reads_the_token_as_json(alice: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["token", "create", "--user", "alice@fernway.example", "--name", "Sync", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["token"].startswith("rapport_")
    assert (told["workspace"], told["state"], told["last_used_at"]) == ("fernway", "in force", None)


def test_who_works_in_several_workspaces_names_one(alice: Any, now: Any) -> None:
    from rapport.actions.accounts import create_workspace

    create_workspace(alice.user, "Second", now=now)
    with pytest.raises(InvalidInput, match=r"several workspaces.*fernway, second"):
        command.find_member("alice@fernway.example", None)
    assert command.find_member("alice@fernway.example", "second").workspace.slug == "second"
    with pytest.raises(InvalidInput, match="does not work in 'third'"):
        command.find_member("alice@fernway.example", "third")
    with pytest.raises(InvalidInput, match="nobody with the address"):
        command.find_member("zoe@fernway.example", None)


@pytest.mark.parametrize("words", [("create", "--user", "nobody@x.example", "--name", "x"), ("revoke", "77")])
def test_what_cannot_be_done_is_one_line_and_status_2(
    words: tuple[str, ...], alice: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["token", *words]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.slow
def test_the_command_works_on_a_desk_of_its_own(tmp_path: Path) -> None:
    data = tmp_path / "data"
    tables.lay(data)
    assert rapport(data, "import", "-", "--channel", "x").returncode == 0
    made = rapport(data, "token", "create", "--user", "admin@localhost", "--name", "Sync")
    assert made.returncode == 0, made.stderr
    assert made.stdout.startswith("rapport_")
    whole = rapport(data, "ledger", "verify")
    assert (whole.returncode, whole.stdout) == (0, "default: 0 approvals, every one as it was approved.\n")
