"""Who may take a support bundle, and that it is written down."""

import gzip

from tests.support.web_world import Browser, PanelWorld


def test_an_administrator_takes_one_and_the_audit_knows(world: PanelWorld, alice: Browser) -> None:
    assert 'href="/support/bundle"' in alice.get("/support").text
    answer = alice.get("/support/bundle")
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''crm-appliance-support-20260302-120000.tar.gz"
    assert b"crm-appliance-support/README.txt" in gzip.decompress(answer.content)
    assert world.appliance.store.audit.list(limit=1)[0].action == "support bundle"
    told = world.program_of("Alice").get("/api/v1/support-bundle")
    assert (told.status_code, told.headers["content-type"]) == (200, "application/gzip")


def test_nobody_else_does(world: PanelWorld, oscar: Browser) -> None:
    assert (oscar.get("/support").status_code, oscar.get("/support/bundle").status_code) == (403, 403)
    assert world.program_of("Oscar").get("/api/v1/support-bundle").status_code == 403
