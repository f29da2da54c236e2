"""The collector while a live state is laid out: it waits for the last thread; who serves alone keeps what stands."""

import gc
import os
import threading

from recsys.serving.memory import laying_out, serve_alone


def test_no_collection_until_the_last_thread_has_laid_out() -> None:
    entered, leave = threading.Event(), threading.Event()

    def other() -> None:
        with laying_out():
            entered.set()
            leave.wait(10)

    thread, frozen = threading.Thread(target=other), gc.get_freeze_count()
    with laying_out():
        thread.start()
        assert entered.wait(10)
    assert not gc.isenabled()
    leave.set()
    thread.join()
    assert gc.isenabled()
    assert gc.get_freeze_count() == frozen, "a process that does not serve alone goes on collecting everything"


def test_a_failure_leaves_the_collector_as_it_was() -> None:
    try:
        with laying_out():
            raise ValueError
    except ValueError:
        assert gc.isenabled()


def test_a_process_that_serves_alone_keeps_what_was_laid_out() -> None:
    ours, theirs = os.pipe()
    if not (child := os.fork()):
        serve_alone()
        before = gc.get_freeze_count()
        with laying_out():
            laid = [[place] for place in range(1000)]
        os.write(theirs, b"kept" if gc.get_freeze_count() >= before + len(laid) and gc.isenabled() else b"lost")
        os._exit(0)
    assert os.read(ours, 4) == b"kept"
    os.waitpid(child, 0)
    os.close(ours)
    os.close(theirs)
