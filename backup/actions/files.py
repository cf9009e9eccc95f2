"""List a directory of the files that a recovery point holds."""

from dataclasses import dataclass, field

from pydantic import JsonValue

from backup.events import Reporter
from backup.failures import leaving_unchanged
from backup.held import HeldNode, held_tree
from backup.repository import open_repository
from backup.spec_files import FilesSpec


@dataclass(kw_only=True)
class Page:
    """Takes what is in a directory; only what is on the page is kept, however much there is."""

    path: str
    after: int
    limit: int
    own: HeldNode | None = None
    entries: list[HeldNode] = field(default_factory=list)
    seen: int = 0

    def take(self, node: HeldNode) -> None:
        """Sort one in."""
        if self.path and node.path == f"/{self.path}":
            self.own = node
            return
        self.seen += 1
        if self.after < self.seen <= self.after + self.limit:
            self.entries.append(node)


def files(spec: FilesSpec, reporter: Reporter) -> dict[str, JsonValue]:
    """Give a page of it and how many there are in all; of what is no directory only what it is itself.

    Raises a failure `part_missing` or `not_held`.
    """
    with leaving_unchanged("Nothing was changed."):
        repository = open_repository(spec.repository, reporter)
        tree = held_tree(repository, point=spec.point, crm=spec.crm, source=spec.source)
        page = Page(path=spec.path, after=spec.after, limit=spec.limit)
        tree.each(spec.path, page.take)
        own = tree.required(spec.path, page.own)
    entries: list[JsonValue] = [node.as_json() for node in page.entries] if own is None or own.type == "dir" else []
    return {
        "kind": own.type if own else "dir",
        "size": own.size if own else 0,
        "entries": entries,
        "count": page.seen,
    }
