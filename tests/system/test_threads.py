"""Threads change when things are done, not what comes out."""

import os
import signal
import threading
import time

import pytest

from ssd300.system.threads import ordered_map, read_ahead


def test_results_come_in_order_though_the_first_are_slowest():
    def slow(number):
        time.sleep(0.02 if number % 3 == 0 else 0)
        return number * 2

    assert list(ordered_map(slow, range(20), ahead=5)) == list(range(0, 40, 2))


def test_no_more_than_ahead_is_read():
    read = []

    def items():
        for number in range(100):
            read.append(number)
            yield number

    results = ordered_map(str, items(), ahead=3)
    assert next(results) == "0"
    assert len(read) == 4
    results.close()


def test_what_lies_before_a_fault_of_the_items_is_given():
    def items():
        yield from range(4)
        raise OSError("gone")

    for results in (ordered_map(int, items(), ahead=10), read_ahead(items(), most=2)):
        assert [next(results) for _ in range(4)] == [0, 1, 2, 3]
        with pytest.raises(OSError, match="gone"):
            next(results)


def test_a_fault_of_the_function_comes_where_its_result_is_due():
    results = ordered_map(lambda number: 6 // number, [3, 2, 0, 1], ahead=10)
    assert [next(results), next(results)] == [2, 3]
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_a_reader_that_leaves_ends_the_thread():
    before = threading.active_count()
    items = read_ahead(iter(range(10**9)), most=2)
    assert next(items) == 0
    items.close()
    assert threading.active_count() == before


def test_a_reader_that_leaves_finds_the_items_closed():
    closed = []

    def items():
        try:
            yield from range(9)
        finally:
            closed.append(threading.current_thread())

    ahead = read_ahead(items(), most=1)
    assert next(ahead) == 0
    ahead.close()
    (thread,) = closed
    assert thread is not threading.current_thread()
    assert not thread.is_alive()


def test_ctrl_c_while_the_thread_still_reads_is_raised_after_the_items_are_closed():
    """What they read from, such as a video's file, is closed next."""
    steps = []
    reading = threading.Event()

    def items():
        try:
            yield 0
            reading.set()
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.3)  # as a camera that gives no frame
            yield 1
        finally:
            steps.append("closed")

    with pytest.raises(KeyboardInterrupt):
        list(read_ahead(items(), most=1))
    assert reading.is_set()
    assert steps == ["closed"]


def test_a_second_ctrl_c_does_not_end_the_wait_for_the_thread():
    steps = []
    leaving = threading.Event()

    def items():
        try:
            yield 0
            assert leaving.wait(10)
            time.sleep(0.1)  # until the other thread waits
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.3)
            yield 1
        finally:
            steps.append("closed")

    ahead = read_ahead(items(), most=1)
    assert next(ahead) == 0
    leaving.set()
    with pytest.raises(KeyboardInterrupt):
        ahead.close()
    assert steps == ["closed"]
