"""How well the language of real posts is found, at what cost; and that the table is what a fit gives.

Run with `-s` to see the figures: pytest -s tests/quality/test_languages.py. They stand in docs/reference/readings.md;
the floors are well below them and catch a regression, they are no targets.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable

import pycld2
import pytest

from quality import fit_languages
from rapport.core.understand.language import LanguageFinder, strip

FOLDERS = {"arabic": "ar", **{folder: code for folder, code in fit_languages.FOLDERS.items() if code != "hi"}}
NAMED = (*FOLDERS.values(), "hi")
pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(
        not fit_languages.SHARED.exists(), reason="the real data is not beside the project (../shared/data)"
    ),
]


def validation(folder: str) -> list[str]:
    path = fit_languages.SHARED / "01b_xlmt_multilingual" / folder / "val_text.txt"
    return [line for line in path.read_text("utf-8").split("\n") if line.strip()]


def cost(find: Callable[[str], object], texts: list[str]) -> float:
    """Microseconds of processor time a text; the best of three."""
    taken = []
    for _ in range(3):
        began = time.process_time()
        for text in texts:
            find(text)
        taken.append(time.process_time() - began)
    return min(taken) / len(texts) * 1e6


@pytest.mark.parametrize("named", [True, False])
def test_the_languages_of_posts_are_found(named: bool) -> None:
    finder = LanguageFinder(NAMED if named else ())
    right = total = 0
    texts = []
    for folder, code in FOLDERS.items():
        posts = validation(folder)
        found = sum(finder.find(text)[0] == code for text in posts)
        print(f"\n{code}: {found / len(posts):.3f}", end="")
        right, total, texts = right + found, total + len(posts), texts + posts
    ours, alone = cost(finder.find, texts), cost(lambda text: pycld2.detect(strip(text)), texts)
    print(f"\nnamed {named}: {right / total:.4f} of {total}; {ours:.1f} us a post, pycld2 alone {alone:.1f}")
    assert right / total >= (0.98 if named else 0.975)


def test_posts_from_india_are_hindi_or_english() -> None:
    finder = LanguageFinder(NAMED)
    found = Counter(finder.find(text)[0] for text in validation("hindi"))
    print(f"\n{found}")
    assert found["hi"] + found["en"] >= 0.95 * found.total()
    assert found["hi"] >= 0.5 * found.total()


@pytest.mark.slow
def test_the_table_is_what_the_fit_gives() -> None:
    assert fit_languages.as_text(*fit_languages.fit(fit_languages.read_posts())) == fit_languages.TABLE.read_text(
        "utf-8"
    )
