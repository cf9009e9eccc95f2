"""Every address of the panel, and who may open it: an address that is missing here fails a test."""

OPEN = {
    "/login",
    "/login/code",
    "/login/provider",
    "/login/provider/callback",
    "/healthz",
    "/readyz",
    "/assets/{digest}/{name}",
    "/status",
    "/status/export",
    "/shared/{token}",
}
SEEN_BY_ALL = [
    "/",
    "/instances",
    "/instances/{name}",
    "/hosts",
    "/hosts/{name}",
    "/updates",
    "/schedules",
    "/products",
    "/products/{product}",
    "/operations",
    "/operations/{operation_id}",
    "/operations/{operation_id}/log.txt",
    "/backups",
    "/drills",
    "/find",
    "/welcome",
    "/monitoring",
    "/instances/{name}/outages",
    "/alerts",
    "/sessions",
    "/second-factor",
    "/password",
    "/certificate-authority.pem",
]
OPERATORS_FORMS = [
    "/schedules/add",
    "/updates/fleet",
    "/instances/{name}/upgrade",
    "/instances/{name}/rollback",
    "/instances/{name}/restore",
    "/instances/{name}/configure",
    "/instances/{name}/certificate",
    "/operations/{operation_id}/share",
]
ADMINISTRATORS_FORMS = [
    "/install",
    "/instances/{name}/remove",
    "/backups/{name}/restore",
    "/repositories/add",
    "/repositories/kit",
    "/repositories/{name}/retention",
    "/alerts/add-channel",
    "/webhooks/add",
    "/add-host",
    "/login-provider",
    "/users",
    "/tokens",
    "/hosts/{name}/trust",
    "/hosts/{name}/remove",
    "/secrets/{kind}/{name}",
]
OPERATORS_LOOKS = ["/backups/{name}/files", "/backups/{name}/files/download", "/backups/{name}/files/restore", "/backups/{name}/tables"]
"""They show what a CRM's users have written."""
ADMINISTRATORS_LOOKS = [
    "/settings",
    "/support",
    "/support/bundle",
    "/audit",
    "/audit/export",
    "/audit/verification",
    "/webhooks",
    "/secrets",
]
STREAMS = ["/operations/{operation_id}/stream"]
CHANGES = {
    "/instances/{name}/backup": "operator",
    "/instances/{name}/drill": "operator",
    "/instances/{name}/archive": "operator",
    "/instances/{name}/maintenance": "operator",
    "/instances/{name}/upgrade": "operator",
    "/instances/{name}/rollback": "operator",
    "/instances/{name}/restore": "operator",
    "/instances/{name}/restore/loss": "operator",
    "/instances/{name}/configure": "operator",
    "/instances/{name}/configure/preview": "operator",
    "/instances/{name}/certificate": "operator",
    "/backups/{name}/files/restore": "operator",
    "/backups/{name}/tables": "operator",
    "/hosts/{name}/prepare": "operator",
    "/attention/snooze": "operator",
    "/attention/wake": "operator",
    "/updates": "operator",
    "/updates/patch": "operator",
    "/updates/fleet": "operator",
    "/updates/pause": "operator",
    "/schedules/add": "operator",
    "/schedules/{name}/remove": "operator",
    "/instances/{name}/notices": "operator",
    "/instances/{name}/notices/{notice_id}/remove": "operator",
    "/instances/{name}/publication": "administrator",
    "/instances/{name}/adoption": "administrator",
    "/operations/{operation_id}/cancel": "operator",
    "/operations/{operation_id}/retry": "operator",
    "/operations/{operation_id}/approve": "operator",
    "/operations/{operation_id}/share": "operator",
    "/operations/{operation_id}/share/{share_id}/revoke": "operator",
    "/instances/{name}/approval": "administrator",
    "/instances/{name}/objectives": "administrator",
    "/instances/{name}/remove": "administrator",
    "/instances/{name}/password": "administrator",
    "/install": "administrator",
    "/backups/{name}/restore": "administrator",
    "/repositories/add": "administrator",
    "/repositories/kit": "administrator",
    "/repositories/{name}/remove": "administrator",
    "/repositories/{name}/retention": "administrator",
    "/alerts/add-channel": "administrator",
    "/alerts/channels/{name}/test": "administrator",
    "/alerts/channels/{name}/remove": "administrator",
    "/webhooks/add": "administrator",
    "/webhooks/{name}/test": "administrator",
    "/webhooks/{name}/secret": "administrator",
    "/webhooks/{name}/remove": "administrator",
    "/add-host": "administrator",
    "/add-host/confirm": "administrator",
    "/login-provider": "administrator",
    "/users/add": "administrator",
    "/users/{name}/role": "administrator",
    "/users/{name}/password": "administrator",
    "/users/{name}/remove": "administrator",
    "/users/{name}/grant": "administrator",
    "/users/{name}/revoke": "administrator",
    "/tokens/issue": "administrator",
    "/tokens/revoke": "administrator",
    "/login-provider/remove": "administrator",
    "/hosts/{name}/stack": "administrator",
    "/hosts/{name}/trust": "administrator",
    "/hosts/{name}/remove": "administrator",
    "/secrets/{kind}/{name}": "administrator",
}
OWN_AFFAIRS = {
    "/logout",
    "/password",
    "/sessions/end-others",
    "/sessions/{session_id}/end",
    "/second-factor/offer",
    "/second-factor/on",
    "/second-factor/codes",
    "/second-factor/off/{name}",
    "/second-factor/passkeys",
    "/second-factor/passkeys/{name}/{passkey_id}/remove",
}
API_READS = [
    "/api/v1/calendar",
    "/api/v1/products",
    "/api/v1/products/{product}",
    "/api/v1/products/{product}/instances",
    "/api/v1/sessions",
    "/api/v1/second-factors",
    "/api/v1/passkeys",
    "/api/v1/users",
    "/api/v1/certificate-authority",
    "/api/v1/instances",
    "/api/v1/instances/{name}",
    "/api/v1/instances/{name}/recovery-points",
    "/api/v1/instances/{name}/adoption",
    "/api/v1/instances/{name}/outages",
    "/api/v1/instances/{name}/retention",
    "/api/v1/recovery-points",
    "/api/v1/drills",
    "/api/v1/repositories",
    "/api/v1/alerts",
    "/api/v1/attention",
    "/api/v1/notifications",
    "/api/v1/hosts",
    "/api/v1/hosts/{name}",
    "/api/v1/pending",
    "/api/v1/schedules",
    "/api/v1/notices",
    "/api/v1/operations",
    "/api/v1/operations/{operation_id}",
    "/api/v1/operations/{operation_id}/log",
]
API_OPERATORS_READS = [f"/api/v1/instances/{{name}}/{end}" for end in ("files", "files/content", "files/comparison", "tables", "loss")]
API_OPERATORS_READS.append("/api/v1/operations/{operation_id}/shares")
API_NAMED_READS = ["/api/v1/schedules/{name}", "/api/v1/repositories/{name}"]
"""Of what nobody has added yet."""
API_STREAMS = ["/api/v1/operations/{operation_id}/log/stream", "/api/v1/events"]
WEB2 = {"name": "web2", "address": "127.0.0.1", "port": 1}
API_CHANGES: dict[str, dict[str, object]] = {
    "/api/v1/operations": {"kind": "backup", "instance": "sales"},
    "/api/v1/operations/{operation_id}/cancel": {},
    "/api/v1/operations/{operation_id}/retry": {},
    "/api/v1/operations/{operation_id}/approve": {},
    "/api/v1/operations/{operation_id}/shares": {"days": 7},
    "/api/v1/hosts/{name}/prepare": {},
    "/api/v1/hosts/{name}/stack": {},
    "/api/v1/pending": {},
    "/api/v1/attention/snoozes": {"key": "sales.unproven"},
    "/api/v1/notices": {"instance": "sales", "text": "Back at noon."},
    "/api/v1/schedules": {"name": "n", "subject": "sales", "window": {"days": "SUN", "begin": "02:00", "minutes": 60}},
    "/api/v1/schedules/pause": {"paused": True},
    "/api/v1/schedules/{name}/pause": {"paused": True},
}
API_ADMINISTRATION_CHANGES: dict[str, dict[str, object]] = {
    "/api/v1/hosts": WEB2 | {"fingerprint": "SHA256:x"},
    "/api/v1/hosts/scan": WEB2,
    "/api/v1/instances/{name}/approval": {"wanted": True},
    "/api/v1/instances/{name}/publication": {"wanted": True},
    "/api/v1/instances/{name}/adoption": {"wanted": True},
    "/api/v1/hosts/{name}/trust": {"fingerprint": "SHA256:x"},
    "/api/v1/repositories": {"name": "offsite", "location": "rest:https://nas.example.org:8000/crm/"},
    "/api/v1/repositories/{name}/retention": {"keep": {"daily": 7}, "secrets": {}},
    "/api/v1/recovery-kit": {},
    "/api/v1/login-provider": {"name": "Here", "issuer": "https://127.0.0.1:1", "client_id": "x", "default_role": "viewer", "secret": "x"},
    "/api/v1/users": {"name": "Erika", "role": "viewer"},
    "/api/v1/users/{name}/role": {"role": "operator"},
    "/api/v1/users/{name}/password": {},
    "/api/v1/users/{name}/crms": {"crm": "sales"},
    "/api/v1/tokens": {"name": "cron", "user": "Alice"},
    "/api/v1/login-provider/identities": {"user": "Victor", "subject": "x"},
    "/api/v1/notifications": {"name": "ops", "url": "json://127.0.0.1/"},
    "/api/v1/notifications/{name}/test": {},
    "/api/v1/webhooks": {"name": "desk", "url": "https://desk.example.org/hook"},
    "/api/v1/webhooks/{name}/test": {},
    "/api/v1/webhooks/{name}/secret": {},
    "/api/v1/secrets/{kind}/{owner}": {"secrets": {"url": "json://127.0.0.1/"}},
    "/api/v1/instances/{name}/objectives": {"rpo": "24h", "rto": "30m"},
}
API_OWN_CHANGES: dict[str, dict[str, object]] = {
    "/api/v1/second-factors": {"password": "guess"},
    "/api/v1/second-factors/confirmation": {"code": "000000"},
    "/api/v1/second-factors/recovery-codes": {"password": "guess"},
}
ALL_API_CHANGES = API_CHANGES | API_ADMINISTRATION_CHANGES
API_ADMINISTRATION = [
    "/api/v1/tokens",
    "/api/v1/audit",
    "/api/v1/audit/export",
    "/api/v1/audit/verification",
    "/api/v1/support-bundle",
    "/api/v1/login-provider",
    "/api/v1/login-provider/identities",
    "/api/v1/webhooks",
    "/api/v1/webhooks/{name}/deliveries",
    "/api/v1/secrets",
]
API_OPERATORS_REMOVALS = [
    "/api/v1/schedules/{name}",
    "/api/v1/notices/{notice_id}",
    "/api/v1/attention/snoozes/{key}",
    "/api/v1/operations/{operation_id}/shares/{share_id}",
]
API_REMOVALS = [
    "/api/v1/tokens/{name:path}",
    "/api/v1/hosts/{name}",
    "/api/v1/repositories/{name}",
    "/api/v1/repositories/{name}/retention",
    "/api/v1/notifications/{name}",
    "/api/v1/webhooks/{name}",
    "/api/v1/second-factors/{name}",
    "/api/v1/passkeys/{passkey_id}",
    "/api/v1/login-provider",
    "/api/v1/login-provider/identities/{subject:path}",
    "/api/v1/users/{name}/crms/{crm}",
    "/api/v1/users/{name}",
]
API_OWN_REMOVALS = ["/api/v1/sessions", "/api/v1/sessions/{session_id}"]
DESCRIPTION = "/api/v1/openapi.json"

