"""The parts of production that need no machine: settings, units, the site, wheels, releases, and the state as one file."""

import json
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from appliance.config import Settings
from appliance.errors import InvalidRequest, PreflightFailed
from appliance.operations.requesting import request
from appliance.production import units
from appliance.production.certificate import pair_of_panel
from appliance.production.intent import Intent, Phase, Result, end, read_intent, read_outcome
from appliance.production.places import Places
from appliance.production.placing import read_environment
from appliance.production.proxy import Site, put_debians_site_back, remove_debians_site, site_text
from appliance.production.releases import RECORD, prune, read_wheel, running, switch_link, version_of
from appliance.production.up import with_settings
from appliance.setup.environment import environment_file_text
from appliance.store import state
from appliance.wiring import Appliance, open_appliance

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    paths = {name: tmp_path / name for name in ("home", "etc", "run", "log", "cache")}
    return Settings(**paths, production=True, panel_domain="panel.example.org")


@pytest.fixture
def appliance(settings: Settings) -> Appliance:
    return open_appliance(settings)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    made = Places(root=tmp_path / "root")
    made.releases.mkdir(parents=True)
    return made


def release(places: Places, name: str) -> Path:
    made = places.releases / name
    made.mkdir()
    (made / RECORD).write_text(json.dumps({"version": name.partition("-")[0], "digest": "0"}))
    return made


def site(domain: str, *, hsts: bool = False) -> str:
    file = Path("/etc/x")
    return site_text(Site(domain=domain, hsts=hsts, certificate=file, key=file, socket=Path("/run/s"), http2_directive=True))


def test_a_settings_file_keeps_its_other_lines() -> None:
    text = with_settings('# mine\nparallel_operations = 2\npanel_domain = "old"\n', production="true", panel_domain='"new"')
    assert text == 'production = true\n# mine\nparallel_operations = 2\npanel_domain = "new"\n'
    assert with_settings(text, production="true", panel_domain='"new"') == text


def test_an_environment_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    variables = {"HTTPS_PROXY": "http://me:a%20$b#c;d@proxy.example", "TZ": "UTC"}
    (tmp_path / "environment").write_text(environment_file_text(variables))
    assert read_environment(tmp_path / "environment") == variables


def test_this_machine_is_refused_by_name_in_production(appliance: Appliance) -> None:
    with pytest.raises(PreflightFailed, match="add it as a host"):
        request(appliance, "host-prepare", "host:localhost", {}, requested_by="Alice", now=NOW)


def test_every_process_is_a_unit_without_rights(settings: Settings, places: Places) -> None:
    texts = units.unit_texts(settings, places, "digest")
    for name in ("appliance-panel", "appliance-worker", "appliance-monitor"):
        assert "User=appliance\n" in texts[f"{name}.service"]
        assert "CapabilityBoundingSet=\n" in texts[f"{name}.service"]
    assert "SocketMode=0660" in texts["appliance-panel.socket"]


def test_the_panel_believes_the_web_server_alone_about_visitors() -> None:
    assert "proxy_set_header X-Forwarded-For $remote_addr;" in site("panel.example.org")


def test_browsers_are_bound_to_https_only_where_the_certificate_is_ones_own() -> None:
    assert "Strict-Transport-Security" not in site("panel.example.org")
    assert "Strict-Transport-Security" in site("panel.example.org", hsts=True)


def test_other_names_are_refused_unless_people_come_by_the_address() -> None:
    assert "ssl_reject_handshake on;" in site("panel.example.org")
    assert "ssl_reject_handshake" not in site("192.0.2.10")


def test_the_certificate_is_kept_until_it_is_due_or_the_name_changes(appliance: Appliance) -> None:
    first, is_own = pair_of_panel(appliance, NOW)
    again, _ = pair_of_panel(appliance, NOW + timedelta(days=30))
    due, _ = pair_of_panel(appliance, NOW + timedelta(days=80))
    assert (is_own, again.id == first.id, due.id == first.id) == (False, True, False)
    renamed = Appliance(
        settings=appliance.settings.model_copy(update={"panel_domain": "other.example.org"}),
        store=appliance.store,
        catalogue=appliance.catalogue,
    )
    assert pair_of_panel(renamed, NOW + timedelta(days=81))[0].id != due.id


