"""A request that may come twice: by its key it is carried out once (the IETF's draft on the header `Idempotency-Key`)."""

import hashlib
import re
from dataclasses import dataclass
from datetime import timedelta

from appliance.errors import InvalidRequest

KEPT_FOR = timedelta(hours=24)
LONGEST = 255
FORM = re.compile(r"[!-~]{1,255}")


@dataclass(frozen=True, kw_only=True)
class RequestKey:
    """Whose request it is, the key that they have given it, and a digest of what is asked."""

    caller: str
    key: str
    digest: str


def read_request_key(given: str, *, caller: str, asked: bytes) -> RequestKey:
    """The key of a header, in quotes or without. Raises InvalidRequest."""
    key = given[1:-1] if len(given) > 1 and given[0] == given[-1] == '"' else given
    if not FORM.fullmatch(key):
        message = f"An Idempotency-Key is 1 to {LONGEST} visible characters of ASCII, such as a UUID. Nothing was changed."
        raise InvalidRequest(message, field="Idempotency-Key")
    return RequestKey(caller=caller, key=key, digest=hashlib.sha256(asked).hexdigest())
