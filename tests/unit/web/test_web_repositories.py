"""Repositories elsewhere and the recovery kit, for people and for programs."""

import pytest

from tests.support.web_world import NOON, Browser, PanelWorld

REST = "rest:https://nas.example.org:8000/crm/"
WANTED = {"name": "offsite", "kind": "rest", "location": REST, "RESTIC_REST_PASSWORD": "no secret of anybody", "ssh_key": ""}


def test_an_administrator_adds_one_and_its_secrets_are_shown_nowhere(world: PanelWorld, alice: Browser) -> None:
    assert "Recovery points lie on their CRM" in alice.get("/backups").text
    assert alice.post("/repositories/add", WANTED).headers["Location"] == "/backups"
    assert world.appliance.store.vault.get("repository:offsite", "credential-RESTIC_REST_PASSWORD") == "no secret of anybody\n"
    page = alice.get("/backups").text
    assert REST in page
    assert "kit unproven" in page
    assert alice.post("/repositories/offsite/remove").status_code == 303
    assert world.appliance.store.repositories.list() == []


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [("name", "local", "is taken"), ("location", "/srv", "is no place for a repository"), ("location", "sftp://a@b//c", "By SFTP")],
)
def test_what_cannot_be_is_said_and_secrets_are_typed_again(world: PanelWorld, alice: Browser, field: str, value: str, said: str) -> None:
    refused = alice.post("/repositories/add", WANTED | {field: value})
    assert (refused.status_code, said in refused.text) == (422, True)
    assert "no secret of anybody" not in refused.text
    assert world.appliance.store.repositories.list() == []


def test_the_kit_is_shown_on_demand_and_the_audit_remembers(world: PanelWorld, alice: Browser) -> None:
    assert alice.post("/repositories/add", WANTED).status_code == 303
    early = alice.post("/repositories/kit", {"as": "page"})
    assert (early.status_code, "no backup has reached one yet" in early.text) == (409, True)
    world.appliance.store.repositories.keep_state("offsite", now=NOON)
    assert "state_key" not in alice.get("/repositories/kit").text
    assert "state_key" in alice.post("/repositories/kit", {"as": "page"}).text
    file = alice.post("/repositories/kit", {"as": "file"})
    assert "attachment" in file.headers["Content-Disposition"]
    assert f'location = "{REST}"' in file.text
    with world.appliance.store.database.engine.connect() as connection:
        audited = connection.exec_driver_sql("SELECT actor, action FROM audit").all()
    assert audited.count(("Alice", "show recovery kit")) == 2


def test_a_program_does_the_same(world: PanelWorld) -> None:
    program = world.program_of("Alice")
    added = program.post("/api/v1/repositories", json={"name": "offsite", "location": REST, "secrets": {"RESTIC_REST_PASSWORD": "s"}})
    assert (added.status_code, added.json()["state_kept_at"]) == (201, None)
    assert program.post("/api/v1/recovery-kit").status_code == 409
    world.appliance.store.repositories.keep_state("offsite", now=NOON)
    assert program.get("/api/v1/repositories").json()[0]["state_kept_at"] is not None
    assert "state_key" in program.post("/api/v1/recovery-kit").json()["text"]
    assert world.program_of("Oscar").post("/api/v1/recovery-kit").status_code == 403
    assert program.delete("/api/v1/repositories/offsite").status_code == 204
    assert program.delete("/api/v1/repositories/offsite").status_code == 404


KEEPER = {"location": "rest:https://nas.example.org:8001/crm/", "keep": "daily=7 weekly=4", "RESTIC_REST_PASSWORD": "for removing"}


def test_an_administrator_says_what_is_kept_elsewhere_and_takes_it_back(world: PanelWorld, alice: Browser) -> None:
    store = world.appliance.store
    alice.post("/repositories/add", WANTED)
    assert 'value="daily=7 weekly=4 monthly=12"' in alice.get("/repositories/offsite/retention").text
    assert alice.post("/repositories/offsite/retention", KEEPER).headers["Location"] == "/backups"
    assert store.repositories.get("offsite").retention == {"location": KEEPER["location"], "keep": {"daily": 7, "weekly": 4}}
    assert store.vault.all("retention:offsite") == {"credential-RESTIC_REST_PASSWORD": "for removing\n"}
    assert "keeps daily=7 weekly=4" in alice.get("/backups").text
    page = alice.get("/repositories/offsite/retention").text
    assert ("nas.example.org:8001" in page, "for removing" in page) == (True, False)
    assert alice.post("/repositories/offsite/retention", {"off": "yes"}).status_code == 303
    assert (store.repositories.get("offsite").retention, store.vault.all("retention:offsite")) == (None, {})


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"keep": "often"}, "does not say what to keep"),
        ({"keep": "daily=0"}, "would keep no recovery point at all"),
        ({"location": "/srv"}, "is no place for a repository"),
        ({"RESTIC_REST_PASSWORD": ""}, "credentials of its own"),
        ({"RESTIC_REST_PASSWORD": WANTED["RESTIC_REST_PASSWORD"]}, "credentials of its own"),
    ],
)
def test_what_cannot_be_kept_elsewhere_is_said(world: PanelWorld, alice: Browser, changed: dict[str, str], said: str) -> None:
    alice.post("/repositories/add", WANTED)
    refused = alice.post("/repositories/offsite/retention", KEEPER | changed)
    assert (refused.status_code, said in refused.text, "for removing" in refused.text) == (422, True, False)
    assert world.appliance.store.repositories.get("offsite").retention is None


def test_a_program_says_what_is_kept_elsewhere(world: PanelWorld) -> None:
    program, address = world.program_of("Alice"), "/api/v1/repositories/offsite/retention"
    wanted = {"keep": {"daily": 7}, "secrets": {"RESTIC_REST_PASSWORD": "for removing"}}
    assert program.post(address, json=wanted).status_code == 404
    program.post("/api/v1/repositories", json={"name": "offsite", "location": REST, "secrets": {"RESTIC_REST_PASSWORD": "s"}})
    for wrong in ({"often": 1}, {"daily": -1}, {}):
        assert program.post(address, json=wanted | {"keep": wrong}).status_code == 422
    assert program.post(address, json=wanted).json()["retention"] == {"location": REST, "keep": {"daily": 7}}
    assert program.delete(address).status_code == 204
    assert program.get("/api/v1/repositories").json()[0]["retention"] is None
    assert world.appliance.store.vault.all("retention:offsite") == {}
