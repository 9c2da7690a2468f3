"""Labelled texts from the sets that the shipped readings may learn from, each in a training or a validation part.

`../shared/data/README.md` beside the project (docs/reference/model-card.md repeats it) says where each set comes from
and under which licence. Sets under a non-commercial licence are not read here at all: they stay tests.
"""

from __future__ import annotations

import csv
import hashlib
import html
import json
import re
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path

import msgspec

from rapport.core.errors import InvalidInput

#: Sentiment classes by the number that the sets give them.
SENTIMENT = ("negative", "neutral", "positive")
#: Emotions by the number that TweetEval gives them.
EMOTION = ("anger", "joy", "optimism", "sadness")
#: One in so many texts of a set that has no validation part of its own becomes one.
VALIDATE = 5

#: Readings that were labelled by hand -> their column.
BY_HAND = {
    "urgency": "urgent",
    "personal": "personal",
    "question": "question",
    "request": "request",
    "praise": "praise",
    "purchase": "purchase",
    "report": "report",
}
#: What a random tweet that answers nobody is taken not to have where nobody read it.
_UNREAD = ("urgency", "personal", "request", "report")

TRAIN, VALIDATION = "train", "validation"


class Example(msgspec.Struct, frozen=True):
    """One labelled text."""

    text: str
    #: what is being read: "sentiment", "emotion", or the name of a reading that is true or false
    task: str
    #: the class: a place in `SENTIMENT` or `EMOTION`; 1 or 0 for true or false
    label: int
    #: where it comes from, a name of `SETS`
    source: str
    #: "train" or "validation"
    part: str
    #: ISO 639-1
    language: str = "en"
    #: what must not stand on both sides of a split (the video of a comment); "" = the text alone
    group: str = ""


class Missing(InvalidInput):
    """A set that was asked for is not there."""


Read = Callable[[Path], Iterator[Example]]


def read_examples(folder: Path, sources: tuple[str, ...] = ()) -> list[Example]:
    """The examples of the named sets (all where none is named), in a fixed order.

    A training text that also stands in a validation part is left out, and so is one that is there twice with the same
    task. Raises `Missing` when the folder or a file of a set is not there.
    """
    found: list[Example] = []
    for name in sources or tuple(SETS):
        try:
            found.extend(SETS[name](folder))
        except FileNotFoundError as error:
            raise Missing(
                f"The set {name} is not in {folder}: {Path(error.filename).name} is missing. "
                "Name the folder that holds the labelled texts with --data."
            ) from error
    kept_back = {(one.task, key(one.text)) for one in found if one.part == VALIDATION}
    seen: set[tuple[str, str]] = set()
    kept = []
    for one in found:
        place = (one.task, key(one.text))
        if one.part == TRAIN and (place in kept_back or place in seen):
            continue
        seen.add(place)
        kept.append(one)
    return kept


def key(text: str) -> str:
    """What two texts share that are the same for learning: case, spaces, handles, addresses and signs do not count."""
    return " ".join(re.findall(r"\w+", re.sub(r"https?\S*|@\w+", " ", text.lower())))


def part_of(text: str) -> str:
    """The part of a text of a set that has no validation part of its own: one in `VALIDATE` is kept for validation."""
    digest = hashlib.sha256(key(text).encode("utf-8", "surrogatepass")).digest()
    return VALIDATION if digest[0] % VALIDATE == 0 else TRAIN


def clean(text: str) -> str:
    """Undo the escapes that the sets left in: `\\u2019`, `&amp;`; an emoji may come as two of them."""
    text = re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), text)
    text = html.unescape(html.unescape(text))
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").strip()


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").rstrip("\n").split("\n")


def _pairs(folder: Path, task: str, source: str, language: str = "en") -> Iterator[Example]:
    """TweetEval's layout: one text a line, one label a line, a file for each part."""
    for part, prefix in ((TRAIN, "train"), (VALIDATION, "val")):
        texts, labels = folder / f"{prefix}_text.txt", folder / f"{prefix}_labels.txt"
        if prefix == "train" and not texts.exists():
            continue
        for text, label in zip(_lines(texts), _lines(labels), strict=True):
            yield Example(clean(text), task, int(label), source, part, language)


