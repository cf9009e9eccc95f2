"""Every page by the rules of WCAG 2.2 AA, as axe checks them: light, dark, and on a phone in the language with the longest words."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from axe_playwright_python.sync_playwright import Axe

from appliance.wiring import Appliance
from tests.browser.conftest import DESKTOP, PHONE, Visitor
from tests.browser.page_tests import PAGES
from tests.support.doors import fill
from tests.support.furnished import furnish

NEEDS_A_POINT = ["/backups/{name}/files", "/backups/{name}/files/restore", "/backups/{name}/tables"]
"""They ask a repository: test_browser_files.py."""
BEFORE = ["/login", "/login/code", "/status", "/shared/{token}"]
LOOKED_AT = [address for address in PAGES if address not in [*BEFORE, *NEEDS_A_POINT]]
WAYS = {"light": ("light", DESKTOP), "dark": ("dark", DESKTOP), "phone": ("light", PHONE)}
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
COLOURS = ["color-contrast", "link-in-text-block"]
"""What a dark page can offend against and the same page in light cannot."""


def offences(visitor: Visitor, rules: Sequence[str] = RULES) -> list[str]:
    """What axe finds on the page that is open: the rule, and where."""
    found = Axe().run(visitor.page, options={"resultTypes": ["violations"], "runOnly": list(rules)}).response["violations"]
    return [f"{one['impact']} {one['id']}: {node['html'][:160]} | {node['failureSummary'][:300]}" for one in found for node in one["nodes"]]


@pytest.mark.parametrize("way", list(WAYS))
def test_axe_finds_nothing_on_any_page(appliance: Appliance, visitor: Visitor, way: str) -> None:
    scheme, size = WAYS[way]
    visitor.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
    visitor.page.set_viewport_size(size)
    if way == "phone":
        visitor.page.set_extra_http_headers({"Accept-Language": "fi"})
    visitor.forgiven = ("504",)  # a host that does not answer
    furnish(appliance, datetime.now(UTC))
    found = {address: look(visitor, way, address) for address in ("/login", "/status")}
    visitor.enter(appliance)
    found |= {address: look(visitor, way, address) for address in LOOKED_AT}
    told = [f"{address}: {one}" for address, found_there in found.items() for one in found_there]
    assert not told, "\n".join(told)


def look(visitor: Visitor, way: str, address: str) -> list[str]:
    """What offends there; on a phone, also what scrolls sideways."""
    place = "/backups/gone/restore" if address == "/backups/{name}/restore" else fill(address)
    visitor.go(place)
    visitor.picture(f"{way}{place.replace('/', '-')}")
    found = offences(visitor, COLOURS if way == "dark" else RULES)
    wide = visitor.page.evaluate("document.documentElement.scrollWidth") - visitor.page.evaluate("window.innerWidth")
    return [*found, *([f"scrolls sideways by {wide} px"] if wide > 0 else [])]
