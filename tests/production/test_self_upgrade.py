"""`appliance self-upgrade` on a production machine: to a release that works, to ones that do not, and killed in the middle."""

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.production.site import BROKEN, UNLOADABLE, Site, build_wheel, wait_for

Booted = Callable[[str], Site]
OLD, NEW = "0.1.0", "7.0.0"
TOKEN = "token issue before-the-upgrade"


def phase(made: Site) -> str:
    said = made.host.run("cat /opt/appliance/upgrade.json 2>/dev/null", check=False).stdout
    return str(json.loads(said)["phase"]) if said else ""


def begin(made: Site, wheel: Path) -> None:
    """As somebody would whose terminal then is gone."""
    made.host.run(f"systemd-run --quiet --unit=begun appliance self-upgrade {made.give_wheel(wheel)}")


def knows_what_it_knew(made: Site) -> bool:
    return "before-the-upgrade" in made.done("token list --json") and made.answers()


def test_a_release_that_works_takes_over_and_the_last_two_are_kept(site: Booted, good_wheel: Path) -> None:
    made = site("bookworm")
    made.done(TOKEN)
    began = time.monotonic()
    said = made.done(f"self-upgrade {made.give_wheel(good_wheel)}")
    print(f"self-upgrade: {time.monotonic() - began:.1f} s")
    assert "succeeded" in said
    assert (made.version(), knows_what_it_knew(made)) == (NEW, True)
    assert len(made.host.run("ls /opt/appliance/releases").stdout.split()) == 2
    assert "Nothing to do" in made.done(f"self-upgrade {made.give_wheel(good_wheel)}")
    assert made.command("self-upgrade --json").returncode == 0


def test_a_release_that_does_not_start_is_rolled_back_with_the_cause(site: Booted, tmp_path: Path) -> None:
    made = site("trixie")
    made.done(TOKEN)
    ended = made.command(f"self-upgrade {made.give_wheel(build_wheel(tmp_path, '7.1.0', BROKEN))}")
    assert ended.returncode == 3
    assert "broken on purpose" in ended.stdout
    assert (made.version(), knows_what_it_knew(made)) == (OLD, True)
    assert len(made.host.run("ls /opt/appliance/releases").stdout.split()) == 1


def test_what_cannot_be_an_upgrade_is_refused_and_nothing_is_stopped(site: Booted, tmp_path: Path, good_wheel: Path) -> None:
    made = site("bookworm")
    since = made.host.run("systemctl show --property=ActiveEnterTimestampMonotonic 'appliance-*.service'").stdout
    damaged = tmp_path / "damaged-0-py3-none-any.whl"
    damaged.write_bytes(good_wheel.read_bytes()[:-5000])
    for wheel, code, words in (
        (build_wheel(tmp_path, "7.2.0", UNLOADABLE), 4, "broken on purpose"),
        (build_wheel(tmp_path, "0.0.9"), 2, "is older than"),
        (damaged, 2, "not a whole wheel"),
    ):
        ended = made.command(f"self-upgrade {made.give_wheel(wheel)}")
        assert (ended.returncode, words in ended.stderr) == (code, True), ended.stderr
    assert made.host.run("systemctl show --property=ActiveEnterTimestampMonotonic 'appliance-*.service'").stdout == since
    assert len(made.host.run("ls /opt/appliance/releases").stdout.split()) == 1


def cut_off(site: Booted, wheel: Path, at: str, cut: Callable[[Site], object]) -> tuple[str, bool, int]:
    """Begin an upgrade, cut it off in a phase, and give the version that serves then, whether it knows what it knew, and the exit code."""
    made = site("bookworm")
    made.done(TOKEN)
    begin(made, wheel)
    wait_for(lambda: phase(made) == at, f"the phase {at}", seconds=240)
    cut(made)
    wait_for(lambda: phase(made) == "", "the end", seconds=240)
    return made.version(), knows_what_it_knew(made), made.command("self-upgrade").returncode


def kill(made: Site) -> None:
    made.host.run("systemctl kill --signal=KILL --kill-whom=all begun.service appliance-upgrade.service; true")


def cut_power(made: Site) -> None:
    made.host.power_cut()
    made.host.boot()


def test_an_upgrade_that_is_killed_or_loses_power_ends_in_one_version_with_its_state(
    site: Booted, good_wheel: Path, tmp_path: Path
) -> None:
    broken = build_wheel(tmp_path, "7.3.0", BROKEN)
    cases = [
        (good_wheel, "forward", kill, (NEW, True, 0)),
        (good_wheel, "prepared", cut_power, (NEW, True, 0)),
        (good_wheel, "forward", cut_power, (NEW, True, 0)),
        (broken, "back", cut_power, (OLD, True, 3)),
    ]
    with ThreadPoolExecutor() as pool:
        ended = [pool.submit(cut_off, site, *case[:3]) for case in cases]
    assert [one.result() for one in ended] == [expected for *_, expected in cases]
