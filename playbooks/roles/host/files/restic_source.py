"""Derive the apt source of the next Debian from the sources this machine has, so that mirror, transport and keys stay the machine's own.

Prints one deb822 stanza. Reads both formats: *.sources (deb822) and one-line *.list. Fails when no source of the release is found.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

SUITE, NEXT = "bookworm", "trixie"
ONE_LINE = re.compile(r"^deb\s+(?:\[(?P<options>[^\]]*)\]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)\s+(?P<components>.+)$")


@dataclass(frozen=True, kw_only=True)
class Source:
    """One place that packages come from; `options` are deb822 fields such as Signed-By."""

    uris: str
    suites: tuple[str, ...]
    components: tuple[str, ...]
    options: tuple[tuple[str, str], ...]

    def serves(self, suite: str) -> bool:
        """Whether this is the main archive of a release."""
        return suite in self.suites and "main" in self.components

    def stanza(self, suite: str) -> str:
        """The same place, for another release."""
        fields = [("Types", "deb"), ("URIs", self.uris), ("Suites", suite), ("Components", "main"), *self.options]
        return "# Written by the appliance: restic alone comes from here.\n" + "\n".join(f"{name}: {value}" for name, value in fields)


KEPT = {"signed-by": "Signed-By", "trusted": "Trusted", "arch": "Architectures", "architectures": "Architectures"}


def read_deb822(text: str) -> list[Source]:
    """The enabled binary sources of a *.sources file."""
    sources = []
    for paragraph in re.split(r"\n\s*\n", "\n".join(line for line in text.splitlines() if not line.startswith("#"))):
        fields = {m[1].lower(): m[2].strip() for m in re.finditer(r"^([\w-]+):((?:.*)(?:\n[ \t].*)*)", paragraph, re.MULTILINE)}
        if "deb" in fields.get("types", "").split() and fields.get("enabled", "yes").lower() not in {"no", "false", "0"}:
            options = tuple((KEPT[name], value) for name, value in fields.items() if name in KEPT)
            suites, components = fields.get("suites", ""), fields.get("components", "")
            sources.append(
                Source(uris=fields.get("uris", ""), suites=tuple(suites.split()), components=tuple(components.split()), options=options)
            )
    return sources


def read_one_line(text: str) -> list[Source]:
    """The binary sources of a *.list file."""
    sources = []
    for line in text.splitlines():
        if found := ONE_LINE.match(line.split("#")[0].strip()):
            pairs = [option.split("=", 1) for option in (found["options"] or "").split() if "=" in option]
            options = tuple((KEPT[name.lower()], value.replace(",", " ")) for name, value in pairs if name.lower() in KEPT)
            components = tuple(found["components"].split())
            sources.append(Source(uris=found["uri"], suites=(found["suite"],), components=components, options=options))
    return sources


def all_sources(apt: Path) -> list[Source]:
    """Every source under apt's directory, in apt's order."""
    lists = [apt / "sources.list", *sorted(apt.glob("sources.list.d/*.list"))]
    sources = [source for file in lists if file.exists() for source in read_one_line(file.read_text())]
    return sources + [source for file in sorted(apt.glob("sources.list.d/*.sources")) for source in read_deb822(file.read_text())]


def main(apt: Path) -> int:
    """Print the derived source, or say why there is none."""
    for source in all_sources(apt):
        if source.serves(SUITE):
            print(source.stanza(NEXT))
            return 0
    print(f"No apt source of {SUITE} main was found under {apt}, so none of {NEXT} could be derived for restic.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("/etc/apt")))
