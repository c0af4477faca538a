#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Make the merged tree: Linux's source, then patches/, then this project's files.

A patch is a diff, or a semantic patch (Coccinelle) that lists functions of one file: the
ones to remove, and the ones that other files may call. With a line "From:" the result is
a new file.

It writes only files that have changed, and restores Linux's version of a file that this
project no longer has. So the next build compiles only what is necessary. With PRISTINE=1
the tree has Linux's own LRU lists, for `make compare`.
Run it inside the toolchain: scripts/enter.sh scripts/overlay.py
"""

import filecmp
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
LINUX = Path(os.environ['LINUX'])
TREE = Path(os.environ['TREE'])
FILES = Path(os.environ['FILES'])
PRISTINE = bool(os.environ['PRISTINE'])

# Folders that have the paths of Linux, and files that go elsewhere.
ROOMS = ('Documentation', 'drivers', 'include', 'rust', 'samples')
MOVED = {'Kconfig': 'drivers/gpu/drm/ttm/Kconfig'}
# With PRISTINE=1 only the tests are copied, and these patches are not applied: they
# belong to our core, or to the virtual GPU, which needs it.
TESTS = 'drivers/gpu/drm/ttm/tests'
OURS_ONLY = ('ttm-core', 'drm-vttm')
SKIP = ('.orig', '.rej', '.swp', '~')


def die(message):
	sys.exit(f'hitch: {message}')


class Record:
	"""A file in the tree that records what an earlier call wrote."""

	def __init__(self, name, empty):
		self.path = TREE / name
		self.value = empty
		if self.path.exists():
			self.value = json.loads(self.path.read_text())

	def save(self, value):
		part = self.path.with_suffix('.part')
		part.write_text(json.dumps(value))
		part.replace(self.path)


def put(source, target):
	"""Replace @target by a copy of @source, with a new time."""
	target.parent.mkdir(parents=True, exist_ok=True)
	part = target.with_name(target.name + '.part')
	part.unlink(missing_ok=True)
	shutil.copyfile(source, part, follow_symlinks=False)
	shutil.copymode(source, part, follow_symlinks=False)
	part.replace(target)


def copy():
	"""Copy all of Linux, once: Debian's source never changes."""
	part = TREE.with_name(TREE.name + '.part')
	shutil.rmtree(part, ignore_errors=True)
	TREE.parent.mkdir(parents=True, exist_ok=True)
	subprocess.run(['cp', '-a', '--reflink=auto', LINUX, part], check=True)
	part.rename(TREE)


def follow(keep):
	"""Copy the files of a KDIR that have changed, except those in @keep."""
	listed = FILES.read_bytes().split(b'\0')
	names = [os.fsdecode(name) for name in listed if name]
	record = Record('.hitch-base', {})
	known = record.value
	seen = {}
	try:
		for name in names:
			try:
				stat = (LINUX / name).lstat()
			except FileNotFoundError:
				continue
			seen[name] = [stat.st_size, stat.st_mtime_ns]
			if known.get(name) == seen[name]:
				continue
			if name not in keep:
				put(LINUX / name, TREE / name)
			known[name] = seen[name]
			if len(known) % 1000 == 0:
				print(f'{len(known)} of {len(names)} files', flush=True)
		for name in known.keys() - seen.keys():
			if name not in keep:
				(TREE / name).unlink(missing_ok=True)
			del known[name]
	finally:
		record.save(known)


def ours():
	"""This project's files: {path in the tree: path here}."""
	files = {to: TOP / name for name, to in MOVED.items()}
	for room in [TESTS] if PRISTINE else ROOMS:
		for path in (TOP / room).rglob('*'):
			if path.is_file() and not path.name.endswith(SKIP):
				files[str(path.relative_to(TOP))] = path
	return files


def git_apply(patch, where, *options):
	return subprocess.run(['git', 'apply', *options, patch], cwd=where,
			      capture_output=True, text=True)


class Patched:
	"""Linux's files as patches/ change them, made in the folder @work."""

	def __init__(self, work):
		self.work = work
		self.files = {}
		for patch in sorted((TOP / 'patches').iterdir()):
			if PRISTINE and patch.name.startswith(OURS_ONLY):
				continue
			if patch.suffix == '.patch':
				self.apply(patch)
			elif patch.suffix == '.cocci':
				self.apply_semantic(patch)

	def take(self, name):
		"""Copy a file of Linux to the work folder, to change it there."""
		if name not in self.files and (LINUX / name).exists():
			put(LINUX / name, self.work / name)
		self.files[name] = self.work / name

	def apply(self, patch):
		listed = git_apply(patch, self.work, '--numstat', '-z')
		for entry in listed.stdout.split('\0')[:-1]:
			self.take(entry.split('\t')[2])
		done = git_apply(patch, self.work)
		if listed.returncode or done.returncode:
			why = (listed.stderr + done.stderr).strip().split('\n')[0]
			die(f'patches/{patch.name}: {why}')

	def apply_semantic(self, patch):
		text = patch.read_text()
		name = re.search(r'^// File: (.*)$', text, re.M)[1]
		self.take(name)
		if made_from := re.search(r'^// From: (.*)$', text, re.M):
			put(LINUX / made_from[1], self.work / name)
		done = subprocess.run(['spatch', '--very-quiet', '--in-place',
				       '--sp-file', patch, self.work / name],
				      capture_output=True, text=True)
		if done.returncode:
			die(f'patches/{patch.name}: {done.stderr.strip()[-500:]}')


def main():
	if FILES.exists():
		TREE.mkdir(parents=True, exist_ok=True)
	elif not TREE.exists():
		copy()
	record = Record('.hitch-laid', [])
	before = set(record.value)
	with tempfile.TemporaryDirectory() as work:
		files = Patched(Path(work)).files
		overlay = ours()
		for name in files.keys() & overlay.keys():
			die(f'{name} is both patched and replaced')
		files |= overlay

		# If this is interrupted, the next call must still know all of them.
		record.save(sorted(before | files.keys()))
		if FILES.exists():
			follow(before | files.keys())

		for name in before - files.keys():
			if (LINUX / name).exists():
				put(LINUX / name, TREE / name)
			else:
				(TREE / name).unlink(missing_ok=True)
		for name, source in sorted(files.items()):
			target = TREE / name
			if target.is_file() and filecmp.cmp(source, target, shallow=False):
				continue
			put(source, target)
			print(name)
		record.save(sorted(files))


main()
