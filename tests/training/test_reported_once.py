import threading
import time

import pytest
import torch

from ssd300.errors import DataError, ReportedElsewhereError, RunError
from ssd300.training import reported_once as module
from ssd300.training.reported_once import reported_once

LOST = RuntimeError("[gloo/transport/tcp/pair.cc:547] Connection closed by peer [127.0.0.1]:1234")
BAD = DataError("the image cannot be read", where="a.jpg", fix="Replace it.")


@pytest.fixture
def store(monkeypatch):
    monkeypatch.setattr(module, "MAIN_S", 0.3)
    monkeypatch.setattr(module, "REASON_S", 0.1)
    return torch.distributed.HashStore()


def test_an_error_that_all_have_is_told_by_the_main_process(store):
    found = {}

    def end(rank):
        found[rank] = reported_once(BAD, rank=rank, size=2, store=store)

    other = threading.Thread(target=end, args=(1,))
    other.start()
    time.sleep(0.05)  # it waits for the main process
    end(0)
    other.join()
    assert found[0] is BAD
    assert isinstance(found[1], ReportedElsewhereError)


def test_an_error_of_one_process_is_told_by_it_and_the_others_know_it(store):
    assert reported_once(BAD, rank=2, size=3, store=store) is BAD, "the main process is waiting in an exchange"
    for rank in (0, 1):
        found = reported_once(LOST, rank=rank, size=3, store=store)
        assert isinstance(found, ReportedElsewhereError)
        assert "a.jpg: process 2 of 3: the image cannot be read" in str(found)
        assert reported_once(found, rank=rank, size=3, store=store) is found


def test_the_main_process_tells_an_error_of_another_one_that_does_not(store):
    store.set("1", '["memory ran out", null, "Use less."]')
    found = reported_once(LOST, rank=0, size=2, store=store)
    assert type(found) is RunError
    assert (found.what, found.fix) == ("process 1 of 2: memory ran out", "Use less.")


def test_a_process_that_is_lost_without_a_word_is_said_by_the_main_one(store):
    found = reported_once(LOST, rank=0, size=2, store=store)
    assert type(found) is RunError
    assert "ended without a word" in found.what
    assert isinstance(reported_once(LOST, rank=1, size=2, store=store), ReportedElsewhereError)


def test_errors_of_foreign_code_are_told_with_their_type(store):
    error = KeyError("gloo")  # no error of an exchange, whatever it says
    assert reported_once(error, rank=1, size=2, store=store) is error
    assert "KeyError: 'gloo'" in str(reported_once(LOST, rank=0, size=2, store=store))
