# SPDX-License-Identifier: GPL-2.0 OR MIT
# The targets, and the locks that they take. scripts/work.mk has their commands.

.PHONY: help setup tree demo kunit rust-ui compare fixes fixes-check explore outcome fuzz \
	prove mutants mutants-kernel users cost bench unsafe enter where clean distclean \
	apply docs walks unload module named no-command vttm vttm-shell vttm-storm vttm-reload \
	vttm-fuzz vttm-compete demo-pci pci pci-faults check-x86 qxl
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
export V KDIR TOOLCHAIN FULL TIME DROP UNDO BRANCH M FIXES RELEASE
# Relative paths are relative to where make was called.
export CALLER := $(or $(PWD),$(CURDIR))

help:
	@sed -n 's/^#: \?//p' $(firstword $(MAKEFILE_LIST))

#: Hitch: restartable walks of TTM's LRU lists. The numbers are minutes on two cores,
#: once the kernel is built.
#:
#: Start here
#:   demo           1  boot Linux, and fill a virtual GPU with four times its VRAM
#:                     (the first time 10: it gets Linux and builds a kernel)
#:   walks          1  watch a Rust driver walk a TTM LRU list, step by step
#:   check         20  run every test: see tests/check.py
#:   docs           5  build the pages of Documentation/gpu and rustdoc
#:
#: Try a driver or a program, in a kernel with the virtual GPU
#:   vttm              run CMD='...' there: a command of Debian's, of tests/vttm, or your
#:                     own; VTTM='...' sets the GPU's parameters: devices, vram_mb, gtt_mb,
#:                     delay_us, shrinker
#:   vttm-shell        open a shell there
#:   module         1  build the module and the programs in the folder M=path, anywhere.
#:                     With the same M=, vttm and vttm-shell load it instead of vttm, or
#:                     beside it if there is VTTM='...'; PARAMS='...' sets its parameters.
#:                     See Documentation/gpu/ttm-rust-tutorial.rst
#:
#: Try a driver of PCI hardware, in a PC that QEMU emulates
#:   demo-pci       2  fill a GPU of two PCI devices behind an IOMMU with four times its
#:                     memory, by DMA (the first time 10: it builds a kernel)
#:   pci               run CMD='...' there: a command of Debian's, of tests/pci or tests/vttm,
#:                     or your own; with the driver in the folder M=path, anywhere, instead
#:                     of that GPU's own. PARAMS='...' sets the driver's parameters. See
#:                     Documentation/gpu/ttm-rust.rst
#:   pci-faults     4  break that GPU's driver in small ways, and see the tests notice
#:   qxl           10  use a GPU of QEMU's by its driver in C: console, modes, evictions and
#:                     a compositor, on this TTM and on Linux's own (the first time 20)
#:
#: Change TTM
#:   kunit          1  run the KUnit suites FILTER='ttm_lru*', or one 'suite.case'
#:   compare       15  run the suites in C on Linux's own TTM as well, case by case
#:   explore        1  try all operations in all states of small worlds, in user space
#:   outcome        2  judge whether eviction finds room, beside Linux's own TTM
#:   prove          2  prove each list operation with CBMC
#:   fuzz           1  fuzz the list operations with libFuzzer for TIME=60 seconds
#:   mutants       20  break TTM in small ways, and see which tests notice
#:   mutants-kernel    the same in booted kernels, 1 for each; NAMES='...' chooses files
#:   bench         25  count the instructions of list operations, here and in Linux 7.3
#:   check-x86         run the suites and programs in other kernels, in QEMU: CONFIG=race,
#:                     debug, rt, lto, module, arm64, arm64-64k or i386; CELLS='...'
#:                     chooses among them. See Documentation/gpu/ttm-machines.rst
#:   users         20  compile all drivers for x86 that use TTM, and report new warnings
#:   FULL=1 takes larger worlds and all mutants: an hour or more.
#:
#: Fixes for Linux's own TTM, without the new lists: Documentation/gpu/ttm-fixes.rst
#:   fixes             see each patch of series/fixes mend it; NUMBERS='1 2' chooses,
#:                     RELEASE=7.2 takes that Linux, QUICK=1 builds two kernels for all
#:   fixes-check       check series/fixes as the maintainers' scripts do
#:   compare FIXES=all   compare it with these fixes
#:
#: Change the Rust API
#:   rust-ui        1  compile Rust programs that must not compile, each for its reason
#:   unload        20  unload a driver that misuses the API in safe code: in each mode, and
#:                     in PAIRS=100 pairs; or CASES='mapping Pinned@Static+unbind'
#:   cost           6  count the instructions of walks in C and in Rust
#:   unsafe            write a table of each unsafe in Rust, and of what it relies on
#:
#: Stress the virtual GPU
#:   vttm-storm        let processes make OPS=200000 random calls
#:   vttm-compete      let clients compete for its memory; count refusals, waits and bytes
#:                     moved, in SUBMITS=10000 of each pattern, or of PATTERN=keep-vram
#:   vttm-reload       load it, use it and unload it, TIMES=100 times
#:   vttm-fuzz      1  fuzz its ioctls by coverage for TIME=60 seconds
#:
#: A kernel tree of your own
#:   KDIR=path         with any target: use this Linux 7.3. Changes that the overlay would
#:                     lose are listed; DROP=1 leaves them out
#:   apply             put the work on a branch of the git tree KDIR, as commits; UNDO=1
#:                     takes it off, BRANCH=hitch names it
#:
#: The machinery
#:   setup          2  get Linux and a toolchain; the other targets do this themselves
#:   tree              lay this project's files over Linux's
#:   enter             run CMD='...' in the toolchain, at the merged tree
#:   where             print the paths of Linux, the merged tree and the rest
#:   clean             remove what was built
#:   distclean         remove the whole cache
#:   V=1 shows the output of all commands.

