"""What runs beside the monitor goes on whatever goes wrong, and ends with it."""

from threading import Event

import pytest

from appliance.operations.beside import look_again_and_again


def test_a_look_that_fails_is_said_and_tried_again_until_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    stop, looks = Event(), list[int]()

    def look() -> None:
        looks.append(len(looks))
        if len(looks) == 3:
            stop.set()
        if len(looks) == 1:
            raise ZeroDivisionError("no hosts")

    look_again_and_again(look, stop, every_seconds=0.01, failing="The hosts could not be asked")
    assert looks == [0, 1, 2]
    assert capsys.readouterr().err == "The hosts could not be asked (ZeroDivisionError: no hosts); tried again.\n"
