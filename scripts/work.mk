# SPDX-License-Identifier: GPL-2.0 OR MIT
# The commands of the targets in ../Makefile, which takes the locks.

.PHONY: tree kernel demo kunit rust-ui mutants-kernel pristine fixes fixes-check compare verdicts
.PHONY: explore outcome fuzz prove mutants users cost bench
.PHONY: docs programs walks unload module vttm vttm-shell vttm-storm vttm-reload vttm-fuzz
.PHONY: vttm-compete demo-pci pci pci-kernel pci-faults check-x86 qxl

top   := $(realpath $(dir $(lastword $(MAKEFILE_LIST)))..)
quietly := $(top)/scripts/run_quietly.sh
enter := $(top)/scripts/enter.sh
boot  := $(top)/tests/boot
kunit := $(top)/tests/kunit
docs  := $(top)/tests/docs
vttm  := $(top)/tests/vttm
x86   := $(top)/tests/x86
pci   := $(top)/tests/pci
matrix := $(top)/tests/matrix
desktop := $(top)/tests/desktop
bench := $(top)/tests/bench
fixes := $(top)/tests/fixes

FILTER ?= ttm_lru*
WALKS ?= 100
OPS ?= 200000
SUBMITS ?= 10000
TIMES ?= 100
SEED ?= 1
RIVAL ?= pristine
TIME ?= 60
PAIRS ?= 100
SUITES ?= ttm_lru ttm_lru_p[1-9] ttm_lru_defect ttm_lru_ghost ttm_lru_ledger \
	ttm_lru_walk* ttm_lru_room*

tree:
	@$(quietly) tree "laying the merged tree" $(enter) $(top)/scripts/overlay.py

# PLAIN=1: a kernel without debugging options.
kernel: tree
	@$(quietly) build$(PLAIN:1=-plain) "building the test kernel" \
		$(enter) $(boot)/build.sh $(if $(PLAIN),plain,ours)

programs: kernel
	@$(quietly) programs "building the programs" \
		$(enter) make -C $(vttm) --no-print-directory

demo: programs
	@$(enter) $(vttm)/demo.py

walks: kernel
	@$(enter) $(kunit)/walks.py $(WALKS)

module: kernel
	@$(enter) $(boot)/module.sh

run := $(vttm)/run.py --parameters '$(VTTM)' \
	$(and $(M),--module --module-parameters '$(PARAMS)')

vttm: programs $(and $(M),module)
	@$(enter) $(run) sh -c '$(subst ','\'',$(value CMD))'

vttm-shell: programs $(and $(M),module)
	@$(enter) $(run)

vttm-storm: programs
	@$(enter) $(vttm)/run.py --name vttm-storm --leaks \
		--parameters 'devices=2 vram_mb=16 gtt_mb=16 delay_us=50' \
		vttm-storm --ops $(OPS) --seed $(SEED)

pci-kernel: tree
	@$(quietly) pci "building the kernel of the PC" $(enter) $(pci)/build.py
	@$(quietly) programs "building the programs" \
		$(enter) make -C $(vttm) --no-print-directory

demo-pci: pci-kernel
	@$(enter) $(pci)/demo.py

pci: pci-kernel
	@$(if $(M),$(enter) $(boot)/module.sh pci)
	@$(enter) $(pci)/run.py $(and $(M),--module) --parameters '$(PARAMS)' \
		sh -c '$(subst ','\'',$(value CMD))'

pci-faults: pci-kernel
	@$(quietly) faults "building the broken drivers" $(enter) $(pci)/faults.py build
	@$(enter) $(pci)/faults.py report $(NAMES)

# CELLS='...' runs only these suites and programs. RECORD=1 puts the results into
# Documentation/gpu.
check-x86: tree
	@$(quietly) check-x86-$(CONFIG) "building the kernel '$(CONFIG)'" \
		$(enter) $(matrix)/matrix.py build $(CONFIG)
	@$(quietly) programs "building the programs" \
		$(enter) make -C $(vttm) --no-print-directory
	@$(enter) $(matrix)/matrix.py run $(if $(RECORD),--record) $(CONFIG) $(CELLS)

