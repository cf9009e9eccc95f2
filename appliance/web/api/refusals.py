"""What the API answers when it refuses, as its description says it."""

from typing import Any

from pydantic import BaseModel


class ProblemBody(BaseModel):
    """Why a request was refused, after RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    field: str | None = None
    failures: list[str] | None = None


def refusal(text: str) -> dict[str, Any]:
    """A refusal in the description of a call."""
    return {"description": text, "model": ProblemBody}


PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: refusal("The body is no text"),
    401: refusal("No valid token"),
    403: refusal("The role does not suffice"),
    404: refusal("No such thing"),
    411: refusal("The request does not say its length"),
    413: refusal("The request is too long"),
    422: refusal("Not understood"),
    429: refusal("Too many wrong tokens have come from this address"),
}
BUSY: dict[int | str, dict[str, Any]] = {409: refusal("Busy, taken, or refused by a preflight check")}
