"""Find a page, a CRM, a host or an operation by words of its name, in what somebody may open."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from appliance.store import Store
from appliance.web.access import Principal
from appliance.web.formats import kind_title, word
from appliance.web.languages import gettext, looked_up, marked

MOST = 12
NUMBER = re.compile(r"#?([0-9]{1,18})")
PAGES = (
    (marked("Overview"), "/", ""),
    (marked("CRMs"), "/instances", ""),
    (marked("Hosts"), "/hosts", ""),
    (marked("Updates and schedules"), "/updates", ""),
    (marked("Calendar of schedules"), "/schedules", ""),
    (marked("Operations"), "/operations", ""),
    (marked("Backups and repositories"), "/backups", ""),
    (marked("Drills"), "/drills", ""),
    (marked("Monitoring and uptime"), "/monitoring", ""),
    (marked("Alerts and notifications"), "/alerts", ""),
    (marked("Products"), "/products", ""),
    (marked("Sessions"), "/sessions", ""),
    (marked("Second factor"), "/second-factor", ""),
    (marked("Change password"), "/password", ""),
    (marked("First steps"), "/welcome", ""),
    (marked("Install a CRM"), "/install", "install"),
    (marked("Add a host"), "/add-host", "host-add"),
    (marked("Add a repository"), "/repositories/add", "repository-add"),
    (marked("Recovery kit"), "/repositories/kit", "reveal"),
    (marked("Add a notification channel"), "/alerts/add-channel", "notification-add"),
    (marked("Add a maintenance window"), "/schedules/add", "schedule"),
    (marked("Patch the fleet"), "/updates/fleet", "fleet-patch"),
    (marked("Settings"), "/settings", "settings"),
    (marked("Audit"), "/audit", "audit"),
    (marked("Support bundle"), "/support", "support"),
    (marked("Users"), "/users", "users"),
    (marked("API tokens"), "/tokens", "tokens"),
    (marked("Secrets"), "/secrets", "secrets"),
    (marked("Login provider"), "/login-provider", "login-provider"),
    (marked("Webhooks"), "/webhooks", "webhooks"),
)
"""Title, address, and the right that it takes."""
WORK = (
    (marked("Restore %(name)s"), "restore"),
    (marked("Upgrade %(name)s"), "upgrade"),
    (marked("Roll back %(name)s"), "rollback"),
    (marked("Settings of %(name)s"), "configure"),
    (marked("Certificate of %(name)s"), "certificate"),
    (marked("Remove %(name)s"), "remove"),
)
"""What is done to a CRM on a page of its own: how it is said, and its right, which ends its address."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """Something that can be gone to."""

    title: str
    detail: str
    address: str


def find(store: Store, principal: Principal, query: str) -> list[Found]:
    """What has all the words of the query, pages first; without a query, the pages."""
    words = query.casefold().split()
    matching = (found for found in _all(store, principal, words) if _matches(found, words))
    return [found for found, _ in zip(matching, range(MOST), strict=False)]


def _matches(found: Found, words: Iterable[str]) -> bool:
    text = f"{found.title} {found.detail}".casefold()
    return all(word in text for word in words)


def _all(store: Store, principal: Principal, words: list[str]) -> Iterator[Found]:
    yield from _operation(store, words)
    for title, address, right in PAGES:
        if not right or principal.may(right):
            yield Found(title=looked_up(title), detail=gettext("Page"), address=address)
    if not words:
        return
    instances = store.instances.glances()
    for instance in instances:
        detail = f"CRM · {instance.product} {instance.release} · {instance.domain}"
        yield Found(title=instance.name, detail=detail, address=f"/instances/{instance.name}")
    for host in store.hosts.list():
        yield Found(title=host.name, detail=" · ".join([gettext("Host"), host.address]), address=f"/hosts/{host.name}")
    for instance in instances:
        for work, right in WORK:
            if principal.may(right, instance.name):
                yield Found(title=gettext(work, name=instance.name), detail="CRM", address=f"/instances/{instance.name}/{right}")


def _operation(store: Store, words: list[str]) -> Iterator[Found]:
    """The one whose number is typed, as "#12" or "12"."""
    number = NUMBER.fullmatch(words[0]) if len(words) == 1 else None
    if number and (operation := store.operations.find(int(number[1]))):
        yield Found(
            title=f"#{number[1]}: {kind_title(operation.kind)}",
            detail=" · ".join([gettext("Operation"), operation.instance, word(operation.status).lower()]),
            address=f"/operations/{operation.id}",
        )
