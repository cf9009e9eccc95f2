"""Until when a shown certificate is valid, read from a real TLS server."""

import asyncio
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import pytest

from monitoring.certificates import Place, read_end, watch_certificates
from monitoring.exporter.certificates import collect_certificates
from tests.support.pki import Made, make

NOW = datetime.now(UTC)
SHOWN = {name: make(name, NOW, days=days) for name, days in (("crm.example", 60), ("old.example", -0.5))}


def context_of(made: Made, directory: Path) -> ssl.SSLContext:
    file = directory / "pair.pem"
    file.write_text(made.pem + made.key())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """A server that shows each visitor the certificate of the name that was asked for."""
    contexts = {name: context_of(made, tmp_path) for name, made in SHOWN.items()}
    first = context_of(SHOWN["crm.example"], tmp_path)
    first.sni_callback = lambda connection, name, _: setattr(connection, "context", contexts.get(name or "", first))
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            try:
                first.wrap_socket(plain, server_side=True).close()
            except OSError:
                plain.close()

    thread = Thread(target=serve)
    thread.start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


@pytest.mark.parametrize("name", SHOWN)
def test_the_end_is_that_of_the_name_that_is_asked_for_even_when_it_has_passed(port: int, name: str) -> None:
    place = Place(address="127.0.0.1", port=port, server_name=name)
    assert asyncio.run(read_end(place)) == SHOWN[name].certificate.not_valid_after_utc.timestamp()


def test_nothing_is_known_of_a_server_that_does_not_answer_or_hangs_up() -> None:
    assert asyncio.run(read_end(Place(address="127.0.0.1", port=1, server_name="x"))) is None
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.listen()
        place = Place(address="127.0.0.1", port=silent.getsockname()[1], server_name="x")

        def hang_up() -> None:
            silent.accept()[0].close()

        Thread(target=hang_up, daemon=True).start()
        assert asyncio.run(read_end(place)) is None


def test_what_is_watched_no_longer_is_no_longer_told(port: int) -> None:
    ends = {"gone": 1.0}
    place = Place(address="127.0.0.1", port=port, server_name="crm.example")

    async def watch() -> None:
        task = asyncio.create_task(watch_certificates(lambda: [("sales", place)], ends))
        while "sales" not in ends:
            await asyncio.sleep(0.01)
        task.cancel()

    asyncio.run(watch())
    assert list(ends) == ["sales"]


def test_the_end_is_a_metric_by_crm() -> None:
    sample = collect_certificates({"sales": 1234.0}).as_metric().samples[0]
    assert (sample.name, sample.labels, sample.value) == (
        "appliance_certificate_not_after_timestamp_seconds",
        {"crm": "sales", "purpose": "site"},
        1234.0,
    )
