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
