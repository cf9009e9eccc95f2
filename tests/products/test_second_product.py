"""A second real CRM by its definition alone, and what its upgrades are known to break while exit codes and pages look well.

The tests of this file go on where the one before has ended.
"""

import asyncio
import shutil
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import TypeAdapter

from appliance.operations.adopting import measure
from appliance.products.catalogue import SHIPPED
from monitoring.probes import Probe, run_probe
from tests.support.house import CLONE, House, wait_for

PRODUCT, OLD, NEW = "tryton", "7.0.59", "8.0.12"
NAME = "trial-second"
SEED = CLONE / "tests" / "support" / "tryton_seed.py"
WORK = CLONE / "tests" / "support" / "tryton_adoption.py"
ALICE_PASSWORD = "alice-Tr1es-it"
KEEP = "create table kept as select password_hash from res_user where login = 'alice'"
MAKE_UNREADABLE = "update res_user set password_hash = '$pbkdf2-sha512$25000$made.long.ago' where login = 'alice'"
GIVE_BACK = "update res_user set password_hash = kept.password_hash from kept where login = 'alice'; drop table kept"
SHIPPED_WITHIN_SECONDS = 10
RPC = {"7.0": "", "8.0": "rpc/"}


@dataclass(frozen=True, kw_only=True)
class Second:
    """The CRM, its port and the records it was given."""

    house: House
    port: int
    records: dict[str, Any]

    def answers(self, series: str) -> bool:
        """Whether the web client is there, and the interface that this series has."""
        version = OLD if series == "7.0" else series
        rpc = {"kind": "jsonrpc", "version": "1.0", "method": "common.server.version", "equals": version}
        page = {"kind": "http", "match": "tryton-sao"}
        return self._is_well("/", page) and self._is_well(f"/{RPC[series]}", rpc)

    def lets_alice_in(self, series: str, password_file: Path) -> bool:
        """A log-in as people do it, by a user who was there before."""
        password_file.write_text(ALICE_PASSWORD)
        login = {"method": "common.db.login", "params": ["$username", {"password": "$password"}, "en"]}
        then = {"method": "model.party.party.search_read", "params": [[], 0, 1, None, ["name"], {}]}
        session = {"scheme": "Session", "credentials": "$username:$0:$1"}
        account = {"username": "alice", "password_file": password_file, "login": login, "authorization": session, "then": then}
        return self._is_well(f"/crm/{RPC[series]}", {"kind": "jsonrpc_login", "version": "1.0", **account})

    def sql(self, statement: str) -> None:
        """Run a statement in the database that serves."""
        self.house.sql(NAME, statement)

    def keeps_every_change_of_what_serves(self) -> bool:
        """Whether the log of the database that serves now is received, and nothing is at work."""
        kept = self.house.appliance.store.instances.get(NAME)
        follows = kept.archive is not None and kept.deployment is not None and kept.archive.deployment == kept.deployment.id
        return follows and self.house.appliance.store.operations.unfinished(NAME) is None

    def is_as_before(self, password_file: Path) -> bool:
        """The old release serves every record to everybody."""
        return self.answers("7.0") and self.lets_alice_in("7.0", password_file) and self.house.records(NAME) == self.records

    def _is_well(self, path: str, fields: dict[str, Any]) -> bool:
        asked = {"name": "asked", "url": f"http://127.0.0.1:{self.port}{path}", "timeout_seconds": 30, **fields}
        return asyncio.run(run_probe(TypeAdapter(Probe).validate_python(asked))).healthy


def on_one_line(text: str) -> str:
    """What was said, wherever the terminal's lines were broken."""
    return " ".join(text.split())


@pytest.fixture(scope="module")
def second(house: House) -> Second:
    """Tryton 7.0 with a company, parties, opportunities and a user."""
    house.done("install", PRODUCT, "--name", NAME, "--release", OLD)
    assert "seeded" in house.launch(NAME, "python -m crmsite -", SEED)
    return Second(house=house, port=house.appliance.store.instances.get(NAME).port, records=house.records(NAME))


@pytest.fixture
def password_file(tmp_path: Path) -> Path:
    return tmp_path / "password"


