"""Who did what: list it, give it out, and see that nobody has changed it."""

import json
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import TypeAdapter
from rich.markup import escape

from appliance.cli.opened import now, opened, who
from appliance.cli.output import AsJson, console, moment, print_json, print_table
from appliance.cli.remote import Remote, remote
from appliance.domain.audit import AuditEntry, AuditProof, canonical, check_head, prove
from appliance.domain.inert import inert
from appliance.errors import InvalidRequest
from appliance.store.audit import AuditFilter

app = typer.Typer(help="Who did what, when: a chain to which entries are only added.", no_args_is_help=True)

ENTRIES = TypeAdapter(list[AuditEntry])
Actor = Annotated[str, typer.Option(help="Only what this one did.")]
Subject = Annotated[str, typer.Option(help="Only what was done to this CRM, host, user or token.")]
Action = Annotated[str, typer.Option(help="Only this.")]
Since = Annotated[str, typer.Option(help="Only from this moment on.", metavar='"2026-11-22 14:05"')]


@app.command("list")
def list_entries(
    actor: Actor = "",
    subject: Subject = "",
    action: Action = "",
    since: Since = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 50,
    before: Annotated[int | None, typer.Option(min=1, help="Go on below the entry of this number.")] = None,
    as_json: AsJson = False,
) -> None:
    """List entries, newest first."""
    wanted = _filter(actor, subject, action, since)
    panel = remote()
    entries = opened().store.audit.list(wanted, limit=limit, before=before) if panel is None else _there(panel, wanted, limit, before)
    if as_json:
        print_json(entries)
        return
    rows = [(one.number, moment(one.at), *map(_shown, (one.actor, one.action, one.subject, canonical(one.detail)))) for one in entries]
    print_table(("NO.", "WHEN", "WHO", "WHAT", "TO WHAT", "DETAIL"), rows, empty="No entry matches.")


def _there(panel: Remote, wanted: AuditFilter, limit: int, before: int | None) -> list[AuditEntry]:
    if before is not None:
        raise InvalidRequest(
            "Of another machine the audit is listed from its newest entry. Nothing was done; leave --before out.", field="before"
        )
    since = None if wanted.since is None else wanted.since.isoformat()
    asked = {"actor": wanted.actor, "subject": wanted.subject, "action": wanted.action, "since": since}
    return ENTRIES.validate_python(panel.rows("/audit", within="entries", limit=limit, **asked))


@app.command("export")
def export(actor: Actor = "", subject: Subject = "", action: Action = "", since: Since = "") -> None:
    """Print entries as JSON lines, oldest first, with their hashes; without filters the lines can be verified anywhere."""
    wanted, store = _filter(actor, subject, action, since), opened().store
    for said in store.audit.export(wanted):
        print(canonical(said))
    store.access.audit(actor=who(), action="export audit", subject="audit", detail={}, now=now())


@app.command("verify")
def verify(
    head: Annotated[str, typer.Option(metavar="HASH", help="A hash that was noted earlier: its entry has to be there still.")] = "",
    file: Annotated[str, typer.Option(metavar="FILE", help="Verify what was exported, instead of the store; - reads it from here.")] = "",
    as_json: AsJson = False,
) -> None:
    """See that every entry is as it was written, in its place, and none missing. Ends with 1 and the first bad entry otherwise."""
    check_head(head)
    proof = prove(_exported(file), head=head) if file else opened().store.audit.prove(head=head)
    print_json(proof) if as_json else console.print(sentence(proof), markup=False, soft_wrap=True)
    raise typer.Exit(1 if proof.problem else 0)


def sentence(proof: AuditProof) -> str:
    """What verifying has shown."""
    if proof.problem:
        return inert(f"The audit is not whole. {proof.problem}")
    if not proof.entries:
        return "The audit is empty."
    return f"The audit is whole: {proof.entries} entries, the newest with the hash {proof.head}. Note it down elsewhere."


def _filter(actor: str, subject: str, action: str, since: str) -> AuditFilter:
    try:
        given = datetime.fromisoformat(since).astimezone() if since else None
    except ValueError:
        raise InvalidRequest(f'{since[:60]!r} is no moment; write "2026-11-22 14:05:30".', field="since") from None
    return AuditFilter(actor=actor, subject=subject, action=action, since=given)


def _exported(file: str) -> Iterator[dict[str, Any]]:
    """The lines of an export. Raises InvalidRequest for what is none."""
    try:
        with sys.stdin if file == "-" else Path(file).open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                said = json.loads(line)
                if not isinstance(said, dict):
                    raise ValueError(f"line {number} is no entry")
                yield said
    except (OSError, ValueError) as error:
        raise InvalidRequest(f"{file} is no export of the audit that can be read: {error}.", field="file") from None


def _shown(text: str) -> str:
    return escape(inert(text))
