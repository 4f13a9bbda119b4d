# SPDX-License-Identifier: Apache-2.0
# A thin front for meson and for the test runner; `make help` lists what there is.
BUILD := build
T ?=
DEMO ?=
N ?=
SEED ?=
DESTDIR ?=
JOBS ?= $(shell nproc)
NINJA = ninja -C $(BUILD) -j$(JOBS)
export DESTDIR T

all: $(BUILD)/build.ninja
	@$(NINJA)

$(BUILD)/build.ninja:
	@meson setup $(BUILD)

help:
	@echo 'make            build everything into $(BUILD)/'
	@echo 'make deps       install the Debian packages of packages.txt that are missing'
	@echo 'make check      build and run all tests; T=name runs the suites whose name contains it'
	@echo 'make demo       a node, three workloads and a policy to play with (root); DEMO=once checks itself and ends'
	@echo 'make bench      measure; the table goes to the terminal and to $(BUILD)/bench.json (root); T=name'
	@echo 'make fuzz       each fuzz target for 60 s; T=name picks one, SECONDS_EACH=n sets the time'
	@echo 'make mutation   is each line of the policy engine looked at by some test? N=n mutants (1200), SEED=n'
	@echo 'make lint fmt   check the sources; format them'
	@echo 'make install    DESTDIR is honoured'
	@echo 'make check-vm   the data path suite under Debian 6.12 in qemu'
	@echo 'make check-long soak tests; make check-k8s: a real kubelet and containerd'
	@echo 'make clean      remove $(BUILD)/'

deps:
	@.ci/packages

check: deps
	@test/run --build $(BUILD) --jobs $(JOBS) $(if $(T),--only '$(T)')

check-long: deps
	@test/run --build $(BUILD) --jobs $(JOBS) --long $(if $(T),--only '$(T)')

lint: deps
	@test/run --build $(BUILD) --jobs $(JOBS) --tier lint $(if $(T),--only '$(T)')

fmt:
	@git ls-files -co --exclude-standard '*.c' '*.h' | xargs -r clang-format-14 -i

demo: deps all
	@DEMO='$(DEMO)' demo/run $(BUILD)

bench: deps all
	@KILIM_BUILD=$(abspath $(BUILD)) test/perf/bench $(T)

fuzz: deps
	@test/fuzz/run $(BUILD)/fuzz

mutation: deps all
	@test/mutation/run --build $(BUILD) $(if $(N),--count $(N)) $(if $(SEED),--seed $(SEED))

deps-vm: deps
	@.ci/packages packages-vm.txt

check-vm: deps-vm
	@test/run --build $(BUILD) --jobs $(JOBS) --tier vm

check-k8s: deps
	@test/run --build $(BUILD) --jobs $(JOBS) --tier k8s

install: all
	@meson install -C $(BUILD) --no-rebuild

clean:
	@rm -rf $(BUILD)

.DELETE_ON_ERROR:
.PHONY: all help deps deps-vm check check-long lint fmt demo bench fuzz mutation check-vm check-k8s install clean
