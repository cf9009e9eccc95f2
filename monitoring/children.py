"""Programs that the monitor starts: nothing of them is left, neither a process nor an open pipe."""

from asyncio.subprocess import Process


async def see_off(process: Process) -> None:
    """Wait for a process that ended or was killed, and close the pipes to it: asyncio leaves one open that was not read to its end."""
    await process.wait()
    process._transport.close()  # type: ignore[attr-defined]  # there is no other door to it
