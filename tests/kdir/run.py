#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""run.py [CASE...]: what KDIR= and `make apply` do with source trees of the user.

The trees have only the files of Linux that the overlay changes, so no kernel is built.
They are in a cache of their own, whose toolchain is the one that this runs in. A case is
a method of Kdir or Apply, such as kdir.conflict; -v prints each command, and what that
printed.
Run it inside the toolchain.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
LBSS = 'series/um/0002-um-keep-large-thread-locals-inside-.bss.patch'
STOCK = Path(os.environ['STOCK'])
TTM = 'drivers/gpu/drm/ttm'
BO, RESOURCE = f'{TTM}/ttm_bo.c', f'{TTM}/ttm_resource.c'
HEADER = 'include/drm/ttm/ttm_resource.h'
OURS = f'{TTM}/ttm_evict.c'
KEPT = 'int ttm_bo_validate(struct ttm_buffer_object *bo,'
REPLACED = 'bool force_space = false;'	# in ttm_bo_mem_space()
CONFLICT = 'ret = ttm_bo_bounce_temp_buffer(bo, ctx, &hop);'
ROOMS = 8
# No identity, and no other setting of the user's.
ENV = {name: os.environ[name] for name in ('PATH', 'LANG') if name in os.environ} | {
	'GIT_CONFIG_GLOBAL': '/dev/null', 'GIT_CONFIG_SYSTEM': '/dev/null',
	'HOME': '/nonexistent', 'TOOLCHAIN': 'host', 'PYTHONDONTWRITEBYTECODE': '1'}
USER = ('-c', 'user.name=A User', '-c', 'user.email=user@example.org')
VERBOSE = '-v' in sys.argv


class Wrong(Exception):
	pass


def check(condition, *what):
	if not condition:
		raise Wrong('\n'.join(str(text) for text in what))


