"""Look at the whole machine while tests run."""

import os
import threading
from pathlib import Path


class CommandLineWatch:
    """Remembers every command line that was seen on this machine while it looked; arguments are public to all of its users."""

    def __init__(self) -> None:
        self.seen: set[bytes] = set()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stopped.wait(0.05):
            for directory in os.scandir("/proc"):
                if directory.name.isdigit():
                    try:
                        self.seen.add(Path(directory.path, "cmdline").read_bytes())
                    except OSError:
                        continue
