"""`rapport understand`: posts in, readings out."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

import pytest

from rapport.cli import understand
from rapport.core.errors import InvalidInput


def line(name: str, text: str) -> str:
    author = {"handle": "ann"}
    return json.dumps(
        {"network": "mastodon", "id": name, "text": text, "created_at": "2026-01-31T10:00:00Z", "author": author}
    )


def arguments(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    understand.configure(parser)
    return parser.parse_args(words)


def test_readings_come_in_the_order_of_the_lines(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    file = tmp_path / "posts.jsonl"
    file.write_text("\n".join(line(str(number), "Thank you!") for number in range(600)), "utf-8")
    assert understand.run(arguments(str(file))) == 0
    readings = [json.loads(row) for row in capfdbinary.readouterr().out.splitlines()]
    assert [reading["id"] for reading in readings] == [str(number) for number in range(600)]
    assert readings[0]["sentiment"]["label"] == "positive"


def test_a_bad_line_is_named_and_the_others_are_read(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    file = tmp_path / "posts.jsonl"
    file.write_text(f"{line('1', 'a')}\n{{nonsense\n\n{line('2', 'b')}\n", "utf-8")
    assert understand.run(arguments(str(file))) == 1
    captured = capfdbinary.readouterr()
    assert [json.loads(row)["id"] for row in captured.out.splitlines()] == ["1", "2"]
    assert b"line 2: json" in captured.err
    assert b"1 line could not be read" in captured.err


def test_a_file_that_is_not_there_is_an_error_of_the_system() -> None:
    with pytest.raises(FileNotFoundError):
        understand.run(arguments("no/such/file.jsonl"))


def test_the_languages_to_expect_can_be_named(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    file = tmp_path / "posts.jsonl"
    file.write_text(line("1", "wo ist mein Paket?"), "utf-8")
    assert understand.run(arguments("--languages", "en, de", str(file))) == 0
    assert json.loads(capfdbinary.readouterr().out)["language"] == "de"


def test_it_reads_standard_input_without_loading_django() -> None:
    program = (
        "import argparse, sys\nfrom rapport.cli import understand\nparser = argparse.ArgumentParser()\n"
        "understand.configure(parser)\nstatus = understand.run(parser.parse_args(['-']))\n"
        "assert 'django' not in sys.modules\nsys.exit(status)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], input=line("7", "why?").encode(), capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout)["id"] == "7"


def test_the_mood_toward_a_brand_is_told_where_a_post_names_others_too(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    file = tmp_path / "posts.jsonl"
    two_brands = "Acme was terrible, they lost my bag. @globex I love you, wonderful service!"
    file.write_text("\n".join([line("1", two_brands), line("2", "Acme lost my bag.")]), "utf-8")
    assert understand.run(arguments("--toward", "acme", "--languages", "en", str(file))) == 0
    two, one = (json.loads(row) for row in capfdbinary.readouterr().out.splitlines())
    assert (two["toward"]["name"], two["toward"]["sentiment"]["label"]) == ("Acme", "negative")
    assert "terrible" in " ".join(two["toward"]["words"])
    assert one["toward"] is None
    with pytest.raises(InvalidInput, match="never closed"):
        understand.run(arguments("--toward", "(", str(file)))
