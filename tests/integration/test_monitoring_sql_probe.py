"""The sql probe against a real cluster with the roles that an instance has."""

import asyncio
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest
from pydantic import TypeAdapter

from monitoring.probes import CheckedProbe, Probe, run_probe
from tests.support.traces import drop_clusters

CLUSTER = "tmonitor"
PORT = 54970
VERSIONS = sorted(Path("/usr/lib/postgresql").glob("*"), key=lambda path: int(path.name))

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a cluster")


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """A running cluster on a unix socket."""

    socket_directory: str

    def probe(self, query: str, **fields: object) -> CheckedProbe:
        connection = {"socket_directory": self.socket_directory, "port": PORT, "user": "crm_monitor", "database": "crm"}
        probe = TypeAdapter(Probe).validate_python({"name": "p", "kind": "sql", "query": query} | connection | fields)
        return asyncio.run(run_probe(probe))


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    version = VERSIONS[-1].name
    drop_clusters(CLUSTER)
    with TemporaryDirectory(prefix=CLUSTER) as directory:
        Path(directory).chmod(0o777)
        create = ["pg_createcluster", version, CLUSTER, "--port", str(PORT), "--socketdir", directory, "-o", "listen_addresses="]
        subprocess.run([*create, "-o", "fsync=off", "--", "--no-sync"], check=True, capture_output=True)
        try:
            settings = Path("/etc/postgresql") / version / CLUSTER
            (settings / "pg_hba.conf").write_text("local all all peer map=appliance\n")
            (settings / "pg_ident.conf").write_text("appliance root postgres\nappliance root crm_monitor\n")
            subprocess.run(["pg_ctlcluster", version, CLUSTER, "start"], check=True)
            fill(directory)
            yield Cluster(socket_directory=directory)
        finally:
            drop_clusters(CLUSTER)


def fill(socket_directory: str) -> None:
    address = f"host={socket_directory} port={PORT} user=postgres"
    with psycopg.connect(f"{address} dbname=postgres", autocommit=True) as connection:
        connection.execute("CREATE ROLE crm_monitor LOGIN; GRANT pg_read_all_data TO crm_monitor")
        connection.execute("CREATE DATABASE crm")
    with psycopg.connect(f"{address} dbname=crm", autocommit=True) as connection:
        connection.execute("CREATE TABLE contacts AS SELECT generate_series(1, 42) AS id")
        connection.execute("GRANT INSERT ON contacts TO crm_monitor")


def test_a_query_with_the_expected_answer_is_healthy(cluster: Cluster) -> None:
    assert cluster.probe("SELECT count(*) FROM contacts", equals="42").healthy


def test_a_query_with_another_answer_names_both(cluster: Cluster) -> None:
    assert cluster.probe("SELECT count(*) FROM contacts", equals=41).detail == "expected 41, found 42"


def test_a_truth_value_is_compared_as_yaml_writes_it(cluster: Cluster) -> None:
    assert cluster.probe("SELECT count(*) > 40 FROM contacts", equals="true").healthy


def test_no_row_is_unhealthy(cluster: Cluster) -> None:
    assert cluster.probe("SELECT id FROM contacts WHERE id > 100").detail == "the query found no row"


def test_a_probe_cannot_write_even_where_its_role_could(cluster: Cluster) -> None:
    checked = cluster.probe("INSERT INTO contacts VALUES (43) RETURNING id")
    assert "read-only transaction" in checked.detail
    assert cluster.probe("SELECT count(*) FROM contacts", equals=42).healthy


def test_a_slow_query_is_ended_by_the_server_itself(cluster: Cluster) -> None:
    checked = cluster.probe("SELECT pg_sleep(30)", timeout_seconds=0.5)
    assert (checked.healthy, checked.detail) == (False, "the query took too long")
    assert cluster.probe("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%sleep(3%' AND pid <> pg_backend_pid()", equals=0).healthy


def test_an_unknown_database_is_told_plainly(cluster: Cluster) -> None:
    assert "does not exist" in cluster.probe("SELECT 1", database="other").detail
