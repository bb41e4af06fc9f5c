"""tools/check_layers.py on small trees: each rule is broken once, and reported."""
import shutil
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
from check_layers import check_layers  # noqa: E402


def tree(tmp_path: Path, files: dict[str, str]) -> Path:
    """A project with rooms base, tensor and kernels that obey, and `files` on top."""
    lawful = {
        "include/aios/error.h": "#include <string>\n",
        "src/base/CMakeLists.txt": "aios_room(base LIBRARIES spdlog::spdlog)\n",
        "src/tensor/CMakeLists.txt": "aios_room(tensor ROOMS base)\n",
        "src/tensor/dtype.h": '#include "base/log.h"\n#include "aios/error.h"\n',
        "src/kernels/CMakeLists.txt": "aios_room(kernels ROOMS tensor base)\n",
        "src/kernels/matmul_test.cpp": '#include "quant/codec.h"\n',
    }
    for name, text in (lawful | files).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "tools").mkdir()
    shutil.copy(ROOT / "tools/layers.toml", tmp_path / "tools")
    return tmp_path


def test_lawful_tree_has_no_violations(tmp_path):
    assert check_layers(tree(tmp_path, {})) == []


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("src/tensor/a.cpp", '#include "kernels/matmul.h"', "tensor may not include kernels/"),
        ("src/kernels/a.cpp", '#include "quant/codec.h"', "kernels may not include quant/"),
        ("src/kernels/a_test.cpp", '#include "backend/b.h"', "kernels may not include backend/"),
        ("src/kernels/a.cpp", "#include <arrow/api.h>", "<arrow/api.h> belongs to room storage"),
        ("src/kernels/a.cpp", '#include "aios/engine.h"', "may not include aios/engine.h"),
        ("include/aios/error.h", '#include "base/log.h"', "public header includes base/log.h"),
        ("include/aios/new.h", "", "layers.toml does not list"),
        ("src/tensor/CMakeLists.txt", "aios_room(tensor ROOMS base kernels)", "may not link kern"),
        ("src/tensor/CMakeLists.txt", "aios_room(tensor)", "includes base but does not link it"),
        ("src/shed/CMakeLists.txt", "aios_room(shed)", "no room of layers.toml"),
    ],
)
def test_each_rule_is_reported(tmp_path, name, text, message):
    violations = check_layers(tree(tmp_path, {name: text}))
    assert len(violations) == 1
    assert message in violations[0]


def test_fronts_include_only_public_headers_and_base(tmp_path):
    violations = check_layers(tree(tmp_path, {
        "src/cli/CMakeLists.txt": "aios_room(cli ROOMS engine base)",
        "src/cli/main.cpp": '#include "aios/engine.h"\n#include "base/log.h"\n'
                            '#include "engine/options.h"\n',
    }))
    assert violations == ["src/cli/main.cpp: room cli may not include engine/options.h"]
