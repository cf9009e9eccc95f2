"""What somebody with bad intent types into fields, and what must not come of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote_plus

ALARM = "<img src=x onerror=alert(1)>"
PRODUCT = "8641969"
"""What a template would make of its expression."""
INJECTED = "x-injected"


def hostile_values(canary: Path) -> dict[str, str]:
    """By what each tries; the ones that would run something on the machine make that file."""
    return {
        "html": f"\"'>{ALARM}<script>alert(1)</script>",
        "template": "{{1234567*7}}${1234567*7}#{1234567*7}{% raw %}",
        "path": "../../../../etc/passwd",
        "absolute path": "/etc/shadow",
        "option": "--help",
        "ssh option": f"-oProxyCommand=touch {canary}",
        "shell": f"x; touch {canary} $(touch {canary}) `touch {canary}` | touch {canary}",
        "sql": "x' OR 1=1; DROP TABLE users; --",
        "header": f"x\r\n{INJECTED}: yes\r\nSet-Cookie: {INJECTED}=1",
        "address": "//evil.example/javascript:alert(1)",
        "direction": "abc\u202egpj.exe\u200b\u2066",
        "nothing": "a\x00b\x1b[2J",
        "surrogate": "a\ud800b",
        "long": "A" * 200_000,
        "longer": "A" * 1_000_000,
    }


def form_body(fields: Mapping[str, str]) -> bytes:
    """As a browser would send it, or what no browser would: half a surrogate pair."""
    return "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in fields.items()).encode()


def _quoted(text: str) -> str:
    return quote_plus(text.encode(errors="surrogatepass"))


@dataclass
class FoundForm:
    """A form of a page: where it leads, and what is in its fields before anybody types."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[FoundForm] = []
        self._inside = False
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append(FoundForm(action=given.get("action", ""), method=given.get("method", "get")))
            self._inside = True
        elif self._inside and tag in ("input", "textarea", "select") and given.get("name"):
            self.found[-1].fields.setdefault(given["name"], given.get("value", ""))
            self._select = given["name"] if tag == "select" else self._select
        elif self._inside and tag == "option" and ("selected" in given or not self.found[-1].fields.get(self._select)):
            self.found[-1].fields[self._select] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "form"


def forms_of(page: str) -> Iterator[FoundForm]:
    """Every form of a page that changes something."""
    parser = _Forms()
    parser.feed(page)
    yield from (form for form in parser.found if form.method == "post")
