"""The panel's files: fetched by the lock file with the real npm, and carried by the wheel."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import hatch_build
from appliance.web.assets import EXPECTED

TREE = Path(__file__).resolve().parents[2]
FRONTEND = TREE / "appliance" / "web" / "frontend"


@pytest.fixture
def frontend(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FRONTEND, tmp_path / "frontend"))


def test_the_files_are_fetched_once_for_each_lock(frontend: Path, tmp_path: Path) -> None:
    assets = tmp_path / "assets"
    assert hatch_build.fill(frontend, assets)
    assert {file.name for file in assets.iterdir()} == {*hatch_build.FILES.values(), "fingerprint"}
    assert not hatch_build.fill(frontend, assets)
    (assets / "htmx.min.js").unlink()
    assert hatch_build.fill(frontend, assets)


def test_a_package_that_is_not_the_locked_one_is_refused(frontend: Path, tmp_path: Path) -> None:
    lock = frontend / "package-lock.json"
    lock.write_text(lock.read_text().replace("sha512-oF7J", "sha512-AAAA"))
    with pytest.raises(SystemExit, match="appliance/web/assets was left as it was"):
        hatch_build.fill(frontend, tmp_path / "assets")
    assert not (tmp_path / "assets").exists()


def test_the_lock_names_hashes_and_no_addresses() -> None:
    text = (FRONTEND / "package-lock.json").read_text()
    assert text.count('"integrity": "sha512-') == 3
    assert '"resolved"' not in text


def test_the_wheel_carries_every_file_of_the_panel(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path], cwd=TREE, check=True, capture_output=True)
    names = set(zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist())
    carried = {name for name in EXPECTED if {f"appliance/web/assets/{name}", f"appliance/web/static/{name}"} & names}
    assert carried == set(EXPECTED)
    assert {f"appliance/web/templates/{name}" for name in ("base.html", "ui.html", "parts/operation_state.html")} <= names
    assert not any("node_modules" in name for name in names)