def _labels(name: str) -> dict[str, dict[str, str]]:
    """Id -> row of a file of labels made by hand (training/labels/README.md)."""
    lines = resources.files("rapport.training.labels").joinpath(f"{name}.csv").read_text("utf-8").splitlines()
    return {row["id"]: row for row in csv.DictReader(lines)}


def _read(row: dict[str, str], text: str, source: str, group: str = "") -> Iterator[Example]:
    """What somebody who read the text says of it."""
    for task, column in BY_HAND.items():
        yield Example(text, task, int(row[column]), source, part_of(text), group=group)


def _tweeteval(folder: Path) -> Iterator[Example]:
    for task in ("emotion", "irony", "offensive", "hate", "sentiment"):
        yield from _pairs(folder / "01_tweeteval" / task, task, "tweeteval")


def read_rows(path: Path, encoding: str = "utf-8") -> Iterator[dict[str, str]]:
    """The rows of a table with a heading."""
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        yield from csv.DictReader(file)


def _semeval(folder: Path) -> Iterator[Example]:
    """Every fourth also stands for what is no spam: the sets of spam are short messages and comments, no tweets."""
    labels = _labels("semeval")
    for number, row in enumerate(read_rows(folder / "01_tweeteval" / "sentiment" / "train_semeval2013-2016.csv")):
        text = clean(row["text"])
        yield Example(text, "sentiment", int(row["label"]), "semeval", TRAIN)
        if number % 4 == 0:
            yield Example(text, "spam", 0, "semeval", TRAIN)
        if row["id"] in labels:
            yield from _read(labels[row["id"]], text, "semeval")


_LANGUAGES = {
    "arabic": "ar",
    "english": "en",
    "french": "fr",
    "german": "de",
    "hindi": "hi",
    "italian": "it",
    "portuguese": "pt",
    "spanish": "es",
}


def _xlmt(folder: Path) -> Iterator[Example]:
    for name, language in _LANGUAGES.items():
        yield from _pairs(folder / "01b_xlmt_multilingual" / name, "sentiment", "xlmt", language)


def _amazon(folder: Path) -> Iterator[Example]:
    """Sentences of reviews with the mean of twenty people's ratings; those near the border are left out."""
    labels = _labels("amazon")
    path = folder / "01c_vader_groundtruth" / "amazonReviewSnippets_GroundTruth.txt"
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        cells = line.split("\t")
        if len(cells) < 3:
            continue
        if cells[0] in labels:
            yield from _read(labels[cells[0]], clean(cells[2]), "amazon")
        mean = float(cells[1])
        if 0.4 < abs(mean) < 0.9:
            continue
        label = 1 if abs(mean) <= 0.4 else 2 if mean > 0 else 0
        yield Example(clean(cells[2]), "sentiment", label, "amazon", part_of(cells[2]))


def _sanders(folder: Path) -> Iterator[Example]:
    labels = _labels("sanders")
    for row in read_rows(folder / "04_intent" / "sanders_brand_tweets.csv"):
        if row["Sentiment"] in SENTIMENT:
            text = clean(row["TweetText"])
            yield Example(text, "sentiment", SENTIMENT.index(row["Sentiment"]), "sanders", part_of(text))
            if row["TweetId"] in labels:
                yield from _read(labels[row["TweetId"]], text, "sanders")


def _complaints(folder: Path) -> Iterator[Example]:
    """Preotiuc-Pietro 2019. `group` tells the domain rows, which are hard, from the random tweets beside them, of which
    those that answer nobody are taken to ask nothing of anybody either. We read all domain rows and some others.
    """
    labels = _labels("complaints")
    for row in read_rows(folder / "04_intent" / "complaints_preotiuc2019.csv"):
        text = clean(row["text"])
        random = row["domain"] in {"random_tweet", "random_reply"}
        group = "random" if random else "domain"
        yield Example(text, "complaint", int(row["complaint"]), "complaints", part_of(text), group=group)
        if row["tweet_id"] in labels:
            yield from _read(labels[row["tweet_id"]], text, "complaints", group)
        elif row["domain"] == "random_tweet":
            for task in _UNREAD:
                yield Example(text, task, 0, "complaints", part_of(text), group=group)


def _sms(folder: Path) -> Iterator[Example]:
    for row in read_rows(folder / "05_spam_bots" / "sms_spam.csv"):
        yield Example(clean(row["text"]), "spam", int(row["label"] == "spam"), "sms", part_of(row["text"]))


