# SPDX-License-Identifier: GPL-2.0 OR MIT
# The targets, and the locks that they take. scripts/work.mk has their commands.

.PHONY: help setup tree demo kunit rust-ui compare explore outcome fuzz \
	prove mutants mutants-kernel users cost bench unsafe enter where clean distclean \
	apply docs walks unload module named vttm vttm-shell vttm-storm vttm-reload \
	vttm-fuzz vttm-compete
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
export V KDIR TOOLCHAIN FULL TIME DROP UNDO BRANCH M
# Relative paths are relative to where make was called.
export CALLER := $(or $(PWD),$(CURDIR))

help:
	@sed -n 's/^#: \?//p' $(firstword $(MAKEFILE_LIST))

#: make demo      boot Linux, and fill a virtual GPU with four times its memory
#: make check     run every test: see tests/check.py
#: make kunit     run the suites that FILTER names, 'ttm_lru*' by default
#: make rust-ui   compile Rust programs that must not compile, each for its reason
#: make unload    unload a driver that misuses the API in safe code: in each mode, and in
#:                PAIRS=100 pairs of modes; or CASES='mapping Pinned@Static+unbind'
#: make compare   run the suites in C on Linux's own TTM as well, case by case
#:
#: make vttm      run CMD='...' in a kernel with the virtual GPU; VTTM='...' sets its
#:                parameters: devices, vram_mb, gtt_mb, delay_us, shrinker
#: make vttm-shell   open a shell in such a kernel
#: make module    build the module and the programs in the folder M=path, anywhere;
#:                with the same M=, vttm and vttm-shell load it instead of vttm, or
#:                beside it if there is VTTM='...'; PARAMS='...' sets its parameters.
#:                See Documentation/gpu/ttm-rust-tutorial.rst
#: make vttm-storm   let processes make OPS=200000 random calls
#: make vttm-compete  let clients compete for its memory; count refusals, waits and bytes
#:                moved, in SUBMITS=10000 of each pattern, or of PATTERN=keep-vram
#: make vttm-reload  load it, use it and unload it, TIMES=100 times
#: make vttm-fuzz    fuzz its ioctls by coverage for TIME=60 seconds
#: make walks     watch a Rust driver walk a TTM LRU list, step by step
#:
#: make explore   try all operations in all states of small worlds, in user space
#: make outcome   judge whether eviction finds room, beside Linux's own TTM
#: make fuzz      fuzz the list operations with libFuzzer for TIME=60 seconds
#: make prove     prove each list operation with CBMC
#: make mutants   break TTM in small ways, and see which tests notice
#: make mutants-kernel   the same in booted kernels; NAMES='...' chooses files
#: FULL=1 takes larger worlds and all mutants.
#:
#: make bench     count the instructions of list operations, here and in Linux 7.3
#: make users     compile all drivers for x86 that use TTM, and report new warnings
#: make cost      count the instructions of walks in C and in Rust
#: make docs      build the pages of Documentation/gpu and rustdoc, and print where they are
#: make unsafe    write a table of each unsafe in Rust, and of what it relies on
#:
#: make setup     get Linux and a toolchain; the other targets do this themselves
#: make tree      lay this project's files over Linux's
#: make apply     put the work on a branch of the git tree KDIR, as commits; UNDO=1 takes
#:                it off, BRANCH=hitch names it
#: make enter     run CMD='...' in the toolchain, at the merged tree
#: make where     print the paths of Linux, the merged tree and the rest
#: make clean     remove what was built
#: make distclean remove the whole cache
#:
#: V=1 shows everything. KDIR=/path/to/linux takes a Linux 7.3 of your own; if it would
#: lose changes, they are listed: DROP=1 leaves them out.

lock := scripts/lock.sh
work := $(MAKE) -f scripts/work.mk

setup:
	@$(lock) setup scripts/setup.sh

module: named
vttm vttm-shell: $(if $(M),named)
named:
	@scripts/module.sh

tree demo docs kunit mutants-kernel rust-ui walks unload module vttm vttm-shell vttm-storm \
		vttm-reload vttm-fuzz vttm-compete: setup
	@$(lock) ours $(work) $@

check: setup
	@$(lock) ours sh -c '$(work) programs && scripts/enter.sh $(CURDIR)/tests/check.py'

explore outcome fuzz prove mutants: tree
	@$(lock) userspace $(work) $@

users cost: tree
	@$(lock) x86 $(work) $@

bench: tree
	@$(lock) pristine $(lock) userspace $(lock) x86 $(work) $@

apply: $(if $(UNDO),,setup)
	@$(lock) ours scripts/apply.sh

unsafe: setup
	@scripts/enter.sh $(CURDIR)/tests/docs/unsafe.py

compare: setup
	@$(lock) pristine $(work) compare

enter: tree
	@scripts/enter.sh sh -c '$(if $(CMD),$(subst ','\'',$(value CMD)),exec bash)'

where:
	@scripts/where.sh

clean:
	@$(lock) pristine $(lock) ours $(lock) userspace $(lock) x86 \
		scripts/clean.sh build

distclean:
	@$(lock) setup $(lock) pristine $(lock) ours $(lock) userspace $(lock) x86 \
		scripts/clean.sh all
