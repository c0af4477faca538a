#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""fuzz.py SEED OPTION...: run vttm-fuzz from random inputs. From an empty corpus, the fuzzer
would take long to try inputs of more than a few bytes.
"""

import os
import random
import sys
import tempfile
from pathlib import Path

COUNT = 50
MOST_BYTES = 400

seed, *options = sys.argv[1:]
chance = random.Random(int(seed))
corpus = Path(tempfile.mkdtemp())
for n in range(COUNT):
	(corpus / str(n)).write_bytes(chance.randbytes(chance.randint(20, MOST_BYTES)))
os.execvp('vttm-fuzz', ['vttm-fuzz', f'-seed={seed}', f'-max_len={MOST_BYTES}',
			'-detect_leaks=0', *options, str(corpus)])
