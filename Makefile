# Every target sets up what is missing first; see README.md.
.PHONY: all demo test sanitize format clean

JOBS ?= $(shell nproc)
BUILD = build
EXAMPLE ?= tasks/examples/price_band
SETUP_INPUTS = cmake/setup.sh cmake/cuda.txt cmake/grammars.txt tests/requirements.txt
# A build folder that came with a copied or moved tree is configured anew.
made_here = grep -qsxF "CMAKE_HOME_DIRECTORY:INTERNAL=$(CURDIR)" $(1)/CMakeCache.txt
configure = cmake $(shell $(call made_here,$(1)) || echo --fresh) --preset $(2)

all: $(BUILD)/.setup-build
	$(call configure,$(BUILD),release) -DDSV4_TESTS=OFF
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
	$(call configure,$(BUILD),release) -DDSV4_TESTS=ON
	cmake --build $(BUILD) -j $(JOBS)
	ctest --test-dir $(BUILD) --output-on-failure -j $(JOBS)

sanitize: $(BUILD)/.setup-test
	$(call configure,build-sanitize,sanitize) -DDSV4_TESTS=ON
	cmake --build build-sanitize -j $(JOBS)
	ctest --test-dir build-sanitize --output-on-failure -LE release-only

format:
	git ls-files '*.h' '*.cc' '*.cu' | xargs clang-format -i

clean:
	rm -rf build build-debug build-sanitize build-tsan build-fuzz build-engine
