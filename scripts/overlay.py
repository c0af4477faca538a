#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Make the merged tree: Linux's source, then series/um and patches/, then this project's
files.

It writes only files that have changed, and restores Linux's version of a file that this
project no longer has. So the next build compiles only what is necessary. A KDIR that has
the overlay already is only copied. With PRISTINE=1 the tree has Linux's own LRU lists,
for `make compare`; with FIXES=all, or a number, also patches of series/fixes.
Run it inside the toolchain: scripts/enter.sh scripts/overlay.py
"""

import filecmp
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import kdir
from merge import (KDIR, LINUX, OTHER, PRISTINE, RELEASE, Patched, die, fixes, ours, patches,
		   put)

TREE = Path(os.environ['TREE'])
FILES = Path(os.environ['FILES'])	# lists the files of a KDIR
LAID = kdir.has_overlay() and not PRISTINE
# What the tree is a copy of.
BASE = Path(KDIR) if LAID else LINUX


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


def copy():
	"""Copy all of Linux, once: Debian's source never changes."""
	part = TREE.with_name(TREE.name + '.part')
	shutil.rmtree(part, ignore_errors=True)
	TREE.parent.mkdir(parents=True, exist_ok=True)
	subprocess.run(['cp', '-a', '--reflink=auto', BASE, part], check=True)
	part.rename(TREE)


def follow(keep):
	"""Copy the files of a KDIR that have changed, except those in @keep."""
	listed = FILES.read_bytes().split(b'\0')
	names = [os.fsdecode(name) for name in listed
		 if name and not name.startswith(b'.hitch-')]
	record = Record('.hitch-base', {})
	known = record.value
	seen = {}
	try:
		for name in names:
			try:
				stat = (BASE / name).lstat()
			except FileNotFoundError:
				continue
			seen[name] = [stat.st_size, stat.st_mtime_ns]
			if known.get(name) == seen[name]:
				continue
			if name not in keep:
				put(BASE / name, TREE / name)
			known[name] = seen[name]
			if len(known) % 1000 == 0:
				print(f'{len(known)} of {len(names)} files', flush=True)
		for name in known.keys() - seen.keys():
			if name not in keep:
				(TREE / name).unlink(missing_ok=True)
			del known[name]
	finally:
		record.save(known)


def place(source, name):
	"""Make the tree's file @name a copy of @source, unless it is one already."""
	target = TREE / name
	if not target.is_file() or not filecmp.cmp(source, target, shallow=False):
		put(source, target)
		print(name)


def files_to_lay(work):
	"""The files that the tree has in place of Linux's: {path in the tree: path}."""
	overlay = ours()
	if LAID:
		kdir.check_laid(overlay)
		return {}
	patched = Patched(work)
	for patch in patches():
		patched.apply(patch)
	for patch, options in fixes():
		patched.apply_diff(patch, *options)
	for name in patched.files.keys() & overlay.keys():
		die(f'{name} is both patched and replaced')
	kdir.check_lost(overlay, patched)
	return patched.files | overlay


def main():
	if OTHER and not PRISTINE:
		die(f'RELEASE={RELEASE} is for make fixes and make fixes-check')
	following = bool(KDIR) and BASE == Path(KDIR)
	with tempfile.TemporaryDirectory() as work:
		files = files_to_lay(Path(work))
		if (TREE / '.hitch-base').exists() != following:
			# It is a copy of something else.
			shutil.rmtree(TREE, ignore_errors=True)
		if following:
			TREE.mkdir(parents=True, exist_ok=True)
		elif not TREE.exists():
			copy()
		record = Record('.hitch-laid', [])
		before = set(record.value)

		# If this is interrupted, the next call must still know all of them.
		record.save(sorted(before | files.keys()))
		if following:
			follow(before | files.keys())

		for name in before - files.keys():
			if (BASE / name).exists():
				place(BASE / name, name)
			else:
				(TREE / name).unlink(missing_ok=True)
		for name, source in sorted(files.items()):
			place(source, name)
		record.save(sorted(files))


main()
