"""A text without the names and addresses in it: each becomes a placeholder, the same one wherever it stands."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import ip_address

ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\)|.)")
"""What a terminal takes as an order: colours, titles."""
EMAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")
IN_ADDRESS = re.compile(r"(?<=://)(?:[^/\s@\"']+@)?[^/\s:\"'\[\])>,]+")
DOTTED = re.compile(r"(?<![\w./-])(?:[A-Za-z0-9-]+\.){2,}[A-Za-z]{2,}(?![\w/-])")
"""What may be the name of a host: three labels or more; a module's name is hidden with them, which harms nobody."""
TOP = (
    "com|org|net|info|eu|de|fi|it|ee|fr|es|nl|uk|se|no|dk|at|ch|pl|io|dev|app|cloud|local|lan|internal|intra|home|corp|example|test|invalid"
)
SHORT = re.compile(rf"(?<![\w./-])[A-Za-z0-9][A-Za-z0-9-]*\.(?:{TOP})(?![\w-]|\.\w)")
"""Names of two labels, which files have, too: only below what is a usual end of a domain."""
HOME = re.compile(r"(?<=/home/)[A-Za-z0-9._-]+")
MAC = re.compile(r"(?<![0-9A-Fa-f:])(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}(?![0-9A-Fa-f:])")
NUMERIC = re.compile(r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7})(?![\w:])")
OWN = ("localhost", "127.0.0.1", "::1", "0.0.0.0", "::")  # noqa: S104 - names what every machine has
PLACEHOLDER = re.compile(r"(?:crm|host|user|address|e-mail|repository)-\d+")
SHORTEST_NAME = 2


@dataclass(kw_only=True)
class Redactor:
    """Gives each name and address its placeholder, numbered from 1. `known` are names by what they name: {"crm": ["sales"]}."""

    known: Mapping[str, Iterable[str]]
    given: dict[str, str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    @cached_property
    def _kinds(self) -> dict[str, str]:
        named = {name.casefold(): kind for kind, names in self.known.items() for name in names if len(name) >= SHORTEST_NAME}
        return {name: kind for name, kind in named.items() if name not in OWN}

    def prepared_for(self, text: str) -> "Prepared":
        """Look for those known names only that are somewhere in the text at all: there may be thousands."""
        folded = text.casefold()
        there = sorted((name for name in self._kinds if name in folded), key=len, reverse=True)
        words = "|".join(map(re.escape, there))
        return Prepared(redactor=self, names=re.compile(rf"(?<![A-Za-z0-9])(?:{words})(?![A-Za-z0-9])", re.IGNORECASE) if there else None)

    def placeholder(self, kind: str, name: str) -> str:
        """The same for the same name, however it is written."""
        key = name.casefold()
        kind = self._kinds.get(key, kind)
        if key not in self.given:
            self.counts[kind] = self.counts.get(kind, 0) + 1
            self.given[key] = f"{kind}-{self.counts[kind]}"
        return self.given[key]

    def kind_of(self, name: str) -> str:
        """What a known name names."""
        return self._kinds[name.casefold()]


@dataclass(kw_only=True)
class Prepared:
    """Redacts one text after the other; what it takes away never reaches from one line into the next."""

    redactor: Redactor
    names: re.Pattern[str] | None

    def redacted(self, text: str) -> str:
        """Without colours, names and addresses."""
        text = ESCAPES.sub("", text)
        for kind, pattern in (("host", IN_ADDRESS), ("e-mail", EMAIL), ("host", DOTTED), ("host", SHORT), ("address", MAC), ("user", HOME)):
            text = pattern.sub(lambda found, kind=kind: self._hide(kind, found[0]), text)  # type: ignore[misc]
        text = NUMERIC.sub(lambda found: self._hide("address", found[0]) if _is_address(found[0]) else found[0], text)
        if self.names is not None:
            text = self.names.sub(lambda found: self.redactor.placeholder(self.redactor.kind_of(found[0]), found[0]), text)
        return text

    def _hide(self, kind: str, name: str) -> str:
        is_own = name.casefold() in OWN or PLACEHOLDER.fullmatch(name) is not None
        return name if is_own else self.redactor.placeholder(kind, name)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
