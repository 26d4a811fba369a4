import os
import platform
import subprocess
import sys

import pytest

from ssd300.system import memory
from ssd300.system.memory import free_memory_bytes, gigabytes, peak_memory_bytes, used_memory_bytes

MB = 1_000_000


@pytest.fixture
def machine(monkeypatch):
    """A machine of which 900 MB are available, outside a container."""
    available = type("Memory", (), {"available": 900 * MB})
    monkeypatch.setattr(memory.psutil, "virtual_memory", lambda: available)
    monkeypatch.setattr(memory, "CONTAINER_FILES", ())


@pytest.mark.parametrize(
    ("limit", "in_use", "free"),
    [
        (500 * MB, 200 * MB, 300 * MB),
        (2000 * MB, 200 * MB, 900 * MB),  # more than the machine has
        (500 * MB, 600 * MB, 0),
        ("max", 200 * MB, 900 * MB),
    ],
)
@pytest.mark.usefixtures("machine")
def test_the_limit_of_a_container_counts(tmp_path, monkeypatch, limit, in_use, free):
    files = tmp_path / "limit", tmp_path / "current"
    for file, value in zip(files, (limit, in_use), strict=True):
        file.write_text(f"{value}\n")
    monkeypatch.setattr(memory, "CONTAINER_FILES", (files,))
    assert free_memory_bytes() == free


@pytest.mark.usefixtures("machine")
def test_outside_a_container_it_is_what_the_machine_has():
    assert free_memory_bytes() == 900 * MB


def test_children_count_as_used():
    alone = used_memory_bytes()
    code = "block = bytearray(80_000_000); print('ready', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        child.stdout.readline()
        assert used_memory_bytes() > alone + 60 * MB
        child.communicate("\n")


def test_the_peak_is_in_bytes():
    assert 10 * MB < peak_memory_bytes() < 100_000 * MB


def test_the_peak_is_that_of_the_process_and_not_of_the_one_that_started_it():
    block = bytearray(400 * MB)
    code = "from ssd300.system.memory import peak_memory_bytes; print(peak_memory_bytes())"
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(child.stdout) < 200 * MB < len(block) < peak_memory_bytes()


def test_where_the_system_names_no_peak_it_is_that_of_usage(monkeypatch, tmp_path):
    monkeypatch.setattr(memory, "STATUS", tmp_path / "missing")
    assert 10 * MB < peak_memory_bytes() < 100_000 * MB


def test_gigabytes_are_decimal():
    assert gigabytes(314_159_265) == "0.31 GB"


TIMES_64_MB = """
import resource, numpy, sys
from ssd300.system.memory import keep_freed_memory
keep_freed_memory()
numpy.ones(8_000_000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    numpy.ones(8_000_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif("glibc" not in platform.libc_ver(), reason="only glibc has this setting")
@pytest.mark.parametrize(("users", "is_kept"), [({}, True), ({"MALLOC_TRIM_THRESHOLD_": "131072"}, False)])
def test_freed_memory_is_kept_unless_the_user_has_set_something(users, is_kept):
    """The system gives a page at a time, of 2 MB at most."""
    environment = {name: value for name, value in os.environ.items() if name not in memory.OF_MALLOC} | users
    command = [sys.executable, "-c", TIMES_64_MB]
    pages = int(subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout)
    assert pages < 100 if is_kept else pages >= 10 * 64 / 2
