"""The settings of a CRM on its pages: the form, what would change, and every refusal beside its field."""

from appliance.domain.closure import Closure
from tests.support.web_world import NOON, Browser, PanelWorld

FORM = "/instances/sales/configure"
AS_IT_IS = {"setting.language": "en", "setting.time_zone": "UTC"}


def test_a_change_is_shown_before_it_is_requested(world: PanelWorld, oscar: Browser) -> None:
    assert "<option selected>en</option>" in oscar.get(FORM).text
    shown = oscar.post(f"{FORM}/preview", {**AS_IT_IS, "setting.time_zone": "Europe/Helsinki"})
    assert (shown.status_code, world.operations()) == (200, [])
    assert '<th scope="row">Time zone</th><td>UTC</td><td><strong>Europe/Helsinki</strong></td>' in shown.text
    assert '<th scope="row">Language</th>' not in shown.text
    assert "The way back to 2.7.12 stays, with the new settings." in shown.text
    assert oscar.post(FORM, {"setting.time_zone": "Europe/Helsinki"}).status_code == 303
    (operation,) = world.operations()
    assert (operation.kind, operation.parameters) == ("configure", {"settings": {"time_zone": "Europe/Helsinki"}})
    assert "<dd>Europe/Helsinki</dd>" in oscar.get(f"/operations/{operation.id}").text


def test_what_does_not_fit_is_said_beside_its_field_and_what_was_typed_stays(world: PanelWorld, oscar: Browser) -> None:
    for address in (FORM, f"{FORM}/preview"):
        refused = oscar.post(address, {"setting.language": "fr", "setting.time_zone": "<b>moon</b>"})
        assert (refused.status_code, 'value="&lt;b&gt;moon&lt;/b&gt;"' in refused.text) == (422, True)
        assert (
            '<div class="invalid-feedback" role="alert">Time zone does not have the expected form. Nothing was changed.</div>'
            in refused.text
        )
        assert "<option selected>fr</option>" in refused.text
    assert world.operations() == []


def test_nothing_to_change_and_nothing_known_are_refused(world: PanelWorld, oscar: Browser) -> None:
    for address in (FORM, f"{FORM}/preview"):
        same = oscar.post(address, AS_IT_IS)
        assert (same.status_code, "These are its settings already" in same.text) == (409, True)
        unknown = oscar.post(address, {"setting.colour": "red"})
        assert (unknown.status_code, "There is no setting" in unknown.text) == (422, True)
    empty = oscar.post(f"{FORM}/preview", {**AS_IT_IS, "setting.time_zone": ""})
    assert (empty.status_code, "Time zone does not have the expected form" in empty.text) == (422, True)
    assert world.operations() == []


def test_a_closed_crm_keeps_its_settings(world: PanelWorld, oscar: Browser) -> None:
    world.appliance.store.instances.close("sales", Closure(message="Stocktaking.", by="Alice", at=NOON))
    for address in (FORM, f"{FORM}/preview"):
        refused = oscar.post(address, {"setting.language": "fr"})
        assert (refused.status_code, "closed for maintenance by Alice" in refused.text, world.operations()) == (409, True, [])


def test_the_page_of_the_crm_leads_there_and_shows_defaults_too(oscar: Browser, victor: Browser) -> None:
    page = oscar.get("/instances/sales").text
    assert f'href="{FORM}"' in page
    assert "<dt>Time zone</dt><dd>UTC</dd>" in page
    assert FORM not in victor.get("/instances/sales").text


def test_a_program_learns_what_can_be_set_and_sets_it(world: PanelWorld) -> None:
    oscar = world.program_of("Oscar")
    settings = {one["id"]: one["settings"] for one in oscar.get("/api/v1/products").json()}
    assert [(one["name"], one["fixed"]) for one in settings["creme"]] == [("language", False), ("time_zone", False)]
    assert [(one["name"], one["fixed"]) for one in settings["tryton"]] == [("language", True)]
    body = {"kind": "configure", "instance": "sales", "parameters": {"settings": {"language": "fr"}}}
    assert oscar.post("/api/v1/operations", json=body).status_code == 202
    assert world.operations()[0].parameters == {"settings": {"language": "fr"}}
    wrong = oscar.post("/api/v1/operations", json={**body, "parameters": {"settings": {"language": 7}}})
    assert (wrong.status_code, wrong.json()["field"]) == (422, "language")
