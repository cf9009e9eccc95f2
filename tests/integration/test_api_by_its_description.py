"""The running API is called by schemathesis with all that its description allows, and with much that it does not."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from appliance.domain.operation import OperationStatus
from appliance.wiring import Appliance
from tests.support.operating import make_appliance
from tests.support.running_panel import running_panel
from tests.support.web_world import add_people, add_sales, add_web1, end_operation, run_operation

CONFIG = """
request-timeout = 180
headers = {{ Authorization = "Bearer {token}" }}
[checks]
# 422: understood and refused, as a name that is none; 412: If-Match with a tag that it never had; 413: too long for this panel
positive_data_acceptance.expected-statuses = ["2xx", "401", "403", "404", "409", "412", "413", "422"]
negative_data_rejection.expected-statuses = ["400", "401", "403", "404", "405", "409", "411", "412", "413", "422"]
"""
PHASES = "examples,coverage,fuzzing,stateful"
EXAMPLES = 10
REACH_OUT = r"/hosts$|/hosts/scan|/trust$|/test$"
"""They speak with machines whose names schemathesis would make up."""
ENDLESS = "/api/v1/events$"
"""A stream that goes on until the panel ends."""
OWN_TOKEN = "/tokens/"
"""It would revoke its own."""


@pytest.fixture
def appliance(tmp_path: Path) -> Appliance:
    appliance, now = make_appliance(tmp_path, login_failures=0), datetime.now(UTC)
    add_people(appliance)
    add_sales(appliance)
    add_web1(appliance)
    end_operation(appliance, run_operation(appliance, now=now).id, OperationStatus.SUCCEEDED, now=now)
    return appliance


@pytest.fixture
def url(appliance: Appliance) -> Iterator[str]:
    panel = running_panel(appliance)
    panel.start()
    yield panel.url
    panel.stop()


@pytest.mark.parametrize("name", ["Alice", "Victor"])
def test_no_call_fails_or_answers_otherwise_than_described(appliance: Appliance, url: str, tmp_path: Path, name: str) -> None:
    token = appliance.store.tokens.issue(name="schemathesis", user=name, by="root", now=datetime.now(UTC))
    config = tmp_path / "schemathesis.toml"
    config.write_text(CONFIG.format(token=token))
    program = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run", f"{url}/api/v1/openapi.json"]
    told = ["--phases", PHASES, "--max-examples", str(EXAMPLES), "--exclude-path-regex", f"{REACH_OUT}|{ENDLESS}|{OWN_TOKEN}"]
    told.append("--generation-deterministic")  # what is found today is found tomorrow
    ended = subprocess.run([*program, *told, "--no-color"], capture_output=True, text=True, timeout=1500, check=False)
    assert ended.returncode == 0, ended.stdout[-20_000:] + ended.stderr