PAGES = [*SEEN_BY_ALL, *OPERATORS_FORMS, *OPERATORS_LOOKS, *ADMINISTRATORS_LOOKS, *ADMINISTRATORS_FORMS, *STREAMS]
API_GETS = [*API_READS, *API_NAMED_READS, *API_OPERATORS_READS, *API_STREAMS, *API_ADMINISTRATION, DESCRIPTION]
GETS = {*OPEN, *PAGES, *API_GETS}
POSTS = {"/login", "/login/code", "/login/passkey", "/language", "/theme", *CHANGES, *OWN_AFFAIRS, *ALL_API_CHANGES, *API_OWN_CHANGES}
DELETES = {*API_REMOVALS, *API_OPERATORS_REMOVALS}


def fill(address: str) -> str:
    name = "web1" if "/hosts/" in address else "sales"
    return (
        address.replace("{name}", name)
        .replace("{name:path}", "token of Alice")
        .replace("{operation_id}", "1")
        .replace("{notice_id}", "1")
        .replace("{key}", "sales.unproven")
        .replace("{product}", "creme")
        .replace("{kind}", "repository")
        .replace("{owner}", "ops")
    )


GRANTED_FORMS = [
    "/instances/{name}/upgrade",
    "/instances/{name}/rollback",
    "/instances/{name}/restore",
    "/instances/{name}/configure",
    "/instances/{name}/certificate",
    "/operations/{operation_id}/share",
]
GRANTED_LOOKS = OPERATORS_LOOKS
GRANTED_CHANGES = [
    "/instances/{name}/backup",
    "/instances/{name}/drill",
    "/instances/{name}/archive",
    "/instances/{name}/maintenance",
    "/instances/{name}/upgrade",
    "/instances/{name}/rollback",
    "/instances/{name}/restore",
    "/instances/{name}/restore/loss",
    "/instances/{name}/configure",
    "/instances/{name}/configure/preview",
    "/instances/{name}/certificate",
    "/backups/{name}/files/restore",
    "/backups/{name}/tables",
    "/operations/{operation_id}/cancel",
    "/operations/{operation_id}/retry",
    "/operations/{operation_id}/share",
    "/operations/{operation_id}/share/{share_id}/revoke",
    "/operations/{operation_id}/approve",
]
GRANTED_API_CHANGES = [
    "/api/v1/operations",
    *(f"/api/v1/operations/{{operation_id}}/{end}" for end in ("cancel", "retry", "approve", "shares")),
]
GRANTED_API_REMOVALS = {"/api/v1/operations/{operation_id}/shares/{share_id}"}
"""What is open to a viewer who was granted the CRM that it is about, and closed to one who was granted another."""
