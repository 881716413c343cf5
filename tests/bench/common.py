"""What several benches need: users who are logged in, and the memory of a process."""

import resource
from pathlib import Path

MAKE_CALLERS = """
from django.contrib.auth import get_user_model
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
for number in range({calls}):
    user = get_user_model().objects.create(username=f"caller-{{number}}")
    store = SessionStore()
    store[SESSION_KEY] = str(user.pk)
    store[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store.create()
    print("sessionid=" + store.session_key)
"""
"""Run in the server's shell, prints a Cookie header for each of so many new users."""


def memory_kb(pid: int) -> int:
    """Resident memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize() // 1024
