"""What comes out of a program on a host, piece by piece: its begin, its end, and what breaks off."""

import json
import sys
import time
from pathlib import Path

import pytest

from appliance.errors import CommandFailed, HostUnreachable
from appliance.hosts.reach import Local, Ssh
from appliance.hosts.reading import Reading, read
from backup.lent import taken_into_memory

BEGINS = "import json, sys; spec = json.load(sys.stdin); print(json.dumps({'event': 'begins', **spec}), file=sys.stderr, flush=True); "


def begun(program: str) -> Reading:
    return read(Local(), [sys.executable, "-c", program], {"kind": "file"})


def test_what_it_tells_first_is_known_before_what_comes() -> None:
    reading = begun(BEGINS + "sys.stdout.write('x' * 1_000_000)")
    assert reading.facts["kind"] == "file"
    assert b"".join(reading.pieces()) == b"x" * 1_000_000
    reading.close()


def test_an_error_that_it_tells_before_it_begins_is_raised_with_its_code() -> None:
    told = json.dumps({"event": "error", "code": "not_held", "message": "No."})
    error = f"import sys; print('a warning', file=sys.stderr); print({told!r}, file=sys.stderr); sys.exit(1)"
    with pytest.raises(CommandFailed, match=r"^No\.$") as raised:
        begun(error)
    assert raised.value.code == "not_held"


@pytest.mark.parametrize("end", ["sys.exit(3)", "import os; os.kill(os.getpid(), 9)"])
def test_what_breaks_off_never_looks_complete(end: str) -> None:
    reading = begun(BEGINS + f"sys.stdout.write('half'); sys.stdout.flush(); {end}")
    with pytest.raises(CommandFailed):
        list(reading.pieces())
    reading.close()


def test_a_program_that_says_nothing_has_failed() -> None:
    with pytest.raises(CommandFailed, match="code 7"):
        begun("import sys; sys.exit(7)")


def test_closing_ends_the_program() -> None:
    reading = begun(BEGINS + "import time; time.sleep(600)")
    began = time.monotonic()
    reading.close()
    assert reading.process.returncode is not None
    assert time.monotonic() - began < 10


def test_a_host_that_does_not_answer_is_told_from_a_program_that_fails(tmp_path: Path) -> None:
    configuration = tmp_path / "config"
    configuration.write_text("Host web1\n HostName 127.0.0.1\n Port 1\n")
    with pytest.raises(HostUnreachable):
        read(Ssh(name="web1", user="root", configuration=configuration, channel="test"), ["true"], {})


def test_what_is_lent_is_held_in_memory_and_named_where_it_is_asked_for() -> None:
    spec = {"repository": {"password_file": "/lent/password", "location": "/srv/lent/password"}, "lent": {"password": "secret"}}
    taken = json.loads(taken_into_memory(json.dumps(spec)))
    file = Path(taken["repository"]["password_file"])
    assert (file.read_text(), file.stat().st_mode & 0o777, file.readlink().name.startswith("memfd:lent")) == ("secret", 0o600, True)
    assert (taken["repository"]["location"], "lent" in taken) == ("/srv/lent/password", False)


@pytest.mark.parametrize("text", ["", "no JSON", "[]", '{"lent": 3}', "{}"])
def test_a_request_without_anything_lent_is_left_to_who_checks_it(text: str) -> None:
    assert taken_into_memory(text) == text
