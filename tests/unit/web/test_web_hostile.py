"""Hostile input in every field of every form, in every address, and in every text that the API takes: it is refused, or it is inert."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from httpx import Client, Response

from tests.support.doors import (
    ADMINISTRATORS_FORMS,
    ADMINISTRATORS_LOOKS,
    ALL_API_CHANGES,
    API_GETS,
    API_OWN_CHANGES,
    API_STREAMS,
    DESCRIPTION,
    OPERATORS_FORMS,
    OPERATORS_LOOKS,
    SEEN_BY_ALL,
    fill,
)
from tests.support.far_machine import FarMachine
from tests.support.hostile import ALARM, INJECTED, PRODUCT, FoundForm, form_body, forms_of, hostile_values
from tests.support.web_world import Browser, PanelWorld, run_operation

PAGES = [*SEEN_BY_ALL, *OPERATORS_FORMS, *ADMINISTRATORS_FORMS, *OPERATORS_LOOKS, *ADMINISTRATORS_LOOKS]
TOKEN, SILENT = "csrf", 504
"""Another machine does not answer: said as such, of a host that is not there."""


def expect_inert(answer: Response, what: str) -> None:
    assert answer.status_code < 500 or answer.status_code == SILENT, f"{what}: {answer.status_code} {answer.text[:300]}"
    assert INJECTED not in answer.headers, what
    assert INJECTED not in answer.headers.get("set-cookie", ""), what
    location = answer.headers.get("location", "/")
    assert location.startswith("/"), f"{what}: {location}"
    assert not location.startswith("//"), f"{what}: {location}"
    if answer.headers.get("content-type", "").startswith("text/html"):
        assert ALARM not in answer.text, what
        assert "<script>alert" not in answer.text, what
        assert PRODUCT not in answer.text, what


def send(world: PanelWorld, form: FoundForm, name: str, value: str) -> Response:
    """That form with one field changed, by an administrator who has just logged in."""
    browser = world.browser_of("Alice")
    fields = {**form.fields, name: value, TOKEN: browser.csrf}
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return browser.client.post(form.action, content=form_body(fields), headers=headers, follow_redirects=False)


def look_everywhere(browser: Browser) -> None:
    for address in PAGES:
        expect_inert(browser.get(fill(address)), f"afterwards, {address}")


@pytest.fixture
def canary(tmp_path: Path) -> Iterator[Path]:
    """A file that is there after the test only if something was executed."""
    file = tmp_path / "canary"
    yield file
    assert not file.exists()


@pytest.mark.parametrize("page", PAGES)
def test_every_field_of_every_form_is_safe(world: PanelWorld, machine: FarMachine, canary: Path, page: str) -> None:
    del machine  # it stands in the way of ssh
    run_operation(world.appliance)
    answer = world.browser_of("Alice").get(fill(page))
    for form in forms_of(answer.text) if answer.headers.get("content-type", "").startswith("text/html") else ():
        for name in form.fields.keys() - {TOKEN}:
            for what, value in hostile_values(canary).items():
                expect_inert(send(world, form, name, value), f"{what} as {name} of {form.action}")
    look_everywhere(world.browser_of("Alice"))


def test_every_address_is_safe(world: PanelWorld, alice: Browser, canary: Path) -> None:
    run_operation(world.appliance)
    for address in PAGES:
        for what, value in hostile_values(canary).items():
            if what not in ("long", "longer"):  # no web server takes such an address
                typed = quote(value.encode(errors="surrogatepass"), safe="")
                expect_inert(alice.get(address.replace("{name}", typed).replace("{operation_id}", typed)), f"{what} in {address}")
                asked = "&".join(
                    f"{name}={typed}" for name in ("q", "instance", "kind", "status", "before", "point", "path", "page", "actor")
                )
                expect_inert(alice.get(f"{fill(address)}?{asked}"), f"{what} asked of {address}")


def texts_of(schema: Mapping[str, Any], description: Mapping[str, Any]) -> Iterator[str]:
    """The properties of a body that take text, alone or among others."""
    found = schema
    while "$ref" in found:
        found = description["components"]["schemas"][found["$ref"].rpartition("/")[2]]
    for choice in found.get("anyOf", ()):
        yield from texts_of(choice, description)
    for name, told in found.get("properties", {}).items():
        if '"string"' in json.dumps(told) or "$ref" in json.dumps(told) or told.get("type") == "object":
            yield name


def ask(program: Client, method: str, address: str, body: Mapping[str, object]) -> Response:
    return program.request(method, address, content=json.dumps(body), headers={"Content-Type": "application/json"})


def test_every_text_that_the_api_takes_is_safe(world: PanelWorld, machine: FarMachine, canary: Path) -> None:
    del machine
    run_operation(world.appliance)
    program = world.program_of("Alice")
    description = program.get(DESCRIPTION).json()
    asked = 0
    for address, example in (ALL_API_CHANGES | API_OWN_CHANGES).items():
        told = description["paths"][address]["post"].get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
        for name in {*texts_of(told, description), *example}:
            for what, value in hostile_values(canary).items():
                for shape in (value, [value], {value[:99]: value}):
                    asked += 1
                    expect_inert(ask(program, "POST", fill(address), {**example, name: shape}), f"{what} as {name} of {address}")
    assert asked > 1000
    look_everywhere(world.browser_of("Alice"))


def test_every_address_of_the_api_is_safe(world: PanelWorld, canary: Path) -> None:
    run_operation(world.appliance)
    program = world.program_of("Alice")
    description = program.get(DESCRIPTION).json()
    for address in API_GETS:
        if address in API_STREAMS:
            continue
        queries = [
            one["name"] for one in description["paths"].get(address, {}).get("get", {}).get("parameters", ()) if one["in"] == "query"
        ]
        for what, value in hostile_values(canary).items():
            if what in ("long", "longer"):
                continue
            typed = quote(value.encode(errors="surrogatepass"), safe="")
            expect_inert(program.get(address.replace("{name}", typed).replace("{operation_id}", typed)), f"{what} in {address}")
            for name in queries:
                expect_inert(program.get(f"{fill(address)}?{name}={typed}"), f"{what} as {name} of {address}")