def _youtube(folder: Path) -> Iterator[Example]:
    """Comments on three videos. All are for training; validation goes video by video (`group`)."""
    labels = _labels("youtube")
    for path in sorted((folder / "05_spam_bots" / "youtube").glob("*.csv")):
        for row in read_rows(path, "utf-8-sig"):
            text = clean(row["CONTENT"])
            yield Example(text, "spam", int(row["CLASS"]), "youtube", TRAIN, group=path.stem)
            if row["COMMENT_ID"] in labels:
                yield from _read(labels[row["COMMENT_ID"]], text, "youtube", path.stem)


def _clinc(folder: Path) -> Iterator[Example]:
    """Requests to an assistant: its intents tell questions, requests and reports apart."""
    sets = json.loads((folder / "04_intent" / "clinc150_train_val.json").read_text(encoding="utf-8"))
    for name, part in (("train", TRAIN), ("val", VALIDATION)):
        for text, intent in sets[name]:
            for task, intents in _CLINC.items():
                yield Example(clean(text), task, int(intent in intents), "clinc", part)


_CLINC = {
    "purchase": frozenset({"order", "book_flight", "book_hotel", "restaurant_reservation", "car_rental", "new_card"}),
    "report": frozenset({"report_lost_card", "report_fraud", "damaged_card", "account_blocked", "card_declined"}),
}


def _banking(folder: Path) -> Iterator[Example]:
    """Questions to a bank: which tell of a fault or an incident."""
    for row in read_rows(folder / "04_intent" / "banking77_train.csv"):
        text = clean(row["text"])
        yield Example(text, "report", int(row["category"] in _FAULTS), "banking", part_of(text))


def _ibm(folder: Path) -> Iterator[Example]:
    """First messages of customers, labelled by hand (training/labels/README.md)."""
    wanted = _labels("ibm")
    dialogues = json.loads((folder / "03_twcs" / "ibm_customer_care_dev.json").read_text(encoding="utf-8"))
    for dialogue in dialogues:
        first = next((turn for turn in dialogue["dialogContent"] if turn.get("client")), None)
        row = wanted.pop(str(first["tweet_ID"]), None) if first else None
        if first is not None and row is not None:
            yield from _read(row, clean(first["message"]), "ibm")


def _plain(_: Path) -> Iterator[Example]:
    """Sentences that customers might write, written and labelled by us. All are for training."""
    lines = resources.files("rapport.training.labels").joinpath("plain.csv").read_text("utf-8").splitlines()
    for row in csv.DictReader(lines):
        text, language = row["text"], row["language"]
        yield Example(text, "sentiment", SENTIMENT.index(row["sentiment"]), "plain", TRAIN, language)
        if row["emotion"]:
            yield Example(text, "emotion", EMOTION.index(row["emotion"]), "plain", TRAIN, language)
        for task, column in {"irony": "irony", "complaint": "complaint", **BY_HAND}.items():
            yield Example(text, task, int(row[column]), "plain", TRAIN, language)


_FAULTS = frozenset(
    {
        "Refund_not_showing_up",
        "balance_not_updated_after_bank_transfer",
        "balance_not_updated_after_cheque_or_cash_deposit",
        "card_not_working",
        "card_payment_not_recognised",
        "card_swallowed",
        "cash_withdrawal_not_recognised",
        "compromised_card",
        "contactless_not_working",
        "declined_card_payment",
        "declined_cash_withdrawal",
        "declined_transfer",
        "direct_debit_payment_not_recognised",
        "failed_transfer",
        "lost_or_stolen_card",
        "lost_or_stolen_phone",
        "top_up_failed",
        "top_up_reverted",
        "transaction_charged_twice",
        "transfer_not_received_by_recipient",
        "virtual_card_not_working",
        "wrong_amount_of_cash_received",
        "reverted_card_payment?",
    }
)

#: name -> how it is read. A set that is not here is not learnt from.
SETS: dict[str, Read] = {
    "tweeteval": _tweeteval,
    "semeval": _semeval,
    "xlmt": _xlmt,
    "amazon": _amazon,
    "sanders": _sanders,
    "complaints": _complaints,
    "sms": _sms,
    "youtube": _youtube,
    "clinc": _clinc,
    "banking": _banking,
    "ibm": _ibm,
    "plain": _plain,
}
