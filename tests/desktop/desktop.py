# SPDX-License-Identifier: GPL-2.0 OR MIT
"""A PC in QEMU with a screen, whose GPU has a driver in C that uses TTM: qxl. It runs
session.py, and takes pictures of the screen for it.
"""

import json
import os
import re
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

HERE = Path(__file__).resolve().parent
sys.path += [str(HERE.parent / 'boot'), str(HERE.parent / 'x86')]

import modules	# noqa: E402 (tests/boot/modules.py)
import pc	# noqa: E402 (tests/boot/pc.py)
from kbuild import Build	# noqa: E402 (tests/x86/kbuild.py)

CONFIG = HERE / 'desktop.config'
KERNELS = {
	'linux': Build('x86-desktop-pristine', Path(os.environ['LINUX']), [CONFIG]),
	'ours': Build('x86-desktop', Path(os.environ['TREE']),
		      [CONFIG, 'CONFIG_DRM_TTM_LRU_DEBUG=y']),
}
# qxl's memory for buffers, for surfaces, and for a picture, which is in there twice.
GPUS = {'qxl': 'qxl-vga,ram_size_mb=32,vram_size_mb=8,vgamem_mb=8'}
MODULES = {'qxl': 'drivers/gpu/drm/qxl/qxl.ko'}
# qxl of Linux 7.3 asks a fence whether it was initialized, in memory that it hasn't zeroed. It
# relies on init_on_alloc, which distributions turn on. Poison (slab_debug=P) crashes it.
ARGS = ('slab_debug=FZU', 'init_on_alloc=1')

SHOT = re.compile(r'desktop: shot ([\w-]+)')
ROW = re.compile(r'row: (\[.*\])')


@dataclass
class Row:
	what: str
	much: object
	good: bool


class Picture:
	"""A picture that QEMU has written as PPM."""

	def __init__(self, file):
		_, width, height, _, self.pixels = file.read_bytes().split(maxsplit=4)
		self.width, self.height = int(width), int(height)

	def at(self, x, y):
		# QEMU fills up the rows of a picture whose width is odd.
		start = int(y) * (len(self.pixels) // self.height) + 3 * int(x)
		return list(self.pixels[start:start + 3])

	def said(self):
		"""What session.py wants to know of it."""
		bars = [self.at((n + 0.5) * self.width / 7, self.height / 3) for n in range(7)]
		# Of a large picture, a part of the pixels will do.
		step = 3 * (1 + len(self.pixels) // 1000000)
		colours = {self.pixels[at:at + 3] for at in range(0, len(self.pixels), step)}
		return {'size': f'{self.width}x{self.height}', 'bars': bars,
			'colours': len(colours), 'sum': zlib.crc32(self.pixels)}


class Desktop(pc.PC):
	"""The session with @driver in the kernel @name of KERNELS. It leaves its pictures in
	the folder @pictures, and its results in @rows.
	"""

	def __init__(self, name, driver):
		build = KERNELS[name].path
		ko = build / MODULES[driver]
		known = {it.stem.replace('-', '_'): it for it in modules.built_in(build)}
		needed = dict.fromkeys(modules.with_needed(ko, known))
		self.rows, self.output = [], b''
		self.pictures = build / driver
		self.pictures.mkdir(exist_ok=True)
		super().__init__(
			build, driver, [f'{HERE}/session.py', driver, *map(str, needed)],
			machine=('-machine', 'q35,kernel-irqchip=off', '-device', GPUS[driver]),
			memory='320M', swap=1024, say=self._hear, silence=600,
			args=[*ARGS, 'fbcon=font:VGA8x16', 'consoleblank=0', 'vt.global_cursor_default=0'])

	def _hear(self, output):
		*lines, self.output = (self.output + output).split(b'\n')
		for line in lines:
			text = line.decode(errors='backslashreplace').rstrip()
			print(text, file=self.said, flush=True)
			if match := ROW.match(text):
				self.rows.append(Row(*json.loads(match[1])))

	def __iter__(self):
		with open(f'{self.log}.out', 'w') as self.said:
			for line in super().__iter__():
				if match := SHOT.search(line):
					Thread(target=self._shoot, args=[match[1]],
					       daemon=True).start()
				yield line

	def _shoot(self, name):
		"""Take a picture, and tell the session what is on it."""
		file = self.pictures / name
		self.ask(*({'execute': 'screendump',
			    'arguments': {'filename': f'{file}.{kind}', 'format': kind}}
			   for kind in ('png', 'ppm')))
		said = Picture(Path(f'{file}.ppm')).said()
		os.write(self.ours, f'{json.dumps(said)}\n'.encode())
