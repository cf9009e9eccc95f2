"""Single tables of a recovery point come back beside the live ones."""

from typing import Any

import pytest

from tests.support.backup_world import Run, World

SCHEMA = "restored_20261123_0105"
ODD = 'Odd "name" O\'Brien'


@pytest.fixture
def deals(world: World) -> World:
    """A point of a database with all that a table may depend on: types, a domain, an identity, what is generated, another table."""
    world.cluster.sql(
        "tb_live",
        "set role crm",
        "create type mood as enum ('glad', 'sad')",
        "create function is_short(text) returns boolean language sql as 'select length($1) < 20'",
        "create domain short as text check (is_short(value))",
        "create table deal (id int generated always as identity primary key, contact_id int references contact, mood mood default 'glad',"
        " title short, total numeric, doubled numeric generated always as (total * 2) stored, tags text[])",
        "insert into deal (contact_id, title, total, tags)"
        " select n, 'deal ' || n, n, array['a', null, 'c,d'] from generate_series(1, 50) n",
        """create table "Odd ""name"" O'Brien" ("select" int)""",
        """insert into "Odd ""name"" O'Brien" values (1), (2)""",
        "create schema old",
        "create table old.contact (name text)",
        "insert into old.contact values ('before')",
        "create function shout() returns trigger language plpgsql as 'begin raise exception ''shouted''; end'",
    )
    assert world.backup("p1").code == 0
    world.cluster.sql("tb_live", "create trigger shouting before insert on contact for each row execute function shout()")
    world.cluster.sql("tb_live", "delete from deal", "update contact set name = 'overwritten' where id <= 10")
    return world


def restored(world: World, *tables: str, **changes: Any) -> Run:
    spec = {
        "point": "p1",
        "crm": "demo",
        "tables": list(tables),
        "database": world.cluster.spec("tb_live"),
        "role": "crm",
        "schema_name": SCHEMA,
        "scratch": "crm_tables_7",
    }
    return world.run("restore-tables", **{**spec, **changes})


def databases(world: World) -> int:
    return int(world.cluster.answer("postgres", "select count(*) from pg_database where datname like 'crm\\_tables%'"))


def schemas(world: World) -> str:
    return str(
        world.cluster.answer("tb_live", "select string_agg(nspname, ' ' order by nspname) from pg_namespace where nspname !~ '^pg_'")
    )


def test_the_tables_that_a_point_holds_are_listed(deals: World) -> None:
    assert set(deals.run("tables", point="p1").last["tables"]) == {ODD, "contact", "deal", "old.contact"}


def test_tables_come_back_beside_the_live_ones_which_stay_as_they_are(deals: World) -> None:
    live = deals.cluster.answer("tb_live", "select md5(string_agg(c::text, '|' order by id)) from contact c")
    run = restored(deals, "contact", "deal", ODD)
    assert run.code == 0, run
    assert (run.last["schema"], run.last["rows"]) == (SCHEMA, {"contact": 300, "deal": 50, ODD: 2})
    assert deals.cluster.answer("tb_live", "select md5(string_agg(c::text, '|' order by id)) from contact c") == live
    changed = "select count(*) from contact c join restored_20261123_0105.contact r using (id) where c.name <> r.name"
    assert deals.cluster.answer("tb_live", changed) == 10
    deal = "select (id, mood, title, total, doubled, tags)::text from restored_20261123_0105.deal where id = 7"
    assert deals.cluster.answer("tb_live", deal) == '(7,glad,"deal 7",7,14,"{a,NULL,""c,d""}")'
    assert databases(deals) == 0


def test_rows_can_be_copied_back_by_sql(deals: World) -> None:
    assert restored(deals, "deal").code == 0
    deals.cluster.sql(
        "tb_live",
        "insert into deal (id, contact_id, mood, title, total, tags) overriding system value"
        " select id, contact_id, mood, title, total, tags from restored_20261123_0105.deal",
    )
    assert deals.cluster.answer("tb_live", "select count(*) from deal") == 50
    deals.cluster.sql("tb_live", f"drop schema {SCHEMA} cascade")
    assert schemas(deals) == "information_schema old public"


def test_tables_of_one_name_are_told_apart_by_their_schemas(deals: World) -> None:
    run = restored(deals, "public.contact", "old.contact")
    assert run.last["rows"] == {"public_contact": 300, "old_contact": 1}


@pytest.mark.parametrize("name", ["none", "contact; drop table contact", "--help", "Contact"])
def test_an_unknown_table_is_refused_with_those_that_there_are(deals: World, name: str) -> None:
    run = restored(deals, "deal", name)
    assert (run.code, run.last["code"]) == (1, "table_missing")
    for part in (repr(name), "contact, deal", "old.contact", "The live database is as it was."):
        assert part in run.said
    assert (databases(deals), schemas(deals)) == (0, "information_schema old public")


def test_a_schema_that_is_there_is_never_written_into_unless_it_is_this_runs_own(deals: World) -> None:
    assert restored(deals, "deal").code == 0
    deals.cluster.sql("tb_live", "delete from restored_20261123_0105.deal")
    refused = restored(deals, "deal")
    assert (refused.code, refused.last["code"], databases(deals)) == (1, "restore_failed", 0)
    assert deals.cluster.answer("tb_live", "select count(*) from restored_20261123_0105.deal") == 0
    assert restored(deals, "deal", again=True).last["rows"] == {"deal": 50}


def test_a_type_that_the_live_database_has_no_longer_leaves_it_as_it_was(deals: World) -> None:
    deals.cluster.sql("tb_live", "drop table deal", "drop type mood")
    run = restored(deals, "deal", "contact")
    assert (run.code, run.last["code"]) == (1, "restore_failed")
    assert "mood" in run.said
    assert (databases(deals), schemas(deals)) == (0, "information_schema old public")


def test_what_the_crms_role_has_written_never_runs_as_an_administrator(deals: World) -> None:
    as_whom = "create or replace function is_short(text) returns boolean language sql as 'select current_user = ''crm'''"
    deals.cluster.sql("tb_live", "set role crm", as_whom)
    assert deals.backup("p2").code == 0
    assert restored(deals, "deal", point="p2").code == 0


def test_a_point_without_a_dump_says_so(deals: World) -> None:
    assert deals.backup("p3", database=None).code == 0
    run = deals.run("tables", point="p3")
    assert (run.code, run.last["code"]) == (1, "part_missing")
