"""The system user of the appliance, what belongs to it, and how root lets something be done in its name."""

import json
import os
import pwd
import subprocess
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from appliance import errors
from appliance.config import Settings
from appliance.production.places import USER

OWN_DIRECTORY_MODE = 0o700
SETTINGS_DIRECTORY_MODE = 0o750
LARGEST_ANSWER_BYTES = 10 * 1024**2
FAILED = 1


def make_user(settings: Settings) -> bool:
    """Make the user and its group unless they are there; whether anything was done. Raises StepFailed."""
    try:
        pwd.getpwnam(USER)
    except KeyError:
        argv = ["useradd", "--system", "--user-group", "--home-dir", str(settings.home), "--no-create-home", "--shell", "/usr/sbin/nologin"]
        done = subprocess.run([*argv, USER], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode:
            raise errors.StepFailed(f"The user {USER} could not be made: {done.stderr.strip()}") from None
        return True
    return False


def make_directories(settings: Settings) -> bool:
    """Give the user its directories, and what is root's to root; whether anything was done."""
    owner = pwd.getpwnam(USER)
    own = [settings.home, settings.log, settings.cache]
    changed = [_make(directory, owner.pw_uid, owner.pw_gid, OWN_DIRECTORY_MODE) for directory in own]
    changed.append(_make(settings.etc, 0, owner.pw_gid, SETTINGS_DIRECTORY_MODE))
    return any(changed)


def _make(directory: Path, user: int, group: int, mode: int) -> bool:
    """Only the directory itself: what is in it belongs to whom it belongs, and root follows nothing that the user may have put there."""
    directory.mkdir(parents=True, exist_ok=True)
    seen = directory.lstat()
    if (seen.st_uid, seen.st_gid, seen.st_mode & 0o7777) == (user, group, mode):
        return False
    os.chown(directory, user, group, follow_symlinks=False)
    directory.chmod(mode)
    return True


def become(owner: pwd.struct_passwd, home: Path) -> None:
    """Be that user from here on, for good; only root can."""
    os.initgroups(owner.pw_name, owner.pw_gid)
    os.setgid(owner.pw_gid)
    os.setuid(owner.pw_uid)
    os.umask(0o077)
    os.environ["HOME"] = str(home)
    os.chdir("/")


def as_user(settings: Settings, work: Callable[[], Mapping[str, Any]]) -> dict[str, Any]:
    """Let a child do something in the user's name, and give its answer. Raises the appliance's errors as it raised them, or StepFailed."""
    reading, writing = os.pipe2(os.O_CLOEXEC)
    child = os.fork()
    if child == 0:
        os.close(reading)
        _work_as_child(settings, work, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        told = stream.read(LARGEST_ANSWER_BYTES)
    os.waitpid(child, 0)
    return _understood(told)


def _work_as_child(settings: Settings, work: Callable[[], Mapping[str, Any]], writing: int) -> None:
    code = FAILED
    try:
        become(pwd.getpwnam(USER), settings.home)
        try:
            answer: Mapping[str, Any] = {"answer": dict(work())}
        except errors.ApplianceError as failure:
            answer = {"error": type(failure).__name__, "message": str(failure)}
        with os.fdopen(writing, "w") as stream:
            json.dump(answer, stream)
        code = 0
    except BaseException:
        traceback.print_exc()
        raise
    finally:
        sys.stderr.flush()
        os._exit(code)


def _understood(told: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(told)
    except ValueError:
        raise errors.StepFailed(f"What was to be done as the user {USER} ended without an answer; see above.") from None
    if "error" not in answer:
        return dict(answer["answer"])
    kind = getattr(errors, str(answer["error"]), errors.StepFailed)
    failure = errors.PreflightFailed((answer["message"],)) if kind is errors.PreflightFailed else kind(answer["message"])
    raise failure
