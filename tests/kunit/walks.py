#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""walks.py COUNT: boot the test kernel, let the sample driver rust_ttm_lru walk COUNT times,
and show its output.

The driver works in its initcall; then the kernel powers off. This fails if the sample
missed a resource, or if the kernel complains.
"""

import os
import re
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent / 'boot'))

import kernel	# noqa: E402 (it is found there)

SAYS = re.compile(r'\brust_ttm_lru: (.*)')
NONE_MISSED = re.compile(r'missed +0')


def die(why):
	sys.exit(f'hitch: {why}; the log is {boot.log}')


walks = sys.argv[1]
if not walks.isdecimal():
	sys.exit(f'hitch: WALKS={walks} is not a number')

print("The list, step by step: a, b and c are groups that move in bulk, '.' are loose\n"
      "buffers, 'H' are the hitches of two walks. After it, the last operation.\n")
boot = kernel.Boot(os.environ['BUILD'], 'demo', 'kunit.enable=0',
		   f'rust_ttm_lru.walks={walks}', silence=600)
said = []
for line in boot:
	if match := SAYS.search(line):
		said.append(match[1])
		print(match[1], flush=True)

if boot.hung:
	die('the kernel hangs')
if not boot.powered_off:
	die('the kernel crashed')
if complaints := kernel.reports(boot.lines):
	die(f'the kernel says: {complaints[0]}')
if not any(NONE_MISSED.fullmatch(line) for line in said):
	die('resources were missed, or never counted')
if 'ok' not in said:
	die('the sample failed')
