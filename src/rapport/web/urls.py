"""Every address of the desk. Each has its row in tests/web/test_access_matrix.py."""

from __future__ import annotations

from django.urls import include, path

from rapport.web import approvals, health, hooks, ledger, notices, person_data, policy, public_survey
from rapport.web.help import views as help_views

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("s/<str:token>/", public_survey.survey, name="survey_page"),
    path("hooks/<slug:slug>/<slug:channel>/", hooks.receive, name="hook"),
    path("help/", help_views.index, name="help"),
    path("help/<slug:page>/", help_views.page, name="help_page"),
    path("", include("rapport.web.accounts.urls")),
    path("", include("rapport.web.settings.urls")),
    path("", include("rapport.web.rules.urls")),
    path("w/<slug:slug>/campaigns/", include("rapport.web.campaigns.urls")),
    path("w/<slug:slug>/posts/", include("rapport.web.posts.urls")),
    path("w/<slug:slug>/same-words/", include("rapport.web.voice_urls")),
    path("w/<slug:slug>/approvals/", approvals.index, name="approvals"),
    path("w/<slug:slug>/approvals/<int:pk>/send/", approvals.send, name="approval_send"),
    path("w/<slug:slug>/approvals/<int:pk>/return/", approvals.give_back, name="approval_return"),
    path("w/<slug:slug>/offers/", policy.index, name="offers"),
    path("w/<slug:slug>/offers/report/", policy.report, name="offer_report"),
    path("w/<slug:slug>/offers/<int:pk>/decide/", policy.decide, name="offer_decide"),
    path("w/<slug:slug>/people/<int:pk>/data/", person_data.index, name="person_data"),
    path("w/<slug:slug>/people/<int:pk>/data/export/", person_data.export, name="person_export"),
    path("w/<slug:slug>/people/<int:pk>/data/erase/", person_data.erase, name="person_erase"),
    path("w/<slug:slug>/settings/channels/<int:pk>/forget/", person_data.forget, name="channel_forget"),
    path("w/<slug:slug>/person-jobs/", person_data.jobs, name="person_jobs"),
    path("w/<slug:slug>/person-jobs/<int:pk>/", person_data.job, name="person_job"),
    path("w/<slug:slug>/person-jobs/<int:pk>/file/", person_data.file, name="person_job_file"),
    path("w/<slug:slug>/ledger/", ledger.index, name="ledger"),
    path("w/<slug:slug>/ledger/check", ledger.check, name="ledger_check"),
    path("w/<slug:slug>/ledger/export.csv", ledger.export, {"form": "csv"}, name="ledger_csv"),
    path("w/<slug:slug>/ledger/export.jsonl", ledger.export, {"form": "jsonl"}, name="ledger_jsonl"),
    path("w/<slug:slug>/notices/", notices.index, name="notices"),
    path("w/<slug:slug>/notices/<int:pk>/", notices.open_notice, name="notice"),
    path("w/<slug:slug>/notices/read/", notices.read_all, name="notices_read"),
    path("w/<slug:slug>/notices/settings/", notices.preferences, name="notice_settings"),
    path("w/<slug:slug>/notices/off/<slug:way>/", notices.off, name="notices_off"),
    path("w/<slug:slug>/notices/devices/add/", notices.add_device, name="device_add"),
    path("w/<slug:slug>/notices/devices/<int:pk>/remove/", notices.remove_device, name="device_remove"),
    path("w/<slug:slug>/", include("rapport.web.inbox_urls")),
]
