"""The panel tidies its memory up by itself, and not in the middle of a page."""

import subprocess
import sys

PROGRAM = """
import gc, time, weakref
from appliance.cli import collecting

class Node:
    pass

node = Node()
node.itself = node
gone = weakref.ref(node)
collecting.EVERY_SECONDS = 0.05
collecting.collect_seldom()
print(gc.get_freeze_count() > 0, gc.get_threshold()[2] >= collecting.NEVER)
gc.unfreeze()
gc.collect()
del node
deadline = time.monotonic() + 20
while gone() is not None and time.monotonic() < deadline:
    time.sleep(0.05)
print(gone())
"""


def test_what_nobody_needs_any_more_goes_though_it_has_become_old() -> None:
    ended = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60, check=True)
    assert ended.stdout.splitlines() == ["True True", "None"]
