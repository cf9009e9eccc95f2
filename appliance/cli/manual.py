"""Writes docs/cli.md from the commands themselves: `python -m appliance.cli.manual > docs/cli.md`."""

from collections.abc import Iterator
from typing import Any

import typer

from appliance.cli import app
from appliance.cli.examples import EXAMPLES

BEGINNING = """# The command line

Every command, from its own help; `appliance COMMAND --help` says the same. Written by `python -m appliance.cli.manual > docs/cli.md`.

How a command ends: 0 done · 1 failed · 2 not understood, or nothing of that name · 3 rolled back · 4 refused before anything was
changed · 5 busy or taken · 130 cancelled.

A shell completes commands, options and names of CRMs after `appliance completion bash > /etc/bash_completion.d/appliance` (zsh: into a
file `_appliance` of a directory in `fpath`; fish: `~/.config/fish/completions/appliance.fish`).
From another machine: [the API](api.md#the-command-line-from-another-machine).
"""


def manual() -> str:
    """The text."""
    group: Any = typer.main.get_command(app)
    parts = [BEGINNING, "## Before the command\n", *_parameters(group)]
    for words, command in _commands(group, ()):
        parts += _described(words, command)
    return "\n".join(parts) + "\n"


def _commands(command: Any, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    if not hasattr(command, "commands"):
        yield words, command
        return
    for name, below in command.commands.items():
        yield from _commands(below, (*words, name))


def _described(words: tuple[str, ...], command: Any) -> list[str]:
    name = " ".join(words)
    arguments = " ".join(_argument(one) for one in command.params if one.param_type_name == "argument")
    usage = f"appliance {name} {arguments}".strip()
    said = [f"\n## {name}\n", " ".join((command.help or "").split()), f"\n    {usage} [OPTIONS]"]
    parameters = _parameters(command)
    example = [f"\nExample: `{EXAMPLES[name]}`"] if name in EXAMPLES else []
    return [*said, *(["", *parameters] if parameters else []), *example]


def _argument(parameter: Any) -> str:
    name = str(parameter.metavar or parameter.name).upper()
    return name if parameter.required else f"[{name.strip('[]')}]"


def _parameters(command: Any) -> list[str]:
    return [_parameter(one) for one in command.params if not getattr(one, "hidden", False) and one.name != "help"]


def _parameter(parameter: Any) -> str:
    names = parameter.opts if parameter.param_type_name == "option" else [_argument(parameter)]
    names = [*names, *getattr(parameter, "secondary_opts", [])]
    needed = " Needed." if parameter.required and parameter.param_type_name == "option" else ""
    return f"- `{' / '.join(names)}` {' '.join((parameter.help or '').split())}{needed}".rstrip()


if __name__ == "__main__":
    print(manual(), end="")
