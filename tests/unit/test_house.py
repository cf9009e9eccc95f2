"""Rules of the house that no linter knows."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

TREE = Path(__file__).resolve().parents[2]
PRODUCTS = TREE / "appliance" / "products"
PACKAGES = ("appliance", "backup", "monitoring", "playbooks")
# Written in two halves, so that this file does not hold what it forbids.
REGISTRIES = tuple(
    ".".join(halves) for halves in (("pypi", "org"), ("files.pythonhosted", "org"), ("registry.npmjs", "org"), ("deb.debian", "org"))
)


def tracked_files(*under: str) -> list[Path]:
    listed = subprocess.run(["git", "-C", str(TREE), "ls-files", "-z", *under], capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("this tree is no git clone")
    return [TREE / name for name in listed.stdout.split("\0") if name and (TREE / name).is_file()]


OTHER_WORD = "autoincrement"
"""SQLite's; a CRM's name is within it by chance."""


def product_names() -> set[str]:
    names: set[str] = set()
    for definition in PRODUCTS.glob("*/product.yml"):
        names |= {definition.parent.name, str(yaml.safe_load(definition.read_text())["name"])}
    return {name.lower() for name in names}


def test_no_crm_is_named_in_python_or_in_a_role() -> None:
    definitions = {directory.parent for directory in PRODUCTS.glob("*/product.yml")}
    core = [file for file in tracked_files(*PACKAGES) if file.suffix in {".py", ".yml", ".j2"} and definitions.isdisjoint(file.parents)]
    names = product_names()
    naming = {
        f"{file.relative_to(TREE)}: {name}" for file in core for name in names if name in file.read_text().lower().replace(OTHER_WORD, "")
    }
    assert names
    assert naming == set()


def test_nothing_tracked_names_the_place_where_it_was_written() -> None:
    assert [str(file) for file in tracked_files() if f"{TREE}/" in file.read_text(errors="ignore")] == []


def test_nothing_tracked_names_a_package_registry() -> None:
    texts = {file: file.read_text(errors="ignore") for file in tracked_files()}
    assert [str(file) for file, text in texts.items() if any(registry in text for registry in REGISTRIES)] == []


def test_both_locks_of_the_appliance_hold_the_same_releases() -> None:
    run, test = (set(re.findall(r"^\S+==\S+", (TREE / "requirements" / name).read_text(), re.M)) for name in ("appliance.txt", "test.txt"))
    assert run
    assert run <= test


def test_every_locked_package_has_its_digests() -> None:
    for lock in (TREE / "requirements").glob("*.txt"):
        entries = re.split(r"\n(?=\S)", lock.read_text().strip())
        assert all("--hash=sha256:" in entry for entry in entries), lock
