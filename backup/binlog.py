"""The binary log of a MariaDB server: positions in it."""

from pydantic import BaseModel, ConfigDict, NonNegativeInt


class BinlogPosition(BaseModel):
    """A moment of a database as a place in its server's binary log: the next transaction lies behind it.

    `gtid` names the last transaction before, `server` is the server's own name for itself (`server_uid`).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    file: str
    position: NonNegativeInt
    gtid: str
    server: str
