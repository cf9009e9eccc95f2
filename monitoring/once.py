"""`python -m monitoring probe`: probes described on standard input, results on standard output; `flag` asks whether a file is there."""

import asyncio
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TextIO

from pydantic import BaseModel, ConfigDict, ValidationError

from monitoring.probes import Probe, ProbeBase, run_probe

ALL_HEALTHY, SOME_UNHEALTHY, BAD_INPUT = 0, 1, 2


class Request(BaseModel):
    """What is read from standard input."""

    model_config = ConfigDict(extra="forbid")

    probes: list[Probe]
    flag: Path | None = None


def probe_once(source: TextIO, sink: TextIO) -> int:
    """Carries all probes out at once and returns the exit code. Bad input is explained on standard error; nothing was probed then."""
    try:
        request = Request.model_validate_json(source.read())
    except ValidationError as error:
        print(f"The probes cannot be read; nothing was probed. {explain(error)}", file=sys.stderr)
        return BAD_INPUT
    results = asyncio.run(_run_all(request.probes))
    answer: dict[str, object] = {"results": results}
    if request.flag is not None:
        answer["flag"] = request.flag.exists()
    json.dump(answer, sink)
    sink.write("\n")
    return ALL_HEALTHY if all(result["healthy"] for result in results) else SOME_UNHEALTHY


async def _run_all(probes: list[ProbeBase]) -> list[dict[str, object]]:
    return [asdict(checked) for checked in await asyncio.gather(*map(run_probe, probes))]


def explain(error: ValidationError) -> str:
    """Which fields are wrong and why, without the values, since these may be secret."""
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(f"{'.'.join(str(part) for part in problem['loc']) or 'input'}: {problem['msg']}" for problem in problems)
