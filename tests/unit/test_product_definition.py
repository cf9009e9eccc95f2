"""A product definition is refused with the field named when its parts do not fit together."""

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from appliance.domain.product import ProductDefinition, json_schema
from appliance.errors import NotFound

ROOT = Path(__file__).resolve().parents[2]
STEP = {"name": "migrate", "title": "Create the tables", "command": "migrate"}
HOP = {"from": "1.0", "to": "1.1", "reversible": "data", "steps": [STEP]}
DEFINITION: dict[str, Any] = {
    "id": "tiny",
    "name": "Tiny CRM",
    "license": "MIT",
    "summary": "The smallest CRM there is.",
    "class": "deb",
    "runtime": {"kind": "native", "min": "1", "max": "9"},
    "database": {"engine": "sqlite", "min": "3"},
    "secrets": [{"name": "admin", "length": 20}, {"name": "monitor", "length": 20}],
    "releases": [
        {"version": "1.0.1", "series": "1.0", "packages": ["tiny=1.0.1"]},
        {"version": "1.1.0", "series": "1.1", "packages": ["tiny=1.1.0"]},
    ],
    "default_release": "1.1.0",
    "services": [{"name": "web", "command": "tiny serve", "serves": True}],
    "install": [STEP],
    "patch": {"reversible": "code"},
    "upgrade": {"hops": [HOP]},
    "probes": {
        "live": {"kind": "http", "path": "/"},
        "ready": {"kind": "http", "path": "/"},
        "deep": {"kind": "form_login", "path": "/login", "username": "monitor", "secret": "monitor", "final_path": "/"},
        "version_code": {"kind": "http", "path": "/", "match": "{{ release.version }}"},
    },
    "metrics": {"counts": {"contacts": "select count(*) from contact"}},
    "users": {"admin": "root", "admin_secret": "admin", "monitor": "monitor", "monitor_secret": "monitor"},
    "state": {"files": ["{{ deployment.files }}"]},
}


def test_a_small_definition_is_enough() -> None:
    definition = ProductDefinition.model_validate(DEFINITION)

    assert definition.release("1.0.1").series == "1.0"
    assert definition.install[0].success.rc == (0,)


def test_a_definition_does_not_change_after_it_was_read() -> None:
    definition = ProductDefinition.model_validate(DEFINITION)

    with pytest.raises(ValidationError, match="frozen"):
        definition.name = "Other"  # type: ignore[misc]


Change = Callable[[dict[str, Any]], object]
WRONG: list[tuple[str, Change, str]] = [
    ("an unknown field", lambda d: d.update(colour="red"), "colour"),
    ("a step that does nothing", lambda d: d["install"][0].pop("command"), "either 'command' or 'sql_file'"),
    ("a template outside the definition", lambda d: d.update(config=[_config("../etc/passwd")]), "without '..'"),
    ("an absolute template", lambda d: d.update(config=[_config("/etc/passwd")]), "without '..'"),
    ("an unquoted version", lambda d: d["releases"][0].update(version=1.1), "in quotes"),
    ("a version without an order", lambda d: d["releases"][0].update(version="1.0.one"), "put in order"),
    ("a release of another series", lambda d: d["releases"][0].update(series="2.0"), "does not belong to series 2.0"),
    ("a release without its packages", lambda d: d["releases"][0].pop("packages"), "1.0.1 lacks 'packages'"),
    ("an unlisted default", lambda d: d.update(default_release="3"), "default_release: 3 is not among the releases"),
    ("two services at the door", lambda d: d["services"].append({**d["services"][0], "name": "two"}), "exactly one service"),
    ("a hop to nowhere", lambda d: d["upgrade"]["hops"][0].update(to="2.0"), "no release belongs to series 2.0"),
    ("the same hop twice", lambda d: d["upgrade"]["hops"].append(HOP), "1.0 to 1.1 occurs 2 times"),
    ("the same release twice", lambda d: d["releases"].append(d["releases"][0]), "'1.0.1' occurs 2 times"),
    ("a secret that is not made", lambda d: d["users"].update(admin_secret="none"), "there is no secret 'none'"),
    ("a shallow deep probe", lambda d: d["probes"].update(deep={"kind": "http", "path": "/"}), "'deep' must do more"),
    ("an unknown kind of probe", lambda d: d["probes"]["live"].update(kind="smell"), "smell"),
    ("a pattern that is none", lambda d: d["probes"]["live"].update(match="("), "is no regular expression"),
]


def _config(template: str) -> dict[str, str]:
    return {"template": template, "dest": "etc/tiny.conf", "scope": "release"}


@pytest.mark.parametrize(("change", "told"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
def test_it_refuses(change: Change, told: str) -> None:
    content = deepcopy(DEFINITION)
    change(content)

    with pytest.raises(ValidationError) as refusal:
        ProductDefinition.model_validate(content)

    assert told in str(refusal.value)


@pytest.mark.parametrize(
    ("product_class", "lacking"), [("wheel", {"package", "lock", "lock_sha256"}), ("archive", {"artifact"}), ("installer", {"artifact"})]
)
def test_each_class_names_what_its_releases_lack(product_class: str, lacking: set[str]) -> None:
    with pytest.raises(ValidationError) as refusal:
        ProductDefinition.model_validate(DEFINITION | {"class": product_class})

    assert all(f"1.0.1 lacks '{field}'" in str(refusal.value) for field in lacking)


def test_a_release_may_answer_probes_in_its_own_way() -> None:
    content = deepcopy(DEFINITION)
    content["releases"][1]["probes"] = {"live": {"kind": "jsonrpc", "path": "/rpc/", "method": "version", "equals": "1.1"}}
    definition = ProductDefinition.model_validate(content)

    assert definition.probes_of("1.0.1")["live"].kind == "http"
    assert definition.probes_of("1.1.0")["live"].kind == "jsonrpc"


def test_an_unknown_release_is_not_found_and_the_last_known_are_named() -> None:
    with pytest.raises(NotFound, match=r"Tiny CRM 4 is not known here; the last known releases are 1\.0\.1, 1\.1\.0"):
        ProductDefinition.model_validate(DEFINITION).release("4")


def test_playbooks_are_handed_plain_json_with_the_directory() -> None:
    handed = ProductDefinition.model_validate(DEFINITION).for_playbooks(Path("/srv/definitions/tiny"))

    assert json.loads(json.dumps(handed)) == handed
    assert handed["directory"] == "/srv/definitions/tiny"
    assert handed["upgrade"]["hops"][0]["from"] == "1.0"


def test_the_published_schema_is_current() -> None:
    published = json.loads((ROOT / "docs" / "product-definition.schema.json").read_text())

    assert published == json_schema(), "run: python -m appliance.products.schema docs/product-definition.schema.json"
