"""What waits is told with its severity, and what could not be asked is never told as nothing."""

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from appliance.domain.pending import Pending, PendingPackage, PublishedRelease, Way, pending_releases
from appliance.domain.product_releases import DirectoryFeed, PypiFeed
from appliance.operations.pending import pending_of, pending_of_instance
from appliance.products.catalogue import open_catalogue
from appliance.products.feeds import advisories, published
from appliance.products.package_index import NotAsked, PackageIndex, open_index
from tests.support.operating import make_appliance
from tests.support.web_world import NOON, add_sales, add_web1

CREME = open_catalogue().get("creme").definition
FILES = [
    {"filename": "crm_x-1.0-py3-none-any.whl", "upload-time": "2026-01-02T03:04:05Z", "yanked": False},
    {"filename": "crm-x-1.0.1.tar.gz", "upload-time": "2026-02-02T03:04:05Z", "yanked": False},
    {"filename": "crm-x-1.0.2.tar.gz", "upload-time": "2026-03-02T03:04:05Z", "yanked": "broken"},
    {"filename": "crm-x-1.0.exe", "yanked": False},
]
VULNERABLE = {"vulnerabilities": [{"id": "PYSEC-1", "aliases": ["CVE-2026-1"], "summary": "Bad", "fixed_in": ["1.2"], "withdrawn": None}]}
ANSWERS = {"/simple/crm-x/": {"files": FILES}, "/pypi/django/1.1/json": VULNERABLE, "/pypi/other/2/json": {"vulnerabilities": []}}
LOCK = "Django==1.1 \\\n    --hash=sha256:00\nother==2 \\\n    --hash=sha256:00\n"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        answer = ANSWERS.get(self.path)
        self.send_response(200 if answer else 404)
        self.end_headers()
        self.wfile.write(json.dumps(answer or {}).encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def serving() -> Iterator[PackageIndex]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield PackageIndex(address=f"http://127.0.0.1:{server.server_port}/simple")
        server.shutdown()
        thread.join()


@pytest.fixture
def index() -> Iterator[PackageIndex]:
    with serving() as found:
        yield found


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    file = tmp_path / "lock.txt"
    file.write_text(LOCK)
    return file


def test_a_feed_tells_every_release_that_was_not_withdrawn_and_its_date(index: PackageIndex) -> None:
    found = published(PypiFeed(kind="pypi", package="CRM_x"), lambda: index)
    assert {one.version: one.published_at and one.published_at.month for one in found} == {"1.0": 1, "1.0.1": 2}


def test_without_a_network_a_directory_is_the_feed(tmp_path: Path) -> None:
    for name in ("crm_x-1.0-py3-none-any.whl", "crm-x-1.1.tar.gz", "notes.txt"):
        (tmp_path / name).touch()
    found = published(DirectoryFeed(kind="directory", path=str(tmp_path), package="crm-x"))
    assert {one.version for one in found} == {"1.0", "1.1"}
    with pytest.raises(NotAsked, match="cannot be read"):
        published(DirectoryFeed(kind="directory", path=str(tmp_path / "gone"), package="crm-x"))


def test_an_index_that_does_not_answer_is_said_to_be_so(index: PackageIndex) -> None:
    with pytest.raises(NotAsked, match="answers 404"):
        index.releases("unheard-of")
    with pytest.raises(NotAsked, match="does not answer"):
        PackageIndex(address="http://127.0.0.1:1/simple").releases("crm-x")


def test_the_index_is_the_one_that_pip_uses(tmp_path: Path) -> None:
    file = tmp_path / "pip.conf"
    file.write_text("[global]\nindex-url = https://mirror.example/simple/\n")
    assert open_index({"PIP_CONFIG_FILE": str(file)}).address == "https://mirror.example/simple"
    assert open_index({"PIP_INDEX_URL": "https://other.example/simple"}).address == "https://other.example/simple"
    assert open_index({"PIP_CONFIG_FILE": os.devnull}).address.endswith("/simple")


def test_advisories_come_from_the_index_for_each_package_of_the_lock(index: PackageIndex, lock: Path, tmp_path: Path) -> None:
    (found,) = advisories(lock, tmp_path / "absent.json", lambda: index)
    assert (found.id, found.package, found.version, found.fixed_in) == ("CVE-2026-1", "Django", "1.1", ("1.2",))


def test_without_a_network_advisories_come_from_a_file(lock: Path, tmp_path: Path) -> None:
    file = tmp_path / "advisories.json"
    bad = {"id": "CVE-2026-2", "package": "django", "affected": "<1.2", "severity": "high"}
    file.write_text(json.dumps({"advisories": [bad, {**bad, "id": "CVE-2026-3", "affected": ">=1.2"}]}))
    assert [(one.id, one.severity) for one in advisories(lock, file)] == [("CVE-2026-2", "high")]
    file.write_text("[]")
    with pytest.raises(NotAsked, match="not a file of advisories"):
        advisories(lock, file)


def test_newer_releases_are_patches_upgrades_or_beyond_and_only_those_with_a_lock_can_be_installed() -> None:
    moment = datetime(2026, 10, 1, tzinfo=UTC)
    news = [PublishedRelease(version=one, published_at=moment) for one in ("2.7.14", "2.8.6", "2.8.99", "2.9", "3.0rc1", "2.7.1")]
    found = {one.version: (one.way, one.installable) for one in pending_releases(CREME, "2.7.13", news)}
    assert {one: found[one] for one in ("2.7.14", "2.8.6", "2.8.99", "2.9")} == {
        "2.7.14": (Way.PATCH, False),
        "2.8.6": (Way.UPGRADE, True),
        "2.8.99": (Way.UPGRADE, False),
        "2.9": (Way.BEYOND, False),
    }
    assert not {"3.0rc1", "2.7.1", "2.7.13"} & set(found)


def test_a_problem_is_never_nothing_pending() -> None:
    unknown = Pending(subject="sales", asked_at=NOON, problems=("the package index does not answer",))
    assert not unknown.is_nothing
    assert unknown.summary() == "cannot be asked: the package index does not answer"
    assert Pending(subject="sales", asked_at=NOON, reboot_required=False).summary() == "nothing pending"


def test_an_answer_is_kept_as_it_was_found(tmp_path: Path) -> None:
    package = PendingPackage(name="libssl3", installed="1", candidate="2", origin="Debian-Security:12", security=True)
    answer = Pending(subject="host:web1", asked_at=NOON, packages=(package,), reboot_required=True, restarts=("nginx.service",))
    store = make_appliance(tmp_path).store
    store.pending.put(answer)
    assert (store.pending.find("host:web1"), store.pending.list()) == (answer, [answer])
    store.pending.keep_only({"host:web2"})
    assert store.pending.list() == []


def test_an_instance_keeps_what_it_knows_when_the_index_is_silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/simple")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)  # whatever this machine's pip goes through
    appliance = make_appliance(tmp_path)
    add_sales(appliance)
    found = pending_of_instance(appliance, appliance.store.instances.get("sales"), now=NOON)
    assert found.newest(Way.UPGRADE)
    assert any("does not answer" in problem for problem in found.problems)


def test_a_host_that_cannot_be_reached_cannot_be_asked(tmp_path: Path) -> None:
    appliance = make_appliance(tmp_path)
    add_web1(appliance)
    found = pending_of(appliance, "host:web1", now=NOON)
    assert (found.reboot_required, found.is_nothing) == (None, False)
    assert "cannot be reached" in found.problems[0]
