# Every target sets up what is missing first; see README.md.
.PHONY: all demo test sanitize format clean

JOBS ?= $(shell nproc)
BUILD = build
EXAMPLE ?= tasks/examples/price_band
SETUP_INPUTS = cmake/setup.sh cmake/grammars.txt tests/requirements.txt

all: $(BUILD)/.setup-build
	cmake --preset release -DDSV4_TESTS=OFF
	cmake --build $(BUILD) -j $(JOBS)

$(BUILD)/.setup-build: $(SETUP_INPUTS)
	cmake/setup.sh build
	@touch $@

$(BUILD)/.setup-test: $(SETUP_INPUTS)
	cmake/setup.sh test
	@touch $@ $(BUILD)/.setup-build

demo: all
	$(BUILD)/dsv4-agent fix $(EXAMPLE)/issue.md

test: $(BUILD)/.setup-test
	cmake --preset release -DDSV4_TESTS=ON
	cmake --build $(BUILD) -j $(JOBS)
	ctest --test-dir $(BUILD) --output-on-failure -j $(JOBS)

sanitize: $(BUILD)/.setup-test
	cmake --preset sanitize -DDSV4_TESTS=ON
	cmake --build build-sanitize -j $(JOBS)
	ctest --test-dir build-sanitize --output-on-failure -LE release-only

format:
	git ls-files '*.h' '*.cc' | xargs clang-format -i

clean:
	rm -rf build build-debug build-sanitize build-tsan build-fuzz build-engine
