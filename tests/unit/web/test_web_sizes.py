"""A budget for what a first visit transfers: each page with its style sheets and scripts, compressed as they are sent."""

import re
from urllib.parse import urlsplit

import pytest

from appliance.domain.operation import OperationStatus
from tests.support.doors import ADMINISTRATORS_FORMS, ADMINISTRATORS_LOOKS, OPERATORS_FORMS, SEEN_BY_ALL, fill
from tests.support.web_world import NOON, Browser, PanelWorld, add_sales, end_operation, run_operation

MOST_BYTES = 150_000
PAGES = [*SEEN_BY_ALL, *OPERATORS_FORMS, *ADMINISTRATORS_FORMS, *ADMINISTRATORS_LOOKS, "/login", "/status"]
PARTS = re.compile(r'(?:src|href)="(/assets/[^"]+)"')
COMPRESSED = {"Accept-Encoding": "gzip"}


def sent_bytes(browser: Browser, address: str) -> int:
    answer = browser.get(address, **COMPRESSED)
    return int(answer.headers.get("content-length", len(answer.content)))


@pytest.fixture
def much(world: PanelWorld) -> PanelWorld:
    """A dozen CRMs, and an operation with a long log."""
    world.appliance.store.instances.publish("sales", wanted=True, by="Alice", now=NOON)
    for number in range(1, 12):
        add_sales(world.appliance, name=f"crm-{number}", slot=number)
        world.appliance.store.instances.publish(f"crm-{number}", wanted=True, by="Alice", now=NOON)
    operation = run_operation(world.appliance)
    text = "\n".join(f"TASK [release : Build the release {number}] ok: {hash(str(number))}" for number in range(3_000))
    world.appliance.store.logs.add(operation.id, text, step="build", now=NOON)
    end_operation(world.appliance, operation.id, OperationStatus.SUCCEEDED)
    return world


def first_paint_bytes(browser: Browser, address: str) -> int:
    page = browser.get(address, **COMPRESSED)
    if not page.headers.get("content-type", "").startswith("text/html"):
        return 0
    parts = set(PARTS.findall(page.text))
    assert len(parts) >= 3, address
    return sent_bytes(browser, address) + sum(sent_bytes(browser, urlsplit(part).path) for part in parts)


def test_the_first_paint_of_every_page_transfers_little(much: PanelWorld) -> None:
    alice = much.browser_of("Alice")
    sizes = {address: first_paint_bytes(alice, fill(address)) for address in PAGES}
    assert len([size for size in sizes.values() if size]) > 30
    assert {address: size for address, size in sizes.items() if size > MOST_BYTES} == {}


def test_a_page_is_compressed_for_who_understands_it_and_says_so(alice: Browser) -> None:
    compressed, plain = alice.get("/", **COMPRESSED), alice.get("/", **{"Accept-Encoding": "identity"})
    assert (compressed.headers["content-encoding"], "content-encoding" in plain.headers) == ("gzip", False)
    assert compressed.headers["vary"] == plain.headers.get("vary", "Accept-Encoding") == "Accept-Encoding"
    assert int(compressed.headers["content-length"]) < len(plain.content) / 2
    assert len(compressed.text) == len(plain.text)


def test_a_stream_is_not_compressed(much: PanelWorld) -> None:
    answer = much.browser_of("Victor").get("/operations/1/stream", **COMPRESSED)
    assert ("content-encoding" in answer.headers, answer.headers["content-type"].partition(";")[0]) == (False, "text/event-stream")
