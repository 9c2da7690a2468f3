"""Standing queries: parse them, hold them against posts, mark what they found.

    matcher = compile_topics([("delays", 'delay* NOT "on time"')])
    matcher.match(posts)        # [("delays",), (), ...]

The language is described in docs/reference/query-language.md.
"""

from rapport.core.query.highlight import Highlighter, highlight
from rapport.core.query.match import Matcher, compile_topics
from rapport.core.query.parse import Query, evaluate, parse

__all__ = ["Highlighter", "Matcher", "Query", "compile_topics", "evaluate", "highlight", "parse"]
