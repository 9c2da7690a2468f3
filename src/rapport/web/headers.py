"""What every page tells the browser about itself: nothing from elsewhere, nothing inline, nothing kept."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

#: all scripts, styles and fonts are files of ours; forms go to us; nobody may frame the desk
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        # an authorisation on another server starts from a link: Chromium holds redirects of a form against this too
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
_OFF = (
    "accelerometer autoplay camera display-capture encrypted-media fullscreen geolocation gyroscope hid"
    " idle-detection magnetometer microphone midi payment screen-wake-lock serial usb xr-spatial-tracking"
)
PERMISSIONS = ", ".join(
    [
        *(f"{feature}=()" for feature in _OFF.split()),
        "clipboard-read=()",
        "clipboard-write=(self)",
        "publickey-credentials-create=(self)",
        "publickey-credentials-get=(self)",
    ]
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Permissions-Policy": PERMISSIONS,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    # what colleagues and customers said stays on no shared computer
    "Cache-Control": "private, no-store",
}


class SecurityHeadersMiddleware:
    """Adds the headers above to whatever a view answers; static files are served before it and may be cached."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if "private" not in response.headers["Cache-Control"]:
            # event streams and sign-in pages say no-cache or no-store themselves; nothing may be shared in any case
            response.headers["Cache-Control"] += ", private"
        return response
