"""Processes, clocks and the state of the machine, for bench/run.py."""

import os
import pathlib
import re
import subprocess
import time
from dataclasses import dataclass


class BenchError(Exception):
    """A program is missing, failed or answered something else than figures."""


def pin_to_physical_cores(count):
    """Confines this process and its children to `count` cores, hyper-threads last; returns them."""
    allowed = sorted(os.sched_getaffinity(0))
    first_of_core, others = [], []
    for cpu in allowed:
        path = f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list"
        siblings = pathlib.Path(path).read_text() if os.path.exists(path) else str(cpu)
        lowest = int(re.match(r"\d+", siblings).group())
        (first_of_core if cpu == lowest else others).append(cpu)
    chosen = (first_of_core + others)[:count]
    if len(chosen) < count:
        raise BenchError(f"{count} threads need {count} processors, {len(chosen)} are allowed")
    os.sched_setaffinity(0, chosen)
    return chosen


def busy_share(seconds=3.0):
    """Share of all processors that others keep busy, watched for some seconds."""

    def idle_and_total():
        fields = [int(field) for field in open("/proc/stat").readline().split()[1:9]]
        return fields[3] + fields[4], sum(fields)

    idle_before, total_before = idle_and_total()
    time.sleep(seconds)
    idle_after, total_after = idle_and_total()
    return 1.0 - (idle_after - idle_before) / max(1, total_after - total_before)


def capture(command, merge_errors=False):
    """What a command prints that must succeed; with `merge_errors` its standard error as well."""
    command = [str(part) for part in command]
    try:
        result = subprocess.run(
            command, stdout=subprocess.PIPE, text=True,
            stderr=subprocess.STDOUT if merge_errors else subprocess.PIPE)
    except OSError as error:
        raise BenchError(f"{command[0]}: {error.strerror}") from error
    if result.returncode != 0:
        raise BenchError(f"{command[0]} ended with status {result.returncode}:\n"
                         f"{result.stderr or result.stdout}")
    return result.stdout


class Worker:
    """A process that answers each line of numbers with the seconds that the case took."""

    def __init__(self, command):
        self.command = [str(part) for part in command]
        try:
            self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE, text=True)
        except OSError as error:
            raise BenchError(f"{self.command[0]}: {error.strerror}") from error

    def seconds(self, *case):
        try:
            self.process.stdin.write(" ".join(map(str, case)) + "\n")
            self.process.stdin.flush()
            return float(self.process.stdout.readline())
        except (OSError, ValueError) as error:
            status = self.process.wait()
            raise BenchError(f"{' '.join(self.command)} ended with status {status}") from error

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def drop_from_cache(folder):
    """Makes the system forget what it holds of the folder's files, so that the disk is read."""
    for path in sorted(folder.iterdir()):
        with open(path, "rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def read_seconds(folder):
    """Seconds to read the folder's files from end to end."""
    start = time.perf_counter()
    for path in sorted(folder.iterdir()):
        with open(path, "rb", buffering=0) as file:
            while file.read(1 << 22):
                pass
    return time.perf_counter() - start


@dataclass
class ModelRun:
    """One process that loads a model and does its work once."""

    load_seconds: float  # from the start of the process to its first step
    loop_seconds: float  # as the program itself measures it
    peak_bytes: int  # largest resident set, mapped files included


def run_model(command, first_step, loop_seconds):
    """Starts `command`; `first_step` is printed when the first step begins.

    `loop_seconds` makes the seconds of the loop out of all that was printed.
    """
    command = [str(part) for part in command]
    start = time.perf_counter()
    try:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT)
    except OSError as error:
        raise BenchError(f"{command[0]}: {error.strerror}") from error
    output, load_seconds = b"", None
    while chunk := os.read(process.stdout.fileno(), 1 << 16):
        output += chunk
        if load_seconds is None and first_step in output:
            load_seconds = time.perf_counter() - start
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    text = output.decode(errors="replace")
    try:
        if process.returncode != 0 or load_seconds is None:
            raise ValueError
        return ModelRun(load_seconds, loop_seconds(text), usage.ru_maxrss * 1024)
    except (ValueError, AttributeError) as error:
        raise BenchError(f"{' '.join(command)} ended with status {process.returncode}:\n"
                         f"{text[-2000:]}") from error
