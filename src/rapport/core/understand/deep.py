"""`DeepReader`: texts in, calibrated probabilities of every reading out, by a small transformer on the CPU.

It comes with the extra `rapport[deep]` (onnxruntime and tokenizers). Without it `load_deep` answers None and the
readings of the sparse heads stand alone. How good it is: docs/reference/model-card-deep.md.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence, Set
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from tokenizers import Tokenizer

Floats = NDArray[np.float64]

#: Tokens of a text that are read; what comes after them is not.
TOKENS = 128
#: Padded tokens that are read at once; more gains nothing on one core.
BATCH_TOKENS = 1024
#: Characters that are looked at before the text is cut into tokens: bounds the time that any text takes.
CHARACTERS = 4000

_ADDRESS = re.compile(r"https?://\S+|www\.\S+", re.IGNORECASE)
_HANDLE = re.compile(r"(?<!\w)@\w+")
_HASHTAG = re.compile(r"#(\w+)")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_AGAIN = re.compile(r"(.)\1{3,}", re.DOTALL)
#: Signs that change how an emoji is drawn, not what it says: variation selectors, joiner, tones of skin.
_DRAWN = re.compile("[\ufe0e\ufe0f\u200d\U0001f3fb-\U0001f3ff]")
EMOJI = re.compile("[\u2194-\u21aa\u231a-\u23ff\u25aa-\u27bf\u2b05-\u2b55\U0001f000-\U0001faff]")


def prepare(text: str, known: Set[str]) -> str:
    """A text as the model reads it. `known` are the emoji that its vocabulary has; others are written as their names.

    Handles become "@user" and addresses "http", as in TweetEval, so that the model cannot learn who is who. Hashtags
    are cut at their humps, and a sign that stands more than three times in a row stands three times.
    """
    text = text[:CHARACTERS].encode("utf-8", "replace").decode("utf-8")
    text = _DRAWN.sub("", text)
    text = _HANDLE.sub("@user", _ADDRESS.sub("http", text))
    text = _HASHTAG.sub(lambda tag: "# " + _HUMP.sub(" ", tag[1]), text)
    text = _AGAIN.sub(r"\1\1\1", text)
    return EMOJI.sub(lambda sign: f" {sign[0] if sign[0] in known else unicodedata.name(sign[0], '').lower()} ", text)


class Task(msgspec.Struct, frozen=True):
    """One reading: where its logits stand, and how they become probabilities."""

    name: str
    #: classes in the order of their columns; one name where the reading is true or false
    classes: list[str]
    #: Calibration (Platt 1999, Guo 2017): probability = sigmoid or softmax of `scale` x logit + `shift`
    scale: float
    shift: list[float]


class Layout(msgspec.Struct, frozen=True):
    """What stands in the columns that a model answers, from left to right."""

    name: str
    #: ISO 639-1
    languages: list[str]
    tasks: list[Task]


class DeepReader:
    """Reads texts with one model. A text is read alone: whatever else is in the batch, its answer stays the same
    (to 1e-6).
    """

    def __init__(self, session: Any, tokenizer: Tokenizer, layout: Layout) -> None:
        self._session = session
        #: what cuts texts into the tokens of this model
        self.tokenizer = tokenizer
        self._layout = layout
        self._known = frozenset(word for word in tokenizer.get_vocab() if EMOJI.fullmatch(word))

    @property
    def name(self) -> str:
        """Name of the model; it changes with every change that changes readings."""
        return self._layout.name

    @property
    def tasks(self) -> dict[str, list[str]]:
        """The readings and the classes of each, in the order of their columns."""
        return {task.name: task.classes for task in self._layout.tasks}

    def reads(self, language: str) -> bool:
        """Whether the model was made for a language (ISO 639-1)."""
        return language in self._layout.languages

    def read(self, texts: Sequence[str]) -> dict[str, Floats]:
        """Calibrated probabilities of each reading, texts x classes ("sentiment": negative, neutral, positive). A
        reading that is true or false has one column. Never raises on any text; of a long one the beginning is read.
        """
        return self.read_tokens([self.tokenizer.encode(prepare(text, self._known)).ids for text in texts])

    def read_tokens(self, rows: Sequence[Sequence[int]]) -> dict[str, Floats]:
        """`read` for texts that are token numbers already, at most `TOKENS` each."""
        return self._calibrate(self.logits(rows))

    def logits(self, rows: Sequence[Sequence[int]]) -> Floats:
        """What the model answers before it is calibrated, rows x columns of all tasks."""
        out = np.zeros((len(rows), sum(len(task.classes) for task in self._layout.tasks)))
        order = sorted(range(len(rows)), key=lambda place: len(rows[place]))
        while order:
            longest = len(rows[order[-1]])
            taken = order[-max(1, BATCH_TOKENS // longest) :]
            del order[-len(taken) :]
            ids = np.zeros((len(taken), longest), dtype=np.int64)
            mask = np.zeros_like(ids)
            for line, place in enumerate(taken):
                ids[line, : len(rows[place])] = rows[place]
                mask[line, : len(rows[place])] = 1
            out[taken] = self._session.run(None, {"ids": ids, "mask": mask})[0]
        return out

    def _calibrate(self, logits: Floats) -> dict[str, Floats]:
        found, start = {}, 0
        for task in self._layout.tasks:
            scores = logits[:, start : start + len(task.classes)] * task.scale + np.array(task.shift)
            start += len(task.classes)
            found[task.name] = (
                _softmax(scores) if len(task.classes) > 1 else 1 / (1 + np.exp(-np.clip(scores, -50, 50)))
            )
        return found


def _softmax(scores: Floats) -> Floats:
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def _sigmoid(scores: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(scores, -50, 50))))


def load_deep(threads: int = 1) -> DeepReader | None:
    """The model of all readings in English; None where the extra `rapport[deep]` is not installed. Takes about half a
    second.
    """
    return _load("deep", threads)


def load_many(threads: int = 1) -> DeepReader | None:
    """The model of the mood in eight languages, or None as above."""
    return _load("deep_many", threads)


def _load(model: str, threads: int) -> DeepReader | None:
    try:
        return open_deep(files("rapport.core.understand") / "models" / model, threads)
    except ImportError:
        return None


def open_deep(folder: Traversable, threads: int = 1) -> DeepReader:
    """The model in a folder (model.onnx, tokenizer.json, layout.json). Raises `ImportError` where onnxruntime or
    tokenizers is not installed.
    """
    import onnxruntime
    from tokenizers import Tokenizer

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        (folder / "model.onnx").read_bytes(), options, providers=["CPUExecutionProvider"]
    )
    tokenizer = Tokenizer.from_str((folder / "tokenizer.json").read_text(encoding="utf-8"))
    tokenizer.enable_truncation(TOKENS)
    tokenizer.no_padding()
    return DeepReader(session, tokenizer, msgspec.json.decode((folder / "layout.json").read_bytes(), type=Layout))
