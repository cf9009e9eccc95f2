"""What supervisord and systemd are told of the appliance's processes."""

import configparser
import io
import shlex
import subprocess
from pathlib import Path

import pytest

from appliance.config import Settings
from appliance.errors import ConfigurationError
from appliance.setup import definitions
from appliance.setup.environment import environment_file_text, kept_variables
from appliance.setup.files import write_if_changed

BIN = Path("/opt/own/bin")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", etc=tmp_path / "etc", log=tmp_path / "log")


def section(text: str, name: str) -> configparser.SectionProxy:
    parser = configparser.RawConfigParser()
    parser.read_string(text)
    return parser[name]


def test_a_program_reads_the_variables_and_becomes_the_process(settings: Settings) -> None:
    program = section(definitions.program_text(settings, definitions.PANEL, BIN), "program:appliance-panel")
    assert shlex.split(program["command"])[-1] == f"set -a; . {settings.etc}/environment; exec /opt/own/bin/appliance serve"


def test_stopping_the_worker_spares_what_it_has_started(settings: Settings) -> None:
    program = section(definitions.program_text(settings, definitions.WORKER, BIN), "program:appliance-worker")
    assert (program["stopasgroup"], program["killasgroup"]) == ("false", "false")
    unit = definitions.unit_text(settings, definitions.WORKER, BIN)
    assert "Delegate=yes\nKillMode=process\n" in unit
    assert "KillMode" not in definitions.unit_text(settings, definitions.PANEL, BIN)


def test_changed_settings_change_every_definition(settings: Settings) -> None:
    before = definitions.unit_text(settings, definitions.MONITOR, BIN)
    write_if_changed(settings.etc / "appliance.toml", "parallel_operations = 2\n", mode=0o644)
    assert definitions.unit_text(settings, definitions.MONITOR, BIN) != before


def test_supervisord_listens_to_nobody_but_root(settings: Settings) -> None:
    parser = configparser.RawConfigParser()
    parser.read_file(io.StringIO(definitions.supervisord_text(settings)))
    assert parser["unix_http_server"]["chmod"] == "0700"
    assert "inet_http_server" not in parser


def test_only_settings_indexes_proxies_and_certificates_reach_the_processes() -> None:
    given = {
        "APPLIANCE_HOME": "/x",
        "UV_INDEX": "a",
        "HTTPS_PROXY": "b",
        "AWS_SECRET": "c",
        "APPLIANCE_FIRST_STEP": "4",
        "HOME": "/home/me",
    }
    kept = kept_variables(given, BIN)
    assert set(kept) == {"APPLIANCE_HOME", "UV_INDEX", "HTTPS_PROXY", "PATH", "LC_ALL", "HOME"}
    assert kept["PATH"].startswith("/opt/own/bin:")


def test_a_shell_reads_the_variables_as_they_were(tmp_path: Path) -> None:
    file = tmp_path / "environment"
    file.write_text(environment_file_text({"HTTPS_PROXY": "http://me:a%20$b#c;d@proxy.example"}))
    read = subprocess.run(["sh", "-c", f'. {file}; printf %s "$HTTPS_PROXY"'], capture_output=True, text=True, check=True)
    assert read.stdout == "http://me:a%20$b#c;d@proxy.example"


def test_a_variable_that_would_break_the_file_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="HTTPS_PROXY"):
        environment_file_text({"HTTPS_PROXY": "it's"})


def test_a_file_is_written_once_and_private_from_the_start(tmp_path: Path) -> None:
    file = tmp_path / "etc" / "environment"
    assert write_if_changed(file, "A='b'\n", mode=0o600)
    assert not write_if_changed(file, "A='b'\n", mode=0o600)
    assert file.stat().st_mode & 0o777 == 0o600
