"""The process that watches the workers ends at a signal, whatever it is doing when the signal comes."""

import threading

from granian.constants import Interfaces

from web.__main__ import Parent


def test_signals_wait_for_no_lock_and_only_the_first_one_counts() -> None:
    parent = Parent("web.worker:create", interface=Interfaces.WSGI, factory=True)
    event = parent.main_loop_interrupt
    with event._cond:  # as where the first signal's handler, or the main thread's wait, is interrupted
        parent.signal_handler_interrupt(15, None)
        parent.signal_handler_interrupt(2, None)
        assert not event.is_set()
        assert [thread.name for thread in threading.enumerate()].count("end") == 1
    assert event.wait(10)
    assert parent.interrupt_signal
