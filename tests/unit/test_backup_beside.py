"""Several things at a time: all end, and a failure of one is raised."""

import time

import pytest

from backup.beside import beside
from backup.children import run
from backup.failures import BackupFailure


def fail() -> None:
    raise BackupFailure("The work failed.", code="work")


def sleep_long() -> None:
    if run(["sleep", "60"], keep=bool).code:
        raise BackupFailure("The program was ended.", code="ended")


def test_the_block_is_left_when_all_work_has_ended() -> None:
    done: list[str] = []

    def work() -> None:
        time.sleep(0.2)
        done.append("work")

    with beside(work, work):
        done.append("block")
    assert done == ["block", "work", "work"]


def test_a_failure_of_the_work_is_raised_after_the_block() -> None:
    reached: list[bool] = []

    def take_longer() -> None:
        with beside(fail):
            time.sleep(0.2)
            reached.append(True)

    with pytest.raises(BackupFailure, match="The work failed"):
        take_longer()
    assert reached == [True]


def test_a_failure_of_the_block_ends_the_programs_of_the_work() -> None:
    def fail_beside() -> None:
        with beside(sleep_long, sleep_long):
            time.sleep(0.2)
            fail()

    began = time.monotonic()
    with pytest.raises(BackupFailure, match="The work failed"):
        fail_beside()
    assert time.monotonic() - began < 10
