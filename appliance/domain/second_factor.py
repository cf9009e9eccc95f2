"""The second factor of a log-in: codes by the time (TOTP, RFC 6238) from an app, and recovery codes for the day on which the app is gone.

Pure; moments are handed in.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

STEP_SECONDS = 30
DIGITS = 6
DRIFT_STEPS = 1
"""How far a clock may be off, before and after: RFC 6238 recommends one step."""
SECRET_BYTES = 20
"""As long as the hash, which RFC 4226 recommends."""
ISSUER = "CRM Appliance"
RECOVERY_CODES = 10
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Of recovery codes: nothing that is mistaken for something else on paper."""
GROUPS, GROUP_LENGTH = 4, 4
"""Of a recovery code: 79 bits, which no list of their hashes gives away."""
LONGEST = 64
"""Characters that are looked at of what somebody types as a code."""


@dataclass(frozen=True, kw_only=True)
class SecondFactor:
    """What is known of a user's second factor: since when, what it is made of, and how many recovery codes are left."""

    user: str
    since: datetime
    codes_left: int
    has_app: bool = True
    passkeys: int = 0


def make_secret() -> str:
    """A new secret, as apps take it: base32."""
    return base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode()


def grouped(secret: str) -> str:
    """A secret as it is typed by hand.

    >>> grouped("JBSWY3DPEHPK3PXP")
    'JBSW Y3DP EHPK 3PXP'
    """
    return " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))


def address_of(secret: str, *, user: str, machine: str) -> str:
    """The otpauth address that apps read from a QR code; `machine` tells two appliances apart.

    >>> address_of("JBSWY3DP", user="Alice", machine="panel.example.org")
    'otpauth://totp/CRM%20Appliance:Alice%20at%20panel.example.org?secret=JBSWY3DP&issuer=CRM%20Appliance'
    """
    issuer = quote(ISSUER, safe="")
    return f"otpauth://totp/{issuer}:{quote(f'{user} at {machine}', safe='')}?secret={secret}&issuer={issuer}"


def step_of(now: datetime) -> int:
    """The step of time that a moment lies in."""
    return int(now.timestamp()) // STEP_SECONDS


def code_at(secret: str, step: int) -> str:
    """The code of a step (RFC 4226, section 5.3).

    >>> code_at("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", 1)
    '287082'
    """
    digest = hmac.digest(base64.b32decode(secret), step.to_bytes(8, "big"), hashlib.sha1)
    offset = digest[-1] & 0xF
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return str(number % 10**DIGITS).zfill(DIGITS)


def matching_step(secret: str, typed: str, now: datetime) -> int | None:
    """The step whose code was typed, of those that a clock may be off by; None for another code."""
    code = "".join(typed[:LONGEST].split())
    middle = step_of(now)
    steps = range(middle - DRIFT_STEPS, middle + DRIFT_STEPS + 1)
    return next((step for step in steps if hmac.compare_digest(code_at(secret, step).encode(), code.encode())), None)


def make_recovery_codes() -> list[str]:
    """Codes that each open the panel once."""
    return [_recovery_code() for _ in range(RECOVERY_CODES)]


def _recovery_code() -> str:
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(GROUP_LENGTH)) for _ in range(GROUPS))


def written(codes: Iterable[str], *, user: str, machine: str) -> str:
    """Recovery codes as the text that somebody keeps."""
    head = f"{ISSUER} at {machine}\nRecovery codes of {user}, each good for one log-in\n\n"
    return head + "".join(f"{code}\n" for code in codes)


def recovery_hash(user: str, typed: str) -> str:
    """What is kept of a recovery code; however it is typed, with capitals or blanks."""
    plain = "".join(char for char in typed[:LONGEST].lower() if char in ALPHABET)
    return hashlib.sha256(f"{user}\n{plain}".encode()).hexdigest()
