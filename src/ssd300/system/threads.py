"""Processing a stream of items in threads: results in the order of the items, a bounded number of them in memory."""

import queue
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")


def ordered_map(
    function: Callable[[Item], Made], items: Iterable[Item], *, ahead: int, threads: int = 2
) -> Iterator[Made]:
    """The results of `function` for each item, in order, up to `ahead` of them started in advance.

    `items` is read in the caller's thread. An error of `items` is raised after the results of the items before it; an
    error of `function` is raised in place of its result.
    """
    pool = ThreadPoolExecutor(threads)
    waiting: deque[Future[Made]] = deque()
    fault: Exception | None = None
    source = iter(items)
    try:
        while True:
            try:
                item = next(source)
            except StopIteration:
                break
            except Exception as error:
                fault = error
                break
            waiting.append(pool.submit(function, item))
            if len(waiting) > ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
        if fault is not None:
            raise fault
    finally:
        pool.shutdown(cancel_futures=True)


def read_ahead(items: Iterable[Item], *, most: int) -> Iterator[Item]:
    """The items, read by another thread, up to `most` in advance. Errors of `items` are raised here, in their place.

    When this iterator has ended or is closed, after Ctrl-C too, the thread no longer uses `items`, and has closed them
    if they are a generator: whatever they read from may be closed then.
    """
    held: queue.Queue[tuple[bool, Item | BaseException | None]] = queue.Queue(most)
    left = threading.Event()
    in_use = threading.Lock()  # the thread holds it as long as it uses the items

    def put(is_item: bool, value: Item | BaseException | None) -> None:
        while not left.is_set():
            try:
                held.put((is_item, value), timeout=0.1)
                return
            except queue.Full:
                continue

    def read() -> None:
        fault: BaseException | None = None
        with in_use:
            try:
                for item in items if not left.is_set() else ():
                    put(True, item)
                    if left.is_set():
                        break
                if isinstance(items, Generator):
                    items.close()
            except BaseException as error:  # raised again in the caller's thread
                fault = error
        put(False, fault)

    thread = threading.Thread(target=read, daemon=True)
    try:
        thread.start()
        while True:
            is_item, value = held.get()
            if not is_item:
                if isinstance(value, BaseException):
                    raise value
                return
            yield value  # type: ignore[misc]  # is_item is true
    finally:
        left.set()
        _wait_for(in_use)
        if thread.is_alive():
            thread.join()


def _wait_for(lock: threading.Lock) -> None:
    """Wait until it is free. What a signal raises meanwhile, as Ctrl-C does, is raised afterwards."""
    interruption: BaseException | None = None
    while True:
        try:
            with lock:
                break
        except BaseException as error:
            interruption = error
    if interruption is not None:
        raise interruption
