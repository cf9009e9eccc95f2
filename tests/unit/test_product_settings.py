"""What an administrator chooses is checked before it reaches a machine."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from appliance.domain.product_settings import PLACEHOLDER_MARKS, Setting, as_text, changes, complete, in_force
from appliance.errors import Conflict, InvalidRequest

LANGUAGE = Setting(name="language", title="Language", type="choice", choices=("en", "fr"), default="en")
COMPANY = Setting(name="company", title="Company")
WORKERS = Setting(name="workers", title="Workers", type="integer", min=1, max=8, default=2)
ZONE = Setting(name="zone", title="Time zone", pattern="^[A-Za-z]+(/[A-Za-z]+)*$", default="UTC")
SIGN_UP = Setting(name="sign_up", title="Sign-up", type="boolean", default=False)


def test_what_is_not_given_takes_its_default() -> None:
    assert complete((LANGUAGE, WORKERS, SIGN_UP), {"workers": 4}) == {"language": "en", "workers": 4, "sign_up": False}


def test_a_setting_without_a_default_must_be_given() -> None:
    with pytest.raises(InvalidRequest, match="Company is missing") as refusal:
        complete((COMPANY,), {})

    assert refusal.value.field == "company"


def test_a_misspelt_setting_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InvalidRequest, match="no setting 'langauge'; there are: language, zone"):
        complete((LANGUAGE, ZONE), {"langauge": "fr"})


@pytest.mark.parametrize(
    ("setting", "value", "rule"),
    [
        (LANGUAGE, "de", "is one of: en, fr"),
        (WORKERS, 9, "lies between 1 and 8"),
        (WORKERS, True, "is a whole number"),
        (WORKERS, "2", "is a whole number"),
        (SIGN_UP, "yes", "is either yes or no"),
        (ZONE, "Europe/Paris; reboot", "does not have the expected form"),
        (ZONE, "UTC\n", "without control characters"),
        (COMPANY, "a\x00b", "without control characters"),
        (COMPANY, "a\u2028b", "without control characters"),
        (COMPANY, 7, "is a text"),
        (COMPANY, "x" * 201, "at most 200 characters"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(setting: Setting, value: object, rule: str) -> None:
    with pytest.raises(InvalidRequest, match="Nothing was changed") as refusal:
        setting.check(value)

    assert rule in str(refusal.value)


@given(before=st.text(max_size=20), mark=st.sampled_from(PLACEHOLDER_MARKS), after=st.text(max_size=20))
def test_no_value_can_smuggle_a_template_into_a_playbook(before: str, mark: str, after: str) -> None:
    with pytest.raises(InvalidRequest):
        COMPANY.check(before + mark + after)


@given(st.text(alphabet=st.characters(categories=["L", "N", "P", "S"], exclude_characters="{"), max_size=60))
def test_ordinary_names_in_any_script_pass_unchanged(name: str) -> None:
    assert COMPANY.check(name) == name


def test_a_default_that_breaks_its_own_rule_is_refused() -> None:
    with pytest.raises(ValidationError, match="the default does not fit"):
        Setting(name="language", title="Language", type="choice", choices=("en",), default="fr")


def test_choices_belong_to_a_choice() -> None:
    with pytest.raises(ValidationError, match="exactly when its type is 'choice'"):
        Setting(name="language", title="Language", choices=("en",))


EDITION = Setting(name="edition", title="Edition", type="choice", choices=("a", "b"), default="a", fixed=True)
KEPT = {"language": "en", "workers": 2, "edition": "b"}


def test_only_what_is_not_so_already_is_a_change() -> None:
    assert changes((LANGUAGE, WORKERS, EDITION), KEPT, {"language": "fr", "workers": 2, "edition": "b"}) == {"language": "fr"}
    assert changes((LANGUAGE, SIGN_UP), KEPT, {"sign_up": True}) == {"sign_up": True}  # the product has got it since


@pytest.mark.parametrize(
    ("given", "field", "rule"),
    [
        ({"langauge": "fr"}, "langauge", "There is no setting 'langauge'; there are: language, workers, edition"),
        ({"language": "fr", "workers": 99}, "workers", "lies between 1 and 8"),
        ({"language": "fr", "workers": True}, "workers", "is a whole number"),
        ({"language": "fr", "edition": "a"}, "edition", "cannot be changed after the installation. It was b when the CRM was installed"),
    ],
)
def test_a_change_that_may_not_be_is_refused_as_a_whole(given: dict[str, object], field: str, rule: str) -> None:
    with pytest.raises(InvalidRequest, match=r"(?i)nothing was changed") as refusal:
        changes((LANGUAGE, WORKERS, EDITION), KEPT, given)
    assert (refusal.value.field, rule in str(refusal.value)) == (field, True)


def test_nothing_to_change_is_said() -> None:
    with pytest.raises(Conflict, match="These are its settings already"):
        changes((LANGUAGE, SIGN_UP), KEPT, {"language": "en", "sign_up": False})


@given(value=st.one_of(st.booleans(), st.integers(min_value=-(10**17), max_value=10**17)))
def test_what_people_read_is_what_they_may_type(value: bool | int) -> None:
    setting = SIGN_UP if isinstance(value, bool) else Setting(name="number", title="Number", type="integer")
    assert setting.check(setting.read(as_text(value))) == value


def test_what_is_typed_in_another_type_is_left_to_the_check() -> None:
    assert [WORKERS.read("many"), SIGN_UP.read("true"), LANGUAGE.read("fr")] == ["many", "true", "fr"]
    assert in_force((LANGUAGE, WORKERS), {"workers": 4, "gone": 1}) == {"language": "en", "workers": 4, "gone": 1}
