"""A wall clock that a test sets for one running process. The kernel has one such clock for all; the other clocks stay the kernel's."""

import os
import subprocess
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

static volatile long long *step;

__attribute__((constructor)) static void look(void) {
    int file = open(getenv("CLOCK_STEP"), O_RDONLY);
    step = mmap(NULL, sizeof *step, PROT_READ, MAP_SHARED, file, 0);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int done = real(clock, now);
    if (clock == CLOCK_REALTIME) now->tv_sec += *step;
    return done;
}
"""


@dataclass(frozen=True, kw_only=True)
class SteppedClock:
    """Set while the process runs that was started in its environment."""

    directory: Path

    def make(self) -> "SteppedClock":
        """Build the library with the machine's C compiler, and begin with the true time."""
        source = self.directory / "clock.c"
        source.write_text(SOURCE)
        subprocess.run(["cc", "-shared", "-fPIC", "-o", str(self._library), str(source), "-ldl"], check=True, timeout=60)
        self.step(timedelta())
        return self

    def step(self, by: timedelta) -> None:
        """From now on the wall clock shows the true time and so much more."""
        file = os.open(self._step, os.O_CREAT | os.O_WRONLY, 0o600)
        os.pwrite(file, int(by.total_seconds()).to_bytes(8, "little", signed=True), 0)
        os.close(file)

    @property
    def environment(self) -> dict[str, str]:
        """For the process that is to see it."""
        return {"LD_PRELOAD": str(self._library), "CLOCK_STEP": str(self._step)}

    @property
    def _library(self) -> Path:
        return self.directory / "clock.so"

    @property
    def _step(self) -> Path:
        return self.directory / "clock.step"
