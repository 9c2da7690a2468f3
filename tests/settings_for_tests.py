"""Django's settings for the tests: a data folder of their own, cheap password hashes."""

import os
import tempfile

os.environ.setdefault("RAPPORT_DATA", tempfile.mkdtemp(prefix="rapport-tests-"))

from rapport.config.django import *  # noqa: F403  # the environment must be set before

if template := os.environ.get("RAPPORT_TEST_TEMPLATE"):  # see tables.py
    DATABASES["default"]["TEST"] = {"TEMPLATE": template}  # noqa: F405  # from the settings above
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
