# SPDX-License-Identifier: GPL-2.0 OR MIT
"""A PC in QEMU with a GPU that is two PCI devices: edu is its engine, and the BAR of
ivshmem-plain its VRAM. Between them and the memory is an IOMMU.

The guest's clock counts its instructions, and doesn't wait: edu takes 100 ms of the
guest's time for each DMA, and nothing of ours. But so its CPUs take turns. With an HPET
its jiffies run twice as fast as its clock; but without one, this clock stops when the PC
sleeps.
"""

import os
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

HERE = Path(__file__).resolve().parent
sys.path += [str(HERE.parent / 'boot'), str(HERE.parent / 'x86')]

import guest	# noqa: E402 (tests/boot/guest.py)
import kernel	# noqa: E402 (tests/boot/kernel.py)
import pc	# noqa: E402 (tests/boot/pc.py)
import ram_root	# noqa: E402
from kbuild import Build, run	# noqa: E402,F401 (tests/x86/kbuild.py)
from guest import show	# noqa: E402,F401

BUILD = os.environ['BUILD']
PROGRAMS = f'{BUILD}-vttm'
KERNEL = Build('x86-pci', Path(os.environ['TREE']), [HERE / 'pci.config'])
DRIVER = KERNEL.path / 'drivers/gpu/drm/vttm/vttm_pci.ko'

# How the guest's clock and CPUs run.
COUNTS = ('-icount', 'shift=0,sleep=off', '-rtc', 'clock=vm')
# What the IOMMU reports of a DMA that goes nowhere.
FAULT = re.compile(r'DMAR: .*(fault|Request device).*')
ASLEEP, AWAKE = 'pci: asleep', 'pci: awake'


class Machine(pc.PC):
	"""A PC that runs @command. It has @gpus GPUs; number N has @vram MiB, in the file
	@memory[N], and is the devices vram<N> and edu<N> of QEMU.

	The modules @drivers, pairs of a path and parameters, are loaded unless the program
	does that. Programs are also searched in @path.

	After a line 'pci: asleep' in its log the PC is woken up as soon as it sleeps, unless
	a line 'pci: awake' says that it didn't; meanwhile VRAM loses its content. A PC that
	sleeps has a root in RAM, and runs only the programs of this folder. @mask is how many
	bits of an address edu has. @build is the kernel; without GPUs, its @clock can be
	qemu.PARALLEL.
	"""

	def __init__(self, name, command, *, drivers=((DRIVER, ''),), loaded=True,
		     gpus=1, vram=4, mask=28, iommu=True, sleeps=False, path='',
		     build=KERNEL, clock=COUNTS, **rest):
		drivers = [(str(ko), parameters) for ko, parameters in drivers]
		env = {'TERM': 'dumb', 'LANG': 'C.UTF-8', 'VTTM_KO': drivers[-1][0]}
		self.memory = [Path(f'/dev/shm/hitch-{os.getpid()}.vram{n}')
			       for n in range(gpus)]
		self.mask = mask
		self.vram = vram << 20
		self.root = Path(f'{build.path}/{name}.root') if sleeps else None
		super().__init__(
			build.path, name, command, env=env, modules=drivers if loaded else (),
			path=':'.join(filter(None, (path, PROGRAMS, str(HERE)))),
			machine=(
				'-machine',
				f'q35,kernel-irqchip=off,hpet={"on" if sleeps else "off"}',
				*clock, *(('-device', 'intel-iommu') if iommu else ()),
				*(arg for n in range(gpus) for arg in self._gpu(n))),
			**rest)
		if self.root:
			ram_root.make(self.root, HERE, guest.INIT.parent,
				      Path(f'{build.path}/{name}.json'),
				      *(Path(ko) for ko, _ in drivers))

	def _gpu(self, n):
		"""Each function has a port of its own, so that it can be unplugged."""
		yield from ('-object', f'memory-backend-file,id=memory{n},size={self.vram},'
				       f'share=on,mem-path={self.memory[n]}')
		for function in 'vram', 'edu':
			chassis = 1 + 2 * n + (function == 'edu')
			yield from ('-device', f'pcie-root-port,id={function}-port{n},'
					       f'chassis={chassis}')
			yield from ('-device', self.device(function, n))

	def device(self, function, n):
		"""The options of QEMU for a function of GPU number @n."""
		kind = {'vram': f'ivshmem-plain,memdev=memory{n}',
			'edu': f'edu,dma_mask={(1 << self.mask) - 1:#x}'}[function]
		return f'{kind},id={function}{n},bus={function}-port{n}'

	def _root(self):
		return ('-initrd', str(self.root)) if self.root else super()._root()

	def _root_args(self):
		return () if self.root else super()._root_args()

	def _init(self, init):
		return f'rd{init}' if self.root else init

	def _run(self, log, terminal):
		for file in self.memory:
			with file.open('wb') as memory:
				memory.truncate(self.vram)
		return super()._run(log, terminal)

	def __iter__(self):
		try:
			for line in super().__iter__():
				if ASLEEP in line:
					self.is_awake = False
					Thread(target=self._wake_up, daemon=True).start()
				elif AWAKE in line:
					self.is_awake = True
				elif self.root and kernel.POWER_OFF in line:
					# QEMU doesn't power off a PC that has slept.
					self.ask({'execute': 'quit'})
				yield line
		finally:
			for file in self.memory:
				file.unlink(missing_ok=True)
			if self.root:
				self.root.unlink()

	def wrong(self):
		faults = [match[0] for line in self.lines if (match := FAULT.search(line))]
		return [f'the IOMMU says: {fault}' for fault in faults[:3]] + super().wrong()

	def _wake_up(self):
		while self.ask({'execute': 'query-status'})['return']['status'] != 'suspended':
			if self.is_awake:
				return
			time.sleep(0.1)
		for file in self.memory:
			with file.open('r+b') as memory:
				memory.write(b'\xa5' * self.vram)
		self.ask({'execute': 'system_wakeup'})


@dataclass
class Test:
	"""A program, and the PC in which it runs."""
	name: str
	command: str
	vram: int = 4
	gpus: int = 1
	iommu: bool = True
	sleeps: bool = False
	parameters: str = ''
	swap: int = 64
	build: Build = KERNEL

	def machine(self, say):
		driver = self.build.path / DRIVER.relative_to(KERNEL.path)
		return Machine(self.name, self.command.split(), vram=self.vram,
			       gpus=self.gpus, iommu=self.iommu, sleeps=self.sleeps,
			       drivers=[(driver, self.parameters)], swap=self.swap,
			       build=self.build, say=say)


# The tests of `make check`.
TESTS = (
	# The CPU reaches a quarter of VRAM.
	Test('pci-content', 'content.py 1', parameters='visible_mb=1'),
	Test('pci-fill', 'measure.py vttm-fill --mib 16 --pages 32 --pause 30000 --vms 4 --rounds 2'),
	Test('pci-unplug', 'unplug.py 4'),
	Test('pci-reset', 'reset.py 2'),
	Test('pci-sleep', 'suspend.py 2 1', sleeps=True, swap=512),
)
