"""`rapport decide`: what a rule file would decide for posts, with the whole trace, without a database.

Exit status: 0; 1 when a post could not be read (the others were decided); 2 when the rules or the file could not.
"""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from pathlib import Path
from typing import BinaryIO

import msgspec

from rapport.cli.post_lines import PostLines
from rapport.cli.rule_file import read_rules
from rapport.core.decision import PersonFacts
from rapport.core.errors import InvalidInput, InvalidRule
from rapport.core.post import Post
from rapport.core.reading import Reading
from rapport.core.rules import Circumstances, RuleSet, compile_rules
from rapport.core.rules.pack import PACKS
from rapport.core.score import score
from rapport.core.threads import Threads
from rapport.core.understand import load_reader
from rapport.core.understand.accounts import knowing, score_author

#: Posts that are read together.
BATCH = 256
#: Earlier posts of one author that are remembered.
MOST_REMEMBERED = 500


class DecideLine(msgspec.Struct, frozen=True):
    """One line of the answer."""

    network: str
    id: str
    #: these three whole: what is kept of a decision leaves out what goes without saying, and this is read by programs
    score: dict[str, object]
    #: the decision without its trace, which stands beside it
    decision: dict[str, object]
    #: every rule that was tried
    trace: list[dict[str, object]]


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.description = (
        "Read posts (JSONL), decide each by a rule file and write score, decision and trace (JSONL), in the same "
        "order. What an author wrote earlier in the file, and what was said in the thread, counts as known; topics are "
        "empty, it is business hours, and the clock is in UTC."
    )
    parser.add_argument("--rules", metavar="RULES.toml", help="the rule document")
    parser.add_argument(
        "--pack",
        action="append",
        choices=PACKS,
        default=[],
        help="with this starter pack in it, in that document or, without --rules, in the one that ships; the file is "
        "left as it is; can be given several times",
    )
    parser.add_argument(
        "--at",
        choices=("now", "written"),
        default="now",
        help="when each is decided: now, as if it came in (default), or when it was written, so that "
        "count(person.negative, 30 days) means the 30 days before it",
    )
    parser.add_argument("file", nargs="?", default="-", metavar="FILE", help="Post JSONL; none or - is standard input")


def run(arguments: argparse.Namespace) -> int:
    """Decide and print. Returns the exit status; raises OSError when the rules or the posts cannot be opened,
    `InvalidInput` when the rules cannot be used.
    """
    if arguments.rules is None and not arguments.pack:
        raise InvalidInput("name a rule document with --rules, or a starter pack with --pack")
    document = read_rules(arguments.rules, arguments.pack)
    try:
        rules = compile_rules(document)
    except InvalidRule as error:
        raise InvalidInput(f"{arguments.rules or 'the rules that ship'}: {error}") from None
    as_written = arguments.at == "written"
    if arguments.file == "-":
        return _decide_all(rules, sys.stdin.buffer, as_written)
    with Path(arguments.file).open("rb") as lines:
        return _decide_all(rules, lines, as_written)


def _decide_all(rules: RuleSet, lines: BinaryIO, as_written: bool) -> int:
    reader = load_reader()
    people: dict[tuple[str, str], PersonFacts] = {}
    threads = Threads({})
    encoder = msgspec.json.Encoder()
    posts = PostLines("decide", lines, BATCH)
    for batch in posts:
        now = dt.datetime.now(dt.UTC)
        answers = [
            _decide(rules, post, reading, people, threads, post.created_at if as_written else now)
            for post, reading in zip(batch, reader.read(batch), strict=True)
        ]
        sys.stdout.buffer.write(encoder.encode_lines(answers))
        sys.stdout.buffer.flush()
    return 1 if posts.rejected else 0


def _decide(
    rules: RuleSet,
    post: Post,
    reading: Reading,
    people: dict[tuple[str, str], PersonFacts],
    threads: Threads,
    now: dt.datetime,
) -> DecideLine:
    """Score and decide one post, then remember it as part of its author's history."""
    key = (post.network, post.author.key)
    facts = people.get(key, PersonFacts())
    value = score(post, reading, facts, now)
    asked = knowing(facts, score_author(post, facts))
    at = Circumstances(now)
    talk = threads.hear(post, reading.sentiment.label)
    decision = rules.decide(post, reading, value, asked, (), at, conversation=talk)
    steps = rules.explain(post, reading, value, asked, (), at, conversation=talk)
    people[key] = _remember(facts, post, reading)
    plain = _whole(decision)
    del plain["trace"]
    plain["effects"] = [_whole(effect) for effect in decision.effects]
    factors = [_whole(factor) for factor in value.factors]
    return DecideLine(
        post.network, post.id, _whole(value) | {"factors": factors}, plain, [_whole(one) for one in steps]
    )


def _whole(struct: msgspec.Struct) -> dict[str, object]:
    return msgspec.structs.asdict(struct)


def _remember(facts: PersonFacts, post: Post, reading: Reading) -> PersonFacts:
    at, mood = post.created_at, reading.sentiment.label
    return msgspec.structs.replace(
        facts,
        first_seen=min(facts.first_seen or at, at),
        last_seen=max(facts.last_seen or at, at),
        posts=(*facts.posts, at)[-MOST_REMEMBERED:],
        negative=(*facts.negative, at)[-MOST_REMEMBERED:] if mood == "negative" else facts.negative,
        positive=(*facts.positive, at)[-MOST_REMEMBERED:] if mood == "positive" else facts.positive,
    )
