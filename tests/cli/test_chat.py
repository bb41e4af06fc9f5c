"""--chat: the text is a user's message, written as the model's chat template wants it."""
import json
import shutil

import pytest

TEMPLATE = ("{% for m in messages %}{{ m.role }}: {{ m.content }}\n"
            "{% endfor %}{% if add_generation_prompt %}assistant:{% endif %}")


@pytest.fixture(name="model", scope="module")
def fixture_model(books, tmp_path_factory):
    folder = tmp_path_factory.mktemp("chat") / "books"
    shutil.copytree(books, folder)
    (folder / "chat_template.jinja").write_text(TEMPLATE)
    return folder


@pytest.mark.parametrize("command", ["generate", "diffuse"])
def test_prompt_is_the_rendered_template(command, succeed, model):
    def answer(*words):
        result = json.loads(succeed(command, *words, "--model", model, "--max-new-tokens", 8,
                                    "--temperature", 0, "--json"))
        return result["token_ids"], result["num_prompt_tokens"]

    written = "system: Be brief.\nuser: It was\nassistant:"
    assert answer("It was", "--chat", "--system", "Be brief.") == answer(written)
    assert answer("It was", "--chat") == answer("user: It was\nassistant:")
    assert answer("It was", "--chat") != answer("It was")


def test_begin_token_is_not_doubled(succeed, model, tmp_path):
    folder = tmp_path / "begins"
    shutil.copytree(model, folder)
    (folder / "chat_template.jinja").write_text("<|endoftext|>{{ messages[0].content }}")
    words = ("--model", folder, "--max-new-tokens", 4, "--temperature", 0, "--json")
    chat = json.loads(succeed("generate", "It was", "--chat", *words))
    plain = json.loads(succeed("generate", "It was", *words))
    assert chat["token_ids"] == plain["token_ids"]
    assert chat["num_prompt_tokens"] == plain["num_prompt_tokens"]


def test_what_cannot_be_a_chat(fail, books, model, tmp_path):
    assert "has no chat template" in fail(1, "generate", "a", "--chat", "--model", books)
    assert "--system wants --chat" in fail(2, "generate", "a", "--system", "b", "--model", books)
    folder = tmp_path / "strict"
    shutil.copytree(model, folder)
    (folder / "chat_template.jinja").write_text("{{ raise_exception('no users') }}")
    assert "refuses the conversation: no users" in fail(2, "diffuse", "a", "--chat",
                                                        "--model", folder)
