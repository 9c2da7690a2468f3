"""Which of our posts a machine said: the acknowledgement, which answers nobody."""

from __future__ import annotations

#: a condition on the row `p` of store_post. Until the sender knows the id of what it pushed, whatever we said in the
#: conversation since it was queued is taken for it; the conversation is looked at again once the id is there
SAID_BY_MACHINE = (
    "EXISTS (SELECT 1 FROM store_delivery d JOIN store_approval v ON v.id = d.approval_id "
    "WHERE d.conversation_id = p.conversation_id AND v.machine IS NOT NULL AND (d.external_id = p.external_id "
    "OR (d.external_id = '' AND d.pushed_at IS NOT NULL AND p.sort_at >= d.pushed_at)))"
)
