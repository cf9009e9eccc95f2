"""The ledger, on a real file, beside a plain account of the same life: whatever happens, both come to the same."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.clock import Moment
from monitoring.ledger import SERVICE, UNSEEN_TAIL_SECONDS, Ledger, Observation, State

BELIEVED_SECONDS, BELIEVED_AFTER_START_SECONDS = 40, 20
CRMS = ("demo", "other")
MINUTE, DAY = 60_000, 86_400_000
Span = tuple[State, int, int]


@dataclass(frozen=True, kw_only=True)
class Turn:
    """Time passes, something may happen, and then a CRM is seen, which is written at once or with what comes next."""

    pause_ms: int
    happening: str
    crm: str
    state: State
    step_ms: int
    is_written: bool


TURNS = st.builds(
    Turn,
    pause_ms=st.sampled_from([0, 1, 999, 15_000, 19_999, 20_001, 39_999, 40_001, 10 * MINUTE, DAY]),
    happening=st.sampled_from(["nothing"] * 6 + ["restart", "reboot", "step", "forget"]),
    crm=st.sampled_from(CRMS),
    state=st.sampled_from([state for state in State if state is not State.UNKNOWN]),
    step_ms=st.sampled_from([-DAY, -3_600_000, 3_600_000, DAY]),
    is_written=st.sampled_from([True, True, True, False]),
)


@dataclass(kw_only=True)
class Life:
    """The true course of things: where the time axis stands, and how each CRM spent what was watched of it."""

    path: Path
    axis_ms: int = 1_763_726_400_000
    boot_ms: int = 1_000_000
    wall_ms: int = 1_763_726_400_000
    boot: int = 1
    ledger: Ledger = field(init=False)
    pending: list[Observation] = field(default_factory=list)
    seen_in_run: set[str] = field(default_factory=set)
    last: dict[str, tuple[State, int, int]] = field(default_factory=dict)
    spans: dict[str, list[Span]] = field(default_factory=lambda: {crm: [] for crm in CRMS})

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.path)
        self.write()

    @property
    def now(self) -> Moment:
        wall = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=self.wall_ms)
        return Moment(wall=wall, boot_seconds=self.boot_ms / 1000, boot_id=f"boot-{self.boot}")

    def live(self, turn: Turn) -> None:
        for clock in ("axis_ms", "boot_ms", "wall_ms"):
            setattr(self, clock, getattr(self, clock) + turn.pause_ms)
        getattr(self, turn.happening)(turn)
        self.see(turn)
        if turn.is_written:
            self.write()

    def nothing(self, _: Turn) -> None:
        pass

    def step(self, turn: Turn) -> None:
        self.wall_ms += turn.step_ms

    def restart(self, _: Turn) -> None:
        """In good order: what was seen is written before, and the first that a monitor does is a heartbeat."""
        self.write()
        self.ledger.close()
        self.ledger, self.seen_in_run = Ledger(self.path), set()
        self.write()

    def reboot(self, turn: Turn) -> None:
        """Only the wall clock knows how long it took; since then the machine has been on for a while."""
        self.write()
        self.wall_ms += turn.step_ms
        self.boot, self.boot_ms = self.boot + 1, 20_000
        self.axis_ms += max(self.boot_ms, turn.step_ms)
        self.ledger.close()
        self.ledger, self.seen_in_run = Ledger(self.path), set()
        self.write()

    def forget(self, turn: Turn) -> None:
        """The CRM is watched no longer, until it is seen again."""
        self.write()
        self.ledger.close_all_but({(crm, SERVICE) for crm in CRMS if crm != turn.crm})
        self.last.pop(turn.crm, None)

    def see(self, turn: Turn) -> None:
        self.pending.append(
            Observation(
                crm=turn.crm,
                target=SERVICE,
                state=turn.state,
                at=self.now,
                believed_seconds=BELIEVED_SECONDS,
                believed_after_start_seconds=BELIEVED_AFTER_START_SECONDS,
            )
        )
        if (before := self.last.get(turn.crm)) is not None:
            state, since_ms, boot = before
            believed_seconds = BELIEVED_SECONDS if turn.crm in self.seen_in_run else BELIEVED_AFTER_START_SECONDS
            is_believed = boot == self.boot and self.axis_ms - since_ms <= believed_seconds * 1000
            self.spans[turn.crm].append((state if is_believed else State.UNKNOWN, since_ms, self.axis_ms))
        self.last[turn.crm] = (turn.state, self.axis_ms, self.boot)
        self.seen_in_run.add(turn.crm)

    def write(self) -> None:
        self.ledger.record(self.pending, [], self.now)
        self.pending = []

    def spent(self, crm: str, window_ms: int) -> dict[str, float]:
        spans = list(self.spans[crm])
        if crm in self.last and self.axis_ms - self.last[crm][1] > UNSEEN_TAIL_SECONDS * 1000:
            spans.append((State.UNKNOWN, self.last[crm][1], self.axis_ms))
        spent = dict.fromkeys(State, 0)
        for state, start_ms, end_ms in spans:
            spent[state] += max(0, end_ms - max(start_ms, self.axis_ms - window_ms))
        return {state.value: milliseconds / 1000 for state, milliseconds in spent.items()}


def told(life: Life, crm: str, window_ms: int) -> dict[str, float]:
    uptime = life.ledger.uptime(crm, timedelta(milliseconds=window_ms), life.now)
    ratios = (uptime.observed_ratio, uptime.pessimistic_ratio, uptime.coverage_ratio)
    assert all(ratio is None or 0 <= ratio <= 1 for ratio in ratios)
    return {state.value: getattr(uptime, f"{state.value}_seconds") for state in State}


@settings(max_examples=150, deadline=None)
@given(turns=st.lists(TURNS, min_size=1, max_size=30), window_ms=st.sampled_from([1000, 90_000, DAY, 400 * DAY]))
def test_the_ledger_comes_to_what_really_happened(turns: list[Turn], window_ms: int) -> None:
    with TemporaryDirectory(dir="/dev/shm") as directory:
        life = Life(path=Path(directory) / "ledger.sqlite")
        for turn in turns:
            life.live(turn)
        life.write()
        for crm in CRMS:
            assert told(life, crm, window_ms) == life.spent(crm, window_ms)
            intervals = life.ledger.intervals(crm)
            assert all(before.end_ms <= after.start_ms for before, after in pairwise(intervals))
            assert sum(interval.end_ms - interval.start_ms for interval in intervals) == sum(
                end - start for _, start, end in life.spans[crm]
            )
        life.ledger.close()
