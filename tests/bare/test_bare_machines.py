"""`bin/up` on a machine with nothing but a minimal Debian and git: real packages, a real CRM, twice."""

import subprocess
from pathlib import Path

import pytest

MACHINE = Path(__file__).resolve().parent / "machine"
LONGEST_SECONDS = 1200
TWICE = """
bin/up || exit
ls -l --time-style=full-iso /etc/appliance /etc/appliance/supervisor.d >/tmp/before
echo SECOND RUN
bin/up || exit
ls -l --time-style=full-iso /etc/appliance /etc/appliance/supervisor.d | diff /tmp/before - || exit
echo ANSWERS
appliance instance list --json
/opt/appliance/venv/bin/python -c "import httpx; print(httpx.get('http://127.0.0.1:8470/healthz').status_code)"
"""


def run(suite: str, *command: str) -> subprocess.CompletedProcess[str]:
    argv = [str(MACHINE), suite, *command]
    return subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LONGEST_SECONDS, check=False)


@pytest.mark.parametrize("suite", ["bookworm", "trixie"])
def test_a_bare_machine_gets_a_crm_and_the_second_run_has_nothing_to_do(suite: str) -> None:
    ran = run(suite, "sh", "-c", TWICE)
    first, _, rest = ran.stdout.partition("SECOND RUN\n")
    second, _, answers = rest.partition("ANSWERS\n")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "one-time password" in first.lower()
    assert "1, of which 1 proven by a restore" in first
    assert "Nothing to do" in second
    assert "one-time password" not in second.lower()
    assert '"demo"' in answers
    assert answers.endswith("200\n")


def test_an_empty_appliance_has_no_crm() -> None:
    ran = run("trixie", "sh", "-c", "bin/up --empty && appliance instance list --json")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "[ 6/6]" in ran.stdout
    assert '"demo"' not in ran.stdout


def test_a_machine_that_is_no_debian_of_ours_is_refused_and_left_alone() -> None:
    ran = run(
        "trixie", "sh", "-c", "sed -i 's/^VERSION_ID=.*/VERSION_ID=11/' /usr/lib/os-release; bin/up; echo $?; ls /opt /var/log/appliance"
    )
    assert "debian 11" in ran.stderr
    assert ran.stdout.startswith("2\n")
    assert "No such file" in ran.stderr


def test_a_mirror_that_does_not_answer_is_explained() -> None:
    ran = run("trixie", "sh", "-c", "rm -r /etc/apt/sources.list*; rm -rf /var/lib/apt/lists/*; bin/up")
    assert ran.returncode == 1
    assert "Step 1 of 10 failed: Installing Debian packages" in ran.stderr
    assert "What to do:" in ran.stderr


def test_nothing_is_left_of_a_machine() -> None:
    marker = "sleep 98761"
    run("bookworm", "sh", "-c", f"{marker} & exit 0")
    assert marker not in subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
