"""Reading the texts whose mood is labelled toward one target."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from rapport.core.understand.features import extract
from rapport.core.understand.target import MARK
from rapport.training.examples import TRAIN, VALIDATION, Missing, key, read_examples
from rapport.training.targets import TASK, read_targets

SHARED = Path(__file__).parents[3] / "shared" / "data"


def write_set(folder: Path, records: list[tuple[str, str, int]]) -> Path:
    place = folder / "01d_target_sentiment"
    place.mkdir()
    lines = [line for text, target, label in records for line in (text, target, str(label))]
    (place / "acl14_train.raw").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


RECORDS = [
    *((f"i ca n't stand $T$ -LRB- number {number:03} -RRB- !", "acme", -1) for number in range(40)),
    *((f"$T$ 's phone number {number:03} is lovely .", "globex", 1) for number in range(40)),
    *((f"reading about $T$ today {number:03}", "initech", 0) for number in range(40)),
]


def test_the_target_is_one_sign_that_is_a_token_of_its_own(tmp_path: Path) -> None:
    found = read_targets(write_set(tmp_path, RECORDS), ("acl14",))
    assert found[0].text == f"i can't stand {MARK} (number 000)!"
    assert found[40].text == f"{MARK}'s phone number 000 is lovely."
    assert [one.label for one in found[::40]] == [0, 2, 1]
    assert {one.task for one in found} == {TASK}
    assert all(extract(one.text).words.count(MARK) == 1 for one in found)


def test_the_part_goes_by_the_words_of_the_text_with_the_name_in_it(tmp_path: Path) -> None:
    records = [
        (text.format(*names), target, 0)
        for number in range(50)
        for text in (f"{{}} against {{}} round {number:03}",)
        for names, target in ((("$T$", "globex"), "acme"), (("acme", "$T$"), "globex"))
    ]
    found = read_targets(write_set(tmp_path, records), ("acl14",))
    assert len(found) == 100
    assert all(first.part == second.part for first, second in zip(found[::2], found[1::2], strict=True))
    assert 5 <= sum(one.part == VALIDATION for one in found) // 2 <= 17


def test_joined_texts_keep_the_mood_of_their_own_target_and_the_part_of_both_halves(tmp_path: Path) -> None:
    folder = write_set(tmp_path, RECORDS)
    alone = {key(one.text.replace(MARK, one.group)): one.part for one in read_targets(folder, ("acl14",))}
    joined = read_targets(folder, ("acl14-joined",))
    assert {one.label for one in joined if MARK + "'s phone" in one.text} == {2}
    assert {one.label for one in joined if "stand " + MARK in one.text} == {0}
    firsts = Counter(one.text.index(MARK) < len(one.text) / 2 for one in joined)
    assert min(firsts.values()) > len(joined) / 5
    for one in joined:
        words = key(one.text.replace(MARK, one.group))
        assert {part for text, part in alone.items() if text in words} <= {one.part}
    assert read_targets(folder, ("acl14-joined",)) == joined


def test_a_set_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Missing, match=r"acl14 is not in .*acl14_train\.raw is missing"):
        read_targets(tmp_path, ("acl14",))


@pytest.mark.data
@pytest.mark.skipif(not SHARED.exists(), reason="the real data is not beside the project")
def test_the_real_set_has_a_fifth_kept_for_validation_and_the_other_readings_do_not_learn_from_it() -> None:
    found = read_targets(SHARED, ("acl14",))
    parts = Counter(one.part for one in found)
    assert len(found) > 6200
    assert 0.18 < parts[VALIDATION] / len(found) < 0.23
    words = {part: {key(one.text) for one in found if one.part == part} for part in (TRAIN, VALIDATION)}
    assert not words[TRAIN] & words[VALIDATION]
    assert TASK not in {one.task for one in read_examples(SHARED, ("sanders",))}
