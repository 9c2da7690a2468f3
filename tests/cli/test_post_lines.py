"""Reading Post JSONL in batches."""

from __future__ import annotations

import io
import json
import sys

import pytest

from rapport.cli.post_lines import PostLines


def line(name: str) -> bytes:
    post = {"network": "mastodon", "id": name, "text": "a", "created_at": "2026-01-31T10:00:00Z"}
    return json.dumps(post | {"author": {"handle": "ann"}}).encode() + b"\n"


def test_posts_come_in_order_and_never_more_than_a_batch(capsys: pytest.CaptureFixture[str]) -> None:
    lines = io.BytesIO(b"\n".join([line("1"), b"{", line("2"), b"  ", line("3"), b"[]", line("4"), line("5")]))
    posts = PostLines("match", lines, 2)
    assert [[post.id for post in batch] for batch in posts] == [["1", "2"], ["3", "4"], ["5"]]
    assert posts.rejected == 2
    told = capsys.readouterr().err.splitlines()
    assert [each.split(": ")[:2] for each in told] == [["rapport match", "line 3"], ["rapport match", "line 9"]]


def test_a_batch_is_handed_on_before_the_next_one_is_read() -> None:
    lines = io.BytesIO(line("1") + line("2") + line("3"))
    assert [post.id for post in next(iter(PostLines("match", lines, 2)))] == ["1", "2"]
    assert lines.read() == line("3")


@pytest.mark.parametrize(("answers_on_screen", "told"), [(False, "\r2 posts\r3 posts\n"), (True, "")])
def test_whoever_watches_is_told_how_far_it_is_where_the_answers_go_elsewhere(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, answers_on_screen: bool, told: str
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: answers_on_screen)
    list(PostLines("match", io.BytesIO(line("1") + line("2") + line("3")), 2))
    assert capsys.readouterr().err == told


def test_who_forgot_to_name_a_file_is_told_that_posts_are_read_from_the_keyboard(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Keyboard(io.BytesIO):
        def isatty(self) -> bool:
            return True

    assert [len(batch) for batch in PostLines("match", Keyboard(line("1")), 2)] == [1]
    assert capsys.readouterr().err == "rapport match: posts are read from the keyboard; Ctrl-D ends them\n"
