"""What the two commands do before anything is installed."""

import io
from itertools import count
from pathlib import Path

import pytest
from groundwork import checks, environment, fingerprint, registries, running, test
from groundwork.lanes import lane, rank
from groundwork.progress import Progress, StepFailed

LISTING = """\
:env:.cert='/etc/own.pem'
:env:.disable-pip-version-check='1'
global.cert='/etc/other.pem'
global.extra-index-url='https://one.example/simple\\nhttps://two.example/simple'
global.index-url='https://mirror.example/simple'
install.proxy='http://proxy.example:3128'
"""
NO_FILE = Path("/nonexistent")


@pytest.fixture
def progress(tmp_path: Path) -> Progress:
    seconds = count()
    return Progress(total=9, first=2, log_path=tmp_path / "up.log", stream=io.StringIO(), clock=lambda: float(next(seconds)))


def said(progress: Progress) -> str:
    assert isinstance(progress.stream, io.StringIO)
    return progress.stream.getvalue()


def test_the_environment_wins_over_a_section_of_pips_files() -> None:
    assert registries.parse_pip_settings(LISTING)["cert"] == "/etc/own.pem"


def test_uv_and_npm_are_told_what_pip_knows() -> None:
    told = registries.uv_environment(registries.parse_pip_settings(LISTING), {}, certificates=NO_FILE)
    assert told["UV_DEFAULT_INDEX"] == "https://mirror.example/simple"
    assert told["UV_INDEX"] == "https://one.example/simple https://two.example/simple"
    assert told["HTTPS_PROXY"] == "http://proxy.example:3128"
    assert told["SSL_CERT_FILE"] == told["NODE_EXTRA_CA_CERTS"] == "/etc/own.pem"


def test_a_variable_that_is_set_already_stays_as_it_is() -> None:
    told = registries.uv_environment({"proxy": "http://proxy.example:3128"}, {"HTTPS_PROXY": "http://mine.example"}, certificates=NO_FILE)
    assert told["HTTPS_PROXY"] == "http://mine.example"


def test_a_machine_without_settings_adds_no_variables() -> None:
    assert registries.uv_environment({}, {}, certificates=NO_FILE) == {}


def test_what_tests_ask_on_this_machine_never_goes_through_its_proxy() -> None:
    assert test.directly_to_loopback({"NO_PROXY": "10.0.0.0/8,localhost"})["no_proxy"] == "10.0.0.0/8,localhost,127.0.0.1,::1"
    assert test.directly_to_loopback({}) == dict.fromkeys(("no_proxy", "NO_PROXY"), "localhost,127.0.0.1,::1")


def test_a_step_is_numbered_and_says_how_long_it_took(progress: Progress) -> None:
    with progress.step("Installing packages"):
        pass
    progress.skip("Building")
    assert said(progress) == "[ 2/9] Installing packages … 1 s\n[ 3/9] Building … as before\n"


def test_a_failing_program_is_explained_by_its_last_lines(progress: Progress, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(StepFailed) as failed, progress.step("Installing packages"):
        progress.run(["sh", "-c", "echo no such package; exit 3"], next_action="Mend the mirror.")
    progress.explain(failed.value)
    explained = capsys.readouterr().err
    assert "Step 2 of 9 failed: Installing packages." in explained
    assert "    no such package\nWhy: sh ended with exit code 3.\nWhat to do: Mend the mirror." in explained


def test_a_program_that_is_not_there_fails_its_step(progress: Progress) -> None:
    with pytest.raises(StepFailed, match="cannot be started"):
        progress.run(["/nonexistent/program"], next_action="Install it.")


def test_a_changed_file_changes_the_fingerprint_and_what_is_made_anew_does_not(tmp_path: Path) -> None:
    (tmp_path / "tree" / "assets").mkdir(parents=True)
    (tmp_path / "tree" / "code.py").write_text("one")
    before = fingerprint.of_files([tmp_path / "tree"])
    (tmp_path / "tree" / "assets" / "made.css").write_text("made")
    assert fingerprint.of_files([tmp_path / "tree"]) == before
    (tmp_path / "tree" / "code.py").write_text("two")
    assert fingerprint.of_files([tmp_path / "tree"]) != before


def test_a_fingerprint_differs_for_another_python(tmp_path: Path) -> None:
    assert fingerprint.of_files([tmp_path], also=["3.11"]) != fingerprint.of_files([tmp_path], also=["3.13"])


def test_one_entry_is_cut_out_of_a_lock_with_all_its_digests() -> None:
    lock = "typer==1 \\\n    --hash=sha256:a\nuv==0.1 \\\n    --hash=sha256:b \\\n    --hash=sha256:c\nuvicorn==2 \\\n    --hash=sha256:d\n"
    assert environment.locked_requirement(lock, "uv") == "uv==0.1 \\\n    --hash=sha256:b \\\n    --hash=sha256:c\n"


def test_a_lock_without_the_package_is_refused() -> None:
    with pytest.raises(StepFailed, match="names no uv"):
        environment.locked_requirement("typer==1\n", "uv")


def test_fast_means_lint_types_and_unit() -> None:
    assert [part.name for part in checks.chosen_parts(["fast"])] == ["lint", "types", "unit"]


def test_without_a_word_everything_but_what_uses_up_machines_is_chosen() -> None:
    long = ("faults", "products", "hosts", "production", "bare")
    assert [part.name for part in checks.chosen_parts([])] == [name for name in checks.PARTS if name not in long]


def test_what_follows_two_dashes_goes_to_pytest() -> None:
    parts, pytest_arguments = test.parse(["unit", "lint", "--", "-k", "name"])
    assert [part.name for part in parts] == ["lint", "unit"]
    assert pytest_arguments == ["-k", "name"]


def test_an_unknown_part_is_refused_with_exit_code_2() -> None:
    with pytest.raises(SystemExit) as refused:
        test.parse(["everything"])
    assert refused.value.code == 2


def test_no_part_at_all_is_everything() -> None:
    assert [part.name for part in test.parse([])[0]] == list(checks.ALL)


def test_the_closing_line_of_pytest_is_found_before_what_the_interpreter_says_at_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    closing = "============ 2 passed, 1 warning in 3.21s ============"
    said = ["tests/unit/test_a.py .. [100%]\n", f"{closing}\n", "ResourceWarning: subprocess 1 is still running\n"]
    assert running.show_all_but_the_closing_line(said) == closing
    assert capsys.readouterr().out == said[0] + said[2]


def test_what_shares_the_house_is_one_lane_and_a_file_that_shares_nothing_is_its_own() -> None:
    assert lane("tests/acceptance/test_a.py::test_one") == lane("tests/browser/test_b.py::test_two")
    for folder in ("unit/web", "integration", "integration/backup"):
        assert lane(f"tests/{folder}/test_a.py::test_one") != lane(f"tests/{folder}/test_b.py::test_two")
        assert lane(f"tests/{folder}/test_a.py::test_one") == lane(f"tests/{folder}/test_a.py::test_two")
    assert len({lane(f"tests/{folder}/test_a.py::test_one") for folder in ("acceptance", "integration", "playbooks", "lab", "unit")}) == 5


def test_lanes_of_many_minutes_are_given_out_first_and_files_of_unit_tests_last() -> None:
    folders = ["acceptance", "recovery", "playbooks", "integration", "unit"]
    ranks = [rank(f"tests/{folder}/test_a.py::test_one") for folder in folders]
    assert ranks == sorted(set(ranks))
    assert rank("tests/browser/test_a.py::test_one") == ranks[0]
    assert rank("tests/lab/test_a.py::test_one") == rank("tests/integration/backup/test_a.py::test_one")
