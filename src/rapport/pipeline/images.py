"""Images on their way: brought to the network before the reply that shows them."""

from __future__ import annotations

import msgspec

from rapport.actions.attachments import content_of
from rapport.core.errors import GiveUp, RetryLater, Unconfirmed
from rapport.core.reply import Reply
from rapport.networks.base import Account
from rapport.networks.contract import Network
from rapport.networks.http import GuardedSession
from rapport.store.models import Approval


def bring_images(
    network: Network, account: Account, approval: Approval, reply: Reply, session: GuardedSession
) -> Reply:
    """The reply with what the network calls its images. Raises any `NetworkError` but `Unconfirmed`.

    Nobody sees an image that no post shows, so this may be done again after any error.
    """
    if not reply.media:
        return reply
    kept = {image.digest: image for image in approval.attachments.all()}
    brought = []
    for picture in reply.media:
        image = kept.get(picture.digest)
        content = content_of(image) if image else None
        if image is None or content is None:
            raise GiveUp("An image of this reply is not there any more; nothing was sent. Answer anew with the image.")
        try:
            name = network.upload(account, picture, content, image.mime, session)
        except Unconfirmed as error:
            raise RetryLater(str(error)) from None
        brought.append(msgspec.structs.replace(picture, uploaded=name))
    return msgspec.structs.replace(reply, media=tuple(brought))
