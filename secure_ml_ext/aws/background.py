"""Work beside the guard's path: started at once, waited for by nobody."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any


def in_background(work: Callable[[Any], None], subject: Any) -> bool:
    """Run ``work(subject)`` in a thread of its own, which does not hold up the process's end.

    The shared pool would not do: its lock is held while a client is built, and an interpreter
    that ends waits for its threads. ``work`` must handle its own errors. Says whether it was
    started: an interpreter that is about to end starts none.
    """
    thread = threading.Thread(
        target=work, args=(subject,), name=f"secure-ml {work.__module__}", daemon=True
    )
    try:
        thread.start()
    except RuntimeError:
        return False
    return True
