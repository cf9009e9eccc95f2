"""Bring the catalogues up to what the code says: `python -m tests.support.catalogues`, then translate what is empty."""

import functools
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po, write_po

from appliance.web.languages import DOMAIN, ENGLISH, LANGUAGES, catalogue_file

WEB = Path(__file__).parents[2] / "appliance" / "web"
MAPPING = [("**.py", "python"), ("templates/**.html", "jinja2")]
OPTIONS = {"templates/**.html": {"trimmed": "true", "newstyle_gettext": "true", "silent": "false"}}
KEYWORDS = {**DEFAULT_KEYWORDS, "marked": None, "doing": None, "marked_in": ((1, "c"), 2)}
TRANSLATED = [code for code in LANGUAGES if code != ENGLISH]
WIDTH = 120
BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)


@functools.cache
def extracted() -> Catalog:
    """Every text of the pages, without translations."""
    catalog = _empty(None)
    found = extract_from_dir(WEB, MAPPING, OPTIONS, keywords=KEYWORDS)
    for file, _, message, comments, context in sorted(found, key=lambda one: (one[0], one[1])):
        catalog.add(message, locations=[(file, 0)], auto_comments=comments, context=context)
    return catalog


def _empty(code: str | None) -> Catalog:
    """The dates are always the same: version control knows when a file was changed."""
    return Catalog(
        locale=code,
        domain=DOMAIN,
        header_comment=f"# Texts of the panel: {LANGUAGES[code]}." if code else "",
        project="CRM Appliance",
        version="0",
        msgid_bugs_address="none",
        last_translator="none",
        language_team="none",
        creation_date=BEGINNING,
        revision_date=BEGINNING,
        fuzzy=False,
    )


def read_catalogue(code: str) -> Catalog:
    """The texts of a language."""
    with catalogue_file(code).open("rb") as file:
        return read_po(file, locale=code, domain=DOMAIN)


def update(code: str) -> list[Message]:
    """Bring a language's file up to date, without guesses; gives what is to be translated."""
    file = catalogue_file(code)
    catalog = read_catalogue(code) if file.exists() else _empty(code)
    catalog.update(extracted(), no_fuzzy_matching=True, update_header_comment=False)
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as written:
        write_po(written, catalog, width=WIDTH, omit_header=False, sort_by_file=False, ignore_obsolete=True, include_lineno=False)
    return list(untranslated(catalog))


def untranslated(catalog: Catalog) -> Iterator[Message]:
    """What has no translation, or not in every plural form."""
    for message in catalog:
        if message.id and not all(message.string if isinstance(message.string, tuple | list) else [message.string]):
            yield message


def main() -> None:
    """Update every language, and say what is left to do."""
    for code in TRANSLATED:
        missing = update(code)
        sys.stdout.write(f"{code}: {len(missing)} to translate\n")
        for message in missing:
            sys.stdout.write(f"  {message.id!r}\n")


if __name__ == "__main__":
    main()
