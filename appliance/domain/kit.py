"""The recovery kit: all that is needed, beside a repository elsewhere, to bring appliance and CRMs back on a bare machine."""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from appliance.errors import InvalidRequest

FORMAT = 1
HEAD = """\
# Recovery kit of the CRM appliance on {machine}, made {made_at:%Y-%m-%d %H:%M} UTC.
#
# Whoever has this file, and reaches a repository named in it, can read everything that is kept there: every record of every
# CRM and every password. Print it, or keep it on a stick in a safe; not on the machine that it is to bring back.
#
# When that machine is lost: on a bare Debian 12 or 13, in a clone of the appliance, as root:
#
#     bin/up --recover FILE
#
# Every repository can also be opened by hand, with restic: its location and password are below, and restic reads each
# credential from the environment variable of that name.
"""


@dataclass(frozen=True, kw_only=True)
class KitRepository:
    """One repository elsewhere: its location and the kit's own password of it, and by their names what else it is asked with."""

    location: str
    password: str
    secrets: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class RecoveryKit:
    """What opens the state that the appliance keeps in each repository elsewhere, and those repositories by name."""

    machine: str
    made_at: datetime
    state_key: str
    repositories: Mapping[str, KitRepository]


def text_of(kit: RecoveryKit) -> str:
    """The kit as a file to print or to keep, which `read_kit` reads."""
    lines = [HEAD.format(machine=kit.machine, made_at=kit.made_at), f"format = {FORMAT}"]
    lines += [f"machine = {_quoted(kit.machine)}", f"made_at = {kit.made_at.isoformat()}", f"state_key = {_quoted(kit.state_key)}"]
    for name, repository in kit.repositories.items():
        lines += ["", f"[repositories.{name}]", f"location = {_quoted(repository.location)}", f"password = {_quoted(repository.password)}"]
        lines += [f"secrets.{secret} = {_quoted(value)}" for secret, value in sorted(repository.secrets.items())]
    return "\n".join(lines) + "\n"


def read_kit(text: str) -> RecoveryKit:
    """Read the file again. Raises InvalidRequest."""
    try:
        read = _Kit.model_validate(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"]) if isinstance(error, ValidationError) else str(error)
        raise InvalidRequest(f"This is no whole recovery kit: {where}. Nothing was changed.", field="kit") from None
    if read.format > FORMAT:
        raise InvalidRequest("The recovery kit is of a newer version of the appliance. Nothing was changed; use that one.", field="kit")
    repositories = {name: KitRepository(**vars(one)) for name, one in read.repositories.items()}
    return RecoveryKit(machine=read.machine, made_at=read.made_at, state_key=read.state_key, repositories=repositories)


class _Repository(BaseModel):
    model_config = ConfigDict(extra="forbid")
    location: str
    password: str
    secrets: dict[str, str] = {}


class _Kit(BaseModel):
    model_config = ConfigDict(extra="forbid")
    format: int
    machine: str
    made_at: AwareDatetime
    state_key: str
    repositories: dict[str, _Repository]


def _quoted(value: str) -> str:
    """A string of TOML: on one line it is one of JSON, and one of several lines stays legible."""
    if "\n" not in value:
        return json.dumps(value, ensure_ascii=False)
    escaped = value.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    return f'"""\n{escaped}"""'
