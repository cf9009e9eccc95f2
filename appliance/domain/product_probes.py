"""How a product shows that it is healthy: the kinds of probes as a definition writes them, without addresses."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from appliance.domain.product_parts import Expected, Part, Pattern, RelativePath, Template

UrlPath = Annotated[str, Field(pattern=r"^/")]
JsonRpcVersion = Literal["1.0", "2.0"]
ProbeName = Literal["live", "ready", "deep", "version_code", "version_database", "queue", "write"]


class _Probe(Part):
    timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 10
    interval_seconds: Annotated[float, Field(gt=0)] | None = None
    confirm_after_seconds: Annotated[float, Field(ge=0, le=60)] | None = None


class HttpProbe(_Probe):
    """A page, its status and a pattern in its text."""

    kind: Literal["http"]
    path: UrlPath
    status: int = 200
    match: Pattern | None = None


class JsonRpcProbe(_Probe):
    """A method of an RPC interface and its result."""

    kind: Literal["jsonrpc"]
    version: JsonRpcVersion = "2.0"
    path: UrlPath
    method: str
    params: tuple[Any, ...] = ()
    equals: Expected | None = None


class FormLoginProbe(_Probe):
    """A login through the login page; it counts when the browser lands on `final_path`, and `then` shows `then_match`."""

    kind: Literal["form_login"]
    path: UrlPath
    username: str
    username_field: str = "username"
    secret: str
    password_field: str = "password"  # noqa: S105 - the name of a field in a form
    csrf_field: str | None = None
    final_path: UrlPath
    then: UrlPath | None = None
    then_match: Pattern | None = None


class Call(Part):
    """A method and its parameters. `$username`, `$password` and, after the log-in, `$0`, `$1` … (the parts of its answer) are filled in."""

    method: str
    params: tuple[Any, ...] = ()


class Authorization(Part):
    """The header that proves the log-in: a scheme, and credentials that are sent in base64."""

    scheme: str
    credentials: str


class JsonRpcLoginProbe(_Probe):
    """A log-in through an RPC interface; it counts when `then` answers with a result."""

    kind: Literal["jsonrpc_login"]
    version: JsonRpcVersion = "2.0"
    path: UrlPath
    username: str
    secret: str
    login: Call
    authorization: Authorization
    then: Call
    logout: Call | None = None


class SqlProbe(_Probe):
    """A question to the deployment's database."""

    kind: Literal["sql"]
    query: str
    equals: Expected | None = None


class CommandProbe(_Probe):
    """A program of the release, run as the CRM's user in the deployment's environment."""

    kind: Literal["cmd"]
    command: Template
    stdin: RelativePath | None = None
    match: Pattern | None = None


class ProcessProbe(_Probe):
    """A process that must be there, by its command line."""

    kind: Literal["process"]
    pattern: Pattern
    user: Template | None = None
    min: Annotated[int, Field(ge=1)] = 1


Probe = Annotated[
    HttpProbe | JsonRpcProbe | FormLoginProbe | JsonRpcLoginProbe | SqlProbe | CommandProbe | ProcessProbe,
    Field(discriminator="kind"),
]


class Probes(Part):
    """What is asked of a CRM. `write` leaves a trace for a moment, so it is asked of copies only."""

    live: Probe
    ready: Probe
    deep: Probe
    version_code: Probe
    version_database: Probe | None = None
    queue: Probe | None = None
    write: Probe | None = None

    @model_validator(mode="after")
    def _deep_is_deep(self) -> "Probes":
        if self.deep.kind == "http":
            raise ValueError("'deep' must do more than ask for a page: a CRM that nobody can use still answers 200")
        return self

    def by_name(self) -> dict[str, Probe]:
        """The probes that the definition has."""
        found = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: probe for name, probe in found.items() if probe is not None}
