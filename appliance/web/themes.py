"""Whether a page is light or dark: as was chosen, or by the device."""

from contextvars import ContextVar

from appliance.web.languages import marked

COOKIE = "appliance_theme"
HINT = "sec-ch-prefers-color-scheme"
"""What a browser that was asked for it says of its device beforehand (Accept-CH), so that the page is right without scripts, too."""
LIGHT, DARK, DEVICE = "light", "dark", "device"
THEMES = {LIGHT: marked("Light"), DARK: marked("Dark"), DEVICE: marked("As the device")}

_theme: ContextVar[tuple[str, str]] = ContextVar("theme", default=(DEVICE, LIGHT))


def wear(theme: str, *, device: str) -> None:
    """Answer in this theme from here on; `device` is what the browser has said of its own."""
    _theme.set((theme if theme in THEMES else DEVICE, device if device in (LIGHT, DARK) else LIGHT))


def wear_instead(theme: str) -> None:
    """Answer in this theme, on the same device."""
    wear(theme, device=_theme.get()[1])


def theme() -> str:
    """The one that was chosen."""
    return _theme.get()[0]


def shade() -> str:
    """Light or dark; by the device as far as it is known: `theme.js` knows better, before the page is drawn."""
    chosen, device = _theme.get()
    return device if chosen == DEVICE else chosen
