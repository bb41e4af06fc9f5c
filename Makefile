# What a person types. Each target sets up what it needs (tools/setup.sh), calls CMake presets and
# builds in build/<preset>.
#
#   make demo       build, and do the main jobs on the models in models/
#   make test       build, and run the release suite
#   make sanitize   the same tests, by Clang 14 under ASan+UBSan; those with threads under TSan
#   make durability the memory under kills, power failures, broken disks and load, minutes of each
#   make isa        kernels and all above them under each AIOS_FORCE_ISA, and NEON under QEMU
#   make oracle     comparisons that need torch and transformers
#   make fuzz       each fuzzer for FUZZ_SECONDS
#   make bench      ours and the peers' in one run
#   make install    into PREFIX
#   make check      format, layers and house rules, in seconds
#   make format     make docs     make clean

SHELL := bash
PREFIX ?= /usr/local
FUZZ_SECONDS ?= 600
PYTHON := .venv/bin/python
RUN_TESTS := $(PYTHON) tools/run_tests.py

# Rooms that compute with kernels: run under every instruction set.
ISA_ROOMS := kernels,backend,memory,sampling,model,engine
# Rooms with threads or shared state: run under ThreadSanitizer.
THREADED_ROOMS := base tokenizer kernels backend memory model engine
test_programs = $(foreach room,$(1),$(if $(wildcard src/$(room)/*_test.cpp \
  src/$(room)/*/*_test.cpp),$(room)_test))

.PHONY: all setup setup-checks demo test durability sanitize asan tsan isa neon oracle fuzz
.PHONY: bench install check format docs clean release

all: release

setup:
	@tools/setup.sh
setup-checks:
	@tools/setup.sh --checks

# $(call build,PRESET,TARGETS): configure when needed, build quietly.
define build
	@[ build/$(1)/build.ninja -nt CMakePresets.json ] || cmake --preset $(1) > /dev/null
	@echo "building $(or $(strip $(2)),everything) in build/$(1): minutes at first, seconds later"
	@cmake --build build/$(1) $(if $(strip $(2)),--target $(2)) -- --quiet
endef

release: setup
	$(call build,release)

demo: setup
	$(call build,release,aios)
	@examples/demo.sh

test: release
	$(RUN_TESTS) --build build/release --pytest tests --ignore tests/oracle

durability: release
	AIOS_DURABILITY=full $(RUN_TESTS) --pytest tests/durability

sanitize: asan tsan

# Arrow and Parquet are not instrumented: containers that they filled look overflowed.
asan: setup-checks
	$(call build,asan)
	ASAN_OPTIONS=detect_container_overflow=0:detect_stack_use_after_return=1 \
	LSAN_OPTIONS=suppressions=tools/sanitizers/lsan.supp:print_suppressions=0 \
	UBSAN_OPTIONS=print_stacktrace=1 \
	$(RUN_TESTS) --build build/asan

tsan: setup
	$(call build,tsan,$(call test_programs,$(THREADED_ROOMS)))
	TSAN_OPTIONS=suppressions=$(CURDIR)/tools/sanitizers/tsan.supp:halt_on_error=1 \
	$(RUN_TESTS) --build build/tsan

isa: release neon
	$(RUN_TESTS) --build build/release --rooms $(ISA_ROOMS) --isa all

neon: setup-checks
	$(call build,neon)
	$(RUN_TESTS) --build build/neon --isa neon,neon_dot --runner "qemu-aarch64 -L /usr/aarch64-linux-gnu"

oracle: release
	@tools/setup.sh --oracle
	$(RUN_TESTS) --pytest tests/oracle

fuzz: setup-checks
	$(call build,asan)
	tools/run_fuzzers.sh build/asan $(FUZZ_SECONDS)

bench: release
	$(call build,bench)
	bench/peers/setup.sh
	$(PYTHON) bench/run.py
	$(PYTHON) bench/tokenizer/run.py
	$(PYTHON) bench/memory.py

install: release
	cmake --install build/release --prefix $(PREFIX)

check: setup-checks
	tools/check_format.sh
	python3 tools/check_layers.py
	python3 tools/tidy.py

format: setup-checks
	tools/check_format.sh --fix

docs:
	python3 tools/check_docs.py

clean:
	rm -rf build
