# SPDX-License-Identifier: GPL-2.0 OR MIT
"""What the merged tree has besides Linux: the files that series/um and patches/ change,
and ours.

A patch is a diff, or a semantic patch (Coccinelle) that lists functions of one file: the
ones to remove, and the ones that other files may call. With a line "From:" the result is
a new file. Each rule of a semantic patch must match, and each function that it lists.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
LINUX = Path(os.environ['LINUX'])	# the source to patch
STOCK = Path(os.environ['STOCK'])	# Debian's
KDIR = os.environ['KDIR']		# the user's own source, or empty
# Linux's own TTM with so many patches of series/fixes: a number or 'all', or empty. With
# CASE=1, of the last one the tests only; with CASE=all, of all of them.
FIXES = os.environ['FIXES']
CASE = os.environ['CASE']
PRISTINE = bool(os.environ['PRISTINE'] or FIXES)
# Of another release the tree has Linux's own files, with series/um and series/fixes.
RELEASE = os.environ['RELEASE']
OTHER = RELEASE != '7.3'

# Folders that have the paths of Linux, and files that go elsewhere.
ROOMS = ('Documentation', 'drivers', 'include', 'rust', 'samples')
MOVED = {'Kconfig': 'drivers/gpu/drm/ttm/Kconfig'}
# With PRISTINE=1 only the tests are copied, and these patches are not applied: they
# belong to our core, to the virtual GPU, which needs it, or to our pages.
TESTS = 'drivers/gpu/drm/ttm/tests'
OURS_ONLY = ('ttm-core', 'drm-vttm', 'documentation')
SKIP = ('.orig', '.rej', '.swp', '~')

CONFLICT_HELP = '''\
Your tree differs there from Debian's source. Adapt the patch in patches/; or let git
merge: check out the commit before your change, run `make apply KDIR=...`, and rebase
your change onto the new branch. Then KDIR= takes the result as it is.'''
RULE_HELP = '''\
Your tree has renamed, removed or changed it. Name it in the patch as your tree does, and
adapt the functions that replace it.'''


def die(*lines):
	sys.exit('hitch: ' + '\n'.join(lines))


def tell(line):
	"""Print a line that the user sees, see scripts/run_quietly.sh."""
	print(f'hitch: {line}', file=sys.stderr, flush=True)


def put(source, target):
	"""Replace @target by a copy of @source, with a new time."""
	target.parent.mkdir(parents=True, exist_ok=True)
	part = target.with_name(target.name + '.part')
	part.unlink(missing_ok=True)
	shutil.copyfile(source, part, follow_symlinks=False)
	shutil.copymode(source, part, follow_symlinks=False)
	part.replace(target)


def ours():
	"""This project's files: {path in the tree: path here}."""
	if OTHER:
		return {}
	files = {to: TOP / name for name, to in MOVED.items()}
	for room in [TESTS] if PRISTINE else ROOMS:
		for path in (TOP / room).rglob('*'):
			if path.is_file() and not path.name.endswith(SKIP):
				files[str(path.relative_to(TOP))] = path
	return files


def series(name):
	"""The patches of series/@name. Its first file is the cover letter.

	A patch that another release needs in another form is also in series/@name-@RELEASE.
	"""
	forms = {path.name: path for path in (TOP / f'series/{name}-{RELEASE}').glob('*.patch')}
	patches = [forms.pop(patch.name, patch)
		   for patch in sorted((TOP / 'series' / name).glob('*.patch'))[1:]]
	if forms:
		die(f'series/{name} has no {", ".join(forms)}')
	return patches


def patches():
	if OTHER:
		return series('um')
	return series('um') + [
		path for path in sorted((TOP / 'patches').iterdir())
		if path.suffix in ('.patch', '.cocci') and
		not (PRISTINE and path.name.startswith(OURS_ONLY))]


def fixes():
	"""The patches of series/fixes to apply, and options of `git apply` for each."""
	chosen = series('fixes')[:None if FIXES == 'all' else int(FIXES or 0)]
	for patch in chosen:
		tests_only = CASE == 'all' or CASE and patch == chosen[-1]
		yield patch, [f'--include={TESTS}/*'] if tests_only else []


def name_of(patch):
	return str(patch.relative_to(TOP))


def subject_of(patch):
	"""The first line of a patch in patches/, or the subject of one in series/."""
	text = patch.read_text()
	if subject := re.search(r'^Subject: \[.*?\] (.*(?:\n .*)*)', text, re.M):
		return subject[1].replace('\n', '')
	return text.split('\n')[0].removeprefix('// ')


def git_apply(patch, where, *options):
	return subprocess.run(['git', 'apply', *options, patch], cwd=where,
			      capture_output=True, text=True)


