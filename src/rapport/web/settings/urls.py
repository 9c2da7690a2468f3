"""Addresses of the settings of a workspace, and of its quarantine."""

from __future__ import annotations

from django.urls import include, path

from rapport.web import quarantine
from rapport.web.settings import audit, channels, connect, corrections, readings, replies, rules, score, team, topics

settings_pages = [
    path("channels/", channels.index, name="channels"),
    path("channels/connect/", connect.choose, name="connect_choose"),
    path("channels/<int:pk>/secret/", channels.new_secret, name="new_secret"),
    path("channels/<int:pk>/seen/", channels.see_gaps, name="see_gaps"),
    path("channels/connect/<slug:network>/", connect.begin, name="connect"),
    path("channels/<int:pk>/", channels.change, name="channel"),
    path("channels/<int:pk>/disconnect/", channels.disconnect, name="disconnect"),
    path("topics/", topics.index, name="topics"),
    path("topics/new/", topics.create, name="topic_new"),
    path("topics/preview/", topics.preview, name="topic_preview"),
    path("topics/<int:pk>/", topics.change, name="topic"),
    path("topics/<int:pk>/apply/", topics.apply, name="topic_apply"),
    path("topics/<int:pk>/delete/", topics.delete, name="topic_delete"),
    path("rules/", rules.edit, name="rules"),
    path("rules/<int:version>/", rules.show, name="rules_version"),
    path("rules/<int:version>/restore/", rules.restore, name="rules_restore"),
    path("score/", score.edit, name="score"),
    path("score/preview/", score.preview, name="score_preview"),
    path("score/learnt/", score.learnt, name="score_learnt"),
    path("score/<int:version>/restore/", score.restore, name="score_restore"),
    path("replies/", replies.index, name="replies"),
    path("replies/new/", replies.create, name="reply_new"),
    path("replies/<int:pk>/", replies.change, name="reply"),
    path("replies/<int:pk>/delete/", replies.delete, name="reply_delete"),
    path("team/", team.index, name="team"),
    path("team/invite/", team.invite, name="invite"),
    path("team/<int:pk>/", team.change, name="member"),
    path("team/<int:pk>/link/", team.link, name="member_link"),
    path("readings/", readings.edit, name="readings"),
    path("readings/preview/", readings.preview, name="readings_preview"),
    path("readings/cost/", readings.cost, name="readings_cost"),
    path("readings/team/", readings.team, name="readings_team"),
    path("readings/team/<int:version>/use/", readings.use, name="readings_use"),
    path("readings/team/shipped/", readings.shipped, name="readings_shipped"),
    path("corrections/", corrections.index, name="corrections"),
    path("corrections/export/", corrections.export, name="corrections_export"),
    path("corrections/<int:pk>/withdraw/", corrections.withdraw, name="correction_withdraw"),
    path("audit/", audit.index, name="audit"),
]

urlpatterns = [
    path("w/<slug:slug>/settings/", include(settings_pages)),
    path("w/<slug:slug>/quarantine/", quarantine.index, name="quarantine"),
    path("w/<slug:slug>/quarantine/<int:pk>/take-out/", quarantine.take_out, name="take_out"),
    path("w/<slug:slug>/quarantine/check/<int:pk>/", quarantine.judge, name="judge_check"),
    path("w/<slug:slug>/quarantine/failed/<int:pk>/retry/", quarantine.retry, name="retry_message"),
    path("connect/<slug:network>/callback/", connect.callback, name="connect_callback"),
]
