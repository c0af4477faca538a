#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Check the models with threads in threads/*.c with CBMC, in all interleavings.

Each model must hold. Then it must fail with each of the faults that its comments number.
Documentation/gpu/ttm-lru-races.rst says which unlocked reads they are about.
"""

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

MODELS = Path(__file__).resolve().parent / 'threads'
# The most rounds of a loop, plus one.
UNWIND = '7'


def holds(model, fault=0):
	done = subprocess.run(
		['nice', '-n', '10', 'cbmc', f'-DFAULT={fault}', '--unwind', UNWIND,
		 '--unwinding-assertions', model.name], cwd=MODELS, text=True,
		stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
	result = re.search(r'^VERIFICATION (SUCCESSFUL|FAILED)$', done.stdout, re.M)
	# A loop that is cut short would hide what happens after it.
	if not result or re.search(r'unwinding assertion.*: FAILURE', done.stdout):
		sys.exit(f'threads: {model.name}: {done.stdout[-2000:]}')
	return result[1] == 'SUCCESSFUL'


wrong = []
print('model with threads   holds  fails when broken')
with ThreadPoolExecutor(os.cpu_count()) as pool:
	for model in sorted(MODELS.glob('*.c')):
		faults = re.findall(r'/\* FAULT (\d+): (.*) \*/', model.read_text())
		numbers = [0, *(int(number) for number, _ in faults)]
		first, *others = pool.map(lambda fault: holds(model, fault), numbers)
		missed = [what for (_, what), held in zip(faults, others) if held]
		print(f'{model.stem:20} {"yes" if first else "NO":6} '
		      f'{len(faults) - len(missed)} of {len(faults)}', flush=True)
		wrong += [f'{model.stem} does not hold'] * (not first)
		wrong += [f'{model.stem}: not seen to fail: {what}' for what in missed]
		if not faults:
			wrong.append(f'{model.stem} has no fault')
print(*wrong, sep='\n')
sys.exit(bool(wrong))
