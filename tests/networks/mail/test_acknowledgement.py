"""The acknowledgement by mail: it says in its headers that a machine sent it, and two machines do not talk."""

from __future__ import annotations

import datetime as dt

from rapport.core.reply import Reply
from rapport.networks.base import Account
from rapport.networks.mail.push import _Target, compose

NOW = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)


def headers(approved_by: int | None) -> str:
    reply = Reply("mail", 1, "a@x.example", "Hello", to=("ann@x.example",), approved_by=approved_by)
    account = Account(
        channel=1, server="", handle="help@fernway.example", account_id="help@fernway.example", token="", settings={}
    )
    raw = compose(account, reply, _Target("ann@x.example", "Ann", "Help", ()), "id@fernway.example", NOW)
    return raw.partition(b"\r\n\r\n")[0].decode()


def test_a_machine_s_mail_says_that_it_is_one_so_that_other_machines_leave_it_unanswered() -> None:
    assert "Auto-Submitted: auto-replied" in headers(approved_by=None)


def test_a_person_s_mail_does_not() -> None:
    assert "Auto-Submitted" not in headers(approved_by=7)
