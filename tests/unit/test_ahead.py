"""What a playbook run that was begun ahead has come to."""

from concurrent.futures import Future

import pytest

from appliance.errors import PlaybookFailed
from appliance.hosts.playbooks import Recap
from appliance.operations.ahead import Held


def test_what_comes_next_does_not_wait_for_the_end_of_ansible_itself() -> None:
    held, end = Held(), Future[Recap]()
    held.done.set_result(Recap(changed=3))
    assert held.outcome(end).changed == 3
    assert not end.done()


def test_a_failure_is_told_at_the_end() -> None:
    held, end = Held(), Future[Recap]()
    end.set_exception(PlaybookFailed("The playbook failed."))
    with pytest.raises(PlaybookFailed):
        held.outcome(end)
