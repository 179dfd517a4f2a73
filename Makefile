# cairn -- everyday targets; Meson does the building (see meson.build).
#
#   make            install what is missing, then build the release into build/
#   make demo       the whole story on the shipped bone volumes, into demo-out/
#   make test       everything that gates a change
#   make fast       the unit tests only (under a minute)
#   make bench      against the peers; prints a table, writes bench/RESULTS.md
#   make asan tsan  the fast tests under the sanitizers
#   make fuzz       the fuzz targets for FUZZ_SECONDS each (default 60)
#   make lint       layers, lengths, banned functions, format, static analysis
#   make format     clang-format over the tree, as lint demands
#   make docs       the manual's reference pages, from the descriptors
#   make install    PREFIX=/usr/local DESTDIR=

BUILD ?= build
PREFIX ?= /usr/local
FUZZ_SECONDS ?= 60
# Two at least: the tests of threads need company; meson and ninja take their own default else.
JOBS ?= $(shell nproc)

# Meson is a Python program of the system; a user's own python first in PATH must not matter.
MESON = PYTHONNOUSERSITE=1 meson
RELEASE = --buildtype=release -Db_ndebug=false
SANITIZED = --buildtype=debugoptimized -Db_lundef=false
# The race detector needs a plain address space on kernels with wide address randomisation.
PLAIN = $(shell setarch -R true 2>/dev/null && echo setarch -R)

all: build

setup:
	@scripts/setup-debian build

$(BUILD)/build.ninja: | setup
	$(MESON) setup $(BUILD) $(RELEASE) --prefix=$(PREFIX)

build: $(BUILD)/build.ninja
	@ninja -C $(BUILD) -j $(JOBS)

demo: build
	@scripts/setup-debian demo
	@scripts/demo $(BUILD) demo-out

test: build
	@scripts/setup-debian test
	@scripts/run-tests $(BUILD) all

fast: build
	@scripts/run-tests $(BUILD) fast

bench: build
	@scripts/setup-debian bench
	@bench/run $(BUILD)

build-asan/build.ninja: | setup
	$(MESON) setup build-asan $(SANITIZED) -Db_sanitize=address,undefined
asan: build-asan/build.ninja
	@ninja -C build-asan -j $(JOBS)
	@ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
		scripts/run-tests build-asan fast

build-tsan/build.ninja: | setup
	$(MESON) setup build-tsan $(SANITIZED) -Db_sanitize=thread
tsan: build-tsan/build.ninja
	@ninja -C build-tsan -j $(JOBS)
	@TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1 $(PLAIN) scripts/run-tests build-tsan fast

build-fuzz/build.ninja: | setup
	@scripts/setup-debian lint
	CC=clang-14 $(MESON) setup build-fuzz $(SANITIZED) -Db_sanitize=address,undefined -Dfuzz=true
fuzz: build-fuzz/build.ninja
	@ninja -C build-fuzz -j $(JOBS)
	@FUZZ_SECONDS=$(FUZZ_SECONDS) scripts/run-tests build-fuzz fuzz

lint: $(BUILD)/build.ninja
	@scripts/setup-debian lint
	@scripts/lint $(BUILD)

# The formatter's version is pinned: others disagree with it.
format:
	@scripts/setup-debian lint
	find src include cli tests examples -name '*.[ch]' | xargs clang-format-14 -i

docs: build
	@scripts/make-reference $(BUILD)

install: build
	$(MESON) configure $(BUILD) --prefix=$(PREFIX)
	DESTDIR=$(DESTDIR) $(MESON) install -C $(BUILD) --no-rebuild

clean:
	rm -rf $(BUILD) build-asan build-tsan build-fuzz demo-out

.PHONY: all setup build demo test fast bench asan tsan fuzz lint format docs install clean
