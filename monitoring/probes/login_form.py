"""Finds the form of a login page."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class Form:
    """A form as the page has it: where it posts to, its hidden fields, and the names of all its fields."""

    action: str = ""
    hidden: dict[str, str] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)


class _FormReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(action=attributes.get("action", "")))
            self._inside = True
        elif tag == "input" and self._inside and attributes.get("name"):
            form = self.forms[-1]
            form.names.add(attributes["name"])
            if attributes.get("type", "").lower() == "hidden":
                form.hidden[attributes["name"]] = attributes.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False


def find_login_form(page: str, password_field: str) -> Form | None:
    """The form that asks for the password, or None."""
    reader = _FormReader()
    reader.feed(page)
    return next((form for form in reader.forms if password_field in form.names), None)
