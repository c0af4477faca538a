# SPDX-License-Identifier: GPL-2.0 OR MIT
# The front door. What each target does is in scripts/ and tests/.

.PHONY: help setup tree demo kunit rust-ui compare explore outcome fuzz \
	prove mutants mutants-kernel users cost bench unsafe enter where clean distclean \
	walks unload vttm vttm-shell vttm-storm vttm-reload vttm-fuzz vttm-compete
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
export V KDIR TOOLCHAIN FULL TIME

help:
	@sed -n 's/^#: \?//p' $(firstword $(MAKEFILE_LIST))

#: make demo      boot Linux, and fill a virtual GPU with four times its memory
#: make check     run every test in a booted kernel
#: make kunit     run the suites that FILTER names, 'ttm_lru*' by default
#: make rust-ui   programs in Rust that must not compile, each for its reason
#: make unload    unload a driver that does what looks wrong in safe code: each mode, and
#:                PAIRS=100 of two; CASES='mapping Pinned@Static+unbind' takes those
#: make compare   the suites in C on Linux's own TTM, beside ours
#:
#: make vttm      run CMD='...' in a kernel with the virtual GPU, VTTM='...' its
#:                parameters: devices, vram_mb, gtt_mb, delay_us, shrinker
#: make vttm-shell   a shell there
#: make vttm-storm   processes that do anything to it, OPS=200000 times
#: make vttm-compete  clients that compete for its memory: refusals, waits, and bytes
#:                moved, in SUBMITS=10000 of each pattern, or of PATTERN=keep-vram
#: make vttm-reload  load it, let them work, unload it, TIMES=100 times
#: make vttm-fuzz    histories of ioctls, found by coverage in TIME=60 seconds
#: make walks     watch a Rust driver walk a TTM LRU list, step by step
#:
#: make explore   the C core in user space: all states of small worlds
#: make outcome   is room found whenever there is some? beside Linux's own TTM
#: make fuzz      long random histories, found by libFuzzer in TIME=60 seconds
#: make prove     each list operation proved with CBMC
#: make mutants   the core broken in small ways, and what notices
#: make mutants-kernel   the rest of it, in booted kernels; NAMES='...' chooses files
#: FULL=1 takes larger worlds and all mutants; make check has the rest.
#:
#: make bench     what the lists cost here, in Linux 7.3, and at the limit, counted
#: make users     compile all drivers for x86 that use TTM, look for new warnings
#: make cost      walks in C and in Rust, their instructions counted
#: make unsafe    write a table of all unsafe in Rust, and of what it relies on
#:
#: make setup     get Linux and a toolchain; the others do so by themselves
#: make tree      lay this project's files over Linux's
#: make enter     run CMD='...' in the toolchain, at the merged tree
#: make where     print where Linux, the merged tree and the rest are
#: make clean     remove what was built
#: make distclean remove the whole cache
#:
#: V=1 shows everything; KDIR=/path/to/linux takes a Linux 7.3 of your own.

lock := scripts/lock.sh
work := $(MAKE) -f scripts/work.mk

setup:
	@$(lock) setup scripts/setup.sh

tree demo kunit mutants-kernel rust-ui walks unload vttm vttm-shell vttm-storm vttm-reload vttm-fuzz \
		vttm-compete: setup
	@$(lock) ours $(work) $@

check: setup
	@$(lock) ours sh -c '$(work) programs && scripts/enter.sh $(CURDIR)/tests/check.py'

explore outcome fuzz prove mutants: tree
	@$(lock) userspace $(work) $@

users cost: tree
	@$(lock) x86 $(work) $@

bench: tree
	@$(lock) pristine $(lock) userspace $(lock) x86 $(work) $@

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
