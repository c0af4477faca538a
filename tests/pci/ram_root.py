# SPDX-License-Identifier: GPL-2.0 OR MIT
"""A root in RAM, for a PC that sleeps: virtio's file system doesn't wake up again."""

import os
import re
import shutil
import subprocess
import sysconfig
from pathlib import Path

# What init.py and the programs of this folder start.
PROGRAMS = ('python3', 'env', 'sh', 'mount', 'mkswap', 'swapon', 'insmod', 'rmmod')
# Links of Debian's root, and folders to mount at.
LINKS = {'/bin': 'usr/bin', '/sbin': 'usr/sbin', '/lib': 'usr/lib', '/lib64': 'usr/lib64'}
FOLDERS = ('/proc', '/sys', '/dev', '/dev/shm', '/tmp', '/run', '/var/tmp')


def needed(program):
	"""A program, the files that it is a link to, and its libraries."""
	yield program
	yield Path(os.path.realpath(program))
	said = subprocess.run(['ldd', program], text=True, capture_output=True).stdout
	for name in re.findall(r'(/\S+) \(0x', said):
		yield Path(name)
		yield Path(os.path.realpath(name))


def files(more):
	for name in PROGRAMS:
		yield from needed(Path(shutil.which(name)))
	library = Path(sysconfig.get_path('stdlib'))
	for path in library.rglob('*'):
		if '__pycache__' not in path.parts and path.is_file():
			yield path
			if path.suffix == '.so':
				yield from needed(path)
	for path in more:
		yield from (it for it in path.rglob('*') if it.is_file()) if path.is_dir() else [path]


def in_root(path):
	"""Where a path of Debian's root is without its links."""
	first, *rest = path.parts[1:]
	return Path('/', LINKS.get(f'/{first}', first), *rest)


def make(archive, *more):
	"""Write a root with the files and folders @more to the file @archive."""
	root = Path(f'{archive}.files')
	shutil.rmtree(root, ignore_errors=True)
	for folder in *FOLDERS, '/usr/bin', '/usr/sbin', '/usr/lib', '/usr/lib64':
		Path(f'{root}{folder}').mkdir(parents=True, exist_ok=True)
	for link, to in LINKS.items():
		Path(f'{root}{link}').symlink_to(to)
	for path in dict.fromkeys(files(more)):
		to = Path(f'{root}{in_root(path)}')
		to.parent.mkdir(parents=True, exist_ok=True)
		shutil.copy2(path, to, follow_symlinks=False)
	names = '\n'.join(str(path.relative_to(root)) for path in sorted(root.rglob('*')))
	with archive.open('wb') as out:
		subprocess.run(['cpio', '--quiet', '-o', '-H', 'newc', '-R', '0:0'],
			       input=names.encode(), stdout=out, cwd=root, check=True)
	shutil.rmtree(root)
