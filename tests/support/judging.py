"""Ask a way to a host what it makes of how a command ended."""

from appliance.errors import StepFailed
from appliance.hosts.reach import Reach


def judged(reach: Reach, code: int, said: str) -> StepFailed | None:
    """The failure of the way, None when it was the command's own end."""
    try:
        reach.judge(code, said)
    except StepFailed as failure:
        return failure
    return None
