"""Opening a webhook: a name, and a secret that is made here."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from rapport.core.errors import InvalidInput
from rapport.networks.base import Connected, Field, Identity, Step
from rapport.networks.webhook.secret import PREFIX, Secret, encode_secrets, key_of, make_secret

#: signs and sends one post with nothing but a shell, openssl, base64 and curl; tested as it stands
CURL = """\
address='https://desk.example.com/hooks/WORKSPACE/CHANNEL/'
secret='whsec_...'
body='{"network":"shop","id":"order-7","text":"Where is my parcel?","created_at":"2026-01-31T10:00:00Z",\
"author":{"handle":"nadia","name":"Nadia"}}'
id="msg_$(openssl rand -hex 12)"; now="$(date +%s)"
key="$(printf %s "${secret#whsec_}" | openssl base64 -d -A | od -An -v -tx1 | tr -d ' \\n')"
signature="$(printf %s "$id.$now.$body" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary |
  openssl base64 -A)"
curl --data-binary "$body" -H 'Content-Type: application/json' -H "webhook-id: $id" \\
  -H "webhook-timestamp: $now" -H "webhook-signature: v1,$signature" "$address"
"""
GUIDE = (
    Step("Give the source a name and copy the secret: the program that sends signs with it. Keep it like a password."),
    Step(
        "After connecting, its address is the address of this desk with /hooks/WORKSPACE/CHANNEL/, the two words that "
        "also stand in the address of the source's own page."
    ),
    Step(
        "Let the program send each post, or a list of up to 1,000, as JSON in the format of Post, signed after the "
        "Standard Webhooks specification. Libraries for many languages do that in one line.",
        "https://www.standardwebhooks.com/",
    ),
    Step(f"To try it from a shell:\n\n{CURL}"),
)
_NAME = Field(
    name="name", label="Name of this source", help="What sends here, for example: Order system. It shows on each post."
)


class FieldsWithSecret:
    """The fields of the form, with another new secret each time that somebody asks for them."""

    def __get__(self, instance: object, owner: type) -> tuple[Field, ...]:
        """The secret stands in the form, so that it can be copied before it is kept for ever out of sight."""
        return (
            _NAME,
            Field(
                name="secret",
                label="Secret",
                help="Made for you: copy it now, it is not shown again. Or write the one that the sender gave you.",
                required=False,
                default=make_secret(),
            ),
        )


def connect(fields: Mapping[str, str]) -> Connected:
    """See `Network.connect`. Raises `InvalidInput` for a secret that is none."""
    name = fields.get("name", "").strip()
    if not name:
        raise InvalidInput("give the source a name, so that people see where its posts come from")
    secret = fields.get("secret", "").strip() or make_secret()
    if not secret.startswith(PREFIX):
        secret = PREFIX + secret
    key_of(secret)
    account_id = f"hook-{secrets.token_hex(6)}"
    return Connected("", Identity(handle=name[:100], account_id=account_id, name=name[:200]), _token(secret))


def _token(secret: str) -> str:
    return encode_secrets([Secret(secret)])