def test_a_wheel_that_is_not_ours_or_not_whole_is_refused(tmp_path: Path) -> None:
    foreign, damaged = tmp_path / "foreign.whl", tmp_path / "damaged.whl"
    with zipfile.ZipFile(foreign, "w") as archive:
        archive.writestr("other-1.dist-info/METADATA", "Name: other\nVersion: 1\n")
        archive.writestr("other-1.dist-info/RECORD", "other-1.dist-info/METADATA,sha256=wrong,1\n")
    damaged.write_bytes(foreign.read_bytes()[:-10])
    for file in (foreign, damaged, tmp_path / "absent.whl"):
        with pytest.raises(InvalidRequest, match="not a whole wheel"):
            read_wheel(file)


def test_the_running_release_and_the_one_before_are_kept(places: Places) -> None:
    made = [release(places, name) for name in ("1.0-a", "1.1-b", "1.2-c")]
    switch_link(places.current, made[2])
    assert prune(places, keep=[made[2], made[1]]) == ["1.0-a"]
    found = running(places)
    assert found == made[2]
    assert version_of(made[2]) == "1.2"


def test_an_intent_is_found_again_and_its_end_is_remembered(places: Places) -> None:
    intent = Intent(kind="upgrade", source=Path("/r/1"), target=Path("/r/2"), before=Path("/b/state"))
    intent.moved(places, phase=Phase.BACK, cause="no")
    assert read_intent(places) == Intent(**{**vars(intent), "phase": Phase.BACK, "cause": "no"})
    end(places, intent, Result.ROLLED_BACK, "no", NOW)
    outcome = read_outcome(places)
    assert read_intent(places) is None
    assert outcome is not None
    assert (outcome.result, outcome.source, outcome.cause) == ("rolled_back", "1", "no")


def backup(settings: Settings, file: Path) -> None:
    with file.open("wb") as stream:
        state.save(settings, stream, NOW)


def test_a_state_comes_back_as_it_was_and_nothing_goes_on_by_itself(appliance: Appliance, tmp_path: Path) -> None:
    settings = appliance.settings
    appliance.store.vault.put("scope", "name", "secret")
    asked = {"kind": "backup", "instance": "crm", "parameters": {}, "steps": [("one", "One")], "requested_by": "Alice", "now": NOW}
    running_one = appliance.store.operations.record(**asked)  # type: ignore[arg-type]
    appliance.store.operations.claim(now=NOW)
    backup(settings, tmp_path / "file")
    other = Settings(**{**settings.model_dump(), "home": tmp_path / "other"})
    open_appliance(other).store.vault.put("scope", "name", "another")
    with (tmp_path / "file").open("rb") as stream:
        said = state.put_back(other, state.examine_archive(stream), settle=True, now=NOW)
    again = open_appliance(other)
    assert again.store.vault.get("scope", "name") == "secret"
    assert said == {"settled": [running_one.id]}
    assert again.store.operations.get(running_one.id).status == "needs_attention"


def test_a_backup_that_was_cut_off_or_changed_is_refused(appliance: Appliance, tmp_path: Path) -> None:
    backup(appliance.settings, tmp_path / "file")
    content = (tmp_path / "file").read_bytes()
    for damaged in (content[:-40], content[: len(content) // 2], b"", b"no archive"):
        (tmp_path / "damaged").write_bytes(damaged)
        with (tmp_path / "damaged").open("rb") as stream, pytest.raises(InvalidRequest, match="Nothing was changed"):
            state.examine_archive(stream)


def test_debians_own_site_comes_back_where_the_panels_was_not_accepted(places: Places) -> None:
    link = places.root / "etc/nginx/sites-enabled/default"
    link.parent.mkdir(parents=True)
    put_debians_site_back(places)
    assert (remove_debians_site(places), link.is_symlink()) == (True, False)
    put_debians_site_back(places)
    assert str(link.readlink()) == "/etc/nginx/sites-available/default"


def test_a_site_that_somebody_has_made_his_own_stays(places: Places) -> None:
    own = places.root / "etc/nginx/sites-enabled/default"
    own.parent.mkdir(parents=True)
    own.write_text("server {}")
    assert (remove_debians_site(places), own.read_text()) == (False, "server {}")
