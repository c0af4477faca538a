#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""check.py: check series/ as the maintainers' scripts do, and print what is wrong.

The patches must apply to Linux's own files with git am. checkpatch.pl must have nothing to
say, also on the patches as b4 would send them, and get_maintainer.pl must find the
maintainers. After each patch of series/fixes, what the series changes must compile without
a warning that Linux does not have, with W=1 and sparse. No patch has a Signed-off-by, which
only the person who sends it can add.

`b4 prep --check` works offline, and so does what b4 tells of the cover letter. `b4 prep
--check-deps` asks the archive of the mailing lists, but no series here depends on another
one. `b4 prep --auto-to-cc` needs a repository with all of Linux; get_maintainer.pl, which
it calls, runs here. `b4 send` needs the network, and a sender.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from itertools import chain
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path.append(str(TOP / 'scripts'))

from merge import series	# noqa: E402 (it is found there)

LINUX = Path(os.environ['LINUX'])
BUILD = Path(os.environ['BUILD']) / 'w1'
# The series, and what MAINTAINERS calls the subsystem.
SERIES = {'fixes': 'DRM TTM SUBSYSTEM', 'um': 'USER-MODE LINUX (UML)'}
# USE_LOCKDEP takes each spin_is_locked() for an assertion. No repository here has the
# commits that a Fixes: tag names, and a patch may be for stable without such a tag: see the
# cover letter of series/fixes.
IGNORED = 'USE_LOCKDEP,UNKNOWN_COMMIT_ID,MISSING_FIXES_TAG'
CHECKPATCH = ('scripts/checkpatch.pl', f'--root={LINUX}', '--ignore', IGNORED, '--strict',
	      '--terse', '--quiet', '--no-summary', '--show-types', '--no-signoff')
WARNING = re.compile(r'([^ /]+\.[ch]):\d+(?::\d+)?: ((?:warning|error): .*)')


def run(*command, **more):
	return subprocess.run(command, text=True, stdout=subprocess.PIPE,
			      stderr=subprocess.STDOUT, **more)


def changed(name):
	"""The files that series/@name changes."""
	return {file for patch in series(name)
		for file in re.findall(r'^\+\+\+ b/(.*)$', patch.read_text(), re.M)}


def repository(name, path):
	"""Make @path a repository of Linux's own files. Return a function that runs git."""
	def git(*command):
		return run('git', '-c', 'user.name=check', '-c', 'user.email=check@localhost',
			   *command, cwd=path)

	for file in changed(name):
		(Path(path) / file).parent.mkdir(parents=True, exist_ok=True)
		shutil.copyfile(LINUX / file, f'{path}/{file}')
	git('init', '-q', '-b', name)
	git('add', '-A')
	git('commit', '-qm', 'Linux')
	git('tag', 'linux')
	return git


def cover_letter(name):
	"""The cover letter's subject and text."""
	letter = next((TOP / 'series' / name).glob('0000-*')).read_text()
	subject, text = re.search(r'^Subject: \[.*?\] (.*?)\n\n(.*)', letter, re.M | re.S).groups()
	return subject.replace('\n ', ' ') + '\n\n' + text


def b4(name, git, path):
	"""Let b4 prepare the commits in @path as a series. Return its complaints."""
	def prep(*command):
		return run('b4', 'prep', *command, cwd=path,
			   env=dict(os.environ, XDG_CACHE_HOME=f'{path}/.git/cache')).stdout

	Path(f'{path}/.git/cover').write_text(cover_letter(name))
	git('config', 'user.name', 'check')
	git('config', 'user.email', 'check@localhost')
	git('config', 'core.editor', f'cp {path}/.git/cover')
	git('config', 'b4.prep-perpatch-check-cmd', f'{LINUX}/{" ".join(CHECKPATCH)}')
	said = prep('--enroll', 'linux') + prep('--edit-cover') + prep('--check')
	info = prep('--show-info')
	count = len(series(name))
	fine = f'Success: {count}, Warning: 0, Error: 0' in said
	if not fine or 'needs-editing: False' not in info:
		yield f'b4: {said}{info}'


def applied(name):
	"""Apply a series. Return what git says if that fails, and what b4 says."""
	with tempfile.TemporaryDirectory() as path:
		git = repository(name, path)
		done = git('am', '-q', *series(name))
		if done.returncode:
			yield done.stdout
		else:
			yield from b4(name, git, path)


def warnings(n):
	"""Compile what series/fixes changes, with its first @n patches. Return the warnings."""
	run(TOP / 'scripts/overlay.py', env=dict(os.environ, FIXES=str(n)), check=True)
	objects = sorted(file[:-2] + '.o' for file in changed('fixes') if file.endswith('.c'))
	if n == 0:
		for name in objects:
			(BUILD / name).unlink(missing_ok=True)
	# Each call compiles only what has changed since the one before. CF is for a sparse
	# that does not know this word.
	done = run('make', 'ARCH=um', 'LLVM=1', f'O={BUILD}', f'-j{os.cpu_count()}', 'W=1',
		   'C=1', 'CF=-D__typeof_unqual__=__typeof__', *objects)
	found = set(WARNING.findall(done.stdout))
	if done.returncode:
		found.add(('make', done.stdout[-2000:]))
	return found


def new_warnings():
	BUILD.mkdir(exist_ok=True)
	shutil.copyfile(BUILD.parent / '.config', BUILD / '.config')
	linux = warnings(0)
	for n, patch in enumerate(series('fixes'), 1):
		for file, what in sorted(warnings(n) - linux):
			yield f'{patch.name}: {file}: {what}'


def complaints(name):
	"""Return what the maintainers' scripts say about a series."""
	yield from applied(name)
	for patch in series(name):
		said = run(*CHECKPATCH, patch, cwd=LINUX).stdout
		if said:
			yield said.strip()
		said = run('scripts/get_maintainer.pl', '--no-git-fallback', patch).stdout
		if SERIES[name] not in said:
			yield f'{patch.name}: get_maintainer.pl: {said}'


bad = False
for what in chain(complaints('um'), complaints('fixes'), new_warnings()):
	bad = True
	print(what, flush=True)
sys.exit(bad)
