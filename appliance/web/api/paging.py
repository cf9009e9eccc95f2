"""A page of a list: `limit` and `cursor` are asked, and the header `Link` (RFC 8288) says where the next page is.

A cursor holds the key of the last row that was given, and the next page begins below that key: what is added meanwhile moves nothing.
"""

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, TypeVar
from urllib.parse import urlencode

from fastapi import Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from appliance.errors import InvalidRequest
from appliance.web.panel import LARGEST_ID

Row = TypeVar("Row")
Key = tuple[Any, ...]
LONGEST_CURSOR = 400
WRONG = "This is no cursor of this list; take the one in the header Link of the page before, or leave it out for the first page."


class PageQuery(BaseModel):
    """Which page of a list is asked for."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=200, description="Rows at most")] = 50
    cursor: Annotated[str | None, Field(max_length=LONGEST_CURSOR, description="Where the page before ended; its header Link says it")] = (
        None
    )

    def after(self, *kinds: type) -> Key | None:
        """The key that the page goes on below, of these kinds (int, str, datetime); None for the first. Raises InvalidRequest."""
        if self.cursor is None:
            return None
        try:
            padded = self.cursor + "=" * (-len(self.cursor) % 4)
            values = json.loads(base64.b64decode(padded.encode(), altchars=b"-_", validate=True))
            return tuple(_read(kind, value) for kind, value in zip(kinds, values, strict=True))
        except (ValueError, TypeError):
            raise InvalidRequest(WRONG, field="cursor") from None

    def before(self) -> int | None:
        """The number that the page goes on below, of a list whose rows have one. Raises InvalidRequest."""
        found = self.after(int)
        return None if found is None else int(found[0])

    @property
    def rows(self) -> int:
        """How many to read: one more than to give, which says whether there is a next page."""
        return self.limit + 1


class InstanceQuery(PageQuery):
    """The same, of one CRM or of all."""

    instance: Annotated[str | None, Field(max_length=64)] = None


@dataclass(frozen=True, kw_only=True)
class Paging:
    """Cuts what was read to a page, and says where the next one is."""

    request: Request
    response: Response

    def cut(self, asked: PageQuery, rows: Sequence[Row], key: Callable[[Row], Key]) -> Sequence[Row]:
        """The page."""
        if len(rows) > asked.limit:
            self.point_to(cursor=cursor_of(key(rows[asked.limit - 1])))
        return rows[: asked.limit]

    def point_to(self, **changed: str) -> None:
        """Say where the next page is: at this address, but for what is changed in its query."""
        kept = [(name, value) for name, value in self.request.query_params.multi_items() if name not in changed]
        self.response.headers["Link"] = f'<{self.request.url.path}?{urlencode([*kept, *changed.items()])}>; rel="next"'


def paging_of(request: Request, response: Response) -> Paging:
    """What pages a call's answer."""
    return Paging(request=request, response=response)


PagingDependency = Annotated[Paging, Depends(paging_of)]


def cursor_of(key: Key) -> str:
    """The cursor of a row's key."""
    values = [value.isoformat() if isinstance(value, datetime) else value for value in key]
    return base64.urlsafe_b64encode(json.dumps(values, separators=(",", ":")).encode()).decode().rstrip("=")


def below(rows: Sequence[Row], key: Callable[[Row], Key], after: Key | None) -> list[Row]:
    """Of rows that are held in memory, the greatest key first, those below a key."""
    return sorted((row for row in rows if after is None or key(row) < after), key=key, reverse=True)


def _read(kind: type, value: Any) -> Any:
    if kind is datetime and isinstance(value, str):
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is not None:
            return moment
    elif (kind is str and isinstance(value, str)) or (kind is int and type(value) is int and 0 <= value <= LARGEST_ID):
        return value
    raise ValueError(value)
