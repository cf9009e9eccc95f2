"""Units under a stand-in for systemctl that writes down what it is told; the real systemd is met on the hosts of the lab."""

from pathlib import Path

import pytest

from appliance.errors import StepFailed
from appliance.setup.units import Systemd

SYSTEMCTL = """#!/bin/sh
echo "$*" >>{told}
case "$1 $4" in
"show broken.service") echo failed ;;
"show "*) [ -e {running} ] && echo active || echo inactive ;;
"restart "*) [ "$2" != broken.service ] || {{ echo no such program >&2; exit 1; }}; touch {running} ;;
esac
"""


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    told, command = tmp_path / "told", tmp_path / "bin" / "systemctl"
    command.parent.mkdir()
    command.write_text(SYSTEMCTL.format(told=told, running=tmp_path / "running"))
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{command.parent}:/usr/bin:/bin")
    return told


def test_a_new_unit_is_read_enabled_and_started(told: Path, tmp_path: Path) -> None:
    systemd = Systemd(directory=tmp_path / "units")
    systemd.define("panel", "[Unit]\n")
    assert systemd.apply(["panel"]) == ["panel"]
    assert told.read_text().splitlines() == ["daemon-reload", "enable --quiet panel.service", "restart panel.service"]


def test_a_unit_that_runs_and_did_not_change_is_not_restarted(told: Path, tmp_path: Path) -> None:
    first, second = Systemd(directory=tmp_path / "units"), Systemd(directory=tmp_path / "units")
    first.define("panel", "[Unit]\n")
    first.apply(["panel"])
    told.unlink()
    second.define("panel", "[Unit]\n")
    assert second.apply(["panel"]) == []
    assert "restart" not in told.read_text()


def test_a_changed_unit_is_restarted(told: Path, tmp_path: Path) -> None:
    for text in ("[Unit]\n", "[Unit]\nDescription=new\n"):
        systemd = Systemd(directory=tmp_path / "units")
        systemd.define("panel", text)
        assert systemd.apply(["panel"]) == ["panel"]
    assert told.read_text().count("restart panel.service") == 2


def test_what_a_unit_said_last_comes_from_the_journal(told: Path, tmp_path: Path) -> None:
    journalctl = told.parent / "bin" / "journalctl"
    journalctl.write_text(f'#!/bin/sh\necho "$*" >>{told}\necho first\necho last\n')
    journalctl.chmod(0o755)
    assert Systemd(directory=tmp_path / "units").last_lines("panel", 2) == ["first", "last"]
    assert "--lines=2 --unit=panel.service" in told.read_text()


def test_a_unit_that_does_not_start_fails_with_what_systemd_says(told: Path, tmp_path: Path) -> None:
    systemd = Systemd(directory=tmp_path / "units")
    systemd.define("broken", "[Unit]\n")
    with pytest.raises(StepFailed, match="no such program"):
        systemd.apply(["broken"])
    assert "enable --quiet broken.service" in told.read_text()
