"""The language of a page: who chooses it, and what it looks like in each."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser

import pytest

from appliance.domain.operation import OperationStatus
from appliance.domain.transfer import Transfer
from appliance.web import formats
from appliance.web.choosing import COOKIE, wished
from appliance.web.languages import LANGUAGES, gettext, ngettext, speak
from tests.support.doors import ADMINISTRATORS_FORMS, ADMINISTRATORS_LOOKS, OPERATORS_FORMS, OPERATORS_LOOKS, SEEN_BY_ALL, fill
from tests.support.web_world import NOON, Browser, PanelWorld, end_operation, run_operation

FINNISH = {"accept-language": "fi-FI,fi;q=0.9,en;q=0.8"}


@pytest.fixture(autouse=True)
def _english_again() -> Iterator[None]:
    yield
    speak("en")


class Root(HTMLParser):
    """Finds the language that a page says it is in, and every `lang` below it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.language = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "html":
            self.language = dict(attrs).get("lang") or ""


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("*", "en"),
        ("de, fr;q=0.5", "en"),
        ("fi", "fi"),
        ("FI-fi", "fi"),
        ("de, it-CH;q=0.7, et;q=0.8", "et"),
        ("it;q=0, fi;q=0.1", "fi"),
        ("en-US,en;q=0.9,it;q=0.8", "en"),
        ("it;q=nan, et;q=one, fi;q=0.2", "fi"),
        ("it;q=-1", "en"),
        ("sv," * 50 + "fi", "en"),
        ("\x00;;;,,q=1", "en"),
    ],
)
def test_a_browser_is_answered_in_what_it_asks_for(header: str, language: str) -> None:
    assert wished(header) == language


def test_a_page_says_its_language_and_the_api_stays_english(world: PanelWorld, alice: Browser, mallory: Browser) -> None:
    assert "Kirjaudu sisään" in mallory.get("/login", **FINNISH).text
    assert Root(alice.get("/", **FINNISH).text).language == "fi"
    assert Root(alice.get("/").text).language == "en"
    refused = world.program_of("Alice").get("/api/v1/instances/nobody", headers=FINNISH).json()
    assert refused["title"] == "Not Found"


