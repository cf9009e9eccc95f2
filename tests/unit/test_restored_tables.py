"""Single tables: which are meant, and what the schema is called that they come into."""

from datetime import UTC, datetime

import pytest

from appliance.domain.instance import RecoveryPoint
from appliance.errors import PreflightFailed
from appliance.operations.kinds.restore_tables import free_schema, require_there
from backup.engines.postgresql_tables import Table, chosen, tables_in, wanted_entries
from backup.failures import BackupFailure

LISTING = """;
; Archive created at 2026-11-23 01:05:00 UTC
2; 3079 16390 EXTENSION - pg_trgm\x20
3280; 0 0 COMMENT - EXTENSION pg_trgm\x20
640; 1247 16500 TYPE public mood crm
215; 1259 16392 TABLE public contact crm
216; 1259 16393 SEQUENCE public contact_id_seq crm
217; 1259 16394 TABLE old a name with blanks crm
3300; 0 16392 TABLE DATA public contact crm
3301; 0 16394 TABLE DATA old a name with blanks crm
3310; 0 0 SEQUENCE SET public contact_id_seq crm
"""
POINT = RecoveryPoint(id="p", instance="sales", at=datetime(2026, 11, 23, 1, 5, 59, tzinfo=UTC), repository="local", record={})


def test_the_tables_of_a_dump_are_those_with_rows_of_their_own() -> None:
    assert sorted(map(str, tables_in(LISTING))) == ["contact", "old.a name with blanks"]


def test_every_definition_is_wanted_and_the_rows_of_the_chosen_tables_alone() -> None:
    entries = wanted_entries(LISTING, [Table(schema="public", name="contact")]).splitlines()
    assert [entry.partition(";")[0] for entry in entries] == ["2", "640", "215", "216", "217", "3300"]


def test_a_table_is_meant_by_its_name_or_with_its_schema_and_once() -> None:
    there = tables_in(LISTING)
    assert [str(table) for table in chosen(["contact", "public.contact"], there)] == ["contact"]
    with pytest.raises(BackupFailure, match="no table 'none'"):
        chosen(["none"], there)


def test_the_schema_is_called_after_the_moment_of_the_point_and_is_a_new_one() -> None:
    name = "restored_20261123_0105"
    assert free_schema(POINT, {"public"}) == name
    assert free_schema(POINT, {name, f"{name}_2"}) == f"{name}_3"


def test_unknown_tables_are_refused_with_those_that_there_are() -> None:
    require_there(["contact", "public.contact", "old.deal"], ["contact", "old.deal"])
    with pytest.raises(PreflightFailed, match=r"holds no table 'deal', '--help'; it holds: contact, old\.deal"):
        require_there(["contact", "deal", "--help"], ["contact", "old.deal"])
