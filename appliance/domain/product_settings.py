"""What an administrator may choose when a CRM is installed, and how a choice is checked."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import model_validator

from appliance.domain.product_parts import Part, Pattern
from appliance.errors import InvalidRequest

Value = str | int | bool

PLACEHOLDER_MARKS = ("{{", "{%", "{#")
"""A value reaches files that Ansible renders, so it must not look like a template itself."""
LONGEST_TEXT = 200


class Setting(Part):
    """One choice. Without a default it must be made."""

    name: str
    title: str
    type: Literal["text", "choice", "integer", "boolean"] = "text"
    choices: tuple[str, ...] = ()
    pattern: Pattern | None = None
    min: int | None = None
    max: int | None = None
    default: bool | int | str | None = None
    help: str | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> "Setting":
        if (self.type == "choice") != bool(self.choices):
            raise ValueError("a setting has 'choices' exactly when its type is 'choice'")
        if not self.name.isidentifier():
            raise ValueError(f"'{self.name}' cannot be used as a name; use letters, digits and '_'")
        if self.default is not None:
            try:
                self.check(self.default)
            except InvalidRequest as error:
                raise ValueError(f"the default does not fit: {error}") from None
        return self

    def check(self, value: object) -> Value:
        """The value, if it may be used; raises InvalidRequest naming the setting otherwise."""
        if self.type == "boolean":
            return self._boolean(value)
        if self.type == "integer":
            return self._integer(value)
        return self._text(value)

    def _boolean(self, value: object) -> bool:
        if not isinstance(value, bool):
            raise self._refused("is either yes or no")
        return value

    def _integer(self, value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise self._refused("is a whole number")
        if (self.min is not None and value < self.min) or (self.max is not None and value > self.max):
            raise self._refused(f"lies between {self.min} and {self.max}")
        return value

    def _text(self, value: object) -> str:
        if not isinstance(value, str):
            raise self._refused("is a text")
        if any(not character.isprintable() for character in value):
            raise self._refused("is one line without control characters")
        if any(mark in value for mark in PLACEHOLDER_MARKS):
            raise self._refused("may not contain '{{', '{%' or '{#'")
        if len(value) > LONGEST_TEXT:
            raise self._refused(f"has at most {LONGEST_TEXT} characters")
        if self.choices and value not in self.choices:
            raise self._refused(f"is one of: {', '.join(self.choices)}")
        if self.pattern and not re.fullmatch(self.pattern, value):
            raise self._refused("does not have the expected form")
        return value

    def _refused(self, rule: str) -> InvalidRequest:
        return InvalidRequest(f"{self.title} {rule}. Nothing was changed.", field=self.name)


def complete(settings: Sequence[Setting], given: Mapping[str, Any]) -> dict[str, Value]:
    """All settings with the given values checked and the others at their defaults; raises InvalidRequest."""
    known = {setting.name: setting for setting in settings}
    for name in given:
        if name not in known:
            raise InvalidRequest(f"There is no setting '{name}'; there are: {', '.join(known)}. Nothing was changed.", field=name)
    values: dict[str, Value] = {}
    for name, setting in known.items():
        value = given.get(name, setting.default)
        if value is None:
            raise InvalidRequest(f"{setting.title} is missing. Nothing was changed.", field=name)
        values[name] = setting.check(value)
    return values
