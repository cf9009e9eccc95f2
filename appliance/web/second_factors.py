"""The second factors: asked for at the log-in, looked after by those who have one."""

import segno

from appliance.domain.second_factor import SecondFactor, address_of, grouped, make_recovery_codes, matching_step
from appliance.errors import Forbidden, InvalidRequest, NotFound, Unauthenticated
from appliance.web.access import Principal
from appliance.web.languages import gettext, marked
from appliance.web.panel import Panel
from appliance.web.passwords import authenticate, count_failure, forgive

RIGHT = "second-factors"
"""To see everybody's, and to turn those of others off."""
WRONG = marked("The code is wrong, or was used already. Wait for the next one, and see that the clock of the device is right.")
UNSEEN = marked(
    "The code does not belong to this secret. Nothing was changed; see that the device's clock is right, and type what it shows now."
)
QUIET_MODULES = 4
"""White around a QR code, as ISO 18004 asks."""


def seen_by(panel: Panel, principal: Principal) -> list[SecondFactor]:
    """Those that somebody may see, by user: one's own, for administrators everybody's."""
    found = panel.appliance.store.second_factors.list()
    return [one for one in found if one.user == principal.name or principal.may(RIGHT)]


def check_code(panel: Panel, user: str, typed: str) -> str:
    """Take a code of a user who has a second factor; gives which kind it was. Raises Unauthenticated, and Forbidden while locked out.

    Each try is counted before it is looked at, so that many at once are no more tries than one after the other.
    """
    store, now = panel.appliance.store, panel.clock()
    count_failure(store.access, user, now=now)
    if not (kind := store.second_factors.take(user, typed, now=now)):
        raise Unauthenticated(gettext(WRONG))
    forgive(store.access, user)
    return kind


def prove(panel: Panel, user: str, *, password: str, code: str) -> None:
    """Take a password and, where the user has a second factor, a code of it. Raises Unauthenticated, and Forbidden while locked out."""
    store = panel.appliance.store
    try:
        authenticate(store.access, user, password, now=panel.clock())
    except Unauthenticated:
        raise Unauthenticated(gettext("The password is wrong.")) from None
    if store.second_factors.find(user):
        check_code(panel, user, code)
    forgive(store.access, user)


def offer(panel: Panel, principal: Principal) -> str:
    """Give a new secret to somebody who has just proven who he is; nothing changes until a code of it was seen."""
    return panel.appliance.store.second_factors.offer(principal.name)


def turn_on(panel: Panel, principal: Principal, typed: str) -> list[str]:
    """Ask for codes from now on, and give the recovery codes; every other browser is logged out.

    Raises InvalidRequest for a wrong code, Conflict when nothing was offered, Forbidden while locked out.
    """
    store, now = panel.appliance.store, panel.clock()
    secret = store.second_factors.offered(principal.name)
    count_failure(store.access, principal.name, now=now)
    if (step := matching_step(secret, typed, now)) is None:
        raise InvalidRequest(gettext(UNSEEN), field="code")
    codes = make_recovery_codes()
    store.second_factors.turn_on(principal.name, secret=secret, step=step, codes=codes, now=now)
    end_other_sessions(panel, principal)
    forgive(store.access, principal.name)
    return codes


def end_other_sessions(panel: Panel, principal: Principal) -> None:
    """Log every other browser of somebody out whose second factor has just begun."""
    access, now = panel.appliance.store.access, panel.clock()
    others = [one for one in access.sessions(principal.name, now=now) if one.csrf != principal.csrf]
    access.end_sessions(others, by=principal.name, now=now)


def renew_codes(panel: Panel, principal: Principal) -> list[str]:
    """Give new recovery codes in place of all earlier ones. Raises NotFound without a second factor."""
    codes = make_recovery_codes()
    panel.appliance.store.second_factors.replace_codes(principal.name, codes, now=panel.clock())
    return codes


def demand(principal: Principal, user: str) -> None:
    """Raise Forbidden unless this one may turn that user's off."""
    if user != principal.name and not principal.may(RIGHT):
        raise Forbidden(f"{principal.name} is a {principal.role}; only an administrator turns it off for others. Nothing was changed.")


def turn_off(panel: Panel, principal: Principal, user: str) -> None:
    """Ask for the password alone from now on. Raises Forbidden, and NotFound without a second factor."""
    demand(principal, user)
    if panel.appliance.store.access.find_user(user) is None:
        raise NotFound(gettext("There is no user %(name)s. Nothing was changed.", name=repr(user[:64])))
    panel.appliance.store.second_factors.turn_off(user, by=principal.name, now=panel.clock())


def machine_of(panel: Panel) -> str:
    """What tells this appliance from another one in somebody's app."""
    settings = panel.appliance.settings
    return settings.panel_domain or settings.panel_listen


def shown_secret(panel: Panel, principal: Principal, secret: str) -> dict[str, object]:
    """A secret as text, as the address that apps know, and as the path and width of a QR code."""
    address = address_of(secret, user=principal.name, machine=machine_of(panel))
    rows = [[bool(module) for module in row] for row in segno.make(address, error="m", micro=False).matrix]
    path = "".join(f"M{x},{y}h1v1h-1z" for y, row in enumerate(rows) for x, is_dark in enumerate(row) if is_dark)
    return {"secret": grouped(secret), "address": address, "qr_path": path, "qr_width": len(rows), "qr_quiet": QUIET_MODULES}
