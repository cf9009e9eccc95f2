"""Each page of the panel and the browser tests that cover it: a page that is missing here fails a test.

What does not begin with `test_` is the reason why there is no such test.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.support.doors import ADMINISTRATORS_FORMS, ADMINISTRATORS_LOOKS, OPERATORS_FORMS, OPERATORS_LOOKS

NO_PAGES = {
    "/login/provider": "leads to the provider: test_browser_login_provider.py",
    "/login/provider/callback": "leads on from the provider: test_browser_login_provider.py",
    "/healthz": "for programs",
    "/readyz": "for programs",
    "/assets/{digest}/{name}": "what pages are dressed with",
    "/status/export": "a download",
    "/operations/{operation_id}/log.txt": "a download",
    "/operations/{operation_id}/stream": "a stream of the operation's page",
    "/certificate-authority.pem": "a download",
    "/backups/{name}/files/download": "a download",
    "/support/bundle": "a download",
    "/audit/export": "a download",
}
REFUSED = "test_who_may_not_is_refused_and_nothing_changes"
INVALID = "test_an_invalid_form_comes_back_filled_with_its_fault_focused"
OPEN_TO_ALL = "everybody may see it"
NO_FORM = "it has no form"
NO_FIELD = "its form has nothing to fill in that could be wrong"
NOT_LIVE = "it does not renew itself"


@dataclass(frozen=True, kw_only=True)
class PageTests:
    """By name: what it is there for, its refusal, its form filled in wrongly, a reload while it follows something."""

    main: str
    invalid: str
    refused: str = REFUSED
    reload: str = NOT_LIVE


@dataclass(frozen=True, kw_only=True)
class Wrong:
    """A form of a page, what is typed into it by the names of its fields, and what comes back: the fault at its field."""

    typed: Mapping[str, str]
    at: str
    says: str
    button: str
    chosen: Mapping[str, str] = field(default_factory=dict)
    """What is chosen first, so that the fields are shown."""
    secret: frozenset[str] = frozenset()
    """What is never shown again."""


PAGES = {
    "/login": PageTests(
        main="test_the_panel_is_entered_and_left_by_keyboard_alone",
        refused=OPEN_TO_ALL,
        invalid="test_a_wrong_password_says_so_and_keeps_the_name",
    ),
    "/login/code": PageTests(
        main="test_recovery_codes_are_downloaded_and_one_of_them_opens_the_panel",
        refused=OPEN_TO_ALL,
        invalid="test_a_wrong_password_says_so_and_keeps_the_name",
    ),
    "/status": PageTests(
        main="test_users_see_the_status_without_logging_in",
        refused=OPEN_TO_ALL,
        invalid=NO_FORM,
        reload="test_the_status_page_renews_itself",
    ),
    "/": PageTests(
        main="test_the_overview_follows_what_happens", invalid=NO_FIELD, reload="test_a_page_that_follows_goes_on_after_a_reload"
    ),
    "/instances": PageTests(main="test_lists_lead_to_what_they_list", invalid=NO_FIELD),
    "/instances/{name}": PageTests(
        main="test_a_crm_is_backed_up_and_closed_from_its_page", invalid=INVALID, reload="test_a_page_that_follows_goes_on_after_a_reload"
    ),
    "/hosts": PageTests(main="test_a_host_is_prepared_from_its_page_as_it_is_to_be_kept", invalid=NO_FORM),
    "/hosts/{name}": PageTests(
        main="test_a_host_is_prepared_from_its_page_as_it_is_to_be_kept",
        invalid=NO_FIELD,
        reload="test_a_page_that_follows_goes_on_after_a_reload",
    ),
    "/schedules": PageTests(main="test_the_calendar_is_read_and_everything_is_paused", invalid=NO_FIELD),
    "/updates": PageTests(main="test_the_fleet_is_patched_from_its_form_canaries_first", invalid=NO_FIELD),
    "/operations": PageTests(main="test_lists_lead_to_what_they_list", invalid=NO_FIELD),
    "/operations/{operation_id}": PageTests(
        main="test_the_live_log_survives_a_reload_and_ends_with_the_operation",
        invalid=NO_FIELD,
        reload="test_the_live_log_survives_a_reload_and_ends_with_the_operation",
    ),
    "/backups": PageTests(main="test_backups_are_shown_by_day_with_what_comes_next", invalid=NO_FIELD),
    "/drills": PageTests(main="test_a_drill_that_took_longer_than_is_promised_is_red_and_leads_to_its_log", invalid=NO_FORM),
    "/find": PageTests(main="test_without_scripts_a_page_finds_it", invalid="test_what_is_typed_is_shown_inert"),
    "/welcome": PageTests(main="test_the_one_time_password_is_replaced_at_the_first_log_in", invalid=NO_FORM),
    "/monitoring": PageTests(main="test_ninety_days_at_a_glance_lead_to_every_outage", invalid=NO_FORM),
    "/instances/{name}/outages": PageTests(main="test_ninety_days_at_a_glance_lead_to_every_outage", invalid=NO_FIELD),
    "/alerts": PageTests(main="test_what_fires_is_seen_and_somebody_is_told", invalid=NO_FIELD),
    "/sessions": PageTests(main="test_another_browser_is_logged_out", invalid=NO_FIELD),
    "/second-factor": PageTests(
        main="test_recovery_codes_are_downloaded_and_one_of_them_opens_the_panel",
        invalid="test_every_page_of_the_second_factor_is_legible_and_accessible",
    ),
    "/password": PageTests(main="test_the_one_time_password_is_replaced_at_the_first_log_in", invalid=INVALID),
    "/schedules/add": PageTests(main="test_the_schedule_form_asks_for_canaries_of_the_fleet_alone", invalid=INVALID),
    "/updates/fleet": PageTests(main="test_the_fleet_is_patched_from_its_form_canaries_first", invalid=INVALID),
    "/instances/{name}/upgrade": PageTests(main="test_a_form_requests_its_operation", invalid=NO_FIELD),
    "/instances/{name}/rollback": PageTests(
        main="test_a_form_requests_its_operation", invalid="test_a_wrong_name_is_refused_without_scripts_too"
    ),
    "/instances/{name}/restore": PageTests(main="test_a_crm_is_restored_from_elsewhere_onto_another_host", invalid=INVALID),
    "/instances/{name}/configure": PageTests(main="test_a_change_is_seen_before_it_is_requested", invalid=INVALID),
    "/instances/{name}/certificate": PageTests(main="test_a_form_requests_its_operation", invalid=INVALID),
    "/backups/{name}/files": PageTests(main="test_a_file_is_found_and_downloaded", invalid=NO_FIELD),
    "/backups/{name}/files/restore": PageTests(main="test_a_file_is_restored_beside", invalid="test_a_file_is_restored_beside"),
    "/backups/{name}/tables": PageTests(
        main="it asks a dump, which takes a database: tests/integration/backup", invalid="its boxes are those of the dump"
    ),
    "/operations/{operation_id}/share": PageTests(
        main="test_a_log_is_shared_read_elsewhere_and_taken_back", invalid="the browser itself keeps a wrong number of days back"
    ),
    "/shared/{token}": PageTests(main="test_a_log_is_shared_read_elsewhere_and_taken_back", invalid=NO_FORM, refused=OPEN_TO_ALL),
    "/settings": PageTests(main="test_an_administrator_finds_what_belongs_to_the_appliance", invalid=NO_FORM),
    "/support": PageTests(main="test_what_is_for_administrators_is_read_and_downloaded", invalid=NO_FORM),
    "/audit": PageTests(main="test_what_is_for_administrators_is_read_and_downloaded", invalid=INVALID),
    "/audit/verification": PageTests(main="test_what_is_for_administrators_is_read_and_downloaded", invalid=INVALID),
    "/products": PageTests(main="test_a_product_leads_to_its_installation", invalid=NO_FORM),
    "/products/{product}": PageTests(main="test_a_product_leads_to_its_installation", invalid=NO_FORM),
    "/secrets": PageTests(main="test_a_secret_is_replaced_and_none_is_shown", invalid=NO_FIELD),
    "/secrets/{kind}/{name}": PageTests(
        main="test_a_secret_is_replaced_and_none_is_shown", invalid="test_a_secret_is_replaced_and_none_is_shown"
    ),
    "/webhooks": PageTests(main="test_a_program_is_told_by_a_webhook", invalid=NO_FIELD),
    "/install": PageTests(main="test_a_form_requests_its_operation", invalid=INVALID),
    "/instances/{name}/remove": PageTests(
        main="test_removing_wakes_up_only_when_the_name_is_typed", invalid="test_a_wrong_name_is_refused_without_scripts_too"
    ),
    "/backups/{name}/restore": PageTests(main="test_a_form_requests_its_operation", invalid=INVALID),
    "/repositories/add": PageTests(main="test_a_second_place_is_added_and_the_kit_is_shown_to_print", invalid=INVALID),
    "/repositories/kit": PageTests(main="test_a_second_place_is_added_and_the_kit_is_shown_to_print", invalid=NO_FIELD),
    "/repositories/{name}/retention": PageTests(main="test_what_is_kept_elsewhere_is_said_and_taken_back", invalid=INVALID),
    "/alerts/add-channel": PageTests(main="test_what_fires_is_seen_and_somebody_is_told", invalid=INVALID),
    "/webhooks/add": PageTests(main="test_a_program_is_told_by_a_webhook", invalid=INVALID),
    "/add-host": PageTests(main="test_a_machine_is_added_in_two_steps", invalid=INVALID),
    "/login-provider": PageTests(main="test_who_logs_in_by_it_gets_where_he_was_going", invalid=INVALID),
    "/users": PageTests(main="test_a_viewer_is_let_operate_one_crm_and_no_longer", invalid=INVALID),
    "/tokens": PageTests(main="test_a_token_is_issued_shown_once_and_revoked", invalid=INVALID),
    "/hosts/{name}/trust": PageTests(main="test_another_key_is_trusted", invalid=NO_FIELD),
    "/hosts/{name}/remove": PageTests(
        main="test_a_host_is_forgotten_once_its_name_is_typed", invalid="test_a_wrong_name_is_refused_without_scripts_too"
    ),
}

WHO_MAY_NOT = {
    **dict.fromkeys([address for address, row in PAGES.items() if row.refused == REFUSED], "Mallory"),
    **dict.fromkeys([address for address in (*OPERATORS_FORMS, *OPERATORS_LOOKS) if address in PAGES], "Victor"),
    **dict.fromkeys([address for address in (*ADMINISTRATORS_FORMS, *ADMINISTRATORS_LOOKS) if address in PAGES], "Oscar"),
}
"""The greatest role that a page is closed to; Mallory is nobody."""

WRONG = {
    "/instances/{name}": Wrong(typed={"rpo": "48h", "rto": "soon", "availability": "99"}, at="rto", says="soon", button="Promise"),
    "/password": Wrong(
        typed={"current": "correct horse battery", "password": "short", "again": "short"},
        at="password",
        says="12 characters",
        button="Change password",
        secret=frozenset({"current", "password", "again"}),
    ),
    "/schedules/add": Wrong(
        typed={"name": "nightly", "days": "SOMEDAY", "begin": "03:30", "time_zone": "Europe/Tallinn"},
        at="days",
        says="SOMEDAY",
        button="Do it in these windows",
    ),
    "/updates/fleet": Wrong(typed={"stop_after": "0"}, at="stop_after", says="greater than or equal to 1", button="Patch the fleet"),
    "/instances/{name}/restore": Wrong(typed={"new_name": "Not A Name"}, at="new_name", says="cannot name", button="Restore"),
    "/instances/{name}/certificate": Wrong(
        chosen={"action": "replace"},
        typed={"certificate": "no certificate", "key": "no key"},
        at="certificate",
        says="certificate",
        button="Go on",
        secret=frozenset({"key"}),
    ),
    "/instances/{name}/configure": Wrong(
        typed={"setting.time_zone": "no zone"}, at="setting.time_zone", says="does not have the expected form", button="See what changes"
    ),
    "/audit": Wrong(typed={"actor": "Alice", "since": "yesterday"}, at="since", says="yesterday", button="Filter"),
    "/audit/verification": Wrong(typed={"head": "not a hash"}, at="head", says="hash", button="Verify every entry"),
    "/install": Wrong(typed={"name": "Not A Name", "domain": "crm.example.org"}, at="name", says="cannot name", button="Install"),
    "/backups/{name}/restore": Wrong(typed={"new_name": "Not A Name"}, at="new_name", says="cannot name", button="Bring back"),
    "/repositories/add": Wrong(
        typed={"name": "offsite", "location": "ftp://nas.example.org/", "RESTIC_REST_PASSWORD": "for adding"},
        at="location",
        says="ftp://nas.example.org/",
        button="Add",
        secret=frozenset({"RESTIC_REST_PASSWORD"}),
    ),
    "/repositories/{name}/retention": Wrong(typed={"keep": "daily=many"}, at="keep", says="daily=many", button="Keep only these"),
    "/alerts/add-channel": Wrong(
        typed={"name": "ops", "url": "nowhere", "zone": "Europe/Tallinn"}, at="url", says="address", button="Add", secret=frozenset({"url"})
    ),
    "/webhooks/add": Wrong(typed={"name": "desk", "url": "desk.example.org"}, at="url", says="http", button="Add"),
    "/add-host": Wrong(
        typed={"name": "web2", "address": "192.0.2.2", "port": "99999", "user": "admin"}, at="port", says="port", button="Ask for its key"
    ),
    "/login-provider": Wrong(
        typed={"name": "Example", "issuer": "login.example.org", "client_id": "panel", "secret": "hidden", "domains": "example.org"},
        at="issuer",
        says="address of a provider",
        button="Save",
        secret=frozenset({"secret"}),
    ),
    "/users": Wrong(typed={"name": "no name!"}, at="name", says="cannot name a user", button="Add"),
    "/tokens": Wrong(typed={"name": "cron", "days": "0"}, at="days", says="1 to 3650 days", button="Issue"),
}
"""By page; those that are filled in wrongly in the same way."""
