# SPDX-License-Identifier: GPL-2.0 OR MIT
"""A PC in QEMU. It runs a program in the root of this machine's files, which QEMU shares
with it.
"""

import json
import os
import re
import socket
import subprocess
import time
from pathlib import Path
from threading import Thread

import guest
import qemu

# A line of the kernel's log by which a program asks for something to be done to the PC.
ASKS = re.compile(r'\bqemu: (\{.*\})')


class PC(guest.Guest):
	"""A PC with the kernel in the folder @build, that runs @command. @machine are options
	of QEMU that tell what a PC it is, and @args are arguments of the kernel.

	A program in it writes a line 'qemu: {...}' to /dev/kmsg, with a command of QMP, to
	have that command executed.
	"""

	TERMINAL = '/dev/ttyS1'
	DISK = '/dev/vda'

	def __init__(self, build, name, command, *, machine=(), cpus=2, memory='768M', args=(),
		     leaks=False, **rest):
		super().__init__(build, name, command, leaks=leaks, **rest)
		self.control = Path(f'/tmp/hitch-{os.getpid()}.qmp')
		*_, init, _, what = self.command
		self.command = [
			'qemu-system-x86_64', '-cpu', 'max', '-smp', str(cpus), '-m', memory,
			'-nodefaults', '-no-reboot', '-display', 'none',
			'-qmp', f'unix:{self.control},server=on,wait=off',
			*machine, *self._root(), *self._disks(),
			'-kernel', f'{build}/arch/x86/boot/bzImage', '-append',
			' '.join(['console=ttyS0', *self._root_args(), 'panic=-1',
				  f'kmemleak={"on" if leaks else "off"}', *args,
				  self._init(init), '--', what]),
			'-serial', 'stdio']

	def _root(self):
		return qemu.SHARE

	def _root_args(self):
		return qemu.ROOT

	def _init(self, init):
		return init

	def _disks(self):
		if self.disk:
			yield from ('-drive', f'file={self.disk},format=raw,if=none,id=swap')
			yield from ('-device', 'virtio-blk-pci,drive=swap')

	def _run(self, log, terminal):
		# It may have no name in this root.
		return subprocess.Popen([*self.command, '-serial', 'chardev:program', '-chardev',
					 f'serial,id=program,path=/proc/self/fd/{terminal}'],
					stdin=subprocess.DEVNULL, stdout=log, stderr=log,
					pass_fds=[terminal], start_new_session=True)

	def __iter__(self):
		try:
			for line in super().__iter__():
				if match := ASKS.search(line):
					Thread(target=self._ask_until_done,
					       args=[json.loads(match[1])], daemon=True).start()
				yield line
		finally:
			self.control.unlink(missing_ok=True)

	def _ask_until_done(self, command):
		"""A device that was removed has its name until the guest has let it go."""
		for _ in range(100):
			if 'error' not in (answer := self.ask(command)):
				return
			time.sleep(0.1)
		self.tell(f'qemu: {answer["error"]["desc"]}')

	def ask(self, *commands):
		"""Let QEMU execute commands of QMP. Return its answer to the last one."""
		with socket.socket(socket.AF_UNIX) as control:
			control.connect(str(self.control))
			with control.makefile('rw') as file:
				file.readline()
				for command in {'execute': 'qmp_capabilities'}, *commands:
					print(json.dumps(command), file=file, flush=True)
					while 'event' in (answer := json.loads(file.readline())):
						pass
		return answer
