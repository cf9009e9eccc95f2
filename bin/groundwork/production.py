"""The part of `bin/up --production` before the appliance runs: its wheel is built and installed as a release."""

import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from groundwork import fingerprint
from groundwork.environment import NEXT_ACTION, Environment
from groundwork.progress import Progress, StepFailed

TREE = Path(__file__).resolve().parents[2]
SOURCES = ("appliance", "backup", "monitoring", "playbooks", "requirements", "pyproject.toml", "README.md", "hatch_build.py")
CURRENT = Path("/opt/appliance/current")
BUILT_FROM = "tree.sha256"
TITLES = ("Making a Python environment", "Building the appliance", "Installing the release")
UPGRADE_ACTION = "Mend what is said above, then run bin/up --production again; see also: journalctl -u appliance-upgrade"


def main(progress: Progress, variables: Mapping[str, str], domain: str | None) -> int:
    """Install this tree's release unless it runs already, and become `appliance up --production`; returns 1 when a step failed."""
    wanted = fingerprint.of_files([TREE / name for name in SOURCES], also=[sys.version])
    release = CURRENT
    try:
        if fingerprint.is_recorded(CURRENT / BUILT_FROM, wanted):
            for title in TITLES:
                progress.skip(title)
        else:
            release, variables = _install(progress, dict(variables))
            (release / BUILT_FROM).write_text(wanted)
    except StepFailed as failure:
        progress.explain(failure)
        return 1
    _become_up(release, progress, variables, ["--domain", domain] if domain else [])
    return 1


def _install(progress: Progress, variables: dict[str, str]) -> tuple[Path, dict[str, str]]:
    """Build and install; on a machine that has a release already, that one upgrades itself. Raises StepFailed."""
    with tempfile.TemporaryDirectory(prefix="appliance-build-") as name:
        builder = Environment(directory=Path(name) / "venv", variables=variables)
        with progress.step(TITLES[0]):
            builder.create(progress, TREE / "requirements" / "appliance.txt")
        with progress.step(TITLES[1]):
            wheel = _build(builder, progress, Path(name))
        with progress.step(TITLES[2]):
            program = [str(builder.python), "-P", "-B", "-m", "appliance.production.releases", str(wheel), "--uv", str(builder.uv)]
            progress.run(program, environment={**builder.installer_variables, "PYTHONPATH": str(TREE)}, next_action=NEXT_ACTION)
            if CURRENT.is_symlink():
                upgrade = [str(CURRENT / "bin" / "appliance"), "self-upgrade", str(wheel)]
                progress.run(upgrade, environment=builder.installer_variables, next_action=UPGRADE_ACTION)
        return _release_of(wheel), builder.installer_variables


def _build(builder: Environment, progress: Progress, directory: Path) -> Path:
    build = [str(builder.uv), "build", "--wheel", "--python", str(builder.python), "--out-dir", str(directory)]
    locked = ["--build-constraints", str(TREE / "requirements" / "build.txt"), "--require-hashes"]
    progress.run([*build, *locked, str(TREE)], environment=builder.installer_variables, next_action=NEXT_ACTION)
    (wheel,) = directory.glob("*.whl")
    return wheel


def _release_of(wheel: Path) -> Path:
    """Where the release of a wheel was installed; said by the program that installs it."""
    sys.path.insert(0, str(TREE))
    from appliance.production.places import Places  # noqa: PLC0415 - needs the tree on the path, and nothing but Python
    from appliance.production.releases import read_wheel  # noqa: PLC0415

    return Places().releases / read_wheel(wheel).release


def _become_up(release: Path, progress: Progress, variables: Mapping[str, str], arguments: Sequence[str]) -> None:
    numbering = {"APPLIANCE_FIRST_STEP": str(progress.number + 1), "APPLIANCE_LAST_STEP": str(progress.total)}
    command = release / "bin" / "appliance"
    os.execve(command, [str(command), "up", "--production", *arguments], {**variables, **numbering})  # noqa: S606 (no shell is wanted)
