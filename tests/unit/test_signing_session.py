from datetime import UTC, datetime, timedelta

from domain.messages import SigningChecked, SigningSessionStart, SigningTakenOver
from domain.signing_session import SigningWatch

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
WATCH = SigningWatch.of(SigningSessionStart("s", 1, AT + 6 * MINUTE))


def test_it_is_due_when_silence_would_end_the_window_or_it_was_told_of_an_end() -> None:
    assert not WATCH.is_due(AT)
    assert WATCH.is_due(AT + 6 * MINUTE)
    assert WATCH.hearing_end().is_due(AT)


def test_an_older_window_is_stale_news() -> None:
    newer = WATCH.hearing_window(SigningTakenOver("f", 3, AT + 9 * MINUTE))
    assert (newer.fence, newer.due_at) == (3, AT + 9 * MINUTE)
    assert newer.hearing_window(SigningTakenOver("f", 2, AT)) == newer
    assert newer.hearing_window(SigningTakenOver("f", 3, AT)) == newer


def test_the_row_is_adopted_unless_a_window_was_opened_meanwhile() -> None:
    checked = SigningChecked(1, AT + 12 * MINUTE)
    assert WATCH.adopting(1, checked) == SigningWatch(1, AT + 12 * MINUTE)
    newer = WATCH.hearing_window(SigningTakenOver("f", 2, AT + 9 * MINUTE)).hearing_end()
    assert newer.adopting(1, checked) == SigningWatch(2, AT + 9 * MINUTE)
    assert WATCH.hearing_end().adopting(1, SigningChecked(1, None)) == WATCH
