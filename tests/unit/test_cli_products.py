"""What can be installed here, by the command line."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from appliance.cli import app
from appliance.errors import InvalidRequest
from appliance.products.catalogue import SHIPPED
from appliance.wiring import Appliance
from tests.support.operating import make_appliance
from tests.support.web_world import add_sales


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A broken definition of the administrator's own, beside the shipped ones, and a CRM of one of those."""
    made: Appliance = make_appliance(tmp_path)
    add_sales(made)
    monkeypatch.setenv("APPLIANCE_CONFIG", "/nonexistent")
    monkeypatch.setenv("APPLIANCE_HOME", str(made.settings.home))
    monkeypatch.setenv("APPLIANCE_ETC", str(made.settings.etc))
    directory = made.settings.etc / "products" / "mine"
    shutil.copytree(SHIPPED / "creme", directory)
    (directory / "product.yml").write_text("id: mine\n")
    return directory


def told(*argv: str) -> Result:
    return CliRunner().invoke(app, ["product", *argv], catch_exceptions=False)


def test_the_list_tells_what_is_broken_and_goes_on(own: Path) -> None:
    listed = {one["id"]: one for one in json.loads(told("list", "--json").stdout)}
    assert {name: (one["own"], one["instances"], bool(one["problems"])) for name, one in listed.items()} == {
        "creme": (False, 1, False),
        "mine": (True, 0, True),
        "tryton": (False, 0, False),
    }
    assert f"{own}: name: Field required" in told("list").stdout.replace("\n", "")


def test_a_broken_definition_is_shown_with_its_problems_and_ends_with_two(own: Path) -> None:
    shown = told("show", "mine")
    assert shown.exit_code == 2
    assert f"{own}: name: Field required" in shown.stdout.replace("\n", "")


@pytest.mark.usefixtures("own")
def test_a_product_is_shown_with_its_series_and_the_crms_of_it() -> None:
    shown = json.loads(told("show", "creme", "--json").stdout)
    assert [one["series"] for one in shown["series"]] == ["2.8", "2.7", "2.6"]
    assert [(one["instance"], one["release"]) for one in shown["used_by"]] == [("sales", "2.7.13")]
    assert (shown["id"], shown["problems"], shown["database"]["engine"]) == ("creme", [], "postgresql")
    assert "sales  2.7.13" in told("show", "creme").stdout


def test_a_setting_is_installed_in_its_type(own: Path) -> None:
    shipped = (SHIPPED / "creme" / "product.yml").read_text().replace("id: creme", "id: mine", 1)
    numbers = "  - {name: users, title: Users, type: integer, min: 1}\n  - {name: mail, title: Mail, type: boolean}\n"
    (own / "product.yml").write_text(shipped.replace("\nsettings:\n", f"\nsettings:\n{numbers}", 1))
    install = ["install", "mine", "--name", "next", "--set", "mail=yes", "--detach", "--json"]
    with pytest.raises(InvalidRequest, match="Users is a whole number"):
        CliRunner().invoke(app, [*install, "--set", "users=many"], catch_exceptions=False)
    recorded = json.loads(CliRunner().invoke(app, [*install, "--set", "users=25"], catch_exceptions=False).stdout)
    assert recorded["parameters"]["settings"] == {"users": 25, "mail": True, "language": "en", "time_zone": "UTC"}
