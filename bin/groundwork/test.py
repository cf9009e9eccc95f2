"""`bin/test`: an environment of its own outside the clone, then the chosen checks, and pytest's closing line last."""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from groundwork import checks, fingerprint, packages, running
from groundwork.environment import Environment
from groundwork.progress import Progress, StepFailed

TREE = Path(__file__).resolve().parents[2]
LOCK = TREE / "requirements" / "test.txt"
HOST_ACTION = "Read the playbook's output above, mend the machine, then run bin/test again."
LOOPBACK = ("localhost", "127.0.0.1", "::1")


def prepare(environment: Environment, parts: Sequence[checks.Part], progress: Progress) -> None:
    """Install what the chosen parts need; raises StepFailed."""
    with progress.step("Installing Debian packages"):
        packages.install(progress, sorted({package for part in parts for package in part.packages}))
    with progress.step("Installing locked packages"):
        install_packages(environment, progress)
    with progress.step("Building pages and console commands"):
        install_tree(environment, progress)
    with progress.step("Preparing this machine for CRMs"):
        if any(part.needs_host for part in parts):
            prepare_host(environment, progress)


def install_packages(environment: Environment, progress: Progress) -> None:
    """Install the lock of the tests, unless it was installed last time."""
    wanted = fingerprint.of_files([LOCK], also=[sys.version])
    if not fingerprint.is_recorded(environment.record, wanted):
        environment.create(progress, LOCK)
        environment.install(progress, LOCK)
        environment.record.write_text(wanted)


def install_tree(environment: Environment, progress: Progress) -> None:
    """Install this clone in place, with its pages' assets, unless nothing of it changed; another clone takes its turn."""
    record = environment.directory / "tree.sha256"
    sources = [TREE / name for name in ("pyproject.toml", "hatch_build.py", "appliance/web/frontend", "requirements/build.txt")]
    wanted = fingerprint.of_files(sources, also=[str(TREE), environment.record.read_text()])
    if fingerprint.is_recorded(record, wanted) and (TREE / "appliance" / "web" / "assets").is_dir():
        return
    record.unlink(missing_ok=True)
    environment.pip_install(progress, "--no-deps", "--no-build-isolation", "--editable", str(TREE))
    record.write_text(wanted)


def prepare_host(environment: Environment, progress: Progress) -> None:
    """Install what a host of CRMs has, by the role that installs it there; raises StepFailed."""
    playbook = TREE / "bin" / "groundwork" / "host.yml"
    argv = [str(environment.directory / "bin" / "ansible-playbook"), "-i", "localhost,", "-c", "local", str(playbook)]
    variables = test_variables(environment) | {"ANSIBLE_ROLES_PATH": str(TREE / "playbooks" / "roles")}
    progress.run(argv, environment=variables, next_action=HOST_ACTION)


def test_variables(environment: Environment) -> dict[str, str]:
    """Return the variables that every check runs with."""
    path = f"{environment.directory / 'bin'}:{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin:/sbin"
    variables = environment.installer_variables | {"PATH": path, "VIRTUAL_ENV": str(environment.directory)}
    return variables | directly_to_loopback(variables)


def directly_to_loopback(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that keep what the tests ask on this machine away from its proxy, whose own exceptions stay."""
    spared = variables.get("no_proxy") or variables.get("NO_PROXY") or ""
    every = ",".join(filter(None, [spared, *(name for name in LOOPBACK if name not in spared.split(","))]))
    return {"no_proxy": every, "NO_PROXY": every}


def run(environment: Environment, parts: Sequence[checks.Part], pytest_arguments: Sequence[str]) -> int:
    """Run the parts and print how each went; returns the exit code."""
    variables = test_variables(environment)
    started = start_source_checks(environment, parts, variables)
    folders = [part.folder for part in parts if part.folder and (TREE / part.folder).is_dir()]
    tests = running.run_tests(environment.python, folders, pytest_arguments, TREE, variables) if folders else None
    outcomes = [check.result() for check in started]
    for outcome in outcomes:
        print(f"\n{outcome.name}\n{outcome.output}", end="")
        if outcome.name == "lint" and outcome.passed:
            linted_record(environment).write_text(playbooks_fingerprint())
    print_summary(outcomes, tests.seconds_by_folder if tests else {})
    if tests:
        print(tests.closing_line)
    return 0 if all(outcome.passed for outcome in outcomes) and (tests is None or tests.code == 0) else 1


def start_source_checks(environment: Environment, parts: Sequence[checks.Part], variables: Mapping[str, str]) -> list[running.SourceCheck]:
    """Start the parts that look at the source; playbooks that passed their (slow) linter as they are now are not linted again."""
    bin_directory = environment.directory / "bin"
    with_playbooks = not fingerprint.is_recorded(linted_record(environment), playbooks_fingerprint())
    return [
        running.SourceCheck(part.name, checks.source_commands(part, TREE, bin_directory, with_playbooks=with_playbooks), TREE, variables)
        for part in parts
        if part.folder is None
    ]


def playbooks_fingerprint() -> str:
    """Digest of the playbooks and of the linter's version and settings."""
    return fingerprint.of_files([TREE / "playbooks", TREE / ".ansible-lint", TREE / ".ansible-lint.yml", LOCK])


def linted_record(environment: Environment) -> Path:
    """The file that says which playbooks passed last."""
    return environment.directory / "playbooks-linted.sha256"


def print_summary(outcomes: Sequence[running.Outcome], seconds_by_folder: Mapping[str, float]) -> None:
    """Print a line per part with its time."""
    print("\nParts:")
    for outcome in outcomes:
        print(f"  {outcome.name:12} {'passed' if outcome.passed else 'FAILED'} {outcome.seconds:8.1f} s")
    for name, seconds in seconds_by_folder.items():
        print(f"  {name:12} {'tests':6} {seconds:8.1f} s")


def parse(argv: Sequence[str]) -> tuple[list[checks.Part], list[str]]:
    """Return the chosen parts and what goes to pytest (everything after `--`); exits with 2 on an unknown part."""
    words, separator, pytest_arguments = list(argv), "--" in argv, []
    if separator:
        words, pytest_arguments = words[: words.index("--")], words[words.index("--") + 1 :]
    parser = argparse.ArgumentParser(prog="bin/test", description="Install what the checks need, and run them.")
    parser.add_argument("part", nargs="*", choices=["all", "fast", *checks.PARTS, []], help="default: all; pytest's arguments follow --")
    return checks.chosen_parts(parser.parse_args(words).part), pytest_arguments


def main() -> int:
    """Prepare and run; returns 0 when everything passed."""
    parts, pytest_arguments = parse(sys.argv[1:])
    cache = Path(os.environ["GROUNDWORK_CACHE"])
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment = Environment(directory=cache / "venv", variables=variables)
    progress = Progress(total=4, log_path=cache / "prepare.log")
    progress.log_path.write_bytes(b"")
    try:
        prepare(environment, parts, progress)
    except StepFailed as failure:
        progress.explain(failure)
        return 1
    return run(environment, parts, pytest_arguments)


if __name__ == "__main__":
    sys.exit(main())
