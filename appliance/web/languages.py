"""The language of a page: chosen for each request, kept in a cookie, English where nothing else is asked for.

The texts in the code are English; `locale/` holds a gettext catalogue for each other language. It is read when a page first needs it.
"""

import functools
import io
from contextvars import ContextVar
from gettext import GNUTranslations, NullTranslations
from pathlib import Path

from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LANGUAGES = {"en": "English", "fi": "Suomi", "it": "Italiano", "et": "Eesti"}
"""By their codes (ISO 639-1), each as it calls itself."""
ENGLISH = "en"
DIRECTORY = Path(__file__).parent / "locale"
DOMAIN = "panel"

_language: ContextVar[str] = ContextVar("language", default=ENGLISH)


def language() -> str:
    """The language of the request that is being answered."""
    return _language.get()


def speak(code: str) -> None:
    """Answer in this language from here on."""
    _language.set(code)


def locale() -> Locale:
    """What dates and numbers of that language look like."""
    return _locale(language())


def catalogue_file(code: str) -> Path:
    """Where the texts of a language are."""
    return DIRECTORY / code / "LC_MESSAGES" / f"{DOMAIN}.po"


def gettext(message: str, **values: object) -> str:
    """A text in the language of the request, with its `%(name)s` filled in; a per cent sign is written twice."""
    return _translations(language()).gettext(message) % values


def ngettext(singular: str, plural: str, num: int, **values: object) -> str:
    """The same for a number of things, which is filled in as `%(num)s`."""
    return _translations(language()).ngettext(singular, plural, num) % {"num": num, **values}


def marked(message: str) -> str:
    """A text as it is: only tells that the catalogues hold it, for `looked_up` to find."""
    return message


def marked_in(context: str, message: str) -> str:  # noqa: ARG001 - read by who extracts the texts
    """The same for a word that is another one elsewhere: "Restore" is a verb on a button, and an operation in a list."""
    return message


def looked_up(text: str) -> str:
    """A text that was made elsewhere, in the language of the request if the catalogue has it, else as it is."""
    return _translations(language()).gettext(text) if text else ""


def looked_up_in(context: str, text: str) -> str:
    """The same for a word of that context."""
    return _translations(language()).pgettext(context, text)


def plain_gettext(message: str) -> str:
    """For templates, which fill the values in themselves."""
    return _translations(language()).gettext(message)


def plain_ngettext(singular: str, plural: str, num: int) -> str:
    """The same for a number of things."""
    return _translations(language()).ngettext(singular, plural, num)


@functools.cache
def _locale(code: str) -> Locale:
    return Locale.parse(code)


@functools.cache
def _translations(code: str) -> NullTranslations:
    if code == ENGLISH:
        return NullTranslations()
    compiled = io.BytesIO()
    with catalogue_file(code).open("rb") as file:
        write_mo(compiled, read_po(file, locale=code, domain=DOMAIN))
    compiled.seek(0)
    return GNUTranslations(compiled)
