"""What restic says becomes progress, typed failures and sentences."""

import io
import json

import pytest

from backup.children import Ended
from backup.events import JsonLines, percent_of
from backup.failures import BackupFailure, leaving_unchanged
from backup.restic_arguments import backup_command, check, forget, restore_tree, with_global_flags
from backup.restic_executor import verb_of
from backup.restic_messages import failure_of, progress_in, refusal_in


@pytest.mark.parametrize(
    ("exit_code", "code", "ends_with"),
    [
        (1, "dump_failed", 1),
        (10, "no_repository", 10),
        (11, "locked", 11),
        (12, "wrong_password", 12),
        (130, "cancelled", 130),
        (99, "dump_failed", 1),
    ],
)
def test_each_exit_code_of_restic_is_a_typed_failure(exit_code: int, code: str, ends_with: int) -> None:
    failure = failure_of(Ended(code=exit_code, stdout="", stderr=""), command="dump", location="/srv/r")
    assert (failure.code, failure.exit_code) == (code, ends_with)


def test_a_full_disk_is_known_by_the_words_of_the_system() -> None:
    said = '{"message_type":"exit_error","code":1,"message":"Fatal: write /srv/r/data/x: no space left on device"}'
    failure = failure_of(Ended(code=1, stdout="", stderr=said), command="backup", location="/srv/r")
    assert failure.code == "disk_full"
    assert "The disk of the repository /srv/r is full" in failure.message


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("subprocess ssh: Host key verification failed.", "host_key"),
        ("subprocess ssh: root@nas: Permission denied (publickey,password).", "refused"),
        ("unable to start the sftp session, error: unexpected EOF", "no_session"),
        ("open /srv/r/config: permission denied", "not_writable"),
    ],
)
def test_why_nobody_is_let_in_is_known_by_the_words_of_ssh(said: str, code: str) -> None:
    assert failure_of(Ended(code=1, stdout="", stderr=said), command="cat", location="sftp://crm@nas//r").code == code


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("The specified bucket does not exist", "no_repository"),
        ("The AWS Access Key Id you provided does not exist in our records.", "refused"),
        ("The request signature we calculated does not match the signature you provided. Check your key and signing method.", "refused"),
    ],
)
def test_what_a_server_refuses_for_good_is_not_tried_again(said: str, code: str) -> None:
    refusal = refusal_in(f"Stat(<config/>) returned error, retrying after 6.6s: Stat: {said}", location="s3:https://nas/crm")
    assert refusal is not None
    assert refusal.code == code
    assert refusal_in(said, location="s3:https://nas/crm") is None


def test_what_may_pass_is_tried_again() -> None:
    assert (
        refusal_in("Stat(<config/>) returned error, retrying after 6.6s: Stat: connection refused", location="s3:https://nas/crm") is None
    )


def test_a_status_line_is_progress_and_any_other_line_is_not() -> None:
    assert progress_in('{"message_type":"status","percent_done":0.5,"total_bytes":20,"bytes_done":10}') == (10, 20)
    assert progress_in('{"message_type":"status","percent_done":1,"total_bytes":20,"bytes_restored":20}') == (20, 20)
    assert progress_in('{"message_type":"summary"}') is None
    assert progress_in('{"message_type" broken') is None
    assert progress_in("plain") is None


def test_events_are_one_json_object_a_line_whatever_they_hold() -> None:
    stream = io.StringIO()
    JsonLines(stream=stream).log('two\nlines and "quotes"')
    JsonLines(stream=stream).progress("database", bytes_done=5, bytes_total=None)
    first, second = (json.loads(line) for line in stream.getvalue().splitlines())
    assert first == {"event": "log", "text": 'two\nlines and "quotes"'}
    assert second == {"event": "progress", "stage": "database", "percent": None, "bytes_done": 5, "bytes_total": None}


def test_an_estimate_that_was_too_low_never_gives_more_than_everything() -> None:
    assert percent_of(30, 20) == 100
    assert percent_of(0, 0) is None


def test_the_command_of_a_dump_comes_after_all_options() -> None:
    assert backup_command(["pg_dump", "--dbname=crm"], filename="database.dump", tags=["crm=demo"])[-3:] == [
        "--",
        "pg_dump",
        "--dbname=crm",
    ]


def test_commands_that_resticpy_lacks_are_built_from_plain_values() -> None:
    assert restore_tree("ab12", source="/srv/files", target="/srv/new") == [
        "restore",
        "ab12:/srv/files",
        "--target",
        "/srv/new",
        "--verify",
    ]
    assert check(read_data=False, read_data_subset="1/7") == ["check", "--read-data-subset", "1/7"]
    assert forget(["ab", "cd"]) == ["forget", "ab", "cd"]


def test_writing_commands_wait_for_locks_and_reading_ones_take_none() -> None:
    assert with_global_flags(["restic", "forget"], reading=False, wait_seconds=9) == ["restic", "--retry-lock", "9s", "forget"]
    assert with_global_flags(["restic", "snapshots"], reading=True, wait_seconds=9) == ["restic", "--no-lock", "snapshots"]


def test_a_path_named_like_a_command_is_not_taken_for_it() -> None:
    assert verb_of(["restic", "--json", "--repo", "forget", "--password-file", "check", "backup", "/srv"]) == "backup"


def test_the_innermost_block_knows_best_what_was_left_unchanged() -> None:
    with (
        pytest.raises(BackupFailure, match=r"It broke\. Half is there\.$"),
        leaving_unchanged("Nothing was done."),
        leaving_unchanged("Half is there."),
    ):
        raise BackupFailure("It broke.")
