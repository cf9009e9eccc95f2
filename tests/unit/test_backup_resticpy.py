"""What we rely on inside resticpy. If this fails, read backup/restic_executor.py before anything else."""

import inspect
from importlib.metadata import version

import restic  # type: ignore[import-untyped]
from restic.internal import (  # type: ignore[import-untyped]
    backup,
    cat,
    check,
    command_executor,
    forget,
    init,
    snapshots,
    unlock,
)
from restic.internal import list as list_module

from backup.events import JsonLines
from backup.restic_executor import ResticExecutor, base_command, install

USED = (backup, cat, check, forget, init, snapshots, unlock, list_module)


def test_the_pinned_version_is_the_one_that_was_read() -> None:
    assert version("resticpy") == "1.3.0"


def test_every_command_calls_the_one_executor_through_its_module() -> None:
    assert list(inspect.signature(command_executor.execute).parameters) == ["cmd"]
    for module in USED:
        assert module.command_executor is command_executor, module
        assert "command_executor.execute(cmd)" in inspect.getsource(module), module


def test_the_base_command_is_made_of_settings_that_we_set() -> None:
    executor = ResticExecutor(location="/srv/repository", reporter=JsonLines(), wait_seconds=1)
    original = command_executor.execute
    try:
        install(executor, password_file="/srv/password")
        made = base_command(["cat", "config"])
        assert made == ["restic", "--json", "--repo", "/srv/repository", "--password-file", "/srv/password", "--no-cache", "cat", "config"]
        assert command_executor.execute == executor.execute
    finally:
        command_executor.execute = original
        restic.repository = restic.password_file = None
        restic.use_cache = True
