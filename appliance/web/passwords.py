"""Passwords: argon2 hashes, and a lockout that grows with each failure in a row."""

import math
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from appliance.errors import Forbidden, InvalidRequest, Unauthenticated
from appliance.store.access import Access, User

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
WRONG = "The name or the password is wrong."


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
        raise InvalidRequest(f"Use at least {SHORTEST} characters. Several words are easy to remember.", field="password")
    if len(password) > LONGEST:
        raise InvalidRequest(f"Use at most {LONGEST} characters.", field="password")
    if password != again:
        raise InvalidRequest("The two passwords differ.", field="again")
    if matches(current_hash, password):
        raise InvalidRequest("This is the password you have now; choose another.", field="password")


def authenticate(access: Access, name: str, password: str, *, now: datetime) -> User:
    """Give the user back whose password this is.

    Raises Unauthenticated, the same for an unknown name and a wrong password, and Forbidden while the user is locked out.
    """
    user = access.find_user(name[:LONGEST])
    if user is None:
        matches(_NOBODY, password[:LONGEST])
        raise Unauthenticated(WRONG)
    if user.locked_until is not None and user.locked_until > now:
        seconds = math.ceil((user.locked_until - now).total_seconds())
        raise Forbidden(f"Too many wrong passwords. Try again in {seconds} seconds.")
    if not matches(user.password_hash, password[:LONGEST]):
        failures = user.failures + 1
        access.note_attempt(user.name, failures=failures, locked_until=_lock_end(failures, now))
        raise Unauthenticated(WRONG)
    if user.failures:
        access.note_attempt(user.name, failures=0, locked_until=None)
    return user


def _lock_end(failures: int, now: datetime) -> datetime | None:
    if failures < PATIENCE:
        return None
    lock: timedelta = FIRST_LOCK * 2 ** min(failures - PATIENCE, 10)
    return now + min(lock, LONGEST_LOCK)
