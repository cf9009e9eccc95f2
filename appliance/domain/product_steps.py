"""What is done to a product: steps with their own success tests, services, hops from one series to the next."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from appliance.domain.product_parts import Environment, Expected, Name, Part, Pattern, RelativePath, Reversible, Sql, Template, VersionText

AsUser = Literal["crm", "postgres", "root"]


class SqlEquals(Part):
    """A question to the database and the answer it must give."""

    sql: Sql
    equals: Expected


class Success(Part):
    """How to tell that a step did its work; an exit code alone proves nothing."""

    rc: Annotated[tuple[int, ...], Field(min_length=1)] = (0,)
    stdout_match: Pattern | None = None
    stdout_not_match: Pattern | None = None
    sql_equals: SqlEquals | None = None


class Step(Part):
    """One command in the environment of a deployment, or one SQL file in its database."""

    name: Name
    title: str
    command: Template | None = None
    sql_file: RelativePath | None = None
    stdin: RelativePath | None = None
    working_directory: Template | None = None
    user: AsUser = "crm"
    environment: Environment = Field(default_factory=dict)
    creates: Template | None = None
    timeout_seconds: Annotated[int, Field(gt=0, le=86400)] = 600
    success: Success = Success()

    @model_validator(mode="after")
    def _does_one_thing(self) -> "Step":
        if (self.command is None) == (self.sql_file is None):
            raise ValueError("a step has either 'command' or 'sql_file'")
        if self.stdin and not self.command:
            raise ValueError("'stdin' needs a 'command' that reads it")
        return self


class Stop(Part):
    """How a service ends: the signal goes to its whole process group."""

    signal: Literal["TERM", "INT", "QUIT", "HUP"] = "TERM"
    timeout_seconds: Annotated[int, Field(gt=0, le=600)] = 30


class Limits(Part):
    """What systemd lets a service take of its host: memory with everything it starts, and processes and threads together."""

    memory_mb: Annotated[int, Field(ge=64, le=1024**2)] = 1024
    tasks: Annotated[int, Field(ge=8, le=65536)] = 256


class Service(Part):
    """A process that runs as long as the deployment does. Exactly one `serves` on the deployment's port.

    Under systemd it may write to the deployment's files, its run directory and the `writable` ones, and no memory that it wrote to is
    executed unless it has `executable_memory`, which a compiler at run time needs.
    """

    name: Name
    command: Template
    working_directory: Template | None = None
    environment: Environment = Field(default_factory=dict)
    stop: Stop = Stop()
    serves: bool = False
    limits: Limits = Limits()
    writable: tuple[Template, ...] = ()
    executable_memory: bool = False


class Check(SqlEquals):
    """A question whose wrong answer stops an upgrade, with the sentence shown then."""

    message: str


class Patch(Part):
    """From one release to a newer one of the same series."""

    reversible: Reversible
    steps: tuple[Step, ...] = ()


class Hop(Part):
    """From one series to the next, the way the vendor allows it."""

    source: VersionText = Field(alias="from")
    target: VersionText = Field(alias="to")
    reversible: Reversible
    pre_check: tuple[Check, ...] = ()
    pre_sql: RelativePath | None = None
    steps: Annotated[tuple[Step, ...], Field(min_length=1)]
    post_check: tuple[Check, ...] = ()


class Upgrade(Part):
    """All hops; a jump over a series is none of them."""

    hops: tuple[Hop, ...] = ()
