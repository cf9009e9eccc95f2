"""Every page is covered in a real browser, or it is said why not: a page that is missing in the table fails a test."""

import ast
from pathlib import Path

from tests.browser.page_tests import INVALID, NO_PAGES, PAGES, REFUSED, WHO_MAY_NOT, WRONG
from tests.support.doors import GETS, fill
from tests.support.web_world import Browser, PanelWorld, run_operation

BROWSER = Path(__file__).parents[2] / "browser"


def names() -> set[str]:
    """Every browser test."""
    trees = [ast.parse(file.read_text()) for file in BROWSER.glob("test_*.py")]
    return {node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def test_every_page_is_in_the_table() -> None:
    assert {*PAGES, *NO_PAGES} == {address for address in GETS if not address.startswith("/api/")}
    assert not PAGES.keys() & NO_PAGES.keys()


def test_every_test_that_the_table_names_is_there() -> None:
    named = {name for row in PAGES.values() for name in vars(row).values() if name.startswith("test_")}
    assert named - names() == set()


def test_every_page_with_a_refusal_and_with_a_form_is_among_what_is_tried() -> None:
    assert {address for address, row in PAGES.items() if row.refused == REFUSED} == WHO_MAY_NOT.keys()
    assert {address for address, row in PAGES.items() if row.invalid == INVALID} == WRONG.keys()


def test_every_page_that_renews_itself_is_reloaded_meanwhile(world: PanelWorld, alice: Browser) -> None:
    run_operation(world.appliance)
    for address, row in PAGES.items():
        answer = alice.get(fill(address))
        if answer.status_code == 200 and ("hx-sse:connect" in answer.text or 'hx-trigger="every' in answer.text):
            assert row.reload.startswith("test_"), address
