"""What `bin/up` begins before its turn must be exactly what its turn would have begun."""

import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from groundwork import host_packages
from groundwork.background import Background

from appliance.config import Settings
from appliance.domain.host import LOCALHOST, Host
from appliance.errors import StepFailed
from appliance.hosts.layout import layout_of
from appliance.operations.variables import new_deployment
from appliance.products.builds import build_of
from appliance.products.catalogue import open_catalogue
from appliance.setup import ahead, begun
from appliance.setup.progress import Progress
from tests.unit.test_setup_main_job import NOW, demo

TREE = Path(__file__).resolve().parents[2]
ROLES = TREE / "playbooks" / "roles"
Start = Callable[[str], begun.Begun | None]


@pytest.fixture
def progress() -> Progress:
    return Progress(total=1, stream=io.StringIO(), clock=lambda: 0.0)


def said(progress: Progress) -> str:
    assert isinstance(progress.stream, io.StringIO)
    return progress.stream.getvalue()


def test_the_release_is_begun_where_its_installation_will_look_for_it(tmp_path: Path) -> None:
    settings, product = Settings(home=tmp_path, etc=tmp_path), open_catalogue().default()
    release = product.definition.release(product.definition.default_release)
    build = build_of(product, release.version)
    layout = layout_of(settings, Host(name=LOCALHOST, address="127.0.0.1", created_at=NOW))
    deployment = new_deployment(layout, demo(product.definition.id), release, build, operation_id=1, follows=False)
    assert str(ahead.release_directory(settings)) == deployment.release_directory


def test_the_release_is_begun_from_what_the_role_would_be_told(tmp_path: Path) -> None:
    told = yaml.safe_load((ROLES / "release" / "defaults" / "main.yml").read_text())["release_request"]
    assert set(ahead.asked(Settings(home=tmp_path, etc=tmp_path))) == set(told)


def test_the_packages_are_those_of_the_role_and_of_the_default_product() -> None:
    base = yaml.safe_load((ROLES / "host" / "defaults" / "main.yml").read_text())["host_base_packages"]
    assert host_packages.wanted() == base + list(open_catalogue().default().definition.runtime.apt)


def test_a_list_that_is_not_written_as_expected_is_left_to_the_role() -> None:
    assert host_packages.flow_list("apt:\n  - nginx\n", "apt") == []


@pytest.fixture
def under_way(tmp_path: Path) -> Iterator[Start]:
    """Starts a command as `bin/up` does. Only the one who is tested waits for it; who started it learns at the end that it is gone."""
    started: list[Background] = []

    def start(command: str) -> begun.Begun | None:
        started.append(Background(argv=["sh", "-c", command], log_path=tmp_path / "beside.log"))
        return begun.begun({"APPLIANCE_BEGUN": started[-1].handed_over()})

    yield start
    for child in started:
        child.end()


def test_packages_that_could_not_be_installed_are_explained_by_their_last_lines(progress: Progress, under_way: Start) -> None:
    with pytest.raises(StepFailed, match=r"(?s)exit code 100.*    no such package"):
        begun.finish(under_way("echo no such package; sleep 0.1; exit 100"), progress)


def test_packages_that_were_all_there_are_as_before(progress: Progress, under_way: Start) -> None:
    begun.finish(under_way("sleep 0.1"), progress)
    begun.finish(begun.begun({}), progress)
    assert said(progress).count("… as before") == 2


def test_packages_that_are_being_installed_are_waited_for(progress: Progress, under_way: Start, tmp_path: Path) -> None:
    begun.finish(under_way(f"echo installing; sleep 0.2; touch {tmp_path}/done"), progress)
    assert (tmp_path / "done").exists()


def made(directory: Path, lock: str) -> bool:
    told = {"directory": str(directory), "lock": lock, "uv": str(Path(sys.executable).parent / "uv"), "python": sys.executable}
    script = str(ROLES / "release" / "files" / "environment.py")
    done = subprocess.run([sys.executable, script], input=json.dumps(told), capture_output=True, text=True, check=True)
    return bool(json.loads(done.stdout)["changed"])


def test_an_environment_is_made_once_and_what_else_is_left_of_a_build_is_removed(tmp_path: Path) -> None:
    release = tmp_path / "releases" / "1.0-build"
    assert made(release, "# no packages\n")
    (release / "static").mkdir()
    assert not made(release, "# no packages\n")
    assert sorted(path.name for path in release.iterdir()) == ["lock.txt", "venv"]
    assert made(release, "# another lock\n")


def test_an_environment_that_was_not_finished_or_was_lent_to_the_crm_is_made_anew(tmp_path: Path) -> None:
    release = tmp_path / "releases" / "1.0-build"
    made(release, "# no packages\n")
    (release / "venv" / "made-from").unlink()
    assert made(release, "# no packages\n")
    (release / "venv").rename(tmp_path / "other")
    (release / "venv").symlink_to(tmp_path / "other")
    assert made(release, "# no packages\n")
    assert not (release / "venv").is_symlink()
