"""The probes that look at this machine, and `python -m monitoring probe` itself."""

import asyncio
import gc
import io
import json
import os
import sys
import time
from typing import Any

import psutil
import pytest
from pydantic import TypeAdapter, ValidationError

from monitoring.once import probe_once
from monitoring.probes import KINDS, CheckedProbe, Probe, run_probe


def run(**fields: object) -> CheckedProbe:
    return asyncio.run(run_probe(TypeAdapter(Probe).validate_python({"name": "p", **fields})))


def ask(request: Any) -> tuple[int, Any]:
    sink = io.StringIO()
    code = probe_once(io.StringIO(json.dumps(request)), sink)
    return code, json.loads(sink.getvalue() or "null")


def test_every_kind_of_the_contract_is_found() -> None:
    assert sorted(KINDS) == ["cmd", "form_login", "http", "jsonrpc", "jsonrpc_login", "process", "sql", "tcp", "tls"]
    assert all(kind.model.model_fields["kind"].annotation for kind in KINDS.values())


def test_a_program_that_prints_the_pattern_is_healthy() -> None:
    assert run(kind="cmd", argv=["cat"], stdin="all is well", match="is well").healthy


@pytest.mark.parametrize("argv", [["false"], ["echo", "other"], ["/does/not/exist"]])
def test_a_program_that_fails_or_prints_something_else_is_unhealthy(argv: list[str]) -> None:
    assert not run(kind="cmd", argv=argv, match="expected").healthy


def test_a_program_gets_its_own_environment_and_nothing_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANARY", "leaked")
    assert run(kind="cmd", argv=["env"], environment={"CRM": "demo"}, match=r"(?s)\A(?!.*CANARY).*CRM=demo").healthy


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can run a program as somebody else")
def test_a_program_runs_as_the_given_user_without_our_groups() -> None:
    assert run(kind="cmd", argv=["id"], user="nobody", match=r"uid=\d+\(nobody\) gid=\d+\(nogroup\) groups=\d+\(nogroup\)$").healthy


def test_an_unknown_user_is_a_result_not_an_exception() -> None:
    assert run(kind="cmd", argv=["id"], user="no-such-user").detail == "id could not be started"


def test_a_program_that_takes_too_long_is_ended_with_its_children() -> None:
    seconds = f"31{os.getpid()}"
    checked = run(kind="cmd", argv=["sh", "-c", f"sleep {seconds} & wait"], timeout_seconds=0.2)
    assert (checked.healthy, checked.detail) == (False, "no result within 0.2 s")
    time.sleep(0.05)
    assert not [process for process in psutil.process_iter(["cmdline"]) if process.info["cmdline"] == ["sleep", seconds]]


def test_a_program_that_prints_without_end_is_stopped() -> None:
    assert not run(kind="cmd", argv=["yes"], timeout_seconds=20).healthy


def test_no_pipe_is_left_open_to_what_a_program_has_left_behind() -> None:
    assert not run(kind="cmd", argv=["sh", "-c", "setsid sleep 2 &"], timeout_seconds=0.3).healthy
    gc.collect()  # one that was left open would be told now


def test_a_secret_in_a_programs_arguments_is_neither_shown_nor_told() -> None:
    probe = TypeAdapter(Probe).validate_python({"name": "p", "kind": "cmd", "argv": ["false", "canary"], "environment": {"A": "canary"}})
    assert "canary" not in repr(probe)
    assert "canary" not in asyncio.run(run_probe(probe)).detail


def test_a_running_process_is_found_by_its_command_line() -> None:
    user = psutil.Process().username()
    assert run(kind="process", pattern="pytest|" + sys.executable, user=user).healthy


def test_too_few_processes_are_told_in_figures() -> None:
    assert run(kind="process", pattern="no-such-program-[0-9]{9}", min=2).detail == "0 of 2 expected processes run"


def test_a_database_that_is_not_there_is_a_result(tmp_path: os.PathLike[str]) -> None:
    checked = run(kind="sql", socket_directory=str(tmp_path), port=5999, database="crm", query="select 1")
    assert (checked.healthy, checked.detail) == (False, "no connection to the database")


def test_probing_once_answers_with_all_results_and_0() -> None:
    code, answer = ask({"probes": [{"name": "a", "kind": "cmd", "argv": ["true"]}, {"name": "b", "kind": "cmd", "argv": ["true"]}]})
    assert code == 0
    assert [(result["name"], result["healthy"]) for result in answer["results"]] == [("a", True), ("b", True)]
    assert set(answer["results"][0]) == {"name", "healthy", "detail", "duration_seconds"}


def test_probing_once_ends_with_1_when_one_is_unhealthy() -> None:
    assert ask({"probes": [{"name": "a", "kind": "cmd", "argv": ["false"]}]})[0] == 1


@pytest.mark.parametrize("request_", ["nonsense", {"probes": [{"name": "a", "kind": "magic"}]}, {"probes": [{"kind": "cmd"}], "x": 1}])
def test_probing_once_refuses_bad_input_with_2_and_probes_nothing(request_: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert ask(request_) == (2, None)
    assert "nothing was probed" in capsys.readouterr().err


def test_a_bad_request_is_explained_without_its_values(capsys: pytest.CaptureFixture[str]) -> None:
    ask({"probes": [{"name": "a", "kind": "cmd", "argv": "canary"}]})
    assert "canary" not in capsys.readouterr().err


def test_a_pattern_that_is_no_regular_expression_is_refused() -> None:
    with pytest.raises(ValidationError, match="not a regular expression"):
        run(kind="process", pattern="(")
