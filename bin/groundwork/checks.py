"""The parts of `bin/test`: what each runs, and what each needs on the machine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PYTHON_TREES = ("appliance", "backup", "monitoring", "playbooks", "benchmarks", "bin/groundwork", "tests", "hatch_build.py")
TYPED_TREES = ("appliance", "backup", "monitoring", "benchmarks", "bin/groundwork", "tests")
INTEGRATION_PACKAGES = ("mariadb-client", "mariadb-server-core", "openssh-server", "prometheus", "procps", "rclone")
"""Of MariaDB the programs only: the package mariadb-server would start a server of its own."""
LAB_PACKAGES = ("apt-cacher-ng", "iproute2", "mmdebstrap", "openssh-client", "systemd-container")
"""What any part needs whose tests ask for a host of the lab."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part: a folder of tests for pytest, or (for a part of the source) commands; with the Debian packages it needs."""

    name: str
    folder: str | None = None
    packages: tuple[str, ...] = ()
    needs_host: bool = False
    """Whether it needs what the playbook host_prepare installs."""


PARTS: Mapping[str, Part] = {
    part.name: part
    for part in (
        Part(name="lint"),
        Part(name="types"),
        Part(name="unit", folder="tests/unit", packages=("prometheus", "prometheus-alertmanager", "prometheus-blackbox-exporter", "ruby")),
        Part(name="integration", folder="tests/integration", packages=INTEGRATION_PACKAGES, needs_host=True),
        Part(name="playbooks", folder="tests/playbooks", packages=("pebble",), needs_host=True),
        Part(name="acceptance", folder="tests/acceptance", needs_host=True),
        Part(name="recovery", folder="tests/recovery", packages=("rclone",), needs_host=True),
        Part(name="browser", folder="tests/browser", packages=("chromium", "fonts-dejavu-core", "libatomic1"), needs_host=True),
        Part(name="faults", folder="tests/faults", packages=(*LAB_PACKAGES, "rclone"), needs_host=True),
        Part(name="lab", folder="tests/lab", packages=LAB_PACKAGES),
        Part(name="products", folder="tests/products", needs_host=True),
        Part(name="hosts", folder="tests/hosts", packages=LAB_PACKAGES),
        Part(name="production", folder="tests/production", packages=LAB_PACKAGES),
        Part(name="bare", folder="tests/bare", packages=("mmdebstrap",)),
    )
}
FAST = ("lint", "types", "unit")
LONG = ("faults", "products", "hosts", "production", "bare")
"""More products and series are installed and upgraded in these, or whole machines used up: they are run by name, before a release."""
ALL = tuple(name for name in PARTS if name not in LONG)


def chosen_parts(words: Sequence[str]) -> list[Part]:
    """Return the parts that the command line names, in their order; no word means all. Raises KeyError for an unknown word."""
    names: set[str] = set()
    for word in words or ["all"]:
        names.update({"all": ALL, "fast": FAST}.get(word) or (PARTS[word].name,))
    return [part for part in PARTS.values() if part.name in names]


def source_commands(part: Part, tree: Path, bin_directory: Path, *, with_playbooks: bool) -> list[list[str]]:
    """Return the commands that look at the source itself, for the parts lint and types."""
    if part.name == "lint":
        return lint_commands(tree, bin_directory) + (playbook_commands(bin_directory) if with_playbooks else [])
    return [[str(bin_directory / "mypy"), *present(tree, TYPED_TREES)]]


def lint_commands(tree: Path, bin_directory: Path) -> list[list[str]]:
    """Return the commands of Python's linters."""
    trees = present(tree, PYTHON_TREES)
    return [
        [str(bin_directory / "ruff"), "check", *trees],
        [str(bin_directory / "ruff"), "format", "--check", *trees],
        [str(bin_directory / "lint-imports"), "--no-cache"],
    ]


def playbook_commands(bin_directory: Path) -> list[list[str]]:
    """Return the command of the playbooks' linter, which looks nothing up outside this machine."""
    return [[str(bin_directory / "ansible-lint"), "--offline", "--nocolor", "-q", "--profile", "production", "playbooks"]]


def present(tree: Path, names: Sequence[str]) -> list[str]:
    """Return those of `names` that exist in the tree and hold Python."""
    return [name for name in names if (tree / name).is_file() or any((tree / name).rglob("*.py"))]
