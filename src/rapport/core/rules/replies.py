"""The prepared replies that a new workspace starts with: the default rules name them, a team makes them its own."""

from __future__ import annotations

#: slug, name, text
DEFAULT_REPLIES = (
    (
        "sorry",
        "Something went wrong",
        "I am sorry, {first_name}, that is not how it should be. I am {agent} and I look after this now. ",
    ),
    ("thanks", "Thank you", "Thank you, {first_name}, that made our day. "),
    ("sales", "Interested", "Hello {first_name}, happy to help you choose. What will you use it for? "),
    ("answer", "Question", "Hello {first_name}, good question. "),
    ("review", "Review", "Thank you for telling us how it went, {first_name}. "),
)
