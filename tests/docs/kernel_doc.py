#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Check the kernel-doc comments of all C files that this project has or changes. A warning
that Linux's own files have as well is not counted. Run it inside the toolchain.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

LINUX, TREE = Path(os.environ['LINUX']), Path(os.environ['TREE'])
WARNING = re.compile(r'^\w+: (\S+?):\d+ (.*(?:\n \* .*)?)', re.M)


def warnings(tree, names):
	"""{what a warning says: where}"""
	files = [name for name in names if (tree / name).exists()]
	done = subprocess.run(['tools/docs/kernel-doc', '-none', '-Wall', *files], cwd=tree,
			      text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
	return {m[2]: m[1] for m in WARNING.finditer(done.stdout)}


laid = json.loads((TREE / '.hitch-laid').read_text())
names = [name for name in laid if name.endswith(('.c', '.h'))]
known, found = warnings(LINUX, names), warnings(TREE, names)
new = [f'{found[what]}: {what}' for what in found if what not in known]
print(*new, sep='\n')
# If the tool stops, or says it in another way, nothing would be found.
if not known:
	sys.exit('hitch: kernel-doc has no warning about Linux')
sys.exit(bool(new))
