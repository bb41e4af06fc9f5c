"""`aios chat`: a conversation in a terminal or from a script, with and without a memory."""
import json
import os
import shutil
import signal
import subprocess
import time

import pytest

from test_terminal import Terminal

SHORT = ("--max-new-tokens", 8, "--temperature", 0)


@pytest.fixture(name="listener", scope="module")
def fixture_listener(books, tmp_path_factory):
    """books-6m with a template that shows the whole conversation to whom asks for its length."""
    folder = tmp_path_factory.mktemp("chat") / "books"
    shutil.copytree(books, folder)
    (folder / "chat_template.jinja").write_text(
        "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}assistant:")
    return folder


def chat(succeed, messages, *words):
    """The answers of a script, in JSON."""
    lines = succeed("chat", *words, "--json", input="\n".join(messages) + "\n")
    return [json.loads(line) for line in lines.splitlines()]


def test_a_script_is_answered_line_by_line(succeed, listener):
    words = ("--model", listener, "--system", "Be brief.", *SHORT)
    answers = chat(succeed, ["It was", "", "Then"], *words)
    assert len(answers) == 2
    written = json.loads(succeed("generate", "system: Be brief.\nuser: It was\nassistant:",
                                 "--model", listener, *SHORT, "--json"))
    assert answers[0]["token_ids"] == written["token_ids"]
    first = answers[0]["text"].strip()
    written = json.loads(succeed(
        "generate", f"system: Be brief.\nuser: It was\nassistant: {first}\nuser: Then\nassistant:",
        "--model", listener, *SHORT, "--json"))
    assert answers[1]["token_ids"] == written["token_ids"]
    assert written["num_cached_tokens"] == 0  # the chat goes on where it was, a new process cannot
    assert answers[1]["num_cached_tokens"] >= answers[0]["num_prompt_tokens"] - 1
    assert "memories" not in answers[0]
    plain = succeed("chat", *words, input="It was\nThen")
    assert plain == "".join(answer["text"].strip() + "\n" for answer in answers)


def test_a_backslash_joins_lines(succeed, listener):
    joined = chat(succeed, ["It was\\", "a day"], "--model", listener, *SHORT)
    assert len(joined) == 1
    written = json.loads(succeed("generate", "user: It was\na day\nassistant:", "--model",
                                 listener, *SHORT, "--json"))
    assert joined[0]["num_prompt_tokens"] == written["num_prompt_tokens"]
    assert len(chat(succeed, ["It was\\"], "--model", listener, *SHORT)) == 1


def test_without_a_template_turns_are_written_out(succeed, books):
    answer = chat(succeed, ["It was"], "--model", books, *SHORT)[0]
    written = json.loads(succeed("generate", "User: It was\nAssistant:", "--model", books, *SHORT,
                                 "--json"))
    assert answer["num_prompt_tokens"] == written["num_prompt_tokens"]


def test_the_oldest_turns_leave_a_full_context(succeed, listener):
    message = "word " * 30
    answers = chat(succeed, [message] * 8, "--model", listener, *SHORT)
    lengths = [answer["num_prompt_tokens"] for answer in answers]
    assert lengths[1] > lengths[0] and max(lengths) <= 256 - 8
    assert max(lengths) > 256 - 8 - 60  # no more turns are dropped than must be
    assert lengths[-1] > lengths[0]


def test_turns_are_remembered_and_recalled(succeed, listener, encoder, tmp_path):
    store = tmp_path / "notes"
    words = ("--model", listener, "--memory", store, "--memory-encoder", encoder, *SHORT)
    answers = chat(succeed, ["a cat sat far", "a dog ran"], *words)
    assert [answer["memories"] for answer in answers] == [[], []]  # what is in view is no memory
    listed = [json.loads(line) for line in
              succeed("memory", "list", store, "--json").splitlines()]
    assert [memory["content"] for memory in listed] == [
        f"User: {message}\nAssistant: {answer['text'].strip()}"
        for message, answer in zip(["a cat sat far", "a dog ran"], answers)]
    assert {memory["metadata"]["category"] for memory in listed} == {"chat"}
    later = chat(succeed, ["cat"], *words, "--memory-top-k", 1)[0]
    assert len(later["memories"]) == 1
    assert "> User: a " in later["recollections"]
    assert later["num_prompt_tokens"] > 20


def test_wrong_use(fail, succeed, listener, encoder, tmp_path):
    assert "a chat has one answer at a time" in fail(2, "chat", "--samples", 2)
    assert "--memory-top-k requires --memory" in fail(2, "chat", "--memory-top-k", 2)
    message = "word " * 300
    result = fail(1, "chat", "--model", listener, *SHORT, input=message)
    assert "do not fit the model's context of 256; shorten it" in result
    assert "standard input: byte 2 is not UTF-8" in fail(
        1, "chat", "--model", listener, input="ab\udcff\n", errors="surrogateescape")
    store = tmp_path / "other"
    succeed("memory", "import", store, "-", input='{"content": "a", "embedding": [1, 0]}\n')
    assert "dimension" in fail(1, "chat", "--model", listener, "--memory", store,
                               "--memory-encoder", encoder, input="a\n")


def person(aios, *words):
    """A chat whose input, output and messages are one terminal."""
    return Terminal(aios, "chat", *words)


def test_a_person_is_prompted_answered_and_let_go(aios, listener):
    terminal = person(aios, "--model", listener, *SHORT)
    terminal.read_until(b"> ")
    os.write(terminal.descriptor, b"It was\\\n")
    terminal.read_until(b"\n. ")
    os.write(terminal.descriptor, b"a day\n")
    terminal.read_until(b"\n> ")
    os.write(terminal.descriptor, "word ".encode() * 300 + b"\n")
    terminal.read_until(b"shorten it, or give a lower --max-new-tokens\r\n> ")
    os.write(terminal.descriptor, b"Then\n")
    terminal.read_until(b"> Then\r\n")
    os.write(terminal.descriptor, b"\x04")
    assert terminal.finish() == 0
    assert b"Ctrl-D ends the chat" in terminal.output


def test_interrupt_ends_the_answer_and_not_the_chat(aios, listener):
    terminal = person(aios, "--model", listener, "--max-new-tokens", 200, "--temperature", 1,
                      "--json")
    terminal.read_until(b"> ")
    terminal.process.send_signal(signal.SIGINT)  # drops the line
    terminal.read_until(b"(Ctrl-D ends the chat)\r\n> ")
    os.write(terminal.descriptor, b"It was\n")
    terminal.read_until(b"It was\r\n")
    terminal.output = b""
    for _ in range(600):  # in a hurry
        terminal.process.send_signal(signal.SIGINT)
        time.sleep(0.05)
        terminal.read_available()
        if b"> " in terminal.output:
            break
    assert b'"finish_reason":"interrupted"' in terminal.output
    os.write(terminal.descriptor, b"\x04")
    assert terminal.finish() == 0


def test_a_signal_to_end_ends_the_chat(aios, listener):
    terminal = person(aios, "--model", listener)
    terminal.read_until(b"> ")
    terminal.process.send_signal(signal.SIGTERM)
    assert terminal.finish() == 130
    with subprocess.Popen([aios, "chat", "--model", listener, "--json"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdin.write(b"It was\n")
        process.stdin.flush()
        assert process.stdout.readline().startswith(b"{")
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 130
