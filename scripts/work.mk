# SPDX-License-Identifier: GPL-2.0 OR MIT
# What is done under the cache's lock; the front door is ../Makefile.

.PHONY: tree kernel demo check kunit compare

top   := $(dir $(lastword $(MAKEFILE_LIST)))..
step  := $(top)/scripts/step
enter := $(top)/scripts/enter
tests := $(realpath $(top))/tests/kunit

FILTER ?= ttm_lru*

tree:
	@$(step) tree "laying the merged tree" $(enter) $(realpath $(top))/scripts/lay

kernel: tree
	@$(step) build "building the test kernel" $(enter) $(tests)/build

kunit: kernel
	@$(enter) $(tests)/kunit $(foreach glob,$(FILTER),'$(glob)')
