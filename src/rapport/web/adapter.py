"""How django-allauth behaves in this house: nobody signs up by themselves, nobody is led away, secrets are sealed."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

from rapport.store.secrets import seal, unseal


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    """Accounts come from the first start and from invitations alone."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Never."""
        return False

    def is_safe_url(self, url: str | None) -> bool:
        """Only a path of ours: never "//evil.example", "/\\evil.example" or another port of this host."""
        return bool(url) and str(url).startswith("/") and url_has_allowed_host_and_scheme(str(url), allowed_hosts=None)


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth ships no types
    """Second factors: what could be used by whoever copies the database is encrypted in it."""

    def encrypt(self, text: str) -> str:
        """TOTP keys and the seed of recovery codes, sealed with the key that seals access tokens."""
        return seal(text).decode("ascii")

    def decrypt(self, encrypted_text: str) -> str:
        """Counterpart of `encrypt`."""
        return unseal(encrypted_text.encode("ascii"))
