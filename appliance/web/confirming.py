"""Step-up: what matters most asks a browser session once more who it is, unless that was shown just now. Programs are never asked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from appliance.errors import Forbidden, Unauthenticated
from appliance.web import passkeys
from appliance.web.languages import gettext
from appliance.web.panel import Panel
from appliance.web.passwords import authenticate
from appliance.web.second_factors import prove
from appliance.web.sessions import Submission

LASTS = timedelta(minutes=10)
PASSWORD, CODE, PASSKEY, CHALLENGE = "own_password", "own_code", "own_passkey", "own_challenge"
PROOFS = (PASSWORD, CODE, PASSKEY, CHALLENGE)
PURPOSE = "confirm"


@dataclass(frozen=True, kw_only=True)
class Doing:
    """What a form does, as `text` says it: English in the audit, in the language of the request on the page. `of` fills its %(name)s in."""

    text: str
    of: Mapping[str, str] = field(default_factory=dict)

    def noted(self) -> str:
        """For the audit."""
        return self.text % self.of

    def told(self) -> str:
        """For the page."""
        return gettext(self.text, **self.of)


def doing(text: str, **of: str) -> Doing:
    """What a form does; the catalogues know the text."""
    return Doing(text=text, of=of)


class ConfirmationDue(Unauthenticated):
    """Password, and code where there is a second factor, or a passkey, are asked for before the form is acted upon. It comes along."""

    def __init__(self, form: Submission, *, what: Doing, back: str, error: Exception | None = None) -> None:
        super().__init__(gettext("Confirm that it is you. Nothing was changed."))
        self.form, self.what, self.back = form, what, back
        self.problem = str(error) if error else ""
        self.status = 429 if isinstance(error, Forbidden) else 401


def confirmed(panel: Panel, form: Submission, *, what: Doing, back: str) -> Submission:
    """Give a form back, once it is known who has sent it; `what` says what it does, `back` is where a change of mind leads.

    Raises ConfirmationDue.
    """
    bare = Submission(principal=form.principal, fields={name: text for name, text in form.fields.items() if name not in PROOFS})
    if PASSWORD in form.fields or PASSKEY in form.fields:
        _confirm(panel, form, ConfirmationDue(bare, what=what, back=back))
    elif not _is_confirmed(panel, form):
        raise ConfirmationDue(bare, what=what, back=back)
    return bare


def _is_confirmed(panel: Panel, form: Submission) -> bool:
    """A clock that was set back makes nobody known for longer."""
    at = form.principal.confirmed_at
    return at is not None and timedelta() <= panel.clock() - at < LASTS


def _confirm(panel: Panel, form: Submission, due: ConfirmationDue) -> None:
    access, name = panel.appliance.store.access, form.principal.name
    try:
        _prove(panel, form)
    except (Unauthenticated, Forbidden) as error:
        access.audit(actor=name, action="confirmation refused", subject="panel", detail={"for": due.what.noted()}, now=panel.clock())
        raise ConfirmationDue(due.form, what=due.what, back=due.back, error=error) from None
    told = {"for": due.what.noted()} | _by(form)
    access.audit(actor=name, action="confirm", subject="panel", detail=told, now=panel.clock())
    access.confirm_session(name, form.principal.csrf, now=panel.clock())


def _by(form: Submission) -> dict[str, str]:
    return {"by": "passkey"} if form.fields.get(PASSKEY) else {}


def _prove(panel: Panel, form: Submission) -> None:
    """A passkey that has known its owner is enough; after the password one that was only touched is, too."""
    name, password = form.principal.name, form.fields.get(PASSWORD, "")
    if not form.fields.get(PASSKEY):
        prove(panel, name, password=password, code=form.fields.get(CODE, ""))
        return
    if password:
        authenticate(panel.appliance.store.access, name, password, now=panel.clock())
    passkeys.take(
        panel,
        answer=form.fields[PASSKEY],
        sealed=form.fields.get(CHALLENGE, ""),
        purpose=PURPOSE,
        browser=form.principal.csrf,
        user=name,
        is_alone=not password,
    )
