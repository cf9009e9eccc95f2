"""Pages and calls about certificates: what they request, and what they never show."""

from datetime import UTC, datetime, timedelta

import pytest

from appliance.domain.tls import Tls, TlsMode
from tests.support.pki import make
from tests.support.web_world import NOON, Browser, PanelWorld

NOW = datetime.now(UTC)  # what is brought is examined by the clock
ROOT = make("A company's root", NOW, authority=True, days=3650)
LEAF = make("crm.example", NOW, issuer=ROOT)
SECRET = LEAF.key().splitlines()[1]


@pytest.fixture
def encrypted(world: PanelWorld) -> PanelWorld:
    tls = Tls(mode=TlsMode.PRIVATE_CA, certificate="abc", issued_at=NOON, not_after=NOON + timedelta(days=90))
    world.appliance.store.instances.protect("sales", tls)
    return world


def test_the_authority_is_given_to_everybody_who_may_look(victor: Browser, world: PanelWorld) -> None:
    answer = victor.get("/certificate-authority.pem")
    assert answer.text.startswith("-----BEGIN CERTIFICATE-----")
    assert "PRIVATE" not in answer.text
    assert world.program_of("Victor").get("/api/v1/certificate-authority").json()["certificate"] == answer.text


def test_a_crm_says_until_when_its_certificate_is_valid(encrypted: PanelWorld, victor: Browser) -> None:
    assert "2026-05-31 12:00:00 UTC" in victor.get("/instances/sales").text
    told = encrypted.program_of("Victor").get("/api/v1/instances/sales").json()
    assert (told["tls"]["mode"], told["tls"]["not_after"], told["url"][:8]) == ("private-ca", "2026-05-31T12:00:00Z", "https://")


def test_a_renewal_is_one_press(encrypted: PanelWorld, oscar: Browser) -> None:
    assert oscar.post("/instances/sales/certificate", {"action": "renew"}).status_code == 303
    assert encrypted.operations()[0].parameters["action"] == "renew"


def test_a_certificate_that_is_brought_is_requested_without_its_key(encrypted: PanelWorld, oscar: Browser) -> None:
    fields = {"action": "replace", "certificate": LEAF.pem + ROOT.pem, "key": LEAF.key()}
    assert oscar.post("/instances/sales/certificate", fields).status_code == 303
    operation = encrypted.operations()[0]
    assert (operation.parameters["action"], operation.parameters["key"]) == ("replace", None)
    for address in ("/operations/1", "/operations", "/instances/sales", "/operations/1/log.txt"):
        assert SECRET not in oscar.get(address).text
    assert SECRET not in encrypted.program_of("Oscar").get("/api/v1/operations/1").text


@pytest.mark.parametrize("address", ["/instances/sales/certificate", "/install"])
def test_a_refused_form_keeps_the_certificate_and_never_the_key(encrypted: PanelWorld, alice: Browser, address: str) -> None:
    fields = {"name": "other", "product": "creme", "tls": "own", "domain": "crm.example", "action": "replace"}
    answer = alice.post(address, fields | {"certificate": LEAF.pem, "key": LEAF.key()})
    assert (answer.status_code, "is incomplete" in answer.text) == (422, True)
    assert LEAF.pem.splitlines()[1] in answer.text
    assert SECRET not in answer.text
    assert encrypted.operations() == []


def test_the_install_form_asks_for_the_protection(world: PanelWorld, alice: Browser) -> None:
    fields = {
        "name": "other",
        "product": "creme",
        "domain": "CRM.example",
        "tls": "own",
        "certificate": LEAF.pem + ROOT.pem,
        "key": LEAF.key(),
    }
    assert alice.post("/install", fields).status_code == 303
    parameters = world.operations()[0].parameters
    assert (parameters["tls"], parameters["domain"], parameters["key"]) == ("own", "crm.example", None)


def test_a_crm_reached_by_plain_http_has_nothing_to_renew(world: PanelWorld, alice: Browser) -> None:
    assert "plain HTTP" in alice.get("/instances/sales/certificate").text
    assert alice.post("/instances/sales/certificate", {"action": "renew"}).status_code == 409
    assert world.operations() == []
