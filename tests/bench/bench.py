#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Count what TTM's LRU lists cost in Linux's own core and in ours.

bench.py build: build the programs and the kernels that count.
bench.py run [--record]: run them and print a table. Fail if a target is missed. Write the
figures and plots to a folder, or with --record to Documentation/gpu.
bench.py check: run the programs on our core only, and compare them with the recorded
table. Fail if an operation costs 5 % more instructions than recorded.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / 'x86'))

import bench_kernels
import cost
import table
import userspace
from bench_kernels import Unreliable
from pictures import draw

DOCUMENTATION = HERE.parent.parent / 'Documentation/gpu'
OUT = Path(f"{os.environ['BUILD']}-bench")
SIZES = (1, 100, 10000, 1000000)
FEW = (100, 10000)
# An operation may cost so many times the recorded instructions.
ALLOWED = 1.05


def build():
	userspace.build()
	bench_kernels.build()
	cost.build_all([cost.INLINED])


def count_all():
	"""A table.Row for everything."""
	print('user programs ...', flush=True)
	rows = table.of_programs(userspace.run(SIZES), userspace.compiler())
	print('kernels ...', flush=True)
	rows += table.of_kernels(bench_kernels.run())
	print('a kernel with Rust ...', flush=True)
	rust = cost.Count(cost.INLINED)
	if why := rust.wrong():
		raise Unreliable(f'{why}; the log is {rust.boot.log}')
	return rows + table.of_rust(rust)


def run(record):
	rows = count_all()
	summary = table.summary(rows)
	out = DOCUMENTATION if record else OUT
	out.mkdir(exist_ok=True)
	table.write(rows, out / 'ttm-bench.csv')
	table.write_summary(summary, out / 'ttm-bench-summary.csv')
	draw(rows, out)
	print(f'\n{table.text(summary)}\nAll figures, and the pictures: {out}')
	return any(line.verdict == 'MISSED' for line in summary)


def check():
	"""Print a line for each operation that is worse, and their number."""
	recorded = table.read(DOCUMENTATION / 'ttm-bench.csv')
	userspace.build()
	compiler = userspace.compiler()
	if recorded[0].compiler != compiler:
		print(f'not compared: recorded with {recorded[0].compiler}, this is '
		      f'{compiler}')
		return False
	was = {row.key: row.ours for row in recorded if row.where == 'program'}
	core = userspace.count('ours', FEW, events=False)
	worse = 0
	for row in core.rows:
		key = table.key('program', row)
		each = (row.instructions - core.nothing) / row.ops
		if each > was.get(key, 0) * ALLOWED:
			worse += 1
			print(f'{" ".join(map(str, key))}: {each:.2f} instructions, '
			      f'{was.get(key, 0):.2f} are recorded')
	print(f'{len(core.rows)} rows counted, {worse} cost more than is recorded')
	return worse > 0 or not core.rows


def main():
	parser = argparse.ArgumentParser(usage=__doc__.replace('%', '%%'))
	parser.add_argument('what', choices=['build', 'run', 'check'])
	parser.add_argument('--record', action='store_true')
	args = parser.parse_args()
	try:
		if args.what == 'build':
			return build()
		return check() if args.what == 'check' else run(args.record)
	except (Unreliable, subprocess.CalledProcessError) as error:
		sys.exit(f'hitch: {error}')


sys.exit(main())
