"""What the figures of a profile tell of whether an account is automated: a table of steps, fitted on labelled accounts.

The log-odds are a sum: where a figure lies on its scale decides what it adds, and a figure that the network does not
tell adds nothing. Networks that tell how much an account has liked are judged by the table `liked`, which is far
surer; the others by `told`. How the tables were made: `rapport.training.accounts`.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping
from functools import cache
from importlib import resources

import msgspec

from rapport.core.errors import RapportError

#: the tables, in the package `rapport.core.understand.tables`
FILE = "accounts.tsv"

#: what is read from a profile, and what it is to a person who reads the reasons
FIGURES: dict[str, str] = {
    "followers": "circle",
    "following": "circle",
    "ratio": "circle",
    "likeness": "circle",
    "fewer": "circle",
    "posts": "posts",
    "posts_per_following": "posts",
    "likes": "likes",
    "likes_per_post": "likes",
    "listed_per_follower": "listed",
    "bio_length": "bio",
}


class Profile(msgspec.Struct, frozen=True, gc=False):
    """The figures of an account; None where the network does not tell."""

    bio: str | None = None
    followers: int | None = None
    following: int | None = None
    posts: int | None = None
    #: posts that the account has liked
    likes: int | None = None
    #: lists of others that it stands on
    listed: int | None = None


class Steps(msgspec.Struct, frozen=True):
    """What one figure adds: `values[n]` where n of the `edges` lie at or below it."""

    edges: tuple[float, ...]
    values: tuple[float, ...]


class Table(msgspec.Struct, frozen=True):
    """Log-odds of an automated account: `start`, and what each figure adds."""

    start: float
    steps: Mapping[str, Steps]

    def shares(self, figures: Mapping[str, float]) -> dict[str, float]:
        """What each of the figures adds to the log-odds."""
        steps = self.steps
        return {
            name: steps[name].values[bisect_right(steps[name].edges, value)]
            for name, value in figures.items()
            if name in steps
        }


def is_told(profile: Profile) -> bool:
    """Whether there is enough to judge by: who follows it and whom it follows, or one of these and its posts."""
    return (profile.followers is None) + (profile.following is None) + (profile.posts is None) <= 1


def read_figures(profile: Profile) -> dict[str, float]:
    """The known of `FIGURES`."""
    found: dict[str, float] = {}
    followers, following, posts = profile.followers, profile.following, profile.posts
    if followers is not None:
        found["followers"] = followers
    if following is not None:
        found["following"] = following
        if followers is not None:
            ratio = (followers + 1) / (following + 1)
            found["ratio"] = ratio
            found["likeness"] = ratio if ratio <= 1 else 1 / ratio
            found["fewer"] = min(followers, following)
    if posts is not None:
        found["posts"] = posts
        if following is not None:
            found["posts_per_following"] = (posts + 1) / (following + 1)
    if profile.likes is not None:
        found["likes"] = profile.likes
        if posts is not None:
            found["likes_per_post"] = (profile.likes + 1) / (posts + 1)
    if profile.listed is not None and followers is not None:
        found["listed_per_follower"] = (profile.listed + 1) / (followers + 1)
    if profile.bio is not None:
        found["bio_length"] = len(profile.bio)
    return found


def weigh_profile(profile: Profile) -> tuple[float, dict[str, float]]:
    """The log-odds of an automated account, and what each figure adds to them. Asks nothing of `is_told`."""
    figures = read_figures(profile)
    table = load_tables()["liked" if "likes" in figures else "told"]
    shares = table.shares(figures)
    return table.start + math.fsum(shares.values()), shares


@cache
def load_tables() -> dict[str, Table]:
    """The tables that ship."""
    text = resources.files("rapport.core.understand.tables").joinpath(FILE).read_text(encoding="utf-8")
    return parse_tables(text)


def parse_tables(text: str) -> dict[str, Table]:
    """Lines of table, figure, edges and values -> tables by name. Raises `RapportError` for a line that is wrong."""
    starts: dict[str, float] = {}
    steps: dict[str, dict[str, Steps]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            table, figure, edges, values = line.split("\t")
            read = Steps(tuple(map(float, edges.split())), tuple(map(float, values.split())))
        except ValueError:
            raise RapportError(f"{FILE}, line {number}: four columns, the last two of numbers") from None
        if len(read.values) != len(read.edges) + 1 or (figure != "start" and figure not in FIGURES):
            raise RapportError(f"{FILE}, line {number}: {figure} has no such steps")
        if figure == "start":
            starts[table] = read.values[0]
        else:
            steps.setdefault(table, {})[figure] = read
    return {table: Table(start, steps.get(table, {})) for table, start in starts.items()}


def print_tables(tables: Mapping[str, Table]) -> str:
    """What `parse_tables` reads."""
    lines = []
    for name, table in tables.items():
        lines.append(f"{name}\tstart\t\t{table.start:.3f}")
        for figure, read in table.steps.items():
            edges = " ".join(f"{edge:.6g}" for edge in read.edges)
            lines.append(f"{name}\t{figure}\t{edges}\t{' '.join(f'{value:.3f}' for value in read.values)}")
    return "\n".join(lines) + "\n"
