# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Which sources may see a header of TTM's? Told from the text alone, without
a compiler: #ifs are not looked at, and a name stands for every header of the
driver that has it. So it is a few too many rather than one too few; what an
object really saw, its dependency file tells once it is compiled.
"""

import os
import re
from collections import defaultdict
from pathlib import Path

DRM = 'drivers/gpu/drm/'
TTM = 'include/drm/ttm/'
INCLUDE = re.compile(rb'^[ \t]*#[ \t]*include[ \t]*["<]([^">\n]+)[">]', re.M)


def driver(path):
	return path.removeprefix(DRM).split('/')[0]


class Includes:
	def __init__(self, tree):
		self.tree = Path(tree)
		self.by_name = defaultdict(list)
		for where, _, names in os.walk(self.tree / DRM):
			room = os.path.relpath(where, self.tree)
			for name in names:
				if name.endswith(('.h', '.c')):
					self.by_name[name].append(f'{room}/{name}')

	def _resolve(self, source, name, home):
		beside = os.path.normpath(f'{os.path.dirname(source)}/{name}')
		for path in (beside, f'include/{name}'):
			if (self.tree / path).is_file():
				return [path]
		end = '/' + os.path.normpath(name).replace('../', '')
		all_ = [path for path in self.by_name[os.path.basename(name)]
			if path.endswith(end)]
		# A driver's own come first, also for what it takes from another.
		for room in (home, driver(source)):
			near = [path for path in all_ if driver(path) == room]
			if near:
				return near
		return all_

	def _of(self, source, home):
		"""What @source includes, of what can lead to TTM."""
		text = (self.tree / source).read_bytes()
		for name in INCLUDE.findall(text):
			for path in self._resolve(source, os.fsdecode(name), home):
				if path.startswith((DRM, 'include/drm/')):
					yield path

	def reaching_ttm(self, sources, home):
		"""Those of @sources that lead to a header of TTM's, when they are
		compiled for the driver @home.
		"""
		includers = defaultdict(set)
		todo, seen = list(sources), set(sources)
		while todo:
			source = todo.pop()
			for path in self._of(source, home):
				includers[path].add(source)
				if path not in seen:
					seen.add(path)
					todo.append(path)
		todo = [path for path in seen if path.startswith(TTM)]
		reaching = set(todo)
		while todo:
			new = includers[todo.pop()] - reaching
			reaching |= new
			todo += new
		return reaching.intersection(sources)
