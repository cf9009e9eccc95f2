"""Where there can be no lab, its tests are skipped, and a person is told why, once."""

import subprocess
import sys

from tests.lab.lab import Lab
from tests.lab.places import TREE

WITHOUT_POWER = ("setpriv", "--bounding-set", "-sys_admin", "--inh-caps", "-sys_admin")


def test_without_the_right_to_mount_tests_of_hosts_are_skipped_with_one_reason(lab: Lab) -> None:
    assert lab.hosts == []
    argv = [*WITHOUT_POWER, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/lab/test_lab_hosts.py"]
    ended = subprocess.run(argv, cwd=TREE, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stdout.count("There can be no lab of hosts on this machine: ") == 1
    assert " skipped" in ended.stdout
    assert " passed" not in ended.stdout


def test_by_hand_it_is_said_too() -> None:
    argv = [*WITHOUT_POWER, sys.executable, "-m", "tests.lab", "up"]
    ended = subprocess.run(argv, cwd=TREE, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr.startswith("There can be no lab of hosts on this machine: ")
