"""The caller: takes calls of webhooks to other programs, beside the sender and apart from it, so that a slow receiver
holds up no reply."""

from __future__ import annotations

import datetime as dt
import logging
import random
from collections.abc import Callable
from functools import partial
from threading import Event

from rapport.actions import webhooks as steps
from rapport.core.errors import AddressRefused, InvalidInput, NetworkError
from rapport.core.webhooks import sign, wait_before
from rapport.networks.http import GuardedSession, Response, parse_retry_after
from rapport.pipeline.lanes import Lanes
from rapport.pipeline.loop import keep_going
from rapport.store.models import WebhookCall

log = logging.getLogger(__name__)

IDLE = 0.5  # seconds between two looks at an empty queue
#: receivers that are called side by side
LANES = 8
GONE = 410


class Caller:
    """Claims calls one by one and settles each."""

    def __init__(
        self,
        session: Callable[[], GuardedSession],
        clock: Callable[[], dt.datetime],
        lease: dt.timedelta,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """`chance` (0..1) spreads the tries."""
        self.session = session
        self.clock = clock
        self.lease = lease
        self.chance = chance

    def run_forever(self, stop: Event) -> None:
        """Call until `stop` is set; what is on its way then is seen through to its answer.

        Receivers have lanes of their own: one call at a time for each, and one that stalls holds up no other.
        """
        lanes = Lanes(LANES)
        try:
            keep_going(stop, lambda: self._fill(lanes))
        finally:
            lanes.close()

    def _fill(self, lanes: Lanes) -> float:
        """Start one call of a receiver that has none under way; wait a little where there is none."""
        lanes.raise_failure()
        ended, busy = lanes.ended, lanes.busy
        call = None
        if len(busy) < lanes.most:
            call = steps.claim_call(self.lease, besides=busy, now=self.clock())
        if call is None:
            lanes.wait(ended, IDLE)
        else:
            lanes.start(call.webhook_id, partial(self._take, call))
        return 0.0

    def call_once(self) -> bool:
        """Take one call that is due as far as it goes; False when none was."""
        call = steps.claim_call(self.lease, now=self.clock())
        if call is None:
            return False
        self._take(call)
        return True

    def _take(self, call: WebhookCall) -> None:
        try:
            answer = self._post(call)
        except (AddressRefused, InvalidInput) as error:
            steps.settle_given_up(call, str(error), close=True, now=self.clock())
        except NetworkError as error:
            self._try_again(call, str(error), getattr(error, "after", None))
        else:
            self._settle(call, answer)

    def _post(self, call: WebhookCall) -> Response:
        body = call.body.encode()
        headers = sign(steps.secret_of(call.webhook), call.key, int(self.clock().timestamp()), body)
        with self.session() as session:
            return session.post(
                call.webhook.url, data=body, headers={**headers, "Content-Type": "application/json"},
                allow_redirects=False,
            )  # fmt: skip

    def _settle(self, call: WebhookCall, answer: Response) -> None:
        status = answer.status_code
        if 200 <= status < 300:
            steps.settle_taken(call, now=self.clock())
        elif status == GONE:
            cause = "The receiver says that this address is gone for good (410)."
            steps.settle_given_up(call, cause, close=True, now=self.clock())
        else:
            asked = parse_retry_after(answer.headers, self.clock())
            self._try_again(call, f"The receiver answered {status} {answer.reason or ''}".strip() + ".", asked)

    def _try_again(self, call: WebhookCall, cause: str, asked: float | None) -> None:
        """`asked`: seconds that the receiver wants to be left alone."""
        now = self.clock()
        wait = wait_before(call.tries, self.chance())
        if wait is None:
            cause = f"Given up after {call.tries} tries in three days: {cause}"
            steps.settle_given_up(call, cause, close=True, now=now)
        else:
            steps.settle_again(call, cause, now + dt.timedelta(seconds=max(wait, asked or 0.0)), now=now)
