#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Build the rustdoc of the kernel crate, and take warnings for errors. Run it inside the
toolchain, after a test kernel was built.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent))
import rustc

with tempfile.TemporaryDirectory() as out:
	done = subprocess.run(
		['rustdoc', *rustc.flags(Path('rust/kernel.o')), '-Dwarnings',
		 f'--output={out}', f"{os.environ['TREE']}/rust/kernel/lib.rs"],
		cwd=rustc.BUILD, env=rustc.ENV)
sys.exit(done.returncode)
