"""In a terminal: the live canvas, the progress bar, and Ctrl-C."""
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time

import pytest

HIDE, SHOW = b"\x1b[?25l", b"\x1b[?25h"


class Terminal:
    """A program whose standard output and error are a terminal of 80 columns."""

    def __init__(self, *words, **options):
        self.descriptor, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.process = subprocess.Popen([str(word) for word in words], stdin=inner, stderr=inner,
                                        **{"stdout": inner, **options})
        os.close(inner)
        self.output = b""

    def read_until(self, text: bytes, seconds=30) -> None:
        deadline = time.monotonic() + seconds
        while text not in self.output:
            assert time.monotonic() < deadline, self.output
            self.read_available(0.1)

    def read_available(self, seconds=0.0) -> None:
        if select.select([self.descriptor], [], [], seconds)[0]:
            self.output += os.read(self.descriptor, 65536)

    def finish(self) -> int:
        while True:
            try:
                piece = os.read(self.descriptor, 65536)
            except OSError:  # the last writer has gone
                piece = b""
            if not piece:
                break
            self.output += piece
        os.close(self.descriptor)
        return self.process.wait(timeout=30)


@pytest.fixture(name="long_text")
def fixture_long_text(tmp_path):
    path = tmp_path / "long.txt"
    path.write_text("It was a fine day, and the sun shone upon the sea and the ships. " * 20_000)
    return path


def test_show_draws_every_step(aios):
    terminal = Terminal(aios, "infill", "It was a [[8]] day.", "--show", "--num-steps", 4)
    assert terminal.finish() == 0
    for step in range(5):
        assert f"step {step} of 4".encode() in terminal.output
    assert "░".encode() * 8 in terminal.output
    assert terminal.output.count(HIDE) == terminal.output.count(SHOW) == 1
    answer = terminal.output[terminal.output.rindex(SHOW):]
    assert b"It was a" in answer and answer.endswith(b" day.\r\n")


def test_show_leaves_the_answer_to_a_pipe(aios):
    terminal = Terminal(aios, "diffuse", "It was a", "--show", "--max-new-tokens", 4,
                        stdout=subprocess.PIPE)
    text = terminal.process.stdout.read()
    assert terminal.finish() == 0
    assert b"step 4 of 4" in terminal.output
    assert text and b"\x1b" not in text and b"step" not in text


def test_progress_bar_appears_and_goes(aios, long_text):
    terminal = Terminal(aios, "score", long_text, "--max-windows", 400)
    assert terminal.finish() == 0
    assert b"scoring [" in terminal.output
    assert terminal.output.count(HIDE) == terminal.output.count(SHOW) == 1


def test_interrupt_restores_the_terminal(aios):
    terminal = Terminal(aios, "diffuse", "It was a", "--show", "--max-new-tokens", 200)
    terminal.read_until(b"step 3 of")
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.finish() == 130
    assert terminal.output.endswith(SHOW + b"error: interrupted\r\n") or (
        terminal.output.rindex(SHOW) > terminal.output.rindex(HIDE))
    assert b"error: interrupted" in terminal.output


@pytest.mark.parametrize("command", ["generate", "score"])
def test_interrupt_of_long_work(aios, command, long_text):
    words = {"generate": ["generate", "It was a", "--samples", "1000"],
             "score": ["score", long_text, "--mode", "diffusion"]}[command]
    with subprocess.Popen([aios, *words], stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE) as process:
        time.sleep(1)
        begin = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=30)[1] == b"error: interrupted\n"
        assert process.returncode == 130
        assert time.monotonic() - begin < 10


def test_interrupt_while_waiting_for_input(aios):
    with subprocess.Popen([aios, "generate", "--input", "-"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=10) == 130
        assert process.stderr.read() == b"error: interrupted\n"
