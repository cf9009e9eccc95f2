"""Nothing that a caller names can become an option, another path or another tag."""

import string
from typing import Any, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from backup.__main__ import action_of
from backup.command_line import SPECS, parse
from backup.failures import InvalidSpec
from backup.spec import BackupSpec, RestoreSpec
from backup.spec_values import CrmName, Path_, PointId, SqlName

REPOSITORY = {"location": "/srv/repository", "password_file": "/srv/password"}
DATABASE = {"engine": "postgresql", "name": "crm", "port": 5440, "socket_directory": "/run/demo", "user": "postgres"}


def backup_spec(**changes: Any) -> BackupSpec:
    return BackupSpec.model_validate({"repository": REPOSITORY, "crm": "demo", "point": "0001-12", "database": DATABASE} | changes)


@pytest.mark.parametrize(
    "path", ["--password-command=sh", "relative", "/", "//x", "/a/../b", "/a/", "/a//b", "/a/./b", "/a\nb", "/a\0b", ""]
)
def test_a_path_must_be_absolute_and_normalised(path: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Path_).validate_python(path)


@given(st.text(alphabet=string.printable, max_size=30))
def test_an_accepted_name_is_never_an_option_and_holds_nothing_that_splits(name: str) -> None:
    for kind in (CrmName, PointId, SqlName):
        try:
            accepted = TypeAdapter(kind).validate_python(name)
        except ValidationError:
            continue
        assert not accepted.startswith("-")
        assert not set(accepted) & set(" \t\r\n\v\f,=/:'\"\\$;|&")


@pytest.mark.parametrize("name", ["a=b", "host=evil", "crm\n", "-d", "crm'--"])
def test_a_database_name_is_never_a_connection_string(name: str) -> None:
    with pytest.raises(ValidationError):
        backup_spec(database={**DATABASE, "name": name})


def test_facts_to_keep_may_not_pass_for_what_is_measured() -> None:
    with pytest.raises(ValidationError, match="counts, id"):
        backup_spec(record={"id": "7", "counts": {}, "release": "2.7.13"})


def test_unknown_fields_are_refused() -> None:
    with pytest.raises(ValidationError, match="Extra inputs"):
        backup_spec(databse=DATABASE)


def test_a_restore_of_a_database_needs_the_role_that_shall_own_it() -> None:
    with pytest.raises(ValidationError, match="role"):
        RestoreSpec.model_validate({"repository": REPOSITORY, "point": "p1", "database": DATABASE})


@pytest.mark.parametrize("targets", [("/new", "/new"), ("/new/deep", "/new")])
def test_trees_are_not_restored_into_each_other(targets: tuple[str, str]) -> None:
    with pytest.raises(ValidationError, match="no target"):
        RestoreSpec.model_validate({"repository": REPOSITORY, "point": "p1", "files": dict(zip(("/a", "/b"), targets, strict=True))})


def test_flags_say_the_same_as_a_specification() -> None:
    flags = ["restore", "--repository", "/srv/repository", "--password-file", "/srv/password", "--point", "p1", "--role", "crm"]
    more = ["--database", "crm", "--port", "5440", "--socket-directory", "/run/demo", "--files", "/a=/b"]
    expected = {"repository": REPOSITORY, "point": "p1", "database": DATABASE, "role": "crm", "files": {"/a": "/b"}}
    assert parse([*flags, *more]) == ("restore", RestoreSpec.model_validate(expected))


def test_flags_are_checked_like_a_specification() -> None:
    with pytest.raises(InvalidSpec, match=r"repository\.location"):
        parse(["points", "--repository", "../elsewhere", "--password-file", "/srv/password"])


@pytest.mark.parametrize("file", ["crm.sqlite", "/srv/../etc/shadow", "/srv/crm\n.sqlite", "--file", "file:/srv/crm.sqlite?mode=rwc"])
def test_a_database_that_is_a_file_is_an_absolute_path(file: str) -> None:
    with pytest.raises(ValidationError, match=r"absolute path|control characters"):
        backup_spec(database={"engine": "sqlite", "file": file})


def test_a_role_is_refused_where_nothing_has_one() -> None:
    database = {"engine": "sqlite", "file": "/srv/crm.sqlite"}
    with pytest.raises(ValidationError, match="role"):
        RestoreSpec.model_validate({"repository": REPOSITORY, "point": "p1", "database": database, "role": "crm"})


def test_an_engine_that_is_unknown_is_refused() -> None:
    with pytest.raises(ValidationError, match="postgresql"):
        backup_spec(database={"engine": "oracle", "name": "crm"})


@pytest.mark.parametrize(
    "change", [{"name": "crm`; drop"}, {"name": "-e"}, {"user": "root --execute"}, {"socket": "relative.sock"}, {"password": "x"}]
)
def test_a_database_of_mariadb_is_named_plainly(change: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match=r"pattern|absolute path|Extra inputs"):
        backup_spec(database={"engine": "mariadb", "name": "crm", **change})


def test_only_a_dump_leads_to_a_point_of_mariadb() -> None:
    with pytest.raises(ValidationError, match="dump"):
        backup_spec(database={"engine": "mariadb", "name": "crm"}, dump=False, spool="/srv/spool")


@pytest.mark.parametrize("verb", SPECS)
def test_each_verb_has_an_action_that_takes_its_spec(verb: str) -> None:
    assert get_type_hints(action_of(verb))["spec"] is SPECS[verb]
