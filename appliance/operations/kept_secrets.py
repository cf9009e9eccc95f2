"""Which secrets the appliance keeps, of whom and since when, and which of them people set. What they are is told to nobody here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from appliance.errors import InvalidRequest, NotFound
from appliance.operations.certifying import AUTHORITY_SCOPE, HANDOVER_PREFIX
from appliance.operations.certifying import SCOPE_PREFIX as CERTIFICATE_PREFIX
from appliance.operations.channels import URL, replace_address
from appliance.operations.hosts import OWN_KEY_SCOPE
from appliance.operations.kits import SCOPE as KIT_SCOPE
from appliance.operations.login_provider import replace_client_secret
from appliance.operations.repositories import replace_credentials
from appliance.operations.scraping import SCOPE as METRICS_SCOPE
from appliance.operations.stack.kept import SCOPE_PREFIX as STACK_PREFIX
from appliance.operations.steps.repositories import CREDENTIAL_PREFIX
from appliance.store.login_providers import SCOPE as PROVIDER_SCOPE
from appliance.store.login_providers import SECRET as CLIENT_SECRET
from appliance.store.second_factors import SCOPE_PREFIX as USER_PREFIX
from appliance.store.vault import KeptSecret
from appliance.wiring import Appliance

CRM = "crm"


@dataclass(frozen=True, kw_only=True)
class Kind:
    """Of owners of secrets: what people call it, and why its secrets are, or are not, replaced here. `is_set_by_people`: they are."""

    title: str
    told: str
    is_set_by_people: bool = False


KINDS = {
    "repository": Kind(
        title="Repository",
        told="What it is asked with can be replaced, once it was seen to open the repository. Its password cannot: all that lies there is "
        "encrypted with it, and would be lost with it.",
        is_set_by_people=True,
    ),
    "channel": Kind(
        title="Notification channel",
        told="The address holds what lets the appliance in there. Another one can take its place; send a test afterwards.",
        is_set_by_people=True,
    ),
    "login-provider": Kind(
        title="Login provider",
        told="The client secret, as the provider has it. Try the log-in in another browser afterwards.",
        is_set_by_people=True,
    ),
    "webhook": Kind(
        title="Webhook",
        told="The appliance makes it and shows it once. For 24 hours after a new one was made, messages are signed with the old one, too, "
        "so that the receiver can change over.",
    ),
    "retention": Kind(
        title="Giving up in a repository",
        told="Credentials that stay on the appliance's machine. They are set anew with what is kept there.",
    ),
    "tls": Kind(title="Certificate of a CRM", told="Certificate and key belong together: both are replaced on the certificate's page."),
    "host": Kind(
        title="Host",
        told="The key that the appliance logs in with, and is let in by there. Another one is set by adding the host anew.",
    ),
    "user": Kind(
        title="User",
        told="What the codes of a second factor are made from. Only the user makes another, under Second factor.",
    ),
    CRM: Kind(
        title="CRM",
        told="Made by the appliance when the CRM was installed, laid down for it on its host, and part of every recovery point. Another "
        "one would have to be set within the CRM at the same moment; so none is replaced here. People change their passwords in the CRM.",
    ),
    "stack": Kind(title="Monitoring stack", told="Wired into its alerts; the operation that sets the stack up makes it."),
    "handover": Kind(title="Certificate on its way", told="Waits for the operation that puts it in place, and is forgotten with it."),
    OWN_KEY_SCOPE: Kind(
        title="The appliance's own key",
        told="Hosts let the appliance in by it. Another one would shut it out of each that does not know that yet.",
    ),
    AUTHORITY_SCOPE: Kind(title="The appliance's own authority", told="Browsers trust it, and would warn of another one."),
    "panel": Kind(title="The panel's certificate", told="Certificate and key belong together: appliance panel certificate"),
    KIT_SCOPE: Kind(title="Recovery kit", told="It is in every kit that was printed; another one would make them worthless."),
    METRICS_SCOPE: Kind(title="Metrics", told="Prometheus reads the metrics with it; the monitoring stacks know it."),
}
"""By what the scopes of the vault begin with; those that people set come first."""
SINGLE = (PROVIDER_SCOPE, OWN_KEY_SCOPE, AUTHORITY_SCOPE, "panel", KIT_SCOPE, METRICS_SCOPE)
PREFIXED = ("repository", "channel", "webhook", "retention", "host", CERTIFICATE_PREFIX[:-1], USER_PREFIX[:-1], STACK_PREFIX[:-1])


@dataclass(frozen=True, kw_only=True)
class Owner:
    """Whose secrets: of which kind, and by which name; empty where there is one only."""

    scope: str
    kind: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Kept:
    """The secrets of an owner, by name with since when they are as they are. `can_replace` says that somebody may set them."""

    owner: Owner
    secrets: Mapping[str, datetime | None]
    can_replace: bool


def owners(appliance: Appliance) -> list[Owner]:
    """Everybody who has secrets here, those first whose secrets people set."""
    order = list(KINDS)
    found = [owner_of(scope) for scope in appliance.store.vault.scopes("")]
    return sorted(found, key=lambda one: (order.index(one.kind), one.name))


def owner_of(scope: str) -> Owner:
    """Whose secrets lie under that in the vault."""
    prefix, _, name = scope.partition(":")
    if name and prefix in (*PREFIXED, HANDOVER_PREFIX[:-1]):
        return Owner(scope=scope, kind=prefix, name=name)
    return Owner(scope=scope, kind=scope, name="") if scope in SINGLE else Owner(scope=scope, kind=CRM, name=scope)


def kept_of(appliance: Appliance, some: Sequence[Owner]) -> list[Kept]:
    """What is kept of these."""
    by_scope: dict[str, list[KeptSecret]] = {owner.scope: [] for owner in some}
    for one in appliance.store.vault.listed(list(by_scope)):
        by_scope[one.scope].append(one)
    elsewhere = {one.name for one in appliance.store.repositories.list()}
    return [_kept(owner, by_scope[owner.scope], elsewhere) for owner in some]


def _kept(owner: Owner, secrets: Sequence[KeptSecret], elsewhere: set[str]) -> Kept:
    """A host's own repository is asked with its password alone; that of one which was removed outlives it."""
    can_replace = KINDS[owner.kind].is_set_by_people and (owner.kind != "repository" or owner.name in elsewhere)
    return Kept(owner=owner, secrets={one.name.removeprefix(CREDENTIAL_PREFIX): one.since for one in secrets}, can_replace=can_replace)


def replace_secret(appliance: Appliance, kind: str, name: str, values: Mapping[str, str], *, requested_by: str, now: datetime) -> None:
    """Set what an owner's secrets are from now on; the audit says who did, never what. Raises NotFound, and InvalidRequest for what is not
    set by people, or is wrong.
    """
    if kind not in KINDS:
        raise NotFound(f"Nothing of the kind {kind[:40]!r} has secrets; there are {', '.join(KINDS)}. Nothing was changed.")
    if not KINDS[kind].is_set_by_people:
        raise InvalidRequest(f"{KINDS[kind].told} Nothing was changed.", field="kind")
    if kind == "repository":
        replace_credentials(appliance, name, values, requested_by=requested_by, now=now)
    elif kind == "channel":
        replace_address(appliance, name, _only(values, URL), requested_by=requested_by, now=now)
    else:
        replace_client_secret(appliance, _only(values, CLIENT_SECRET), by=requested_by, now=now)


def _only(values: Mapping[str, str], wanted: str) -> str:
    if set(values) != {wanted} or not values[wanted].strip():
        raise InvalidRequest(f"Say {wanted!r}, and nothing else. Nothing was changed.", field=wanted)
    return values[wanted].strip()
