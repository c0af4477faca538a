#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""pages.py [build|report]: build the pages of Documentation/gpu with Linux's Sphinx; then
take warnings about our files for errors, and count those about Linux's own.

All pages of Documentation/gpu are built, as ours refer to the others, and a function that
two pages document is an error. They are in Documentation/output of the build folder, with
the output of Sphinx beside them. Run it inside the toolchain.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
BUILD, TREE = Path(os.environ['BUILD']), Path(os.environ['TREE'])
PAGES = 'Documentation/gpu/'
LOG = BUILD / 'Documentation/output/gpu.log'
# -E: Sphinx warns only about pages that it reads anew. -t rustdoc: link to rustdoc.
SPHINX = ['make', '-s', '-C', TREE, 'ARCH=um', f'O={BUILD}', 'htmldocs', 'SPHINXDIRS=gpu',
	  'SPHINXOPTS=-E -t rustdoc']
WARNING = re.compile(r'\b(WARNING|ERROR|CRITICAL|SEVERE): ')


def ours():
	"""A pattern for our files, and for the pages that patches/ changes. Sphinx calls a page
	by its path or by its name, with or without the suffix.
	"""
	laid = json.loads((TREE / '.hitch-laid').read_text())
	pages = [name.removeprefix(PAGES).removesuffix('.rst') for name in laid
		 if name.startswith(PAGES) and name.endswith('.rst')]
	sources = [name for name in laid if (TOP / name).is_file()]
	return re.compile(r'(?:^|\s|/)(?:%s)[:,]|(?:^|\s|%s)(?:%s)(?:\.rst)?[:,]' % (
		'|'.join(map(re.escape, sources)), re.escape(PAGES),
		'|'.join(map(re.escape, pages))))


def build():
	done = subprocess.run(SPHINX, text=True, stdout=subprocess.PIPE,
			      stderr=subprocess.STDOUT)
	LOG.write_text(done.stdout)
	if done.returncode:
		sys.exit('\n'.join(done.stdout.splitlines()[-20:]))


def report():
	warnings = list(filter(WARNING.search, LOG.read_text().splitlines()))
	about_ours = list(filter(ours().search, warnings))
	for line in about_ours:
		print(line.replace(f'{TREE}/', ''))
	print(f'pages: {len(about_ours)} warnings about our files, '
	      f"{len(warnings) - len(about_ours)} about Linux's own")
	sys.exit(bool(about_ours))


for step in sys.argv[1:] or ('build', 'report'):
	{'build': build, 'report': report}[step]()
