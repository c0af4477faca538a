#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""run.py [--record] [--kernel linux|ours]... [DRIVER]...: use a GPU of QEMU's as a desktop
does, by its driver on Linux's own TTM and on ours, and print a table.

Fail if the session doesn't come to its end on our TTM, or if something is wrong there that is
right on Linux's own. With --record, write the table and pictures of the screen to
Documentation/gpu.
"""

import argparse
import csv
import shutil
import sys

from desktop import GPUS, HERE, KERNELS, Desktop, Row

DOCUMENTATION = HERE.parent.parent / 'Documentation/gpu'
RECORDED = ('console', 'compositor')
TITLES = {'linux': 'Linux 7.3', 'ours': 'here'}
LAST = 'unloaded'	# what the last row of a session tells


class Ran:
	"""A session in a kernel, and its rows by what they tell."""

	def __init__(self, kernel, driver):
		print(f'{driver}, {TITLES[kernel]} ...', file=sys.stderr, flush=True)
		self.desktop = Desktop(kernel, driver)
		for _ in self.desktop:
			pass
		self.wrong = self.desktop.wrong()
		self.rows = {row.what: row for row in (
			*self.desktop.rows,
			Row("the kernel's complaints", len(self.wrong), not self.wrong))}

	def good(self, what):
		return what in self.rows and self.rows[what].good

	def cell(self, what):
		if what not in self.rows:
			return 'MISSING'
		row = self.rows[what]
		return f'{row.much}' if row.good else f'{row.much} (WRONG)'


def compare(ran):
	"""The lines of the table, and what is worse on our TTM."""
	things = dict.fromkeys(what for it in ran.values() for what in it.rows)
	lines = [[what, *(it.cell(what) for it in ran.values())] for what in things]
	ours, linux = ran.get('ours'), ran.get('linux')
	worse = [what for what in things if ours and not ours.good(what) and
		 (what == LAST or not linux or linux.good(what))]
	if ours and LAST not in things:
		worse.append(LAST)
	return lines, worse


def record(driver, lines, ran):
	with (DOCUMENTATION / f'ttm-{driver}.csv').open('w') as file:
		csv.writer(file, lineterminator='\n').writerows(
			[['', *(TITLES[kernel] for kernel in ran)], *lines])
	for name in RECORDED:
		shutil.copy(ran['ours'].desktop.pictures / f'{name}.png',
			    DOCUMENTATION / f'ttm-{driver}-{name}.png')


def main():
	parser = argparse.ArgumentParser(usage=__doc__)
	parser.add_argument('--record', action='store_true')
	parser.add_argument('--kernel', action='append', choices=KERNELS)
	parser.add_argument('drivers', nargs='*', choices=[*GPUS, []])
	args = parser.parse_args()
	bad = False
	for driver in args.drivers or GPUS:
		ran = {kernel: Ran(kernel, driver) for kernel in args.kernel or KERNELS}
		lines, worse = compare(ran)
		print(f'{driver:44}', *(f'{TITLES[kernel]:>14}' for kernel in ran))
		for what, *cells in lines:
			print(f'{what:44}', *(f'{cell:>14}' for cell in cells))
		for it in ran.values():
			print(*it.wrong, sep='\n')
			print(f'the log and the pictures: {it.desktop.log} {it.desktop.pictures}')
		for what in worse:
			print(f'WORSE: {what}')
		bad |= bool(worse)
		if args.record and not worse:
			record(driver, lines, ran)
	return bad


sys.exit(main())
