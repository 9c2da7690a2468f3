"""The mood toward one target of a text, where it may differ from the mood of the whole.

A text that praises one brand and damns another has two moods. Who is meant is shown to a model as `MARK`, one sign
that stands in the text in place of the name.
"""

from __future__ import annotations

#: Stands for the target. A sign that nobody in the labelled texts writes, and a token of its own both for
#: `features.extract` and, because `deep.EMOJI` holds it, for the transformer.
MARK = "\u25ce"
