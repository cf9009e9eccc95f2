"""Help with examples, the manual, and what a shell completes."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from appliance.cli import app
from appliance.cli.completing import ASKED_BY, complete_instance
from appliance.cli.examples import EXAMPLES, commands_of
from appliance.cli.manual import manual
from tests.support.operating import make_appliance
from tests.support.web_world import add_sales

TREE = Path(__file__).parents[2]


def test_every_command_has_an_example_and_none_is_left_over() -> None:
    assert {path for path, _ in commands_of(app)} == set(EXAMPLES)


@pytest.mark.parametrize("path", EXAMPLES)
def test_an_example_is_understood_by_its_command(path: str) -> None:
    words = shlex.split(EXAMPLES[path].partition(" > ")[0])[1:]
    command: Any = typer.main.get_command(app)
    while hasattr(command, "commands"):
        command, words = command.commands[words[0]], words[1:]
    with command.make_context(path, words, resilient_parsing=False) as context:
        assert context.params is not None


def test_help_ends_with_the_example() -> None:
    shown = CliRunner().invoke(app, ["backup", "--help"], env={"COLUMNS": "200"}).stdout
    assert "Example: appliance backup crm --keep daily=7 --keep weekly=4" in shown


def test_the_manual_is_what_the_commands_say() -> None:
    assert (TREE / "docs/cli.md").read_text() == manual(), "write it anew: python -m appliance.cli.manual > docs/cli.md"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_for_a_shell_is_one(shell: str, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text(CliRunner().invoke(app, ["completion", shell]).stdout)
    assert ASKED_BY in script.read_text()
    assert script.read_text().startswith("#compdef appliance\n") == (shell == "zsh")
    if shutil.which(shell):
        subprocess.run([shell, "-n", str(script)], check=True, timeout=20)


def test_bash_completes_commands_options_and_names_of_crms(tmp_path: Path) -> None:
    appliance = make_appliance(tmp_path)
    add_sales(appliance)
    bin_directory = tmp_path / "bin"
    bin_directory.mkdir()
    program = bin_directory / "appliance"
    program.write_text(f"#!{sys.executable}\nfrom appliance.cli import main; main()\n")
    program.chmod(0o755)
    path = f"{bin_directory}:{os.environ['PATH']}"
    environment = {
        **os.environ,
        "PATH": path,
        "PYTHONPATH": str(TREE),
        "APPLIANCE_CONFIG": "/nonexistent",
        "APPLIANCE_HOME": str(appliance.settings.home),
    }

    def completed(*words: str) -> list[str]:
        script = (
            f'eval "$(appliance completion bash)"; COMP_WORDS=({shlex.join(("appliance", *words))}); COMP_CWORD={len(words)}; '
            '_appliance_completion appliance; echo "${COMPREPLY[@]}"'
        )
        return subprocess.run(
            ["bash", "-c", script], env=environment, capture_output=True, text=True, check=True, timeout=60
        ).stdout.split()

    assert completed("oper") == ["operation"]
    assert completed("backup", "--pre") == ["--preview"]
    assert completed("backup", "sa") == ["sales"]


def test_where_there_is_no_appliance_nothing_is_completed_and_nothing_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APPLIANCE_CONFIG", "/nonexistent")
    monkeypatch.setenv("APPLIANCE_HOME", str(tmp_path / "none"))
    assert (complete_instance("s"), list(tmp_path.iterdir())) == ([], [])
