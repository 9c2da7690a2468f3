"""Addresses of the desk, below /w/SLUG/."""

from __future__ import annotations

from django.urls import path

from rapport.web import people
from rapport.web.inbox import compose, conversation, effects, events, promises, readings, tasks
from rapport.web.inbox import list as lists

app_name = "inbox"
urlpatterns = [
    path("", lists.home, name="home"),
    path("b/<slug:basket>/", lists.basket, name="basket"),
    path("lists/<slug:ready>/", lists.ready, name="ready"),
    path("search/", lists.search, name="search"),
    path("counts", lists.counts, name="counts"),
    path("events", events.events, name="events"),
    path("promises/", promises.promises, name="promises"),
    path("hold/", compose.hold, name="hold"),
    path("c/<int:pk>/", conversation.conversation, name="conversation"),
    path("c/<int:pk>/assign", conversation.assign, name="assign"),
    path("c/<int:pk>/snooze", conversation.snooze, name="snooze"),
    path("c/<int:pk>/resolve", conversation.resolve, name="resolve"),
    path("c/<int:pk>/reopen", conversation.reopen, name="reopen"),
    path("c/<int:pk>/unfold", conversation.unfold, name="unfold"),
    path("c/<int:pk>/move", conversation.move, name="move"),
    path("c/<int:pk>/score", conversation.score, name="score"),
    path("c/<int:pk>/note", conversation.note, name="note"),
    path("c/<int:pk>/readings/<int:post>/", readings.readings, name="readings"),
    path("c/<int:pk>/readings/<int:post>/correct", readings.correct, name="correct"),
    path("c/<int:pk>/readings/<int:post>/withdraw", readings.withdraw, name="withdraw"),
    path("c/<int:pk>/draft", compose.draft, name="draft"),
    path("c/<int:pk>/begin", compose.begin, name="begin"),
    path("c/<int:pk>/send", compose.send, name="send"),
    path("c/<int:pk>/propose", compose.propose, name="propose"),
    path("c/<int:pk>/retry", compose.retry, name="retry"),
    path("c/<int:pk>/cancel", compose.cancel, name="cancel"),
    path("c/<int:pk>/proposals/<int:effect>/take", effects.take, name="take"),
    path("c/<int:pk>/proposals/<int:effect>/dismiss", effects.dismiss, name="dismiss"),
    path("c/<int:pk>/proposals/<int:effect>/back", effects.put_back, name="put_back"),
    path("c/<int:pk>/tasks", tasks.about, name="task_about"),
    path("c/<int:pk>/tasks/<int:task>", tasks.about_done, name="task_about_done"),
    path("tasks/", tasks.index, name="tasks"),
    path("tasks/new", tasks.create, name="task_new"),
    path("tasks/<int:pk>/", tasks.edit, name="task"),
    path("tasks/<int:pk>/settle", tasks.settle, name="task_settle"),
    path("people/<int:pk>/steps/<int:step>", people.step, name="step"),
    path("people/<int:pk>/", people.person, name="person"),
    path("people/<int:pk>/ignore", people.ignore, name="ignore"),
    path("people/<int:pk>/suppress", people.suppress, name="suppress"),
    path("people/<int:pk>/relationship", people.relationship, name="relationship"),
    path("people/<int:pk>/join", people.join, name="join"),
    path("people/<int:pk>/automated", people.automated, name="automated"),
    path("people/<int:pk>/split", people.split, name="split"),
    path("people/<int:pk>/split-handle", people.split_handle, name="split_handle"),
]
