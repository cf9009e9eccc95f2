"""When the panel looks for objects that refer to each other and that nobody needs any more: not while a visitor waits."""

import gc
import threading
import time

OBJECTS = 10_000
"""Made since the last look, before the youngest are looked through: a page of a thousand CRMs makes a hundred thousand."""
LOOKS = 20
"""At the youngest, before those that outlived one are looked through."""
NEVER = 1_000_000
EVERY_SECONDS = 60


def collect_seldom() -> None:
    """Leave aside what is there now, which stays, and look through all of the rest once a minute; that takes about 15 ms."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS, LOOKS, NEVER)
    threading.Thread(target=_collect, name="collector", daemon=True).start()


def _collect() -> None:
    while True:
        time.sleep(EVERY_SECONDS)
        gc.collect()
