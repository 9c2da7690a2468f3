#!/bin/sh
# System packages that the tests need and pip cannot bring: Chromium for the browser tests.
set -eu
if command -v chromium >/dev/null 2>&1; then exit 0; fi
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium
else
    echo "Install Chromium (Debian: apt-get install chromium); the browser tests are skipped without it." >&2
fi
