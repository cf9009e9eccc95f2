"""Passwords: argon2 hashes, and a lockout that grows with each failure in a row, of a password or of a code."""

import math
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from appliance.errors import Forbidden, InvalidRequest, Unauthenticated
from appliance.store.access import Access, User
from appliance.web.languages import gettext, marked, ngettext

SHORTEST = 12
"""Characters; the length NIST SP 800-63B-4 asks of a password that stands alone is 15, with a lockout as here 8 would do."""
LONGEST = 256
PATIENCE = 5
"""Failures in a row before the first lockout."""
FIRST_LOCK = timedelta(seconds=30)
LONGEST_LOCK = timedelta(minutes=15)

_HASHER = PasswordHasher()
_NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
"""Verified against when the name is unknown, so that the answer takes as long as for a known one."""
WRONG = marked("The name or the password is wrong.")


def hash_password(password: str) -> str:
    """Hash a password for the store."""
    return _HASHER.hash(password)


def matches(password_hash: str, password: str) -> bool:
    """Whether the password is the one that was hashed."""
    try:
        return _HASHER.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


def check_new_password(password: str, again: str, *, current_hash: str) -> None:
    """Raise InvalidRequest, with the field, when this cannot be the new password."""
    if len(password) < SHORTEST:
        raise InvalidRequest(
            gettext("Use at least %(count)s characters. Several words are easy to remember.", count=SHORTEST), field="password"
        )
    if len(password) > LONGEST:
        raise InvalidRequest(gettext("Use at most %(count)s characters.", count=LONGEST), field="password")
    if password != again:
        raise InvalidRequest(gettext("The two passwords differ."), field="again")
    if matches(current_hash, password):
        raise InvalidRequest(gettext("This is the password you have now; choose another."), field="password")


def authenticate(access: Access, name: str, password: str, *, now: datetime) -> User:
    """Give the user back whose password this is. His failures are forgotten by `forgive`, once all that is asked of him was right.

    Raises Unauthenticated, the same for an unknown name and a wrong password, and Forbidden while the user is locked out.
    """
    user = access.find_user(name[:LONGEST])
    if user is None:
        matches(_NOBODY, password[:LONGEST])
        raise Unauthenticated(gettext(WRONG))
    check_password(access, user, password, now=now)
    return user


def check_password(access: Access, user: User, password: str, *, now: datetime) -> None:
    """Raise Unauthenticated, and count it, when this is not the user's password; Forbidden while the user is locked out."""
    if user.locked_until is not None and user.locked_until > now:
        raise _locked_out(user.locked_until, now)
    if not matches(user.password_hash, password[:LONGEST]):
        count_failure(access, user.name, now=now)
        raise Unauthenticated(gettext(WRONG))


def count_failure(access: Access, name: str, *, now: datetime) -> None:
    """Count one more failure in a row. Raises Forbidden when the user is locked out already."""
    if (locked_until := access.count_failure(name, now=now, lock_end=lambda failures: _lock_end(failures, now))) is not None:
        raise _locked_out(locked_until, now)


def forgive(access: Access, name: str) -> None:
    """Begin to count anew."""
    user = access.find_user(name)
    if user is not None and user.failures:
        access.note_attempt(name, failures=0, locked_until=None)


def _locked_out(until: datetime, now: datetime) -> Forbidden:
    seconds = math.ceil((until - now).total_seconds())
    return Forbidden(
        ngettext("Too many wrong attempts. Try again in %(num)s second.", "Too many wrong attempts. Try again in %(num)s seconds.", seconds)
    )


def _lock_end(failures: int, now: datetime) -> datetime | None:
    if failures < PATIENCE:
        return None
    lock: timedelta = FIRST_LOCK * 2 ** min(failures - PATIENCE, 10)
    return now + min(lock, LONGEST_LOCK)