def run(*command, cwd=TOP, **env):
	"""Run a command; its status, and all that it printed."""
	done = subprocess.run(command, cwd=cwd, env=ENV | env, text=True,
			      stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
	if VERBOSE:
		print('$', *command, *(f'{name}={value}' for name, value in env.items()))
		print(done.stdout, end='')
	return done.returncode, done.stdout


def edit(path, old, new):
	"""Replace a text in a file, which may have hard links."""
	text = path.read_text()
	check(old in text, f'{path} has no {old}')
	path.unlink()
	path.write_text(text.replace(old, new))


def changed_names():
	"""The files of Linux that patches/, series/um and our files change."""
	for patch in (*(TOP / 'patches').iterdir(), *(TOP / 'series/um').iterdir()):
		yield from re.findall(r'^(?:\+\+\+ b/|// From: |// File: )(.*)$',
				      patch.read_text(), re.M)
	for room in ('drivers', 'include', 'rust', 'samples'):
		for path in (TOP / room).rglob('*'):
			yield str(path.relative_to(TOP))


def files(tree):
	"""The content and mode of all files, but git's."""
	return {str(path.relative_to(tree)): (path.stat().st_mode, path.read_bytes())
		for path in tree.rglob('*')
		if path.is_file() and '.git' not in path.parts[len(tree.parts):]}


class Case:
	"""A case with a cache, and a copy of stock as KDIR."""

	def __init__(self, room):
		self.cache = room / 'hitch'
		self.stock = self.cache / 'linux/7.3.4'
		for name in {'Makefile', 'Kbuild', *changed_names()}:
			if (STOCK / name).is_file():
				(self.stock / name).parent.mkdir(parents=True, exist_ok=True)
				shutil.copy2(STOCK / name, self.stock / name)
		(self.cache / 'root').mkdir()
		(self.cache / 'root/host').symlink_to('/')
		self.kdir = room / 'linux'
		shutil.copytree(self.stock, self.kdir)

	def make(self, target, *variables, kdir=None, **env):
		kdir = self.kdir if kdir is None else kdir
		return run('make', target, *([f'KDIR={kdir}'] if kdir else []), *variables,
			   XDG_CACHE_HOME=str(self.cache.parent), **env)

	def succeed(self, target, *variables, **options):
		status, printed = self.make(target, *variables, **options)
		check(status == 0, 'it failed:', printed)
		return printed

	def refuse(self, target, *said, variables=(), **options):
		"""It fails and says all of @said."""
		status, printed = self.make(target, *variables, **options)
		check(status != 0, f'{target} succeeded, and should say:', *said)
		for text in said:
			check(text in printed, f'it did not say: {text}', printed)
		return printed

	def tree(self):
		tree, = (self.cache / 'tree').glob('*[!s]')
		return tree

	def laid(self, name):
		return (self.tree() / name).read_text()

	def line(self, patch, text):
		"""The line of the rule with @text in a semantic patch."""
		before = (TOP / 'patches' / patch).read_text().split(text)[0]
		return before[:before.rindex('@@')].count('\n') + 1


class GitCase(Case):
	"""A case whose KDIR is a git tree."""

	def __init__(self, room):
		super().__init__(room)
		self.git('init', '-q', '-b', 'main')
		self.commit('stock')

	def git(self, *command, fails=False):
		status, printed = run('git', *command, cwd=self.kdir)
		check(fails == (status != 0), f'git {" ".join(command)}:', printed)
		return printed

	def commit(self, message):
		self.git('add', '--force', '.')
		self.git(*USER, 'commit', '-q', '-m', message)

	def state(self):
		"""What must be as before."""
		self.git('status')	# it may write the index
		return {'files': files(self.kdir),
			'HEAD': (self.kdir / '.git/HEAD').read_text(),
			'config': (self.kdir / '.git/config').read_text(),
			'folders': sorted(path for path in self.kdir.rglob('*') if path.is_dir() and
					  '.git' not in path.parts)} | {
			' '.join(command): self.git(*command) for command in (
				('for-each-ref',), ('ls-files', '-s'), ('worktree', 'list'),
				('status', '--porcelain', '--ignored'))}

	def unchanged(self, *said, variables=(), **options):
		"""make apply refuses, says all of @said, and changes nothing."""
		before = self.state()
		printed = self.refuse('apply', *said, 'nothing was changed', variables=variables,
				      **options)
		self.same(before)
		return printed

	def same(self, before):
		after = self.state()
		for name in before:
			check(before[name] == after[name], f'{name} has changed')

	def is_merged(self):
		"""The work tree is what `make tree` makes of the commit below."""
		applied = files(self.kdir)
		self.git('checkout', '-q', '--detach', 'main')
		self.succeed('tree', 'DROP=1')
		merged = {name: content for name, content in files(self.tree()).items()
			  if not name.startswith('.hitch-')}
		differ = [name for name in applied | merged
			  if applied.get(name) != merged.get(name)]
		check(not differ, 'these differ:', *differ[:5])
		self.git('checkout', '-q', 'hitch')


class Kdir(Case):
	"""make tree KDIR=..."""

	def stock_is_laid(self):
		printed = self.succeed('tree')
		check('hitch:' not in printed, printed)
		check(self.laid(OURS) == (TOP / OURS).read_text(), 'our file is not there')
		check('ttm_lru_walk.o' in self.laid(f'{TTM}/Makefile'), 'a patch is not applied')

	def kept_code_is_used(self):
		edit(self.kdir / BO, KEPT, f'int mine;\n{KEPT}')
		edit(self.kdir / RESOURCE, 'int ttm_resource_alloc(', 'int mine;\nint ttm_resource_alloc(')
		edit(self.kdir / 'Kbuild', '# SPDX', '# mine\n# SPDX')
		printed = self.succeed('tree')
		check('hitch:' not in printed, printed)
		for name in (BO, f'{TTM}/ttm_resource_manager.c', 'Kbuild'):
			check('mine' in self.laid(name), f'{name} has lost a change')

	def replaced_function(self):
		edit(self.kdir / BO, REPLACED, 'bool force_space = true;')
		edit(self.kdir / RESOURCE, 'ttm_bulk_move_adjust_cursors(bulk);', 'return;')
		self.refuse('tree', f'changes of {self.kdir} would be lost',
			    f'{BO}: ttm_bo_mem_space() (replaced by that in our ttm_evict.c)',
			    f'{RESOURCE}: ttm_lru_bulk_move_tail() (replaced by that in our ttm_resource.c)',
			    'DROP=1')
		check(not list((self.cache / 'tree').glob('*[!s]')), 'it has laid a tree')
		printed = self.succeed('tree', 'DROP=1')
		check(f'hitch: changes of {self.kdir} that are left out:' in printed and
		      'ttm_bo_mem_space()' in printed, printed)

	def removed_function(self):
		edit(self.kdir / BO, 'struct ttm_bo_evict_walk {', 'struct ttm_bo_evict_walk {\nint mine;')
		self.refuse('tree', f'{BO}: struct ttm_bo_evict_walk (')

	def comments_do_not_count(self):
		edit(self.kdir / BO, REPLACED, f'{REPLACED} /* mine */')
		edit(self.kdir / HEADER, 'struct list_head cursor_list;',
		     'struct list_head  cursor_list; // mine')
		printed = self.succeed('tree')
		check('hitch:' not in printed, printed)

	def replaced_file(self):
		edit(self.kdir / HEADER, 'struct list_head cursor_list;',
		     'struct list_head cursor_list;\n\tint mine;')
		self.refuse('tree', f'{HEADER}: struct ttm_lru_bulk_move (all of the file is replaced)', 'DROP=1')
		self.succeed('tree', 'DROP=1')

	def added_file(self):
		(self.kdir / OURS).write_text('int mine;\n')
		self.refuse('tree', f'{OURS}: added in KDIR')

	def removed_file(self):
		(self.kdir / HEADER).unlink()
		self.refuse('tree', f'{HEADER}: removed in KDIR')

	def many_changes(self):
		"""The message fits below what the make targets show of a log."""
		edit(self.kdir / RESOURCE, '\n{\n', '\n{\n\tmine();\n')
		printed = self.refuse('tree', 'would be lost')
		check(re.search(r'and \d+ more', printed), printed)

	def renamed_function(self):
		edit(self.kdir / BO, 'ttm_bo_mem_space(', 'ttm_bo_space(')
		line = self.line('ttm-core-bo.cocci', 'identifier f = {')
		self.refuse('tree', 'patches/ttm-core-bo.cocci finds nothing for these in '
			    f'{self.kdir / BO}:', f'line {line}: ttm_bo_mem_space',
			    'Your tree has renamed, removed or changed it')

	def renamed_helper(self):
		edit(self.kdir / BO, 'ttm_bo_cleanup_memtype_use', 'ttm_bo_cleanup')
		self.refuse('tree', ': ttm_bo_cleanup_memtype_use')

	def rule_without_a_match(self):
		"""A rule that lists no functions."""
		edit(self.kdir / f'{TTM}/ttm_device.c', 'static DEFINE_MUTEX(ttm_global_mutex);',
		     'static struct mutex ttm_global_mutex;')
		self.refuse('tree', 'patches/ttm-core-device.cocci finds nothing',
			    ': - static DEFINE_MUTEX(ttm_global_mutex);')

	def rule_inside_a_function(self):
		"""A rule whose function is there, but not what it changes in it."""
		edit(self.kdir / BO, 'ret != -ERESTARTSYS && ret != -EINTR', 'ret != -EINTR')
		self.refuse('tree', ': ttm_bo_evict(..., struct ttm_operation_ctx *ctx)')

	def missing_source(self):
		(self.kdir / f'{TTM}/ttm_device.c').unlink()
		self.refuse('tree', f'{self.kdir} has no {TTM}/ttm_device.c')

	def stock_without_a_match(self):
		"""The same without KDIR: our patches do not fit Debian's source."""
		edit(self.stock / BO, 'ttm_bo_mem_space(', 'ttm_bo_space(')
		printed = self.refuse('tree', ': ttm_bo_mem_space', kdir='')
		check('Your tree' not in printed, printed)

	def conflict(self):
		edit(self.kdir / BO, CONFLICT, 'ret = -EINVAL;')
		printed = self.refuse('tree', f'patches/ttm-core-hops.patch does not apply to {self.kdir}:',
				      f'{BO}, its hunk 3 of 5:', f'    -\t\t{CONFLICT}', 'let git')
		check(len(printed.splitlines()) < 22, printed)

	def conflict_of_a_missing_file(self):
		(self.kdir / 'drivers/gpu/drm/drm_exec.c').unlink()
		self.refuse('tree', 'patches/drm-exec-back-off.patch does not apply',
			    'drivers/gpu/drm/drm_exec.c: No such file')

	def patch_is_there(self):
		check(run('git', 'apply', TOP / LBSS, cwd=self.kdir)[0] == 0,
		      'the patch does not apply')
		printed = self.succeed('tree')
		check(f'hitch: KDIR has {LBSS} already' in printed, printed)

	def stock_is_needed(self):
		"""It is fetched with a KDIR too, or the call fails."""
		shutil.rmtree(self.stock)
		tools = self.kdir.parent / 'tools'
		tools.mkdir()
		for name in ('apt-get', 'apt-cache'):
			(tools / name).write_text('#!/bin/sh\nexit 1\n')
			(tools / name).chmod(0o755)
		status, printed = self.make('tree', PATH=f"{tools}:{ENV['PATH']}")
		check(status and ('no Debian suite with linux-source-7.3' in printed or
				  'needs 8 GB' in printed), printed)

	def merged_tree(self):
		"""A copy of the tree that `make where` names, changed."""
		self.succeed('tree')
		copy = self.kdir.parent / 'copy'
		self.tree().rename(copy)
		edit(copy / OURS, '#include', '/* mine */\n#include')
		printed = self.succeed('tree', kdir=copy)
		check('KDIR has the overlay' in printed and 'mine' in self.laid(OURS), printed)
		check((self.tree() / '.hitch-laid').read_text() == '[]', 'it is taken for a laid tree')

	def missing(self):
		self.refuse('tree', 'there is no /nonexistent', kdir='/nonexistent')

	def a_file(self):
		self.refuse('tree', 'is no folder', kdir=self.kdir / 'Makefile')

	def no_linux(self):
		self.refuse('tree', 'no Linux source there', kdir=self.kdir / 'drivers')
		self.refuse('tree', 'no Linux source there', kdir=TOP)

	def another_version(self):
		edit(self.kdir / 'Makefile', 'PATCHLEVEL = 3', 'PATCHLEVEL = 2')
		self.refuse('tree', 'is Linux 7.2.', 'this works with 7.3.x')

	def built_in(self):
		(self.kdir / '.config').touch()
		self.refuse('tree', 'was built in', 'make mrproper')

	def changes_are_followed(self):
		"""A later call sees what has changed meanwhile, and what is gone."""
		(self.kdir / 'mine').touch()
		self.succeed('tree')
		check((self.tree() / 'mine').exists(), 'a file is not copied')
		edit(self.kdir / BO, KEPT, f'int mine;\n{KEPT}')
		edit(self.kdir / 'Kbuild', '# SPDX', '# mine\n# SPDX')
		(self.kdir / 'mine').unlink()
		self.succeed('tree')
		for name in (BO, 'Kbuild'):
			check('mine' in self.laid(name), f'a change of {name} is not seen')
		check(not (self.tree() / 'mine').exists(), 'a file is still there')


class Apply(GitCase):
	"""make apply KDIR=..., and KDIR= with what it made."""

	def is_applied_and_undone(self):
		before = self.state()
		self.succeed('apply')
		check(self.git('branch', '--show-current') == 'hitch\n', 'HEAD is elsewhere')
		check(not self.git('status', '--porcelain'), 'it is not clean')
		check(self.git('rev-list', '--count', 'main..hitch') == f'{ROOMS}\n',
		      f'not {ROOMS} commits')
		check(sorted(self.git('for-each-ref', '--format=%(refname)').split()) ==
		      ['refs/heads/hitch', 'refs/heads/main'], 'there are more refs')
		messages = self.git('log', '--format=%an %ae %cn %ce%n%B', 'main..')
		check('Signed-off-by' not in messages, messages)
		for line in messages.splitlines():
			check(len(line) <= 90, line)
		for folder in ('drivers/gpu/drm/vttm', 'rust/kernel/drm/ttm', 'Documentation/gpu'):
			check(self.git('log', '--format=%h', 'main..', '--', folder).count('\n') == 1,
			      f'{folder} is in several commits')
		self.is_merged()
		self.succeed('apply', 'UNDO=1')
		self.same(before)

	def unrelated_changes(self):
		edit(self.kdir / BO, KEPT, f'int mine;\n{KEPT}')
		(self.kdir / 'mine').touch()
		self.commit('mine')
		(self.kdir / 'untracked').touch()
		before = self.state()
		self.succeed('apply')
		check('int mine;' in (self.kdir / BO).read_text(), 'a change is lost')
		self.git('diff', '--quiet', 'main', 'hitch', '--', 'mine')
		self.succeed('apply', 'UNDO=1')
		self.same(before)

	def used_as_kdir(self):
		"""Develop there, test here."""
		self.succeed('tree')
		self.succeed('apply')
		edit(self.kdir / BO, KEPT, f'int mine;\n{KEPT}')
		printed = self.succeed('tree')
		check('hitch: KDIR has the overlay: its files are used, not those of this checkout; '
		      '0 differ' in printed, printed)
		check('mine' in self.laid(BO), 'a change of a patched file is lost')
		edit(self.kdir / OURS, '#include', '/* mine */\n#include')
		(self.kdir / f'{TTM}/ttm_mine.c').write_text('int mine;\n')
		self.git('add', '--force', f'{TTM}/ttm_mine.c')
		printed = self.succeed('tree')
		check('1 differ' in printed, printed)
		for name in (OURS, BO, f'{TTM}/ttm_mine.c'):
			check('mine' in self.laid(name), f'{name} has lost a change')
		differ = [name for name, content in files(self.kdir).items()
			  if content != files(self.tree()).get(name)]
		check(not differ, 'these differ:', *differ[:5])

		self.git('reset', '-q', '--hard')
		self.succeed('apply', 'UNDO=1')
		printed = self.succeed('tree')
		check('hitch:' not in printed, printed)
		check(self.laid(OURS) == (TOP / OURS).read_text(), 'our file is not laid')
		check(not (self.tree() / f'{TTM}/ttm_mine.c').exists(), 'a file is still there')

	def used_without_git(self):
		self.succeed('apply')
		shutil.rmtree(self.kdir / '.git')
		edit(self.kdir / OURS, '#include', '/* mine */\n#include')
		printed = self.succeed('tree')
		check('KDIR has the overlay' in printed and 'mine' in self.laid(OURS), printed)

	def only_a_part(self):
		self.succeed('apply')
		self.git('checkout', '-q', '--detach', 'hitch~4')
		self.refuse('tree', 'has only a part of the overlay, without: rust, samples, vttm, '
			    'documentation', 'Check out the last commit')
		self.git('checkout', '-q', '--detach', f'hitch~{ROOMS - 2}')
		printed = self.succeed('tree')
		check(f'KDIR has {LBSS} already' in printed, printed)

	def compared_with_stock(self):
		"""With the overlay in KDIR, Linux's own TTM is Debian's."""
		self.succeed('apply')
		status, printed = run(TOP / 'scripts/enter.sh', 'sh', '-c', 'echo $LINUX',
				      KDIR=str(self.kdir), XDG_CACHE_HOME=str(self.cache.parent))
		check(printed.strip() == str(self.stock), printed)
		status, printed = run(TOP / 'scripts/enter.sh', TOP / 'scripts/overlay.py', PRISTINE='1',
				      KDIR=str(self.kdir), XDG_CACHE_HOME=str(self.cache.parent))
		check(status == 0, printed)
		tree, = (self.cache / 'tree').glob('*-pristine')
		check((tree / RESOURCE).read_text() == (self.stock / RESOURCE).read_text(),
		      'it has our lists')

	def in_a_worktree(self):
		"""A second work tree of the same repository."""
		first = self.kdir
		self.kdir = first.parent / 'second'
		run('git', 'worktree', 'add', '-q', '-b', 'second', self.kdir, cwd=first)
		before = files(self.kdir)
		self.succeed('apply')
		printed = self.succeed('tree')
		check('KDIR has the overlay' in printed, printed)
		check((first / '.git/HEAD').read_text() == 'ref: refs/heads/main\n', 'HEAD moved')
		self.succeed('apply', 'UNDO=1')
		check(files(self.kdir) == before, 'the work tree has changed')

	def ambiguous_names(self):
		"""A branch with the name of a folder, and of a tag."""
		self.git('branch', '-m', 'drivers')
		self.git(*USER, 'commit', '-q', '--allow-empty', '-m', 'mine')
		self.git('tag', 'hitch', 'HEAD~1')
		self.git('tag', 'drivers', 'HEAD~1')
		before = self.state()
		self.succeed('apply')
		check(self.git('branch', '--show-current') == 'hitch\n', 'HEAD is elsewhere')
		self.succeed('apply', 'UNDO=1')
		self.same(before)

	def another_name(self):
		self.git('branch', 'hitch')
		self.succeed('apply', 'BRANCH=lru/walks')
		self.git('rev-parse', '--verify', 'lru/walks')
		self.succeed('apply', 'BRANCH=lru/walks', 'UNDO=1')
		self.unchanged('is no name for a branch', variables=('BRANCH=a..b',))

	def built_in(self):
		"""git tells what was built in the tree."""
		(self.kdir / '.gitignore').write_text('.config\n*.o\n')
		self.commit('ignore')
		(self.kdir / '.config').touch()
		(self.kdir / f'{TTM}/ttm_bo.o').touch()
		before = self.state()
		self.succeed('tree')
		check(not (self.tree() / '.config').exists(), '.config is copied')
		self.succeed('apply')
		self.succeed('apply', 'UNDO=1')
		self.same(before)

	def gitignore_of_debian(self):
		"""It ignores all folders, which hides new files."""
		(self.kdir / '.gitignore').write_text('.*\n*.o\n/*\n')
		self.commit('ignore')
		for name in ('.config', f'{TTM}/ttm_bo.o', f'{TTM}/ttm_mine.c'):
			(self.kdir / name).touch()
		self.succeed('tree')
		check(not (self.tree() / '.config').exists(), '.config is copied')
		check(not (self.tree() / f'{TTM}/ttm_bo.o').exists(), 'an object is copied')
		check((self.tree() / f'{TTM}/ttm_mine.c').exists(), 'a new file is not copied')

		self.git('rm', '-r', '-q', '--cached', 'drivers')
		self.git(*USER, 'commit', '-q', '-m', 'nothing')
		self.unchanged('the branch main has no Linux', 'git add --force .')

	def interrupted_before(self):
		"""An earlier call that was killed leaves no more than a ref and objects."""
		other = self.git(*USER, 'commit-tree', '-m', 'other', 'main^{tree}').strip()
		self.git('update-ref', 'refs/hitch/new', other)
		self.succeed('apply')
		check('refs/hitch' not in self.git('for-each-ref'), 'a ref is still there')

	def hooks_do_not_run(self):
		hook = self.kdir / '.git/hooks/post-checkout'
		hook.parent.mkdir(exist_ok=True)
		hook.write_text('#!/bin/sh\ntouch hooked\n')
		hook.chmod(0o755)
		self.succeed('apply')
		check(not (self.kdir / 'hooked').exists(), 'a hook ran')

	def dirty(self):
		edit(self.kdir / BO, KEPT, f'int mine;\n{KEPT}')
		self.unchanged('has changes: commit or stash them first', BO)
		self.git('add', '.')
		self.unchanged('has changes: commit or stash them first', BO)

	def detached(self):
		self.git('checkout', '-q', '--detach')
		self.unchanged('detached HEAD')

	def rebase_in_progress(self):
		self.git('checkout', '-q', '-b', 'other')
		edit(self.kdir / BO, KEPT, f'int mine;\n{KEPT}')
		self.commit('mine')
		self.git('checkout', '-q', 'main')
		edit(self.kdir / BO, KEPT, f'int yours;\n{KEPT}')
		self.commit('yours')
		self.git(*USER, 'rebase', 'other', fails=True)
		self.unchanged('a rebase is in progress')

	def merge_in_progress(self):
		self.rebase_in_progress()
		self.git('rebase', '--abort')
		self.git(*USER, 'merge', 'other', fails=True)
		self.unchanged('a merge is in progress')

	def branch_exists(self):
		self.git('branch', 'hitch')
		self.unchanged('has a branch hitch')

	def branches_below_exist(self):
		self.git('branch', 'hitch/mine')
		self.unchanged('hitch')

	def no_git(self):
		shutil.rmtree(self.kdir / '.git')
		self.refuse('apply', 'git takes it for no git tree')

	def a_folder_of_git(self):
		shutil.move(self.kdir / '.git', self.kdir.parent / '.git')
		self.refuse('apply', 'is only a folder of the git tree')

	def no_kdir(self):
		self.refuse('apply', 'KDIR=/path/to/linux says which git tree', kdir='')

	def there_already(self):
		self.succeed('apply')
		self.git('checkout', '-q', '-b', 'other')
		self.unchanged('has the overlay already, on its branch other',
			       variables=('BRANCH=more',))

	def conflict(self):
		edit(self.kdir / BO, CONFLICT, 'ret = -EINVAL;')
		self.commit('mine')
		self.unchanged('patches/ttm-core-hops.patch does not apply', f'{BO}, its hunk 3 of 5:')

	def lost_changes(self):
		edit(self.kdir / BO, REPLACED, 'bool force_space = true;')
		self.commit('mine')
		self.unchanged('would be lost', 'ttm_bo_mem_space() (replaced')
		self.succeed('apply', 'DROP=1')

	def rebased_over_a_conflict(self):
		"""What the message of a conflict advises."""
		self.git('checkout', '-q', '-b', 'mine')
		edit(self.kdir / BO, CONFLICT, f'{CONFLICT}\n\t\tret += mine;')
		self.commit('mine')
		self.git('checkout', '-q', 'main')
		self.succeed('apply')
		self.git('checkout', '-q', 'mine')
		self.git(*USER, 'rebase', 'hitch', fails=True)
		path = self.kdir / BO
		path.write_text(re.sub(r'<<<<<<<.*?=======\n(.*?)>>>>>>>[^\n]*\n', r'\1',
				       path.read_text(), flags=re.S))
		self.git('add', BO)
		self.git(*USER, '-c', 'core.editor=true', 'rebase', '--continue')
		printed = self.succeed('tree')
		check('KDIR has the overlay' in printed and 'ret += mine' in self.laid(BO), printed)

	def untracked_file_in_the_way(self):
		(self.kdir / OURS).write_text('int mine;\n')
		self.unchanged(OURS, variables=('DROP=1',))

	def ignored_file_in_the_way(self):
		(self.kdir / '.git/info').mkdir(exist_ok=True)
		(self.kdir / '.git/info/exclude').write_text('ttm_evict.c\n')
		self.untracked_file_in_the_way()

	def undo_with_commits(self):
		self.succeed('apply')
		edit(self.kdir / OURS, '#include', '/* mine */\n#include')
		self.commit('my own work')
		self.unchanged('has commits that', 'my own work', variables=('UNDO=1',))

	def undo_dirty(self):
		self.succeed('apply')
		edit(self.kdir / OURS, '#include', '/* mine */\n#include')
		self.unchanged('has changes', OURS, variables=('UNDO=1',))
		self.git('reset', '-q', '--hard')
		self.git('checkout', '-q', 'main')
		edit(self.kdir / BO, KEPT, f'int mine;\n{KEPT}')
		before = files(self.kdir)
		self.succeed('apply', 'UNDO=1')
		check(files(self.kdir) == before, 'the work tree has changed')

	def undo_without(self):
		self.unchanged('has no branch hitch', variables=('UNDO=1',))
		self.git('branch', 'hitch')
		self.unchanged('the branch hitch has no local upstream', variables=('UNDO=1',))
		# As after a push.
		self.git('remote', 'add', 'far', '.')
		self.git('update-ref', 'refs/remotes/far/main', 'main')
		self.git('branch', '-q', '-u', 'far/main', 'hitch')
		self.unchanged('the branch hitch has no local upstream', variables=('UNDO=1',))


def run_case(kind, name):
	"""Why it failed, or None."""
	with tempfile.TemporaryDirectory() as room:
		try:
			getattr(kind(Path(room)), name)()
		except Wrong as wrong:
			return wrong


def main(chosen):
	cases = {f'{kind.__name__.lower()}.{name}': (kind, name)
		 for kind in (Kdir, Apply) for name in vars(kind) if name[0] != '_'}
	chosen = chosen or list(cases)
	with ThreadPoolExecutor(1 if VERBOSE else os.cpu_count()) as pool:
		wrong = list(pool.map(lambda name: run_case(*cases[name]), chosen))
	for name, why in zip(chosen, wrong):
		if why:
			print(f'{name}: {why}')
	failed = len(wrong) - wrong.count(None)
	print(f'{wrong.count(None)} passed, {failed} failed')
	return failed != 0


sys.exit(main([arg for arg in sys.argv[1:] if arg != '-v']))
