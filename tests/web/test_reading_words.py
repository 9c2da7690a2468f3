"""What pages say of readings goes by what counts in the workspace."""

from __future__ import annotations

from rapport.core.decision import Decision, Outcome, Route, Score
from rapport.core.reading import Intent, Reading, Sentiment
from rapport.core.thresholds import SHIPPED, Thresholds
from rapport.web.reading_words import carried_by, mood_toggles, spans_of, toggles

TEXT = "My parcel is broken and leaking"
READING = Reading(
    "x", "1", sentiment=Sentiment("negative", 0.7, 0.2, 0.1), intent=Intent(complaint=0.8, report=0.6),
    why=("sentiment: 'broken'", "complaint: 'broken'", "report: 'leaking'"),
)  # fmt: skip
JUDGED = Outcome("x", "1", (), READING, Score(), Decision("care"), Route("care"))
STRICT = Thresholds(report=0.7, negative=0.75)


def marked(counting: Thresholds) -> set[str]:
    return {name for _, _, name in spans_of(JUDGED, TEXT, counting)}


def on(counting: Thresholds) -> set[str]:
    names = ("intent.complaint", "intent.report")
    found = [*mood_toggles(READING, counting), *toggles(READING, names, counting)]
    return {each.says.partition("=false")[0] for each in found if each.on}


def test_as_it_ships_all_that_is_likelier_than_not_is_marked_and_on() -> None:
    assert marked(SHIPPED) == {"negative", "complaint", "report"}
    assert on(SHIPPED) == {"sentiment=negative", "intent.complaint", "intent.report"}


def test_what_is_not_sure_enough_here_is_neither_marked_nor_on() -> None:
    assert marked(STRICT) == {"complaint"}
    assert [each.name for each in carried_by(JUDGED, TEXT, STRICT)] == ["complaint"]
    assert on(STRICT) == {"sentiment=neutral", "intent.complaint"}
