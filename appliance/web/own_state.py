"""The appliance itself, for its administrators: what belongs to it, how that stands, and where it is changed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from appliance import __version__
from appliance.domain.channel import Channel
from appliance.domain.own_upgrade import OwnUpgrade
from appliance.domain.repository import Repository
from appliance.operations.this_machine import examine_this_machine
from appliance.store.audit import AuditFilter
from appliance.web.access import Role
from appliance.web.formats import ago
from appliance.web.languages import gettext, ngettext
from appliance.web.panel import Panel

RIGHT = "settings"
WELL, ODD, BAD, PLAIN = "green", "orange", "red", "secondary"


@dataclass(frozen=True, kw_only=True)
class Line:
    """One thing: what it is, how it stands, a word of it in a colour, and the page where it is seen or changed."""

    title: str
    text: str
    address: str = ""
    word: str = ""
    tone: str = PLAIN


@dataclass(frozen=True, kw_only=True)
class Group:
    """Things that belong together; `id` names it in an address."""

    id: str
    title: str
    lines: list[Line]


def groups_of(panel: Panel) -> list[Group]:
    """All that there is, without asking any other machine."""
    return [
        Group(id="appliance", title=gettext("This appliance"), lines=_appliance(panel)),
        Group(id="people", title=gettext("Who may come in"), lines=_people(panel)),
        Group(id="telling", title=gettext("Mail and notifications"), lines=_telling(panel)),
        Group(id="recovery", title=gettext("If this machine is lost"), lines=_recovery(panel)),
    ]


def _appliance(panel: Panel) -> list[Line]:
    ill = sum(not finding.ok for finding in examine_this_machine(panel.appliance))
    found = ngettext("%(num)s thing to see to", "%(num)s things to see to", ill) if ill else gettext("All is well")
    return [
        Line(title=gettext("Version"), text=__version__, **_upgrade(panel.last_upgrade(), panel.clock())),
        Line(title=gettext("This machine"), text="", word=found, tone=ODD if ill else WELL, address="/welcome"),
        Line(title=gettext("Support bundle"), text=gettext("What somebody who helps you has to know, in one file"), address="/support"),
        Line(title=gettext("Audit"), text=gettext("Who did what, when; nobody can change it unseen"), address="/audit"),
    ]


def _upgrade(last: OwnUpgrade | None, now: datetime) -> dict[str, str]:
    """The word about the last upgrade, and its colour."""
    if last is None:
        return {}
    if last.is_under_way:
        return {"word": gettext("Going to %(target)s", target=last.target), "tone": ODD}
    when = ago(last.at, now) if last.at else ""
    if last.result == "succeeded":
        return {"word": gettext("Upgraded %(when)s", when=when), "tone": WELL}
    return {"word": gettext("The upgrade to %(target)s did not succeed (%(when)s)", target=last.target, when=when), "tone": BAD}


def _people(panel: Panel) -> list[Line]:
    store, asked = panel.appliance.store, panel.appliance.settings.second_factor_for
    users, secured = store.access.users(), {one.user for one in store.second_factors.list()}
    bare = sum(user.role == Role.ADMINISTRATOR and user.name not in secured for user in users)
    sessions, tokens = len(store.access.sessions(now=panel.clock())), len(store.tokens.list())
    provider = store.login_providers.find()
    demanded = {
        "nobody": gettext("Nobody has to have one"),
        "administrators": gettext("Administrators have to have one"),
        "everybody": gettext("Everybody has to have one"),
    }
    missing = ngettext("%(num)s administrator has none", "%(num)s administrators have none", bare)
    return [
        Line(title=gettext("Users"), text=ngettext("%(num)s user", "%(num)s users", len(users)), address="/users"),
        Line(
            title=gettext("Second factor"),
            text=demanded[asked],
            address="/second-factor",
            **({"word": missing, "tone": ODD} if bare else {"word": gettext("Every administrator has one"), "tone": WELL}),
        ),
        Line(title=gettext("Login provider"), text=provider.name if provider else gettext("None; by password"), address="/login-provider"),
        Line(
            title=gettext("Sessions"),
            text=ngettext("%(num)s browser is logged in", "%(num)s browsers are logged in", sessions),
            address="/sessions",
        ),
        Line(title=gettext("API tokens"), text=ngettext("%(num)s token", "%(num)s tokens", tokens), address="/tokens"),
    ]


def _telling(panel: Panel) -> list[Line]:
    store = panel.appliance.store
    channels, webhooks = store.channels.list(), store.webhooks.list()
    nobody = gettext("Nobody is told when something breaks")
    told = [_channel(one, panel.clock()) for one in channels] or [
        Line(title=gettext("Notifications"), text=nobody, word=gettext("None"), tone=ODD, address="/alerts/add-channel")
    ]
    count = ngettext("%(num)s program is told what happens", "%(num)s programs are told what happens", len(webhooks))
    return [*told, Line(title=gettext("Webhooks"), text=count, address="/webhooks")]


def _channel(one: Channel, now: datetime) -> Line:
    when = gettext("last used %(when)s", when=ago(one.noted_at, now)) if one.noted_at else gettext("not used yet")
    word, tone = (gettext("fails"), BAD) if one.failures else (gettext("works"), WELL) if one.sent else (gettext("not used yet"), PLAIN)
    return Line(title=one.name, text=f"{one.service} · {when}", word=word, tone=tone, address="/alerts")


def _recovery(panel: Panel) -> list[Line]:
    repositories, now = panel.appliance.store.repositories.list(), panel.clock()
    nowhere = gettext("Recovery points and this appliance's own state are lost with their machines")
    kept = [_repository(one, now) for one in repositories] or [
        Line(title=gettext("Repositories elsewhere"), text=nowhere, word=gettext("None"), tone=ODD, address="/repositories/add")
    ]
    return [*kept, _kit(panel, repositories)]


def _repository(one: Repository, now: datetime) -> Line:
    word = gettext("not used yet") if one.works is None else gettext("works") if one.works else gettext("fails")
    tone = PLAIN if one.works is None else WELL if one.works else BAD
    state = gettext("this appliance's state kept %(when)s", when=ago(one.state_kept_at, now)) if one.state_kept_at else ""
    return Line(title=one.name, text=" · ".join(filter(None, [one.location, state])), word=word, tone=tone, address="/backups")


def _kit(panel: Panel, repositories: Iterable[Repository]) -> Line:
    """When somebody has taken it last, and when it was last seen to open what is kept."""
    now, shown = panel.clock(), panel.appliance.store.audit.list(AuditFilter(action="show recovery kit"), limit=1)
    proven = max((one.kit_proven_at for one in repositories if one.kit_proven_at), default=None)
    text = (
        gettext("taken %(when)s", when=ago(shown[0].at, now))
        if shown
        else gettext("Nobody has taken it yet: print it, and keep it elsewhere")
    )
    word, tone = (gettext("proven %(when)s", when=ago(proven, now)), WELL) if proven else (gettext("Unproven"), ODD)
    return Line(title=gettext("Recovery kit"), text=text, word=word, tone=tone, address="/repositories/kit")