def test_a_choice_is_kept_and_outweighs_what_the_browser_asks_for(mallory: Browser) -> None:
    answer = mallory.client.post("/language", data={"language": "et"}, headers={"referer": "http://panel/login?next=%2Fhosts"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=%2Fhosts")
    cookie = answer.headers["set-cookie"]
    assert f"{COOKIE}=et" in cookie
    assert "HttpOnly" in cookie
    assert "Logi sisse" in mallory.get("/login", **FINNISH).text


@pytest.mark.parametrize("referer", ["", "https://evil.example//evil.example/", "http://[", "//evil.example", "javascript:alert(1)"])
def test_choosing_leads_nowhere_else(mallory: Browser, referer: str) -> None:
    answer = mallory.client.post("/language", data={"language": "it"}, headers={"referer": referer})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


@pytest.mark.parametrize("code", ["", "de", "FI", "../../etc/passwd", "fi\r\nSet-Cookie: a=b", "x" * 5000])
def test_a_language_that_there_is_not_is_refused(mallory: Browser, code: str) -> None:
    answer = mallory.client.post("/language", data={"language": code})
    assert answer.status_code == 422
    assert "set-cookie" not in answer.headers
    assert "Nothing was changed" in answer.text


@pytest.mark.parametrize(("address", "chosen"), [("/language", {"language": "it"}), ("/theme", {"theme": "dark"})])
def test_another_site_cannot_choose(mallory: Browser, address: str, chosen: dict[str, str]) -> None:
    answer = mallory.client.post(address, data=chosen, headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_a_cookie_with_anything_else_in_it_chooses_nothing(mallory: Browser) -> None:
    mallory.client.cookies.set(COOKIE, "../fi")
    assert Root(mallory.get("/login").text).language == "en"


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_page_is_shown_in_every_language(world: PanelWorld, alice: Browser, code: str) -> None:
    run_operation(world.appliance)
    alice.client.cookies.set(COOKIE, code)
    seen = {}
    for address in [*SEEN_BY_ALL, *OPERATORS_FORMS, *OPERATORS_LOOKS, *ADMINISTRATORS_LOOKS, *ADMINISTRATORS_FORMS]:
        answer = alice.get(fill(address))
        assert answer.status_code != 500, (address, answer.text)
        if answer.headers.get("content-type", "").startswith("text/html"):
            seen[address] = Root(answer.text).language
    assert len(seen) > 30
    assert set(seen.values()) == {code}


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_status_page_and_refusals_speak_it_too(mallory: Browser, alice: Browser, code: str) -> None:
    alice.post("/instances/sales/publication", {"wanted": "yes"})
    asked = {"accept-language": code}
    answers = (mallory.get("/status", **asked), mallory.get("/status/export", **asked), alice.get("/nowhere", **asked))
    assert [Root(answer.text).language for answer in answers] == [code] * 3


def test_a_stream_speaks_the_language_of_its_page(world: PanelWorld, alice: Browser) -> None:
    operation = run_operation(world.appliance)
    end_operation(world.appliance, operation.id, OperationStatus.SUCCEEDED)
    assert "Edistyminen" in alice.get(f"/operations/{operation.id}/stream", **FINNISH).text


def test_plural_forms() -> None:
    told = {}
    for code in LANGUAGES:
        speak(code)
        told[code] = [ngettext("%(num)s day ago", "%(num)s days ago", count) for count in (1, 2)]
    assert told == {
        "en": ["1 day ago", "2 days ago"],
        "fi": ["1 päivä sitten", "2 päivää sitten"],
        "it": ["1 giorno fa", "2 giorni fa"],
        "et": ["1 päev tagasi", "2 päeva tagasi"],
    }


def test_moments_and_measures_look_as_the_language_wants() -> None:
    def looks(code: str) -> list[str]:
        speak(code)
        moment = datetime(2026, 3, 2, 14, 5, 9, tzinfo=UTC)
        shown = [
            formats.exact(moment),
            formats.day(date(2026, 3, 2)),
            formats.duration(timedelta(minutes=3, seconds=20)),
            formats.duration(timedelta(seconds=0.4)),
            formats.size(3_565_158),
            formats.percent(0.99954),
            formats.count(12_345),
            formats.seconds_told(1.234),
            formats.roughly(timedelta(days=3)),
        ]
        return [text.replace("\xa0", " ") for text in shown]

    assert looks("en") == [
        "2026-03-02 14:05:09 UTC", "2026-03-02", "3 min 20 s", "0.4 s", "3.4 MiB", "99.954 %", "12,345", "1.2 s", "3 days",
    ]  # fmt: skip
    assert looks("fi") == [
        "2.3.2026 14.05.09 UTC", "2.3.2026", "3 min 20 s", "0,4 s", "3,4 MiB", "99,954 %", "12 345", "1,2 s", "3 päivää",
    ]  # fmt: skip
    assert looks("it") == [
        "2 mar 2026, 14:05:09 UTC", "2 mar 2026", "3 min 20 s", "0,4 s", "3,4 MiB", "99,954%", "12.345", "1,2 s", "3 giorni",
    ]  # fmt: skip
    assert looks("et") == [
        "2. märts 2026 14:05:09 UTC", "2. märts 2026", "3 min 20 sek", "0,4 sek", "3,4 MiB", "99,954%", "12 345", "1,2 s", "3 päeva",
    ]  # fmt: skip


def test_relative_times_say_how_long_ago_and_how_long_until() -> None:
    speak("it")
    spans = [timedelta(seconds=3), timedelta(minutes=5), timedelta(hours=1), timedelta(days=-5)]
    assert [formats.ago(NOON - span, NOON) for span in spans] == ["proprio ora", "5 minuti fa", "1 ora fa", "tra 5 giorni"]


def test_a_transfer_and_weekdays_are_told_in_the_language() -> None:
    moved = Transfer(stage="database", bytes_done=1_572_864, bytes_total=3_145_728, bytes_per_second=None, seconds_left=9)
    speak("fi")
    assert formats.transferred(moved).replace("\xa0", " ") == "database: 1,5 MiB / 3,0 MiB, 9 s jäljellä"
    assert formats.weekdays()[0] == "ma"


def test_a_text_that_is_not_translated_is_shown_as_it_is() -> None:
    speak("fi")
    assert gettext("No catalogue has %(what)s.", what="100 % of this") == "No catalogue has 100 % of this."