lock := scripts/lock.sh
work := $(MAKE) -f scripts/work.mk

setup:
	@$(lock) setup scripts/setup.sh

module: named
vttm: $(if $(CMD),,no-command)
vttm vttm-shell pci: $(if $(M),named)
named:
	@scripts/module.sh
no-command:
	@echo "hitch: which command? add CMD='...'; make vttm-shell opens a shell" >&2; exit 1

tree demo docs kunit mutants-kernel rust-ui walks unload module vttm vttm-shell vttm-storm \
		vttm-reload vttm-fuzz vttm-compete: setup
	@$(lock) ours $(work) $@

check: setup
	@$(lock) ours $(lock) x86 sh -c '$(work) programs pci-kernel && \
		scripts/enter.sh $(CURDIR)/tests/check.py'

explore outcome fuzz prove mutants: tree
	@$(lock) userspace $(work) $@

demo-pci pci-faults: setup
	@$(lock) ours $(lock) x86 $(work) $@

configurations = $(shell awk -F\' '/^\tConfiguration/ { print $$2 }' tests/matrix/configurations.py)
# Each has a make of its own, so that one that fails doesn't stop the others.
check-x86: setup
	@bad=; for name in $(or $(CONFIG),$(configurations)); do \
		$(lock) ours $(lock) x86 $(work) $@ CONFIG=$$name || bad=1; \
	done; [ -z "$$bad" ]

pci: setup $(if $(CMD),,no-command)
	@$(lock) ours $(lock) x86 $(work) $@

users cost qxl: tree
	@$(lock) x86 $(work) $@

bench: tree
	@$(lock) pristine $(lock) userspace $(lock) x86 $(work) $@

apply: $(if $(UNDO),,setup)
	@$(lock) ours scripts/apply.sh

unsafe: setup
	@scripts/enter.sh $(CURDIR)/tests/docs/unsafe.py

compare fixes fixes-check: setup
	@$(lock) pristine $(work) $@

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
