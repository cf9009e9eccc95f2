"""What an administrator may choose when a CRM is installed or later, and how a choice is checked."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import model_validator

from appliance.domain.product_parts import Part, Pattern
from appliance.errors import Conflict, InvalidRequest

Value = str | int | bool

PLACEHOLDER_MARKS = ("{{", "{%", "{#")
"""A value reaches files that Ansible renders, so it must not look like a template itself."""
LONGEST_TEXT = 200
BOOLEAN = ("no", "yes")
"""How people say it."""
WHOLE_NUMBER = re.compile(r"-?[0-9]{1,18}")


class Setting(Part):
    """One choice. Without a default it must be made; a `fixed` one is made when the CRM is installed, and never again."""

    name: str
    title: str
    type: Literal["text", "choice", "integer", "boolean"] = "text"
    choices: tuple[str, ...] = ()
    pattern: Pattern | None = None
    min: int | None = None
    max: int | None = None
    default: bool | int | str | None = None
    help: str | None = None
    fixed: bool = False

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

    def read(self, text: str) -> Value:
        """What somebody has typed, in its type; what is not of that type stays the text that it is, and `check` refuses it."""
        if self.type == "boolean" and text in BOOLEAN:
            return bool(BOOLEAN.index(text))
        if self.type == "integer" and WHOLE_NUMBER.fullmatch(text):
            return int(text)
        return text

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
    _require_known(settings, given)
    values: dict[str, Value] = {}
    for setting in settings:
        value = given.get(setting.name, setting.default)
        if value is None:
            raise InvalidRequest(f"{setting.title} is missing. Nothing was changed.", field=setting.name)
        values[setting.name] = setting.check(value)
    return values


def in_force(settings: Sequence[Setting], kept: Mapping[str, Any]) -> dict[str, Value]:
    """What is kept of a CRM, and the defaults of what its product has got since."""
    return {setting.name: setting.default for setting in settings if setting.default is not None} | dict(kept)


def changes(settings: Sequence[Setting], kept: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Value]:
    """What of the given values is not as it is, checked. Raises InvalidRequest, also for a fixed setting, and Conflict for nothing."""
    _require_known(settings, given)
    now = in_force(settings, kept)
    checked = [(setting, setting.check(given[setting.name])) for setting in settings if setting.name in given]
    changed = [(setting, value) for setting, value in checked if value != now.get(setting.name)]
    for setting, _ in changed:
        if setting.fixed:
            made = f"It was {as_text(now[setting.name])} when the CRM was installed" if setting.name in now else "It has no value"
            raise InvalidRequest(
                f"{setting.title} cannot be changed after the installation. {made}; nothing was changed.", field=setting.name
            )
    if not changed:
        raise Conflict("These are its settings already. Nothing was changed.")
    return {setting.name: value for setting, value in changed}


def as_text(value: Value | None) -> str:
    """As people read and type it; nothing for none."""
    if isinstance(value, bool):
        return BOOLEAN[value]
    return "" if value is None else str(value)


def _require_known(settings: Sequence[Setting], given: Mapping[str, Any]) -> None:
    known = [setting.name for setting in settings]
    for name in given:
        if name not in known:
            raise InvalidRequest(f"There is no setting '{name}'; there are: {', '.join(known) or 'none'}. Nothing was changed.", field=name)
