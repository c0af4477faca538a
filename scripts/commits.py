#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Write the merged tree to standard output, as commits for `git fast-import`.

commits.py HEAD REF DATE: on the commit HEAD, one commit a room, in the order of
scripts/rooms.py. scripts/apply.sh puts them into a KDIR.
Run it inside the toolchain: scripts/enter.sh scripts/commits.py
"""

import os
import sys
import tempfile
from pathlib import Path

import kdir
import merge
from rooms import ROOMS, of_file, of_patch

# Needs no configuration, and does not claim that the user wrote the commits.
IDENTITY = 'Hitch <hitch@localhost>'


def message(it, patches):
	"""The message of the room's commit, with a line for each of its patches."""
	parts = [it.subject, it.body]
	if patches:
		parts.append('\n'.join(f'- {merge.subject_of(patch)}' for patch in patches))
	return '\n\n'.join(parts) + '\n'


class Stream:
	"""The input of git fast-import."""

	def __init__(self, head, ref, date):
		self.out = sys.stdout.buffer
		self.ref, self.date, self.parent = ref, date, head

	def line(self, text):
		self.out.write(text.encode() + b'\n')

	def data(self, content):
		self.line(f'data {len(content)}')
		self.out.write(content + b'\n')

	def commit(self, text, files):
		self.line(f'commit {self.ref}')
		self.line(f'committer {IDENTITY} {self.date} +0000')
		self.data(text.encode())
		if self.parent:
			self.line(f'from {self.parent}')
			self.parent = None
		for name, content in sorted(files.items()):
			mode = 755 if os.access(content, os.X_OK) else 644
			self.line(f'M 100{mode} inline {name}')
			self.data(content.read_bytes())


def differs(name, content, committed):
	"""Whether a file differs from what the commits so far have."""
	before = committed.get(name)
	if before is None:
		path = merge.LINUX / name
		before = path.read_bytes() if path.exists() else None
	committed[name] = content.read_bytes()
	return committed[name] != before


def main(head, ref, date):
	overlay = merge.ours()
	patches = {it.name: [] for it in ROOMS}
	for patch in merge.patches():
		patches[of_patch(patch).name].append(patch)

	with tempfile.TemporaryDirectory() as work:
		patched = merge.Patched(Path(work))
		stream = Stream(head, ref, date)
		committed = {}
		for it in ROOMS:
			for patch in patches[it.name]:
				patched.apply(patch)
			files = patched.files | {name: path for name, path in overlay.items()
						 if of_file(name) is it}
			changed = {name: path for name, path in files.items()
				   if differs(name, path, committed)}
			if changed:
				stream.commit(message(it, patches[it.name]), changed)
		kdir.check_lost(overlay, patched)
		stream.line('done')


if __name__ == '__main__':
	main(*sys.argv[1:])
