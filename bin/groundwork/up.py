"""The part of `bin/up` between Debian's Python and the installed appliance: a virtual environment with this tree in it."""

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import NoReturn

from groundwork import fingerprint, production
from groundwork.background import Background
from groundwork.environment import NEXT_ACTION, Environment
from groundwork.progress import Progress, StepFailed

TREE = Path(__file__).resolve().parents[2]
INSTALLED_FROM = ("appliance", "backup", "monitoring", "playbooks", "requirements", "pyproject.toml", "README.md", "hatch_build.py")
COMMAND_LINK = Path("/usr/local/bin/appliance")
DEFAULT_ENVIRONMENT = Path("/opt/appliance/venv")


def begin_host_packages(progress: Progress) -> Background:
    """Install the Debian packages of a CRM's host beside the next steps."""
    argv = [sys.executable, "-P", "-B", "-m", "groundwork.host_packages"]
    return Background(argv=argv, log_path=progress.log_path.with_name("up-packages.log"))


def begin_release(environment: Environment, progress: Progress) -> None:
    """Build the Python environment of the first CRM's release beside the next steps; nobody waits for it but that CRM's installation."""
    argv = [str(environment.python), "-P", "-B", "-m", "appliance.setup.ahead"]
    variables = environment.installer_variables | {"PYTHONPATH": str(TREE)}
    Background(argv=argv, log_path=progress.log_path.with_name("up-release.log"), environment=variables)


def install_tree(environment: Environment, progress: Progress, *, with_crm: bool) -> None:
    """Make the environment, install the locked packages and this tree's wheel, unless just that was done last time; raises StepFailed."""
    wanted = fingerprint.of_files([TREE / name for name in INSTALLED_FROM], also=[sys.version])
    if fingerprint.is_recorded(environment.record, wanted):
        for title in ("Making a Python environment", "Installing locked packages", "Building the appliance"):
            progress.skip(title)
        return
    with progress.step("Making a Python environment"):
        environment.create(progress, TREE / "requirements" / "appliance.txt")
    with progress.step("Installing locked packages"):
        environment.install(progress, TREE / "requirements" / "appliance.txt")
    if with_crm:
        begin_release(environment, progress)
    with progress.step("Building the appliance"):
        install_wheel(environment, progress)
    environment.record.write_text(wanted)


def install_wheel(environment: Environment, progress: Progress) -> None:
    """Build this tree's wheel with the locked build tools and install it; raises StepFailed."""
    with tempfile.TemporaryDirectory(prefix="appliance-wheel-") as directory:
        build = [str(environment.uv), "build", "--wheel", "--python", str(environment.python), "--out-dir", directory]
        locked = ["--build-constraints", str(TREE / "requirements" / "build.txt"), "--require-hashes"]
        progress.run([*build, *locked, str(TREE)], environment=environment.installer_variables, next_action=NEXT_ACTION)
        (wheel,) = Path(directory).glob("*.whl")
        environment.pip_install(progress, "--no-deps", "--reinstall", str(wheel))


def link_command(environment: Environment) -> None:
    """Put `appliance` on the PATH, when it is the machine's own and no other file is there."""
    is_ours = COMMAND_LINK.is_symlink() or not COMMAND_LINK.exists()
    if environment.directory == DEFAULT_ENVIRONMENT and is_ours:
        COMMAND_LINK.unlink(missing_ok=True)
        COMMAND_LINK.symlink_to(environment.directory / "bin" / "appliance")


def start(environment: Environment, progress: Progress, host_packages: Background | None, kit: Path | None) -> NoReturn:
    """Become `appliance up`, which goes on counting the steps and waits for what was begun."""
    arguments, begun = (["--empty"], {}) if host_packages is None else ([], {"APPLIANCE_BEGUN": host_packages.handed_over()})
    arguments += ["--recover", str(kit)] if kit else []
    numbering = {"APPLIANCE_FIRST_STEP": str(progress.number + 1), "APPLIANCE_LAST_STEP": str(progress.total)}
    variables = environment.installer_variables | numbering | begun
    command = environment.directory / "bin" / "appliance"
    os.execve(command, [str(command), "up", *arguments], variables)  # noqa: S606 (no shell is wanted)


def main() -> int:
    """Install what is missing and become `appliance up`; returns 1 when a step failed."""
    parser = argparse.ArgumentParser(prog="bin/up", description="Install the appliance on this machine and start it.")
    parser.add_argument("--empty", action="store_true", help="start the appliance with no CRM")
    parser.add_argument(
        "--production", action="store_true", help="a panel behind TLS, without root, for CRMs on hosts that are added later"
    )
    parser.add_argument("--domain", help="in production: the name that people type to reach the panel")
    parser.add_argument("--recover", metavar="KIT", type=Path, help="bring back what a recovery kit leads to")
    chosen = parser.parse_args()
    progress = Progress(
        total=int(os.environ["APPLIANCE_LAST_STEP"]),
        first=int(os.environ["APPLIANCE_FIRST_STEP"]),
        log_path=Path(os.environ["APPLIANCE_UP_LOG"]),
    )
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    if chosen.production:
        return production.main(progress, variables, chosen.domain)
    environment = Environment(directory=Path(os.environ.get("APPLIANCE_VENV", DEFAULT_ENVIRONMENT)), variables=variables)
    host_packages = None if chosen.empty else begin_host_packages(progress)
    try:
        install_tree(environment, progress, with_crm=not chosen.empty and chosen.recover is None)
    except StepFailed as failure:
        progress.explain(failure)
        if host_packages:
            host_packages.end()
        return 1
    link_command(environment)
    start(environment, progress, host_packages, chosen.recover and Path(os.environ.get("APPLIANCE_STARTED_IN", ""), chosen.recover))


if __name__ == "__main__":
    sys.exit(main())
