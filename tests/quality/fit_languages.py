"""Counts the table of `rapport.core.understand.latin` on real posts: python tests/quality/fit_languages.py

Reads the training parts of ../shared/data/01b_xlmt_multilingual (XLM-T, Apache-2.0) and nothing else. The folder says
the language of a post, and is sometimes wrong: the German one has English posts, and the Hindi one is half English,
half Hindi in Latin letters. So it counts twice: what the first table takes for another language than its folder does
not count in the second.
"""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from math import log
from pathlib import Path

from rapport.core.understand.language import strip
from rapport.core.understand.latin import UNIT, Latin, threes_of, words_of

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
TABLE = Path(__file__).parents[2] / "src" / "rapport" / "core" / "understand" / "tables" / "latin.txt"
FOLDERS = {
    "english": "en", "spanish": "es", "french": "fr", "german": "de", "italian": "it", "portuguese": "pt",
    "hindi": "hi",
}  # fmt: skip
CODES = tuple(FOLDERS.values())
#: what is counted as seen before anything is seen
BEFORE = 0.3
#: a word counts when as many posts have it, three letters when they stand in the posts as often
POSTS, TIMES = 4, 10
#: what tells two languages apart by less than this factor of e anywhere is left out
LEAST = 2.0
#: a post of the Hindi folder with two of these is English for the first count
ENGLISH = frozenset({"the", "and", "is", "are", "was", "you", "your", "my", "we", "they", "of", "for", "with", "that"})

Rows = list[tuple[str, str]]
Counts = dict[str, list[int]]


def read_posts() -> Rows:
    """(text without handles and addresses, language of its folder) of all training posts in Latin letters."""
    found = []
    for folder, code in FOLDERS.items():
        lines = (SHARED / "01b_xlmt_multilingual" / folder / "train_text.txt").read_text("utf-8").split("\n")
        found += [(strip(line), code) for line in lines if line.strip()]
    return found


def fit(posts: Rows) -> tuple[dict[str, list[int]], dict[str, list[int]]]:
    """The numbers for each word and for each three letters, fitted twice."""
    first = [row for row in posts if row[1] != "hi" or sum(word in ENGLISH for word in words_of(row[0])) < 2]
    latin = Latin(CODES, *count(first))
    second = []
    for text, code in posts:
        verdict = latin.judge(text, latin.places(CODES))
        if verdict is None or verdict.code == code:
            second.append((text, code))
    return count(second)


def count(posts: Rows) -> tuple[dict[str, list[int]], dict[str, list[int]]]:
    """Words and letters -> natural logarithm of how often they stand in each language, less the mean, in units."""
    words: Counts = defaultdict(lambda: [0] * len(CODES))
    letters: Counts = defaultdict(lambda: [0] * len(CODES))
    having: Counter[str] = Counter()
    for text, code in posts:
        place = CODES.index(code)
        found = words_of(text)
        having.update(set(found))
        for word in found:
            words[word][place] += 1
            for three in threes_of(word):
                letters[three][place] += 1
    chosen = {word for word, posts_with_it in having.items() if posts_with_it >= POSTS}
    return weigh(words, chosen), weigh(letters, {three for three, counts in letters.items() if sum(counts) >= TIMES})


def weigh(counts: Counts, chosen: set[str]) -> dict[str, list[int]]:
    totals = [log(sum(column) + BEFORE * len(counts)) for column in zip(*counts.values(), strict=True)]
    found = {}
    for term in sorted(chosen):
        logs = [log(seen + BEFORE) - total for seen, total in zip(counts[term], totals, strict=True)]
        middle = sum(logs) / len(logs)
        if max(logs) - min(logs) >= LEAST:
            found[term] = [round(UNIT * (each - middle)) for each in logs]
    return found


def as_text(words: dict[str, list[int]], letters: dict[str, list[int]]) -> str:
    lines = [" ".join(CODES)]
    lines += [" ".join(["w", word, *map(str, row)]) for word, row in words.items()]
    lines += [" ".join(["l", three.replace(" ", "_"), *map(str, row)]) for three, row in letters.items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    TABLE.write_text(as_text(*fit(read_posts())), "utf-8")
    print(f"{TABLE.name}: {TABLE.stat().st_size:,} bytes", file=sys.stderr)
