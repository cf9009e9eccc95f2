"""Send one message by one channel, or ask for one heartbeat address. What leads to it is a secret, and never part of what is said of it."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from io import StringIO
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx

from appliance.errors import InvalidRequest, StepFailed

if TYPE_CHECKING:
    from apprise import NotifyBase

OF_THIS_DESKTOP = frozenset({"dbus", "qt", "glib", "gio", "kde", "gnome", "macosx", "windows", "syslog", "blink1"})
"""What apprise shows on the machine that it runs on, where nobody looks."""
HEARTBEAT_SECONDS = 10.0
LONGEST_REASON = 300
SENDING: ContextVar[StringIO | None] = ContextVar("SENDING", default=None)
"""Where what is said of the message that is being sent is gathered."""
KINDS = "mailtos://USER:PASSWORD@mail.example.org?to=ops@example.org, json://HOST/PATH, slack://…, ntfys://…; all that apprise knows"

# What it says of an address may hold its secrets: it is told to nobody but `_said_of_this`, not to the log either.
logging.getLogger("apprise").addFilter(lambda _: SENDING.get() is not None)
logging.getLogger("apprise").propagate = False


class NotSent(StepFailed):
    """The message did not get through."""


def service_of(url: str) -> str:
    """What people call the service behind an address. Raises InvalidRequest, which does not repeat the address."""
    plugin = _plugin(url.strip())
    if plugin is None or url.strip().partition(":")[0].lower() in OF_THIS_DESKTOP:
        raise InvalidRequest(f"This is no address that can be notified; write {KINDS}. Nothing was changed.", field="url")
    return str(plugin.service_name)


def check_heartbeat(url: str) -> str:
    """The host that the heartbeat goes to. Raises InvalidRequest."""
    try:
        found = urlsplit(url.strip())
        host = found.hostname
    except ValueError:
        host = None
    if not host or found.scheme not in ("http", "https"):
        raise InvalidRequest("A heartbeat goes to an address that begins with https:// or http://. Nothing was changed.", field="url")
    return host


def send(url: str, *, title: str, body: str, is_good: bool) -> None:
    """Send it. Raises NotSent with the service's reason."""
    import apprise  # noqa: PLC0415 - it takes as long to load as all the rest, and most commands send nothing

    plugin = _plugin(url)
    if plugin is None:
        raise NotSent("its address is not understood any more; add the channel anew")
    notifier = apprise.Apprise()
    notifier.add(plugin)
    kind = apprise.NotifyType.SUCCESS if is_good else apprise.NotifyType.FAILURE
    with _said_of_this() as said:
        try:
            arrived = bool(notifier.notify(title=title, body=body, notify_type=kind, body_format=apprise.NotifyFormat.TEXT))
        except Exception as error:
            raise NotSent(f"its plugin failed in itself ({type(error).__name__})") from error
        reason = said.getvalue().strip().splitlines()
    if not arrived:
        raise NotSent(_without_secrets(reason[-1] if reason else "it gave no reason", url, plugin))


def ask(url: str) -> None:
    """Ask for a heartbeat address. Raises NotSent."""
    try:
        answer = httpx.get(url, timeout=HEARTBEAT_SECONDS)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise NotSent(f"it is not reached ({type(error).__name__})") from None
    if not answer.is_success:
        raise NotSent(f"it answered {answer.status_code}")


def address_of(url: str) -> dict[str, Any] | None:
    """The parts of an address as apprise understands it, with `service`, the name of its plugin; None where it does not. Holds secrets."""
    plugin = _plugin(url)
    return None if plugin is None else {**vars(plugin), "service": type(plugin).__name__}


@contextmanager
def _said_of_this() -> Iterator[StringIO]:
    """What apprise complains of meanwhile, in this context, which it takes along into its threads.

    What it says of another channel at the same time may hold that one's secrets.
    """
    said = StringIO()
    handler = logging.StreamHandler(said)
    handler.setLevel(logging.WARNING)
    handler.addFilter(lambda _: SENDING.get() is said)
    logger = logging.getLogger("apprise")
    logger.addHandler(handler)
    before = SENDING.set(said)
    try:
        yield said
    finally:
        SENDING.reset(before)
        logger.removeHandler(handler)


def _plugin(url: str) -> "NotifyBase | None":
    import apprise  # noqa: PLC0415 - as above

    with warnings.catch_warnings():
        # What apprise imports on its first use is on its way out of Python, which is apprise's to mend.
        warnings.simplefilter("ignore", DeprecationWarning)
        found = apprise.Apprise.instantiate(url, suppress_exceptions=True)
    return found if isinstance(found, apprise.NotifyBase) else None


def _without_secrets(text: str, url: str, plugin: "NotifyBase") -> str:
    secrets = {url, str(plugin.password or ""), *urlsplit(url).path.split("/"), *urlsplit(url).query.split("&")}
    for secret in sorted(filter(lambda part: len(part) > 5, secrets), key=len, reverse=True):  # noqa: PLR2004 - shorter ones are words
        text = text.replace(secret, "…")
    return text[:LONGEST_REASON]
