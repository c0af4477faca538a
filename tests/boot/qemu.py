# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Boot a kernel of any architecture in QEMU, to run its suites. Without a GPU; for that see
pci/machine.py.
"""

from dataclasses import dataclass

import kernel

# The root of this machine's files, as QEMU shares it.
ROOT = ('root=root', 'rootfstype=9p', 'ro',
	'rootflags=trans=virtio,version=9p2000.L,cache=loose,msize=512000')
SHARE = ('-fsdev', 'local,id=root,path=/,security_model=none,readonly=on,multidevs=remap',
	 '-device', 'virtio-9p-pci,fsdev=root,mount_tag=root')
# CPUs that run at the same time, as those of a real machine do.
PARALLEL = ('-accel', 'tcg,thread=multi')


@dataclass
class Arch:
	"""How QEMU plays a machine of this architecture."""
	machine: tuple
	image: str
	console: str


ARCHES = {
	'x86_64': Arch(('qemu-system-x86_64', '-machine', 'q35', '-cpu', 'max'),
		       'arch/x86/boot/bzImage', 'ttyS0'),
	'i386': Arch(('qemu-system-i386', '-machine', 'q35', '-cpu', 'max'),
		     'arch/x86/boot/bzImage', 'ttyS0'),
	# Without the slow algorithm for signed pointers.
	'arm64': Arch(('qemu-system-aarch64', '-machine', 'virt', '-cpu',
		       'max,pauth-impdef=on'), 'arch/arm64/boot/Image', 'ttyAMA0'),
}


class Boot(kernel.Boot):
	"""One run of the kernel of @arch in the folder @build, with arguments @args. With
	@leaks, an init looks for lost memory after the suites; such a kernel needs a root.
	"""

	def __init__(self, arch, build, name, *args, cpus=2, memory='1G', leaks=False,
		     **limits):
		super().__init__(build, name, **limits)
		arch = ARCHES[arch]
		ends = (*ROOT, *kernel.LOOK_FOR_LEAKS) if leaks else kernel.ENDS
		self.command = [
			*arch.machine, *PARALLEL, '-smp', str(cpus), '-m', memory,
			'-nodefaults', '-no-reboot', '-display', 'none',
			*(SHARE if leaks else ()), '-kernel', f'{build}/{arch.image}',
			'-append', ' '.join((f'console={arch.console}', 'panic=-1',
					     *ends, *args)),
			'-serial', 'stdio']
