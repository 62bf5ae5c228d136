"""A wall clock that steps: what processes take for the time of day is moved by seconds that a file tells, at any time.

Their monotonic clocks, and the machine's own clock, are left alone.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

from preloads import compiled, environment

SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
static const volatile long *step; /* seconds */
__attribute__((constructor)) static void begin(void) {
    int fd = open(getenv("STEPPED_CLOCK"), O_RDONLY);
    void *shared = mmap(0, sizeof(long), PROT_READ, MAP_SHARED, fd, 0);
    if (shared == MAP_FAILED) abort();
    step = shared;
    close(fd);
}
#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
int clock_gettime(clockid_t clock, struct timespec *now) {
    int failed = NEXT(clock_gettime)(clock, now);
    if (step && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += *step;
    return failed;
}
int gettimeofday(struct timeval *now, void *zone) {
    int failed = NEXT(gettimeofday)(now, zone);
    if (step) now->tv_sec += *step;
    return failed;
}
time_t time(time_t *now) {
    time_t told = NEXT(time)(NULL) + (step ? *step : 0);
    if (now) *now = told;
    return told;
}
"""


@dataclass(frozen=True)
class SteppedClock:
    """The clock of some processes: those started with its :meth:`environment`."""

    library: Path
    file: Path

    @classmethod
    def made(cls, folder: Path, name: str) -> SteppedClock:
        """Compile the library in ``folder``; the clock is right at first."""
        clock = cls(compiled(SOURCE, folder / f"{name}.so"), folder / name)
        clock.step(0)
        return clock

    def environment(self) -> dict[str, str]:
        """For a process that is to have this clock."""
        return environment(self.library, STEPPED_CLOCK=str(self.file))

    def step(self, seconds: int) -> None:
        """From now on the clock is ahead of the right one by so much; below zero: behind."""
        with self.file.open("r+b" if self.file.exists() else "wb") as file:
            file.write(struct.pack("l", seconds))
