"""The command line: a verb with a JSON spec on standard input, or flags for an administrator whose panel is dead."""

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from backup.failures import InvalidSpec
from backup.lent import taken_into_memory
from backup.spec import (
    BackupSpec,
    CheckSpec,
    CompareSpec,
    CopySpec,
    FetchSpec,
    ForgetSpec,
    InitSpec,
    InspectSpec,
    KeepSpec,
    KeptSpec,
    KeySpec,
    LeftoversSpec,
    PointsSpec,
    RepositoryVerb,
    RestoreSpec,
)
from backup.spec_files import FilesSpec, PreviewSpec, PutSpec, ReadSpec, RestoreTablesSpec, TablesSpec
from backup.spec_log import BaseSpec, BasesSpec, RecoverSpec, RelaySpec, ReplaySpec, ShipSpec, StreamSpec

AnySpec = RepositoryVerb | InspectSpec

SPECS: dict[str, type[AnySpec]] = {
    "init": InitSpec,
    "backup": BackupSpec,
    "points": PointsSpec,
    "restore": RestoreSpec,
    "files": FilesSpec,
    "read": ReadSpec,
    "preview": PreviewSpec,
    "put": PutSpec,
    "tables": TablesSpec,
    "restore-tables": RestoreTablesSpec,
    "inspect": InspectSpec,
    "forget": ForgetSpec,
    "check": CheckSpec,
    "compare": CompareSpec,
    "leftovers": LeftoversSpec,
    "copy": CopySpec,
    "base": BaseSpec,
    "bases": BasesSpec,
    "stream": StreamSpec,
    "ship": ShipSpec,
    "relay": RelaySpec,
    "recover": RecoverSpec,
    "replay": ReplaySpec,
    "keep": KeepSpec,
    "kept": KeptSpec,
    "fetch": FetchSpec,
    "key": KeySpec,
}
WITH_FLAGS = {
    "points": "list the recovery points",
    "check": "check the repository",
    "restore": "restore a recovery point into an empty database and new directories",
    "inspect": "count and check-sum a database",
}
"""What an administrator whose panel is dead needs; all others are told by the panel."""
NAMED_BY = {"postgresql": ("name", "port", "socket_directory", "user"), "mariadb": ("name", "socket", "user"), "sqlite": ("file",)}
"""What the flag --database is in the spec of each engine, and which flags say where it is."""
EPILOG = "Without flags, the verb reads its specification as one JSON object from standard input."


def parse(arguments: Sequence[str]) -> tuple[str, AnySpec]:
    """Give the verb and its checked spec; raises `InvalidSpec` with what is wrong."""
    verb = arguments[0] if arguments else ""
    if len(arguments) == 1 and verb in SPECS:
        return verb, _checked(SPECS[verb], taken_into_memory(sys.stdin.read()))
    flags = vars(_parser().parse_args(arguments))
    return verb, _checked(SPECS[verb], _spec_from(verb, flags))


def _checked(kind: type[AnySpec], spec: str | dict[str, Any]) -> AnySpec:
    try:
        return kind.model_validate_json(spec) if isinstance(spec, str) else kind.model_validate(spec)
    except ValidationError as error:
        raise InvalidSpec(f"The request is not valid: {sentence_of(error)}. Nothing was started.") from None


def sentence_of(error: ValidationError) -> str:
    """Say what is wrong with a spec without repeating its values."""
    return "; ".join(f"{'.'.join(str(part) for part in one['loc']) or 'spec'}: {one['msg']}" for one in error.errors())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m backup", description="Recovery points of CRMs, kept by restic.", epilog=EPILOG)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    points, check, restore, inspect = (verbs.add_parser(name, help=text) for name, text in WITH_FLAGS.items())
    for name in [verb for verb in SPECS if verb not in WITH_FLAGS]:
        verbs.add_parser(name, help=SPECS[name].__doc__)
    _repository_flags(points, check, restore)
    for one in (points, restore):
        one.add_argument("--crm", metavar="NAME")
    _database_flags(restore, required=False)
    _database_flags(inspect, required=True)
    _restore_flags(restore)
    check.add_argument("--read-data", action="store_true", help="read all data too")
    check.add_argument("--read-data-subset", metavar="N/T", help="read part N of T of the data")
    inspect.add_argument("--count", action="append", default=[], metavar="NAME=SQL")
    inspect.add_argument("--checksum", action="append", default=[], metavar="NAME=SQL")
    return parser


def _repository_flags(*verbs: argparse.ArgumentParser) -> None:
    for verb in verbs:
        verb.add_argument("--repository", required=True, metavar="DIR")
        verb.add_argument("--password-file", required=True, metavar="FILE")


def _database_flags(verb: argparse.ArgumentParser, *, required: bool) -> None:
    verb.add_argument("--engine", choices=sorted(NAMED_BY), default="postgresql")
    verb.add_argument("--database", required=required, metavar="NAME", help="its name, or the file that it is (sqlite)")
    verb.add_argument("--port", type=int, default=5432)
    verb.add_argument("--socket-directory", default="/var/run/postgresql", metavar="DIR")
    verb.add_argument("--socket", default="/run/mysqld/mysqld.sock", metavar="FILE", help="of MariaDB's server")
    verb.add_argument("--user", help="who to connect as (default: postgres, or MariaDB's root)")


def _restore_flags(restore: argparse.ArgumentParser) -> None:
    restore.add_argument("--point", required=True, metavar="ID")
    restore.add_argument("--role", metavar="ROLE", help="owner of what is restored into the database")
    restore.add_argument("--owner", metavar="USER", help="system user that shall own the restored files")
    restore.add_argument("--files", action="append", default=[], metavar="SOURCE=TARGET")


def _spec_from(verb: str, flags: dict[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = {}
    if "repository" in flags:
        spec["repository"] = {"location": flags["repository"], "password_file": flags["password_file"]}
    if flags.get("database"):
        named, *where = NAMED_BY[flags["engine"]]
        spec["database"] = {"engine": flags["engine"], named: flags["database"], **{name: flags[name] for name in where if flags[name]}}
    if verb == "restore":
        spec["files"] = pairs(flags["files"]) or None
    if verb == "inspect":
        spec |= {"counts": pairs(flags["count"]), "checksums": pairs(flags["checksum"])}
    plain = ("crm", "point", "role", "owner", "read_data", "read_data_subset")
    return spec | {name: flags[name] for name in plain if name in flags}


def pairs(words: Sequence[str]) -> dict[str, str]:
    """Split NAME=VALUE words at their first equals sign; raises `InvalidSpec`.

    >>> pairs(["contacts=select 1 where 1=1"])
    {'contacts': 'select 1 where 1=1'}
    """
    if bad := [word for word in words if "=" not in word]:
        raise InvalidSpec(f"{bad[0]} is not of the form NAME=VALUE. Nothing was started.")
    return {name: value for name, _, value in (word.partition("=") for word in words)}
