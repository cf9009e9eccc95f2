"""Every text of the pages is marked, and every language has all of them: `python -m tests.support.catalogues` tells what is missing."""

import ast
import re
from enum import StrEnum
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message

from appliance.domain.channel import Severity
from appliance.domain.host import HostState
from appliance.domain.instance import InstanceState
from appliance.domain.operation import OperationStatus, StepStatus
from appliance.operations.parameters import Parameters
from appliance.operations.watching import Health
from appliance.operations.workflows import WORKFLOWS
from appliance.web.access import Role
from appliance.web.errors import CODES
from appliance.web.formats import kind_title, step_title, word
from appliance.web.languages import speak
from tests.support.catalogues import KEYWORDS, TRANSLATED, WEB, extracted, read_catalogue, untranslated

TEMPLATES = Path(__file__).parents[3] / "appliance" / "web" / "templates"
PLACEHOLDERS = re.compile(r"%\(\w+\)s|%%")
TAGS = re.compile(r"<[^>]*>")
JINJA = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
TRANSLATED_PARTS = re.compile(r"\{%-?\s*trans\b.*?\{%-?\s*endtrans\s*-?%\}", re.DOTALL)
SHOWN_ATTRIBUTES = ("title", "aria-label", "alt")
NAMES = {"CRM Appliance", "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub"}
"""What is the same in every language."""
INSIDE_ATTRIBUTES = {"is-invalid", "?point= &repository= &path=", "&after="}
"""What macros give that stand within a tag."""
WORDS = re.compile(r"[A-Za-z]{2,}")


def forms(message: Message) -> tuple[str, ...]:
    translated = message.string
    return tuple(translated) if isinstance(translated, list | tuple) else (str(translated),)


def originals(message: Message) -> tuple[str, ...]:
    return tuple(message.id) if isinstance(message.id, list | tuple) else (message.id,)


def texts(catalog: Catalog) -> set[tuple[str | None, tuple[str, ...]]]:
    return {(message.context, originals(message)) for message in catalog if message.id}


@pytest.fixture(params=TRANSLATED)
def catalog(request: pytest.FixtureRequest) -> Catalog:
    return read_catalogue(str(request.param))


def test_a_catalogue_has_what_the_code_says_and_nothing_else(catalog: Catalog) -> None:
    assert texts(catalog) == texts(extracted())
    assert not catalog.obsolete


def test_every_text_is_translated_and_none_is_a_guess(catalog: Catalog) -> None:
    assert [message.id for message in untranslated(catalog)] == []
    assert [message.id for message in catalog if message.id and message.fuzzy] == []


def test_a_plural_has_all_forms_of_the_language(catalog: Catalog) -> None:
    plurals = [message for message in catalog if message.pluralizable]
    assert {len(forms(message)) for message in plurals} == {catalog.num_plurals}
    assert len(plurals) > 20


def test_a_translation_keeps_what_is_filled_in(catalog: Catalog) -> None:
    kept = {
        text: set(PLACEHOLDERS.findall(text)) ^ set(PLACEHOLDERS.findall(originals(message)[-1]))
        for message in catalog
        if message.id
        for text in forms(message)
    }
    assert {text: differs for text, differs in kept.items() if differs - {"%(num)s", "%(count)s"}} == {}


def test_a_translation_keeps_its_markup_and_can_stand_in_an_attribute(catalog: Catalog) -> None:
    for message in catalog:
        for text in forms(message) if message.id else ():
            assert sorted(TAGS.findall(text)) == sorted(TAGS.findall(originals(message)[-1]))
            assert '"' not in TAGS.sub("", text), text


def markers_within_f_strings(code: str) -> list[str]:
    """What Babel cannot see."""
    strings = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.JoinedStr)]
    calls = [node for string in strings for node in ast.walk(string) if isinstance(node, ast.Call)]
    return [call.func.id for call in calls if isinstance(call.func, ast.Name) and call.func.id in KEYWORDS]


def test_no_text_is_marked_within_an_f_string() -> None:
    assert markers_within_f_strings("f\"{gettext('lost')}: {name}\"") == ["gettext"]
    files = {str(file): markers_within_f_strings(file.read_text()) for file in WEB.rglob("*.py")}
    assert {file: found for file, found in files.items() if found} == {}


class Seen(HTMLParser):
    """Collects what somebody would read of a template that stands there as it is."""

    def __init__(self) -> None:
        super().__init__()
        self.bare: list[str] = []
        self.hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.hidden += tag in ("script", "style")
        self.bare += [value for name, value in attrs if name in SHOWN_ATTRIBUTES and value]

    def handle_endtag(self, tag: str) -> None:
        self.hidden -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.bare.append(data)


def bare_texts(template: str) -> list[str]:
    seen = Seen()
    seen.feed(JINJA.sub(" ", TRANSLATED_PARTS.sub(" ", template)))
    seen.close()
    parts = [" ".join(part.split()) for text in seen.bare for part in re.split(r"\s{2,}|[·\n]", text)]
    return [part for part in parts if WORDS.search(part) and part not in NAMES | INSIDE_ATTRIBUTES]


@pytest.mark.parametrize("template", sorted(TEMPLATES.rglob("*.html")), ids=lambda file: str(file.relative_to(TEMPLATES)))
def test_a_template_has_no_text_that_is_not_marked(template: Path) -> None:
    assert bare_texts(template.read_text()) == []


def test_a_text_that_is_not_marked_is_found() -> None:
    page = '<p>{% trans %}Fine{% endtrans %}</p><p>{% if x %}Not fine{% endif %}</p><a title="Nor this">{{ name }}</a>'
    assert bare_texts(page) == ["Not fine", "Nor this"]


def members(*kinds: type[StrEnum]) -> list[str]:
    return [member.value for kind in kinds for member in kind]


def known() -> set[str]:
    return {originals(message)[0] for message in extracted() if message.id}


def test_the_words_of_states_roles_and_severities_are_in_the_catalogues() -> None:
    states = members(OperationStatus, StepStatus, InstanceState, HostState, Health, Severity, Role)
    assert {word(name) for name in states} - known() == set()


def test_the_kinds_of_operations_and_their_steps_are_in_the_catalogues() -> None:
    steps = [step for workflow in WORKFLOWS.values() for step in workflow.steps]
    assert {step.title.removeprefix("Rehearsal: ") for step in steps} - known() == set()
    assert {kind_title(kind) for kind in WORKFLOWS} - known() == set()


def test_the_parameters_of_operations_are_in_the_catalogues() -> None:
    kinds, found = [Parameters], set()
    while kinds:
        kind = kinds.pop()
        kinds += kind.__subclasses__()
        found |= {word(name) for name in kind.model_fields}
    assert found - known() == set()


def test_what_error_pages_are_headed_by_is_in_the_catalogues() -> None:
    assert {code.phrase for code in CODES.values()} - known() == set()


def test_a_step_of_a_rehearsal_says_so_in_the_language() -> None:
    speak("fi")
    try:
        assert step_title("Rehearsal: build the release") == "Koeajo: rakenna versio"
        assert kind_title("restore") == "Palautus"
        assert step_title("Something of a later version") == "Something of a later version"
    finally:
        speak("en")
