"""Whoever reads pip's settings reads what pip reads: the appliance, the role that builds releases, and `bin/up` before either is there."""

import json
import os
import runpy
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from groundwork import registries

from appliance.errors import ConfigurationError
from appliance.products.pip_settings import read_pip_settings

ROLE = Path(__file__).resolve().parents[2] / "playbooks" / "roles" / "release" / "files" / "environment.py"
OPTIONS = ("index-url", "proxy", "cert", "client-cert")
ASK_PIP = """
import json, sys
from pip._internal.commands import create_command
parser = create_command("install").parser
told = vars(parser.get_default_values())
places = {name: parser.get_option(f"--{name}").dest for name in sys.argv[1:]}
print(json.dumps({name: told[place] for name, place in places.items() if told[place] != parser.defaults[place]}))
"""
FILES = {
    ".pip/pip.conf": """
        [global]
        cert = /old.pem
        client-cert = /old-client.pem
        [install]
        index_url = https://old.example/simple
    """,
    ".config/pip/pip.conf": """
        [global]
        index-url = https://new.example/simple
        proxy = http://new.example:1
        cert = /new.pem
        client-cert =
    """,
    "named.conf": """
        [global]
        index-url = https://named.example/simple
    """,
}
VARIABLES = {"PIP_PROXY": "http://variable.example:1", "PIP_CERT": ""}
Settings = dict[str, str]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of somebody with settings in files and variables, instead of those of who runs the test."""
    for variable in [name for name in os.environ if name.startswith(("PIP_", "XDG_CONFIG_"))]:
        monkeypatch.delenv(variable)
    for name, value in {**VARIABLES, "HOME": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(textwrap.dedent(text))
    return tmp_path


def of_pip() -> Settings:
    done = subprocess.run([sys.executable, "-c", ASK_PIP, *OPTIONS], capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


def of_the_role() -> Settings:
    return dict(runpy.run_path(str(ROLE))["settings"](os.environ))


READERS: list[Callable[[], Settings]] = [
    lambda: read_pip_settings(os.environ),
    of_the_role,
    lambda: registries.read_pip_settings(Path(sys.executable)),
]


def read_by_all() -> list[Settings]:
    return [{name: value for name, value in reader().items() if name in OPTIONS} for reader in READERS]


def test_files_sections_and_variables_win_over_each_other_as_in_pip() -> None:
    expected = {"index-url": "https://old.example/simple", "proxy": "http://variable.example:1", "cert": "/new.pem"}
    assert of_pip() == expected
    assert read_by_all() == [expected] * len(READERS)


def test_a_file_that_is_named_takes_the_place_of_the_users(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_CONFIG_FILE", str(home / "named.conf"))
    expected = of_pip()  # with what the machine's own files say
    assert expected["index-url"] == "https://named.example/simple"
    assert read_by_all() == [expected] * len(READERS)


def test_the_null_device_takes_the_place_of_all_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    expected = {"proxy": "http://variable.example:1"}
    assert of_pip() == expected
    assert read_by_all() == [expected] * len(READERS)


def test_files_that_pip_cannot_read_are_refused(home: Path) -> None:
    (home / ".config/pip/pip.conf").write_text("index-url = https://new.example/simple\n")
    with pytest.raises(ConfigurationError, match="pip's settings on this machine cannot be read: File contains no section headers"):
        read_pip_settings(os.environ)
    with pytest.raises(SystemExit, match="pip's settings on this machine cannot be read: File contains no section headers"):
        of_the_role()
