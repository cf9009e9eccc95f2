"""What is remembered of the stacks: on which hosts they are, and which heartbeat channel each has for its own."""

from appliance.domain.channel import Purpose
from appliance.errors import InvalidRequest
from appliance.wiring import Appliance

SCOPE_PREFIX = "stack:"
DEAD_MAN, DIGEST = "dead_man", "digest"


def keep_stack(appliance: Appliance, host: str, dead_man: str) -> None:
    """A stack is there, or is about to be."""
    appliance.store.vault.put(f"{SCOPE_PREFIX}{host}", DEAD_MAN, dead_man)


def note_stack(appliance: Appliance, host: str, digest: str) -> None:
    """What it is configured with now."""
    appliance.store.vault.put(f"{SCOPE_PREFIX}{host}", DIGEST, digest)


def digest_of(appliance: Appliance, host: str) -> str:
    """What it was configured with last, or "" for nothing yet."""
    return appliance.store.vault.all(f"{SCOPE_PREFIX}{host}").get(DIGEST, "")


def forget_stack(appliance: Appliance, host: str) -> None:
    """It is gone."""
    appliance.store.vault.forget(f"{SCOPE_PREFIX}{host}")


def stack_hosts(appliance: Appliance) -> list[str]:
    """The hosts that have one."""
    return [scope.removeprefix(SCOPE_PREFIX) for scope in appliance.store.vault.scopes(SCOPE_PREFIX)]


def dead_man_of(appliance: Appliance, host: str) -> str:
    """The channel that the stack of a host tells that alerts get through, or ""."""
    return appliance.store.vault.all(f"{SCOPE_PREFIX}{host}").get(DEAD_MAN, "")


def lent_heartbeats(appliance: Appliance) -> set[str]:
    """The heartbeat channels that belong to a stack. The appliance itself keeps off them, or nobody would learn that the stack is dead."""
    return {dead_man_of(appliance, host) for host in stack_hosts(appliance)}


def check_dead_man(appliance: Appliance, name: str) -> str:
    """Give it back if it is a heartbeat channel, or "" for none. Raises InvalidRequest."""
    known = [channel.name for channel in appliance.store.channels.list() if channel.purpose is Purpose.HEARTBEAT]
    if name and name not in known:
        there = f"there are {', '.join(known)}" if known else "add one: appliance notification add NAME --heartbeat"
        raise InvalidRequest(f"{name[:60]!r} is no heartbeat channel; {there}. Nothing was changed.", field="dead_man")
    return name