def conflict(patch, errors):
	"""The lines that describe why @patch does not apply: its file, and the hunk."""
	failed = re.search(r'patch failed: (\S+):(\d+)$', errors, re.M)
	if not failed:
		return [errors.strip().split('\n')[0].removeprefix('error: ')]
	name, line = failed.groups()
	diff = patch.read_text().split(f'\n+++ b/{name}\n')[1].split('\n--- ')[0]
	hunks = re.split(r'^(?=@@ -)', diff, flags=re.M)[1:]
	for n, hunk in enumerate(hunks, 1):
		if hunk.startswith((f'@@ -{line},', f'@@ -{line} ')):
			shown = hunk.rstrip().split('\n')
			more = ['...'] if len(shown) > 10 else []
			return [f'{name}, its hunk {n} of {len(hunks)}:'] + [
				f'    {text}' for text in shown[:10] + more]
	return [f'{name}, line {line}']


class Rule:
	"""A rule of a semantic patch: its line, the functions that it lists by metavariable,
	and the start of what it matches."""

	def __init__(self, text, match):
		self.line = text.count('\n', 0, match.start()) + 1
		self.names = {name: re.findall(r'\w+', names) for name, names in
			      re.findall(r'^identifier (\w+) = \{(.*?)\}', match[1],
					 re.M | re.S)}
		self.start = ' '.join(text[match.end():].split('\n\n')[0].split())[:60]


class Semantic:
	"""A semantic patch that reports which of its rules, and of their names, match.

	With --show-bindings spatch prints the names that a rule bound, if a later rule
	uses them. So each rule gets a name, and another one that never matches uses it.
	"""
	RULE = re.compile(r'^@@\n(.*?)^@@\n', re.M | re.S)

	def __init__(self, text):
		self.rules = [Rule(text, match) for match in self.RULE.finditer(text)]
		count = iter(range(len(self.rules)))
		self.text = self.RULE.sub(lambda match: f'@r{next(count)}@\n{match[1]}@@\n', text)
		for n, rule in enumerate(self.rules):
			for name in rule.names:
				self.text += (f'\n@@\ndeclarer name NEVER;\n'
					      f'identifier r{n}.{name};\n@@\nNEVER({name});\n')

	def unmatched(self, printed):
		"""The lines and texts of rules, and the names, that matched nothing."""
		matches = dict(re.findall(r'^r(\d+) =(.*?)(?=^r\d+ =|\Z)', printed, re.M | re.S))
		for n, rule in enumerate(self.rules):
			if 'binding out =' not in matches.get(str(n), ''):
				yield rule.line, ', '.join(sum(rule.names.values(), [])) or rule.start
				continue
			for metavariable, names in rule.names.items():
				bound = re.findall(rf'\br{n}\.{metavariable} --> id (\w+)', printed)
				for name in names:
					if name not in bound:
						yield rule.line, name


class Patched:
	"""Linux's files as patches/ change them, made in the folder @work."""

	def __init__(self, work):
		self.work = work
		self.files = {}
		self.semantic = {}	# {file of Linux: the file a semantic patch made of it}

	def apply(self, patch):
		if patch.suffix == '.patch':
			self.apply_diff(patch)
		else:
			self.apply_semantic(patch)

	def take(self, name):
		"""Copy a file of Linux to the work folder, to change it there."""
		if name not in self.files and (LINUX / name).exists():
			put(LINUX / name, self.work / name)
		self.files[name] = self.work / name

	def apply_diff(self, patch, *options):
		listed = git_apply(patch, self.work, '--numstat', '-z', *options)
		for entry in listed.stdout.split('\0')[:-1]:
			self.take(entry.split('\t')[2])
		done = git_apply(patch, self.work, *options)
		if not listed.returncode and not done.returncode:
			return
		if KDIR and not git_apply(patch, self.work, '--reverse', '--check').returncode:
			tell(f'KDIR has {name_of(patch)} already')
			return
		first, *more = conflict(patch, listed.stderr + done.stderr)
		die(f'{name_of(patch)} does not apply to {LINUX}:', first, *more,
		    *[CONFLICT_HELP] * bool(KDIR))

	def apply_semantic(self, patch):
		text = patch.read_text()
		name = re.search(r'^// File: (.*)$', text, re.M)[1]
		made_from = re.search(r'^// From: (.*)$', text, re.M)
		source = made_from[1] if made_from else name
		if not (LINUX / source).exists():
			die(f'{name_of(patch)}: {LINUX} has no {source}')
		self.take(name)
		if made_from:
			put(LINUX / source, self.work / name)
		self.semantic[source] = name

		rules = Semantic(text)
		named = self.work / 'rules.cocci'
		named.write_text(rules.text)
		done = subprocess.run(['spatch', '--very-quiet', '--show-bindings', '--in-place',
				       '--sp-file', named, self.work / name],
				      capture_output=True, text=True)
		if done.returncode:
			die(f'{name_of(patch)}: {done.stderr.strip()[-500:]}')
		if missing := list(rules.unmatched(done.stdout)):
			die(f'{name_of(patch)} finds nothing for these in {LINUX / source}:',
			    *(f'    line {line}: {what}' for line, what in missing[:10]),
			    *[RULE_HELP] * bool(KDIR))
