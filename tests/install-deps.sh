#!/bin/sh
# What the tests need beside requirements/dev.lock: Chromium for the browser, Dovecot for mail, redis, and servers of
# networks from npm, and from pip where a server needs an environment of its own.
# What cannot be had here is named; its tests are skipped with the same words.
set -eu

missing=""
need() { # need COMMAND PACKAGE
    command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ] || missing="$missing $2"
}
need chromium chromium
need redis-server redis-server
need dovecot dovecot-imapd
need dovecot dovecot-lmtpd
if [ -n "$missing" ]; then
    if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
        apt-get update -qq
        # shellcheck disable=SC2086  # a list of words
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
    else
        echo "Install$missing (Debian: apt-get install$missing); the tests that need them are skipped." >&2
    fi
fi

# every folder of tests/npm is one server of a network; it is installed once, into build/npm
for lock in tests/npm/*/package-lock.json; do
    [ -e "$lock" ] || continue
    from=$(dirname "$lock")
    into="build/npm/$(basename "$from")"
    if [ -e "$into/.installed" ] && cmp -s "$lock" "$into/package-lock.json"; then continue; fi
    if ! command -v npm >/dev/null 2>&1; then
        echo "Install Node 20 with npm; the tests that need $from are skipped." >&2
        continue
    fi
    # headers that came with node: without them npm would fetch some to build what has to be built
    node_at=$(dirname "$(dirname "$(node -p process.execPath)")")
    if [ -e "$node_at/include/node/node.h" ]; then export npm_config_nodedir="$node_at"; fi
    mkdir -p "$into"
    cp "$from/package.json" "$lock" "$into/"
    if (cd "$into" && npm ci --no-audit --no-fund --loglevel=error); then
        touch "$into/.installed"
    else
        echo "npm could not install $from; the tests that need it are skipped." >&2
    fi
done

# every folder of tests/venvs is one server that cannot share our environment; it is installed once, into build/venvs
for lock in tests/venvs/*/requirements.lock; do
    [ -e "$lock" ] || continue
    into="build/venvs/$(basename "$(dirname "$lock")")"
    if cmp -s "$lock" "$into/requirements.lock"; then continue; fi
    if .venv/bin/python -m venv "$into" &&
        "$into/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock"; then
        cp "$lock" "$into/requirements.lock"
    else
        rm -rf "$into"
        echo "pip could not install $lock; the tests that need it are skipped." >&2
    fi
done
