"""Who may do what: the roles, and the one table that says which operation needs which."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from appliance.errors import Forbidden
from appliance.web.languages import gettext, looked_up


class Role(StrEnum):
    """What somebody may do; each role may do what those before it may."""

    VIEWER = "viewer"
    """Sees everything, changes nothing."""
    OPERATOR = "operator"
    """Works on the CRMs that exist."""
    ADMINISTRATOR = "administrator"
    """Also brings CRMs into being and takes them away."""

    def includes(self, other: "Role") -> bool:
        """Whether this role may do what the other may."""
        ranks = list(Role)
        return ranks.index(self) >= ranks.index(other)


NEEDED = {
    "backup": Role.OPERATOR,
    "archive": Role.OPERATOR,
    "check": Role.OPERATOR,
    "retention": Role.OPERATOR,
    "drill": Role.OPERATOR,
    "rehearse": Role.OPERATOR,
    "upgrade": Role.OPERATOR,
    "patch": Role.OPERATOR,
    "rollback": Role.OPERATOR,
    "certificate": Role.OPERATOR,
    "configure": Role.OPERATOR,
    "tidy": Role.OPERATOR,
    "maintenance": Role.OPERATOR,
    "host-prepare": Role.OPERATOR,
    "host-patch": Role.OPERATOR,
    "monitoring-stack": Role.ADMINISTRATOR,
    "fleet-patch": Role.OPERATOR,
    "schedule": Role.OPERATOR,
    "restore": Role.OPERATOR,
    "restore-files": Role.OPERATOR,
    "restore-tables": Role.OPERATOR,
    "files": Role.OPERATOR,
    "look": Role.OPERATOR,
    "notice": Role.OPERATOR,
    "snooze": Role.OPERATOR,
    "share": Role.OPERATOR,
    "restore-beside": Role.ADMINISTRATOR,
    "install": Role.ADMINISTRATOR,
    "remove": Role.ADMINISTRATOR,
}
"""The role that a request of each kind needs; what is not named here, as adding a host or revoking a token, needs an administrator."""


OF_ONE_CRM = frozenset(
    {
        "backup",
        "archive",
        "check",
        "retention",
        "drill",
        "rehearse",
        "upgrade",
        "patch",
        "rollback",
        "certificate",
        "configure",
        "tidy",
        "maintenance",
        "restore",
        "restore-files",
        "restore-tables",
        "files",
        "share",
    }
)
"""What a viewer may do with a CRM that he was granted: what is about that one alone. Windows, notices and hosts are everybody's."""


def right_for(kind: str, parameters: Mapping[str, Any]) -> str:
    """What a request has to be allowed as.

    An upgrade that nobody has rehearsed is a right of its own, an administrator's; so are removing deployments that visitors may have used,
    keeping every change no longer, and accepting that recovery points are gone.
    """
    if kind == "check" and parameters.get("accept_loss", False) is not False:
        return "accept the loss of recovery points"
    if kind == "archive" and parameters.get("wanted", True) is not True:
        return "end an archive"
    if kind == "upgrade" and parameters.get("rehearsal", True) is not True:
        return "upgrade without a rehearsal"
    return "tidy unknown deployments" if kind == "tidy" and parameters.get("unknown", False) is not False else kind


def is_grave(kind: str, parameters: Mapping[str, Any]) -> bool:
    """Whether a browser session has to show once more who it is for such a request: what is restored in place, and what is removed."""
    return kind in ("restore", "remove") or (kind == "restore-files" and parameters.get("beside", False) is not True)


@dataclass(frozen=True, kw_only=True)
class Principal:
    """Who asks. `csrf` is what the forms of this browser session must carry; it is empty for a bearer token.

    At `confirmed_at` a browser session has last shown who it is. `crms` are those that may be operated whatever the role.
    `language` and `theme` are empty while the account has none of its own.
    """

    name: str
    role: Role
    csrf: str = ""
    must_change: bool = False
    confirmed_at: datetime | None = None
    crms: frozenset[str] = frozenset()
    language: str = ""
    theme: str = ""

    def may(self, kind: str, crm: str = "") -> bool:
        """Whether this one may request an operation of that kind, of that CRM; without one, of any."""
        return self.role.includes(NEEDED.get(kind, Role.ADMINISTRATOR)) or (kind in OF_ONE_CRM and crm in self.crms)

    def demand(self, kind: str, crm: str = "") -> None:
        """Raise Forbidden unless this one may request an operation of that kind, of that CRM."""
        if not self.may(kind, crm):
            needed = NEEDED.get(kind, Role.ADMINISTRATOR)
            raise Forbidden(
                gettext(
                    "%(name)s is a %(role)s; to request “%(kind)s” takes the role %(needed)s. Nothing was changed.",
                    name=self.name,
                    role=looked_up(self.role.capitalize()).lower(),
                    kind=kind,
                    needed=looked_up(needed.capitalize()).lower(),
                )
            )
