# SPDX-License-Identifier: GPL-2.0 OR MIT
"""A folder in which Kbuild compiles some objects of a kernel for x86, and what
it and the compiler said.
"""

import os
import re
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

DRM = 'drivers/gpu/drm/'

CC = re.compile(r'  (?:CC|LD|AR) (?:\[M\])? +(\S+\.o)$')
ERROR = re.compile(r'make.*\*\*\* \[.*?([^ ]+\.k?o)\] Error')
UNSET = re.compile(r'# (CONFIG_\w+) is not set')
# Of a warning, what differs where lines have moved, or in another tree.
PLACE = re.compile(r'^\S*?([^/\s:]+\.[choS])(?::\d+)*: |\+0x[0-9a-f]+')


def failed(lines):
	return any(ERROR.match(line) for line in lines)


def warnings(lines):
	return Counter(PLACE.sub(r'\1: ', line) for line in lines
		       if 'warning: ' in line)


def run(*command):
	print(*command, flush=True)
	subprocess.run(command, check=True)


class Build:
	def __init__(self, name, source, configs, arch='x86_64'):
		"""Folder @name beside the test kernel's; @configs are files or
		lines, the later ones win.
		"""
		self.path = Path(f"{os.environ['BUILD']}-{name}")
		self.log = self.path / 'objects.log'
		self.configs = configs
		self.source = source
		self.make = ('make', '-C', str(source), f'O={self.path}',
			     f'ARCH={arch}', 'LLVM=1',
			     f'-j{os.cpu_count()}')

	def configure(self):
		self.path.mkdir(parents=True, exist_ok=True)
		text = ''.join(f'{config.read_text()}\n' if isinstance(config, Path)
			       else f'{config}\n' for config in self.configs)
		wanted = self.path / 'wanted.config'
		wanted.write_text(text)
		run('env', f'KCONFIG_ALLCONFIG={wanted}', *self.make, '-s',
		    'allnoconfig')
		run(*self.make, '-s', 'modules_prepare')

	def lost_options(self):
		"""Options asked for that Kconfig didn't grant."""
		def options(name):
			set_to = {}
			for line in (self.path / name).read_text().splitlines():
				if line.startswith('CONFIG_'):
					set_to.update([line.split('=', 1)])
				elif match := UNSET.match(line):
					set_to[match[1]] = 'n'
			return set_to
		wanted, got = options('wanted.config'), options('.config')
		return [f'{name}={value}' for name, value in wanted.items()
			if got.get(name, 'n') != value]

	def build(self, *targets):
		"""Configure the kernel and make @targets, or end this program."""
		try:
			self.configure()
			if lost := self.lost_options():
				sys.exit(f'hitch: {lost[0]} was not granted')
			run(*self.make, *targets)
		except subprocess.CalledProcessError as error:
			sys.exit(f'hitch: {error}')

	def list_modules(self, names):
		"""For objects_of(), if they aren't compiled. Cheap."""
		run(*self.make, '-s', *(f'{DRM}{name}.mod' for name in names))

	def objects_of(self, module):
		"""The objects that make up a module."""
		mod = self.path / f'{DRM}{module}.mod'
		return mod.read_text().split() if mod.exists() else []

	def compile(self, objects):
		"""Compile what isn't; go on after errors. See said()."""
		# What a compiler warns of it says but once: do these again. And
		# link all modules, so that none is left of an earlier call.
		noisy = [name for name, lines in self.said().items() if lines]
		modules = [name for name in objects if name.endswith('.ko')]
		for name in noisy + modules:
			(self.path / name).unlink(missing_ok=True)
		# modpost, without the whole kernel, misses most symbols.
		options = ['KBUILD_MODPOST_WARN=1'] if modules else []
		todo = set(objects)
		with self.log.open('w') as log, subprocess.Popen(
				[*self.make, '-k', '--output-sync=target',
				 *options, *objects], text=True, errors='replace',
				stdout=subprocess.PIPE,
				stderr=subprocess.STDOUT) as make:
			for line in make.stdout:
				log.write(line)
				match = CC.match(line)
				if match and match[1] in todo:
					todo.remove(match[1])
					print(f'{len(todo)} to go:', end='')
				print(line, end='', flush=True)

	def forget(self):
		self.log.unlink(missing_ok=True)

	def said(self):
		"""What was said in the last call of compile(), by object."""
		said = defaultdict(list)
		name = None
		if not self.log.exists():
			return said
		for line in self.log.read_text().splitlines():
			if match := ERROR.match(line):
				said[match[1]].append(line)
			elif match := CC.match(line):
				name = match[1]
				said[name] = said[name]
			elif line.startswith(('  ', 'make')):
				# A source line, or other work of make's.
				if not re.match(r' *\d+ \||  +\| ', line):
					name = None
			elif name:
				said[name].append(line)
		return said

	def modpost_said(self):
		"""Of modules that were linked; but for symbols, see symbols.py."""
		lines = self.log.read_text().splitlines()
		return [line for line in lines if 'modpost:' in line and
			'undefined!' not in line and 'unresolved' not in line]

	def sources(self, name):
		"""The files of the tree that the object @name was made from."""
		path = self.path / name
		text = (path.parent / f'.{path.name}.cmd').read_text()
		files = re.findall(r'^(?:  |source_.* := )([^\s$]+)', text, re.M)
		return [os.path.relpath(file, self.source) for file in files
			if file.startswith('/')]
