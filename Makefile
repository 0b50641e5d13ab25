# The front door. `make demo` and `make test` do all their own set-up; everything else is CMake (see CMakePresets.json).
PRESET ?= release
JOBS ?= $(shell nproc)
PREFIX ?= /usr/local
BUILD := build/$(PRESET)

.PHONY: help demo quick test test-long build bench lint fuzz install clean setup

help:
	@echo "make demo      build, fetch real input from Debian's archive, train on it, answer questions"
	@echo "make quick     the same in two minutes, with a smaller budget"
	@echo "make test      build and run the tests (make test-long: the long ones too)"
	@echo "make build     build/release/rhodes   (PRESET=debug|asan|tsan for the others)"
	@echo "make bench     measure every stage beside the tools people use today"
	@echo "make lint      clang-format and clang-tidy"
	@echo "make fuzz      every fuzz target for a minute"
	@echo "make install   program, man page and shell completion below PREFIX (default /usr/local)"

setup:
	@tools/setup

# Without tests and benchmarks: their libraries need not be there.
build: setup
	@cmake --preset $(PRESET) -Wno-dev --log-level=WARNING -DRHODES_TESTS=OFF -DRHODES_BENCHMARKS=OFF
	@cmake --build --preset $(PRESET) --parallel $(JOBS)

demo: build
	$(BUILD)/rhodes run examples/debian/rhodes.toml

quick: build
	$(BUILD)/rhodes run examples/debian/rhodes.toml --quick

test:
	@tools/setup test
	@cmake --preset $(PRESET) -Wno-dev --log-level=WARNING -DRHODES_TESTS=ON
	@cmake --build --preset $(PRESET) --parallel $(JOBS)
	ctest --test-dir $(BUILD) --output-on-failure --label-exclude long

test-long: test
	ctest --test-dir $(BUILD) --output-on-failure --label-regex long

bench:
	@tools/setup test
	@cmake --preset $(PRESET) -Wno-dev --log-level=WARNING -DRHODES_TESTS=ON -DRHODES_BENCHMARKS=ON
	@cmake --build --preset $(PRESET) --parallel $(JOBS)
	@bench/run $(BUILD)

lint:
	@tools/setup test lint
	@cmake --preset $(PRESET) -Wno-dev --log-level=WARNING -DRHODES_TESTS=ON
	@cmake --build --preset $(PRESET) --parallel $(JOBS)
	@tools/lint $(BUILD)

fuzz:
	@tools/setup test lint
	@tools/fuzz

install: build
	@cmake --install $(BUILD) --prefix $(PREFIX)

clean:
	rm -rf build
