# SPDX-License-Identifier: GPL-2.0 OR MIT
# What is done under a lock; the front door is ../Makefile.

.PHONY: tree kernel demo check kunit rust-ui mutants-kernel pristine compare verdicts
.PHONY: explore outcome fuzz prove mutants users cost bench
.PHONY: programs walks unload vttm vttm-shell vttm-storm vttm-reload vttm-fuzz vttm-compete

top   := $(realpath $(dir $(lastword $(MAKEFILE_LIST)))..)
step  := $(top)/scripts/step
enter := $(top)/scripts/enter
kunit := $(top)/tests/kunit
vttm  := $(top)/tests/vttm
x86   := $(top)/tests/x86
bench := $(top)/tests/bench

FILTER ?= ttm_lru*
WALKS ?= 100
OPS ?= 200000
SUBMITS ?= 10000
TIMES ?= 100
SEED ?= 1
TIME ?= 60
PAIRS ?= 100
SUITES ?= ttm_lru ttm_lru_walk ttm_lru_room

tree:
	@$(step) tree "laying the merged tree" $(enter) $(top)/scripts/lay

# PLAIN=1: as it is used, with nothing that looks for bugs.
kernel: tree
	@$(step) build$(PLAIN:1=-plain) "building the test kernel" \
		$(enter) $(kunit)/build $(if $(PLAIN),plain,ours)

programs: kernel
	@$(step) programs "building the programs" \
		$(enter) make -C $(vttm) --no-print-directory

demo: programs
	@$(enter) $(vttm)/demo

walks: kernel
	@$(enter) $(kunit)/walks $(WALKS)

vttm: programs
	@$(enter) $(vttm)/boot --parameters '$(VTTM)' \
		sh -c '$(subst ','\'',$(value CMD))'

vttm-shell: programs
	@$(enter) $(vttm)/boot --parameters '$(VTTM)'

vttm-storm: programs
	@$(enter) $(vttm)/boot --name vttm-storm --leaks \
		--parameters 'devices=2 vram_mb=16 gtt_mb=16 delay_us=50' \
		vttm-storm --ops $(OPS) --seed $(SEED)

vttm-compete: export PLAIN := 1
vttm-compete: programs
	@bad=; for delay in 0 1000; do \
		$(enter) $(vttm)/boot --name vttm-compete --parameters delay_us=$$delay \
			vttm-compete --submits $(SUBMITS) --seed $(SEED) $(PATTERN) || \
			bad=1; \
	done; [ -z "$$bad" ]

vttm-reload: programs
	@$(enter) $(vttm)/boot --name vttm-reload --leaks --unloaded \
		reload $(TIMES) devices=2 vram_mb=16 gtt_mb=16 delay_us=500
	@$(enter) $(vttm)/boot --name vttm-zombie --leaks --unloaded zombie

vttm-fuzz: programs
	@$(enter) $(vttm)/boot --name vttm-fuzz \
		--parameters 'devices=2 vram_mb=4 gtt_mb=4' \
		fuzz $(SEED) -max_total_time=$(TIME)

check: programs
	@$(enter) $(kunit)/check

kunit: kernel
	@$(enter) $(kunit)/kunit $(foreach glob,$(FILTER),'$(glob)')

# CASES='...' takes those only: a mode, or two with a plus between them.
unload: kernel
	@$(enter) $(top)/tests/module/unload/run --pairs $(PAIRS) --seed $(SEED) $(CASES)

mutants-kernel: kernel
	@$(enter) $(kunit)/mutants $(NAMES)

rust-ui: kernel
	@$(enter) $(top)/tests/rust-ui/run

explore outcome fuzz prove mutants:
	@$(enter) make -C $(top)/tests/userspace --no-print-directory $@

users:
	@$(step) users "compiling the users of TTM" $(enter) $(x86)/users build
	@$(enter) $(x86)/users report

cost:
	@$(step) cost "building kernels that count" $(enter) $(x86)/cost.py build
	@$(enter) $(x86)/cost.py report

# RECORD=1 puts the figures into Documentation/gpu.
bench:
	@PRISTINE=1 $(step) tree-pristine "laying a tree with Linux's own LRU" \
		$(enter) $(top)/scripts/lay
	@$(step) bench "building what counts" $(enter) $(bench)/bench build
	@$(enter) $(bench)/bench run $(if $(RECORD),--record)

pristine: export PRISTINE := 1
pristine:
	@$(step) tree-pristine "laying a tree with Linux's own LRU" \
		$(enter) $(top)/scripts/lay
	@$(step) build-pristine "building its test kernel" \
		$(enter) $(kunit)/build pristine

compare: pristine
	@$(top)/scripts/lock ours $(MAKE) -f $(top)/scripts/work.mk verdicts

verdicts: kernel
	@$(enter) $(kunit)/compare $(SUITES)
