"""Render the templates: everything is escaped, and a name that a template lacks is an error."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from appliance import __version__
from appliance.domain.inert import inert
from appliance.domain.objectives import LATENCIES, written, written_latency, written_share
from appliance.web import formats, languages, themes
from appliance.web.access import Principal
from appliance.web.assets import Assets
from appliance.web.uptimes import notes_about

FILTERS = (
    inert,
    formats.ago,
    formats.exact,
    formats.day,
    formats.duration,
    formats.lasting,
    formats.size,
    formats.count,
    formats.per_cent,
    formats.transferred,
    formats.kind_title,
    formats.word,
    formats.step_title,
    languages.looked_up,
    formats.subject_title,
    formats.subject_address,
)


@dataclass(frozen=True, kw_only=True)
class Pages:
    """The templates, and the clock that "3 minutes ago" is counted from."""

    environment: Environment
    clock: Callable[[], datetime]

    def text(self, template: str, context: Mapping[str, Any]) -> str:
        """Render a fragment."""
        return self.environment.get_template(template).render(now=self.clock(), **context)

    def page(self, template: str, *, principal: Principal, section: str, status: int = 200, **context: Any) -> HTMLResponse:
        """Render a page for somebody who is logged in; `section` is the entry of the navigation that is marked."""
        return HTMLResponse(self.text(template, {"principal": principal, "section": section, **context}), status)

    def bare(self, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
        """Render a page without navigation."""
        return HTMLResponse(self.text(template, context), status)


def in_english() -> Markup:
    """The attribute of an element whose text is English in every language, so that it is read out as such."""
    return Markup("") if languages.language() == languages.ENGLISH else Markup(' lang="en"')


def open_pages(assets: Assets, clock: Callable[[], datetime]) -> Pages:
    """Load the templates of the package."""
    environment = Environment(
        loader=PackageLoader("appliance.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        extensions=["jinja2.ext.i18n"],
    )
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_gettext_callables(languages.plain_gettext, languages.plain_ngettext, newstyle=True)  # type: ignore[attr-defined]
    environment.filters |= {one.__name__: one for one in FILTERS}
    environment.filters |= {"notes_about": notes_about}
    environment.filters |= {"length_written": written, "share_written": written_share, "latency_written": written_latency}
    environment.globals["latencies"] = [written_latency(latency) for latency in LATENCIES]
    environment.globals |= {"asset": assets.url, "version": __version__, "languages": languages.LANGUAGES, "language": languages.language}
    environment.globals |= {"themes": themes.THEMES, "theme": themes.theme, "shade": themes.shade}
    environment.globals |= {"in_english": in_english, "weekdays": formats.weekdays}
    environment.globals["ui"] = environment.get_template("ui.html").module
    return Pages(environment=environment, clock=clock)
