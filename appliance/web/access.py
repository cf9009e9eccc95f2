"""Who may do what: the roles, and the one table that says which operation needs which."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from appliance.errors import Forbidden


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
    "tidy": Role.OPERATOR,
    "host-prepare": Role.OPERATOR,
    "host-patch": Role.OPERATOR,
    "fleet-patch": Role.OPERATOR,
    "schedule": Role.OPERATOR,
    "restore": Role.OPERATOR,
    "restore-files": Role.OPERATOR,
    "restore-tables": Role.OPERATOR,
    "files": Role.OPERATOR,
    "look": Role.OPERATOR,
    "notice": Role.OPERATOR,
    "restore-beside": Role.ADMINISTRATOR,
    "install": Role.ADMINISTRATOR,
    "remove": Role.ADMINISTRATOR,
}
"""The role that a request of each kind needs; what is not named here, as adding a host or revoking a token, needs an administrator."""


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


@dataclass(frozen=True, kw_only=True)
class Principal:
    """Who asks. `csrf` is what the forms of this browser session must carry; it is empty for a bearer token."""

    name: str
    role: Role
    csrf: str = ""
    must_change: bool = False

    def may(self, kind: str) -> bool:
        """Whether this one may request an operation of that kind."""
        return self.role.includes(NEEDED.get(kind, Role.ADMINISTRATOR))

    def demand(self, kind: str) -> None:
        """Raise Forbidden unless this one may request an operation of that kind."""
        if not self.may(kind):
            needed = NEEDED.get(kind, Role.ADMINISTRATOR)
            raise Forbidden(f"{self.name} is a {self.role}; to request “{kind}” takes the role {needed}. Nothing was changed.")
