"""Questions to a real cluster with the roles that an instance has: rows or a reason, at the least priority, and nothing is written."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.integration.test_monitoring_sql_probe import PORT, Cluster, cluster

__all__ = ["cluster"]
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a cluster")


def start(cluster: Cluster, questions: dict[str, str], timeout_seconds: float = 30) -> "subprocess.Popen[str]":
    told = {"socket_directory": cluster.socket_directory, "port": PORT, "database": "crm", "timeout_seconds": timeout_seconds}
    argv = [sys.executable, "-m", "monitoring", "query"]
    started = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert started.stdin is not None
    started.stdin.write(json.dumps({**told, "questions": questions}))
    started.stdin.close()
    started.stdin = None
    return started


def asked(cluster: Cluster, questions: dict[str, str], timeout_seconds: float = 30) -> tuple[int, str, str]:
    started = start(cluster, questions, timeout_seconds)
    out, err = started.communicate(timeout=60)
    return started.returncode, out, err


def test_rows_come_as_json_with_times_as_people_write_them(cluster: Cluster) -> None:
    questions = {
        "records": "select count(*) from contacts",
        "mixed": "select date '2026-11-23', '', 1.5::numeric union all select null, 'a', 2",
    }
    code, out, _ = asked(cluster, questions)
    assert code == 0
    assert json.loads(out)["rows"] == {"records": [[42]], "mixed": [["2026-11-23", "", 1.5], [None, "a", 2.0]]}


def test_nothing_can_be_written_and_a_refusal_is_one_sentence(cluster: Cluster) -> None:
    code, out, err = asked(cluster, {"records": "insert into contacts values (43) returning id"})
    assert (code, out) == (1, "")
    assert "read-only transaction" in err
    assert "Traceback" not in err


def test_a_question_that_takes_too_long_is_ended_by_the_database(cluster: Cluster) -> None:
    code, _, err = asked(cluster, {"slow": "select pg_sleep(30)"}, timeout_seconds=0.5)
    assert (code, "statement timeout" in err) == (1, True)


def test_an_endless_answer_and_what_is_no_figure_are_refused(cluster: Cluster) -> None:
    assert "more than 20000 rows" in asked(cluster, {"rows": "select generate_series(1, 30000)"})[2]
    assert "neither a number, a text nor a time" in asked(cluster, {"odd": "select '\\x00'::bytea"})[2]


def test_the_process_of_the_database_has_the_least_priority(cluster: Cluster) -> None:
    started = start(cluster, {"slow": "select pg_sleep(3)"})
    try:
        niceness = wait_for_niceness()
    finally:
        started.communicate(timeout=30)
    assert niceness == 19


def wait_for_niceness() -> int:
    """Of the process that serves the sleeping question."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                title = (folder / "cmdline").read_text()
            except OSError:
                continue
            if title.startswith("postgres:") and "crm_monitor crm" in title and "SELECT" in title:
                return os.getpriority(os.PRIO_PROCESS, int(folder.name))
        time.sleep(0.05)
    raise AssertionError("no process served the question")


def test_bad_input_asks_nothing(cluster: Cluster) -> None:
    done = subprocess.run([sys.executable, "-m", "monitoring", "query"], input="{}", capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "nothing was asked" in done.stderr
    assert cluster.socket_directory