def test_a_second_product_is_installed_by_its_definition_alone(second: Second, password_file: Path) -> None:
    assert second.is_as_before(password_file)
    assert second.records["counts"] == {"parties": 61, "contact-mechanisms": 120, "opportunities": 20}
    script = "/bower_components/jquery/dist/jquery.min.js"
    assert second.house.get(script, port=second.port)[0] == 200


def test_its_groups_are_the_departments_that_work_with_it(second: Second) -> None:
    second.house.launch(NAME, "python -m crmsite -", WORK)
    second.sql("update sale_opportunity set create_date = create_date - interval '100 days'")
    appliance, now = second.house.appliance, datetime.now(UTC)
    found = measure(appliance, appliance.store.instances.get(NAME), now=now)
    assert (found.problem, found.records, found.untouched) == ("", 81, 20)
    assert found.departments == ("Sales",)
    assert (found.active_on(now.date(), "Sales"), found.active_on(now.date(), "")) == (1, 1)
    assert found.newest_change is not None
    assert now - timedelta(minutes=10) < found.newest_change < now + timedelta(minutes=1)


def test_a_drill_proves_its_recovery_point(second: Second) -> None:
    second.house.done("backup", NAME)
    second.house.done("drill", NAME)
    assert "proven" in second.house.done("recovery-points", NAME)


def test_the_moment_before_a_mistake_comes_back_by_its_log(second: Second, password_file: Path) -> None:
    second.house.done("archive", NAME)
    moment = datetime.now(UTC)
    time.sleep(0.1)
    second.sql("delete from sale_opportunity; update party_party set name = 'Overwritten'")
    assert second.house.records(NAME) != second.records
    time.sleep(SHIPPED_WITHIN_SECONDS)
    second.house.done("restore", NAME, "--at", moment.isoformat(), "--yes")
    assert second.is_as_before(password_file)
    wait_for(second.keeps_every_change_of_what_serves, seconds=120)
    second.house.done("archive", NAME, "--off")


def test_no_other_database_can_be_named(second: Second) -> None:
    serving = second.house.appliance.store.instances.get(NAME).deployment
    assert serving is not None
    call = {"id": 1, "method": "common.db.login", "params": ["admin", {"password": "x"}, "en"]}
    assert httpx.post(f"http://127.0.0.1:{second.port}/{serving.database}/", json=call, timeout=20).status_code == httpx.codes.NOT_FOUND


def test_an_upgrade_that_would_lock_users_out_is_refused(second: Second, password_file: Path) -> None:
    second.sql(f"{KEEP}; {MAKE_UNREADABLE}")
    ended = second.house.command("upgrade", NAME, "--to", NEW)
    second.sql(GIVE_BACK)
    assert (ended.returncode, "hashed with Argon2 only" in on_one_line(ended.stdout)) == (4, True), ended.stdout + ended.stderr
    assert second.is_as_before(password_file)


def test_new_code_on_a_database_that_was_not_updated_is_rolled_back(second: Second, password_file: Path) -> None:
    own = second.house.settings.etc / "products" / PRODUCT
    shutil.copytree(SHIPPED / PRODUCT, own)
    text = (own / "product.yml").read_text()
    hop = text[text.index("        - name: update\n") : text.index("      post_check:")]
    nothing = "        - {name: nothing, title: Do nothing and say well done, command: echo accounts ready}\n"
    (own / "product.yml").write_text(text.replace(hop, nothing).replace("      pre_sql: sql/7.0-to-8.0.sql\n", ""))
    ended = second.house.command("upgrade", NAME, "--to", NEW)
    shutil.rmtree(own)
    assert (ended.returncode, "not healthy" in on_one_line(ended.stdout)) == (3, True), ended.stdout[-3000:] + ended.stderr
    assert second.is_as_before(password_file)


def test_an_upgrade_keeps_every_record_and_every_password(second: Second, password_file: Path) -> None:
    second.house.done("upgrade", NAME, "--to", NEW)
    assert second.answers("8.0")
    assert second.lets_alice_in("8.0", password_file)
    assert second.house.records(NAME) == second.records


def test_a_rollback_brings_the_old_series_back(second: Second, password_file: Path) -> None:
    second.house.done("rollback", NAME)
    assert second.is_as_before(password_file)
    second.house.done("instance", "remove", NAME, "--yes", "--no-final-backup")
