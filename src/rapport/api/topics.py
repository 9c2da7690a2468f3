"""Topics for programs: what each one found in a period, with and without accounts that look automated."""

from __future__ import annotations

import datetime as dt

from rapport.api.conversations import wanted_machines
from rapport.api.door import Call
from rapport.api.paging import read_number
from rapport.api.shapes import TopicList, TopicVoice
from rapport.store.models import Topic
from rapport.store.queries.voices import share_of_voice

DAYS, MAX_DAYS = 30, 90


def list_topics(call: Call) -> TopicList:
    """Every topic with its share of voice over the last days, most found first."""
    days = read_number(call, "days", DAYS, MAX_DAYS)
    workspace = call.by.workspace_id
    voices = share_of_voice(
        workspace,
        call.now - dt.timedelta(days=days),
        Topic.objects.of(workspace),
        people_only=wanted_machines(call) == "without",
    )
    return TopicList(
        days=days,
        topics=tuple(
            TopicVoice(
                slug=voice.topic.slug,
                name=voice.topic.name,
                query=voice.topic.query,
                active=voice.topic.active,
                found=voice.found,
                share=round(voice.share, 4),
                automated=voice.automated,
                negative=voice.negative,
                positive=voice.positive,
            )
            for voice in voices
        ),
    )
