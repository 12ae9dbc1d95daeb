"""The value against a model that keeps a plain list of what happened."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from domain.binding import Binding, IdlePolicy
from domain.errors import ExtensionRefused
from domain.public_session import TRANSITIONS, EndReason, PublicSession, Status
from domain.task import Task

ISSUED = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
POLICY = IdlePolicy(timedelta(minutes=30), timedelta(seconds=60))
KEYS = ("a", "b", "c")
STEPS = st.timedeltas(timedelta(minutes=-90), timedelta(days=9))


class SessionLife(RuleBasedStateMachine):
    """Verbs as the commands use them, in any order, by a clock that may step back."""

    def __init__(self) -> None:
        super().__init__()
        tasks = tuple(Task(each) for each in KEYS)
        self.session = PublicSession(Status.ISSUED, ISSUED, ISSUED + 14 * DAY, True, tasks)
        self.at = ISSUED
        self.fence = 0
        self.done: list[str] = []
        self.ends: list[EndReason] = []
        self.deadline = ISSUED + 14 * DAY
        self.seen_at: datetime | None = None

    def become(self, after: PublicSession) -> None:
        moved = (self.session.status, after.status)
        assert moved[0] == moved[1] or moved in TRANSITIONS
        self.session = after

    @property
    def over(self) -> bool:
        return bool(self.ends) or self.at >= self.deadline

    @rule(step=STEPS)
    def time_passes(self, step: timedelta) -> None:
        self.at += step

    @rule()
    def a_browser_verifies(self) -> None:
        if self.session.refuses(self.at) is None:
            self.fence, self.seen_at = self.fence + 1, self.at
            self.become(self.session.binding_to(Binding(UUID(int=self.fence), self.fence, self.at)))

    @rule(key=st.sampled_from(KEYS), late=st.integers(0, 3))
    def a_browser_submits(self, key: str, late: int) -> None:
        browser = UUID(int=max(self.fence - late, 0))
        refused = self.session.refuses_browser(browser, self.at, POLICY)
        refused = refused or self.session.refuses_task(key)
        turn = len(self.done) < len(KEYS) and KEYS[len(self.done)] == key
        fresh = self.seen_at is not None and self.at < self.seen_at + POLICY.whole
        assert (refused is None) == (
            not self.over and self.fence > 0 and browser == UUID(int=self.fence) and fresh and turn
        )
        if refused is None:
            self.done.append(key)
            self.become(self.session.completing(key, self.at))
            if len(self.done) == len(KEYS):
                self.ends.append(EndReason.COMPLETED)

    @rule(reason=st.sampled_from([each for each in EndReason if each != EndReason.COMPLETED]))
    def somebody_ends_it(self, reason: EndReason) -> None:
        if not self.ends and self._may_end(reason):
            self.ends.append(reason)
            self.become(self.session.ending(reason))

    def _may_end(self, reason: EndReason) -> bool:
        if reason == EndReason.BOUND_REACHED:
            return self.at >= self.deadline
        return not self.over and (reason != EndReason.DECLINED or self.fence > 0)

    @precondition(lambda self: not self.over)
    @rule(to=st.integers(-3, 40))
    def the_deadline_is_moved(self, to: int) -> None:
        wanted = self.deadline + to * DAY
        good = self.deadline < wanted <= ISSUED + 60 * DAY
        try:
            self.become(self.session.extending(wanted, 60 * DAY))
        except ExtensionRefused:
            assert not good
        else:
            assert good
            self.deadline = wanted

    @invariant()
    def nothing_ended_comes_back(self) -> None:
        for at in (self.at, self.at - 400 * DAY, self.at + 400 * DAY):
            if self.ends:
                assert self.session.end_at(at) == self.ends[0]
        assert (self.session.end_at(self.at) is not None) == self.over

    @invariant()
    def what_was_done_stays_done_in_its_order(self) -> None:
        assert [each.key for each in self.session.tasks if each.is_done] == self.done
        assert self.session.done == len(self.done)

    @invariant()
    def completed_means_every_task(self) -> None:
        completed = self.session.status == Status.COMPLETED
        assert completed == (len(self.done) == len(KEYS))


TestSessionLife = SessionLife.TestCase
