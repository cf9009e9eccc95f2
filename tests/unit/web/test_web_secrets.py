"""The page of the secrets, and the same by the API: nothing of a secret is ever shown, and who replaces one is asked who it is."""

from appliance.operations.channels import add_channel
from appliance.operations.repositories import add_repository
from appliance.web.confirming import LASTS
from tests.support.web_world import NOON, PASSWORD, Browser, PanelWorld, add_sales

OLD, NEW = "json://127.0.0.1/old-hush", "json://127.0.0.1/new-hush"


def furnish(world: PanelWorld) -> None:
    appliance = world.appliance
    appliance.store.vault.put("sales", "admin_password", "hush")
    add_channel(appliance, name="ops", url=OLD, requested_by="Alice", now=NOON)
    place = "rest:https://127.0.0.1:1/crm/"
    add_repository(appliance, name="offsite", location=place, secrets={"RESTIC_REST_PASSWORD": "hush"}, requested_by="Alice", now=NOON)


def test_the_page_names_every_secret_and_shows_none(world: PanelWorld, alice: Browser) -> None:
    furnish(world)
    page = alice.get("/secrets").text
    for text in ("admin_password", "<code>RESTIC_REST_PASSWORD</code>", "ssh_key", "/secrets/channel/ops", "/secrets/repository/offsite"):
        assert text in page
    assert ("hush" in page, "/secrets/crm" in page, "so none is replaced here" in page) == (False, False, True)


def test_many_owners_are_shown_a_page_at_a_time_and_found_by_name(world: PanelWorld, alice: Browser) -> None:
    for number in range(60):
        add_sales(world.appliance, name=f"crm-{number}", slot=number + 1)
        world.appliance.store.vault.put(f"crm-{number}", "admin_password", "hush")
    assert (alice.get("/secrets").text.count("admin_password"), alice.get("/secrets?page=2").text.count("admin_password")) == (39, 21)
    assert alice.get("/secrets?q=crm-59").text.count("admin_password") == 1
    program = world.program_of("Alice")
    first = program.get("/api/v1/secrets?limit=50")
    assert (len(first.json()), len(program.get(first.links["next"]["url"]).json())) == (50, 11)


def test_a_channels_address_is_replaced_by_whoever_has_shown_who_it_is(world: PanelWorld, alice: Browser) -> None:
    furnish(world)
    world.moment += LASTS
    asked = alice.post("/secrets/channel/ops", {"url": NEW})
    assert (asked.status_code, world.appliance.store.vault.get("channel:ops", "url")) == (401, OLD)
    assert alice.post("/secrets/channel/ops", {"url": NEW, "own_password": PASSWORD}).headers["location"] == "/secrets?done=channel:ops"
    assert world.appliance.store.vault.get("channel:ops", "url") == NEW
    assert "It was replaced" in alice.get("/secrets?done=channel:ops").text


def test_a_refusal_is_shown_with_nothing_of_what_was_typed(world: PanelWorld, alice: Browser) -> None:
    furnish(world)
    answer = alice.post("/secrets/channel/ops", {"url": "hush://x"})
    assert (answer.status_code, "This is no address" in answer.text, "hush" in answer.text) == (422, True, False)
    assert "Say what it is to be asked with" in alice.post("/secrets/repository/offsite", {"ssh_key": " "}).text
    assert world.appliance.store.vault.get("channel:ops", "url") == OLD


def test_what_nobody_sets_has_no_form(world: PanelWorld, alice: Browser) -> None:
    furnish(world)
    for address in ("/secrets/crm/sales", "/secrets/repository/local", "/secrets/webhook/desk", "/secrets/login-provider/login-provider"):
        assert (alice.get(address).status_code, alice.post(address, {"url": NEW}).status_code) == (404, 404), address
    assert world.appliance.store.vault.get("sales", "admin_password") == "hush"


def test_a_program_lists_and_replaces_and_is_told_no_value(world: PanelWorld) -> None:
    furnish(world)
    program = world.program_of("Alice")
    listed = program.get("/api/v1/secrets")
    found = {(one["kind"], one["owner"]): one["can_replace"] for one in listed.json()}
    assert (found["channel", "ops"], found["crm", "sales"], "hush" in listed.text) == (True, False, False)
    assert program.post("/api/v1/secrets/channel/ops", json={"secrets": {"url": NEW}}).status_code == 204
    assert world.appliance.store.vault.get("channel:ops", "url") == NEW
    refused = program.post("/api/v1/secrets/crm/sales", json={"secrets": {"admin_password": "mine"}})
    assert (refused.status_code, "so none is replaced here" in refused.json()["detail"]) == (422, True)
    assert world.appliance.store.audit.list(limit=1)[0].action == "replace secret"
