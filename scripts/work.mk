# SPDX-License-Identifier: GPL-2.0 OR MIT
# What is done under a lock; the front door is ../Makefile.

.PHONY: tree kernel demo check kunit rust-ui pristine compare verdicts
.PHONY: explore fuzz prove mutants users cost

top   := $(realpath $(dir $(lastword $(MAKEFILE_LIST)))..)
step  := $(top)/scripts/step
enter := $(top)/scripts/enter
kunit := $(top)/tests/kunit
x86   := $(top)/tests/x86

FILTER ?= ttm_lru*
WALKS ?= 100
SUITES ?= ttm_lru ttm_lru_walk

tree:
	@$(step) tree "laying the merged tree" $(enter) $(top)/scripts/lay

kernel: tree
	@$(step) build "building the test kernel" $(enter) $(kunit)/build ours

demo: kernel
	@$(enter) $(kunit)/demo $(WALKS)

check: kernel
	@$(enter) $(kunit)/check

kunit: kernel
	@$(enter) $(kunit)/kunit $(foreach glob,$(FILTER),'$(glob)')

rust-ui: kernel
	@$(enter) $(top)/tests/rust-ui/run

explore fuzz prove mutants:
	@$(enter) make -C $(top)/tests/userspace --no-print-directory $@

users:
	@$(step) users "compiling the users of TTM" $(enter) $(x86)/users build
	@$(enter) $(x86)/users report

cost:
	@$(step) cost "building kernels that count" $(enter) $(x86)/cost build
	@$(enter) $(x86)/cost report

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