# RECORD=1 puts the table and the pictures into Documentation/gpu.
qxl:
	@$(quietly) desktop "building the kernels of the PC with a screen" \
		$(enter) $(desktop)/build.py
	@$(enter) $(desktop)/run.py $(if $(RECORD),--record) $@

vttm-compete: export PLAIN := 1
vttm-compete: programs
	@bad=; for delay in 0 1000; do \
		$(enter) $(vttm)/run.py --name vttm-compete --parameters delay_us=$$delay \
			vttm-compete --submits $(SUBMITS) --seed $(SEED) $(PATTERN) || \
			bad=1; \
	done; [ -z "$$bad" ]

vttm-reload: programs
	@$(enter) $(vttm)/run.py --name vttm-reload --leaks --unloaded \
		reload.sh $(TIMES) devices=2 vram_mb=16 gtt_mb=16 delay_us=500
	@$(enter) $(vttm)/run.py --name vttm-zombie --leaks --unloaded zombie.py

vttm-fuzz: programs
	@$(enter) $(vttm)/run.py --name vttm-fuzz \
		--parameters 'devices=2 vram_mb=4 gtt_mb=4' \
		fuzz.py $(SEED) -max_total_time=$(TIME)

kunit: kernel
	@$(enter) $(kunit)/run.sh $(foreach glob,$(FILTER),'$(glob)')

# CASES='...' runs only these: modes, or two modes with a plus between them.
unload: kernel
	@$(enter) $(top)/tests/module/unload/run.py --pairs $(PAIRS) --seed $(SEED) $(CASES)

mutants-kernel: kernel
	@$(enter) $(kunit)/mutants.py $(NAMES)

rust-ui: kernel
	@$(enter) $(top)/tests/rust-ui/run.py

docs: kernel
	@$(quietly) pages "building the pages" $(enter) $(docs)/pages.py build
	@$(enter) $(docs)/pages.py report
	@$(enter) $(docs)/kernel_doc.py
	@$(quietly) rustdoc "building rustdoc" $(enter) $(boot)/build.sh ours rustdoc
	@$(enter) sh -c 'ls "$$BUILD"/Documentation/output/gpu/ttm.html \
		"$$BUILD"/Documentation/output/rust/rustdoc/kernel/drm/ttm/index.html'

explore outcome fuzz prove mutants:
	@$(enter) make -C $(top)/tests/userspace --no-print-directory $@

users:
	@$(quietly) users "compiling the users of TTM" $(enter) $(x86)/users.py build
	@$(enter) $(x86)/users.py report

cost:
	@$(quietly) cost "building kernels that count" $(enter) $(x86)/cost.py build
	@$(enter) $(x86)/cost.py report

# RECORD=1 puts the figures into Documentation/gpu.
bench:
	@PRISTINE=1 $(quietly) tree-pristine "laying a tree with Linux's own LRU" \
		$(enter) $(top)/scripts/overlay.py
	@$(quietly) bench "building what counts" $(enter) $(bench)/bench.py build
	@$(enter) $(bench)/bench.py run $(if $(RECORD),--record)

# FIXES=0, or another number, or all: Linux's own TTM with so many patches of series/fixes.
variant = $(if $(FIXES),fixes,pristine)
pristine: export PRISTINE := 1
pristine:
	@$(quietly) tree-$(variant) "laying a tree with Linux's own LRU" \
		$(enter) $(top)/scripts/overlay.py
	@$(quietly) build-$(variant) "building its test kernel" \
		$(enter) $(boot)/build.sh pristine

fixes fixes-check: export FIXES := 0
fixes: pristine
	@$(enter) $(fixes)/fixes.py $(if $(QUICK),--quick) $(NUMBERS)

fixes-check: pristine
	@$(enter) $(fixes)/check.py

compare: pristine
	@$(top)/scripts/lock.sh ours $(MAKE) -f $(top)/scripts/work.mk verdicts \
		FIXES= RIVAL=$(variant)

verdicts: kernel
	@$(enter) $(kunit)/compare.py $(RIVAL) $(SUITES)
