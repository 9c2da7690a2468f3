"""The posts that every benchmark works on: real ones where they lie beside the project, else the sample of the demo.

The sample is small. Where it is repeated, every repetition ends with made-up names: so there are rare words, as there
are among real posts, and the repetitions are no copies of one another.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator, Sequence
from itertools import chain, zip_longest
from pathlib import Path

import msgspec

from rapport.cli.demo import make_posts
from rapport.core.post import Post
from rapport.networks.files.read import Row, open_rows

#: folder of real posts beside a checkout of the project
REAL = Path(__file__).resolve().parents[4].parent / "shared" / "data"
FILES = ("03_twcs/threads.csv", "02_airline/airline_tweets.csv")
#: the time of a benchmark that works on the sample
_SAMPLE_TIME = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)

#: made-up names at the end of a repeated post, and how many there are for each post: each is said a few times
NAMES, NAMES_A_POST = 6, 0.9
_SYLLABLES = (
    "ba",
    "ce",
    "du",
    "fi",
    "go",
    "ha",
    "ju",
    "ke",
    "lo",
    "mi",
    "nu",
    "pa",
    "re",
    "so",
    "ti",
    "vu",
    "wa",
    "zo",
)


class Corpus(msgspec.Struct, frozen=True):
    """Posts, oldest file order kept within each source, and where they come from."""

    #: for people: "real: 03_twcs/threads.csv and ..."
    source: str
    posts: tuple[Post, ...]
    #: a moment just after the newest post: the time at which a benchmark takes place
    now: dt.datetime


def load_corpus(count: int, folder: Path = REAL) -> Corpus:
    """`count` posts, always the same ones. Real posts run out at about 17,600; what is missing then, and everything
    where there are none, comes from the sample, repeated under new ids and with other names.
    """
    present = [folder / name for name in FILES if (folder / name).is_file()]
    real = _in_turn([_read(path) for path in present], count)
    posts = [*real, *_repeat_sample(count - len(real))]
    source = f"real tweets ({' and '.join(path.parent.name for path in present)})" if real else "the sample of the demo"
    if real and len(real) < count:
        source += f", and {count - len(real):,} of the demo's sample"
    newest = max(post.created_at for post in posts)
    return Corpus(source, tuple(posts), newest + dt.timedelta(minutes=1))


def as_lines(posts: Sequence[Post]) -> list[bytes]:
    """Post JSONL, one line each, without the newline."""
    encode = msgspec.json.Encoder().encode
    return [encode(post) for post in posts]


def _read(path: Path) -> list[Post]:
    with path.open("rb") as file:
        _, rows = open_rows(file, dt.datetime.now(dt.UTC))
        return [post for row in rows if isinstance(row, Row) for post in row.posts]


def _in_turn(sources: Sequence[Sequence[Post]], count: int) -> list[Post]:
    """One of each source in turn, each post once; threads keep their order."""
    mixed = [post for post in chain.from_iterable(zip_longest(*sources)) if post is not None]
    unique = {(post.network, post.id): post for post in mixed}
    return list(unique.values())[:count]


def _repeat_sample(count: int) -> Iterator[Post]:
    sample = make_posts(_SAMPLE_TIME) if count > 0 else []
    chance = random.Random(count)  # noqa: S311  (the same names every time)
    names = ["".join(chance.choices(_SYLLABLES, k=3)) for _ in range(int(count * NAMES_A_POST) + 1)]
    for number in range(count):
        turn, place = divmod(number, len(sample))
        yield _renamed(sample[place], f"-{turn}", " ".join(chance.choices(names, k=NAMES)) if turn else "")


def _renamed(post: Post, suffix: str, names: str) -> Post:
    author = msgspec.structs.replace(post.author, id=post.author.id + suffix)
    return msgspec.structs.replace(
        post,
        id=post.id + suffix,
        text=f"{post.text} {names}" if names else post.text,
        author=author,
        in_reply_to=post.in_reply_to and post.in_reply_to + suffix,
        thread=post.thread and post.thread + suffix,
    )
