"""Pages of many CRMs show some at a time, found by a part of the name."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends, Query
from pydantic import BaseModel

LONGEST_NUMBER = 6


class Narrowing(BaseModel):
    """What a page is narrowed to: `q` is a part of the name, `page` counts from 1. What is no such number is the first page."""

    q: str = ""
    page: str = ""

    @property
    def number(self) -> int:
        """From 1."""
        is_number = self.page.isascii() and self.page.isdigit() and len(self.page) <= LONGEST_NUMBER
        return max(1, int(self.page)) if is_number else 1


def _narrowing(asked: Annotated[Narrowing, Query()]) -> Narrowing:
    return asked


NarrowingDependency = Annotated[Narrowing, Depends(_narrowing)]


@dataclass(frozen=True, kw_only=True)
class Portion:
    """One page of names. `found` are all that match, on `pages` pages; `there` is how many there are at all."""

    names: Sequence[str]
    q: str
    page: int
    pages: int
    found: int
    there: int

    @property
    def is_all(self) -> bool:
        """Whether nothing is left out."""
        return len(self.names) == self.there and not self.q

    def address(self, page: int) -> str:
        """The query that leads to another page."""
        return "?" + urlencode({name: value for name, value in (("q", self.q), ("page", page if page > 1 else "")) if value})


def portion(names: Sequence[str], asked: Narrowing, size: int) -> Portion:
    """That page of those names that the query is a part of; the last page where there are not so many."""
    wanted = asked.q.strip().casefold()
    found = [name for name in names if wanted in name.casefold()]
    pages = max(1, -(-len(found) // size))
    page = min(asked.number, pages)
    return Portion(
        names=found[(page - 1) * size : page * size], q=asked.q.strip(), page=page, pages=pages, found=len(found), there=len(names)
    )
