#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Unload a driver that misuses the API in safe code.

run.py [--some] [--pairs N] [--seed N] [--list] [CASE...]

A CASE is a mode of the driver, or two modes joined by a plus; the default is all modes.
The results are KTAP. After a crash, or a complaint of the kernel's, another boot
continues with the next case.
"""

import argparse
import os
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / 'boot'), str(HERE.parents[1] / 'vttm')]

import cases	# noqa: E402
import kernel	# noqa: E402
import vttm	# noqa: E402

MODULE = f'{os.environ["BUILD"]}/outside/unload/ttm_unload.ko'
CASE = re.compile(r'# case (\S+)')
RESULT = re.compile(r'(not )?ok \d+ (\S+)')
HUNG = re.compile(r'INFO: task .* blocked for more than')


class Boot:
	"""One kernel, for @todo until one of them goes wrong. Results go to @report."""

	def __init__(self, number, todo, leaks, report):
		self.report = report
		self.begun, self.said, self.rest = '', [], b''
		self.done, self.good = 0, True
		self.guest = vttm.Guest(f'unload-{number}', [
			f'{HERE}/exercise.py', MODULE, *(case.name for case in todo)],
			'shrinker=0 vram_mb=4 gtt_mb=4', leaks=leaks, say=self.say,
			memory='320M' if todo[0].told else '1G',
			silence=150)
		provoked = todo[0].provoked
		for line in self.guest:
			if provoked and provoked.search(line):
				continue
			if HUNG.search(line):
				break
			if kernel.REPORT.search(line):
				# It may not say anything more.
				self.guest.silence = 20
		self.wrong = self.complaints(provoked)
		if self.begun:
			self.result(self.begun, False, self.said + self.wrong)

	def complaints(self, provoked):
		*wrong, where = self.guest.wrong() or ['']
		wrong = [line for line in wrong if not (provoked and provoked.search(line))]
		return [f'# {line}' for line in [*wrong, where]] if wrong else []

	def say(self, output):
		*lines, self.rest = (self.rest + output).split(b'\n')
		for line in lines:
			self.line(line.decode(errors='backslashreplace'))

	def line(self, line):
		if match := CASE.match(line):
			self.begun, self.said = match[1], []
		elif match := RESULT.match(line):
			self.result(match[2], not match[1], self.said)
		else:
			self.said.append(line)

	def result(self, name, good, said):
		self.begun = ''
		self.done += 1
		self.good = self.good and good
		self.report.case(name, good, said)


class Report:
	"""KTAP on standard output."""

	def __init__(self, count):
		self.number = self.failed = 0
		print(f'KTAP version 1\n1..{count}')

	def case(self, name, good, said):
		self.number += 1
		self.failed += not good
		if not good:
			print('\n'.join(said))
		print(f'{"" if good else "not "}ok {self.number} {name}', flush=True)


def run(todo, leaks, report, boots):
	"""All of @todo, in as many boots as it takes. What is wrong with those that ended well."""
	wrong = []
	while todo:
		boot = Boot(next(boots), todo, leaks, report)
		if not boot.done:
			sys.exit('\n'.join(boot.wrong + boot.said))
		todo = todo[boot.done:]
		if boot.good:
			wrong += boot.wrong
	return wrong


def chosen(args):
	if args.cases:
		return [cases.named(name) for name in args.cases]
	first = cases.some if args.some else cases.singles
	return first() + cases.pairs(args.pairs, args.seed)


def main():
	parser = argparse.ArgumentParser()
	parser.add_argument('--some', action='store_true', help='not all modes')
	parser.add_argument('--pairs', type=int, default=0)
	parser.add_argument('--seed', type=int, default=1)
	parser.add_argument('--list', action='store_true')
	parser.add_argument('cases', nargs='*')
	args = parser.parse_args()
	todo = chosen(args)
	if args.list:
		print('\n'.join(case.name for case in todo))
		return

	report = Report(len(todo))
	boots = iter(range(len(todo) + 1))
	wrong = []
	# What loses nothing must leave no leak.
	for kind in ((False, None), (True, None), (True, cases.STRANDED), (True, cases.LOCKS),
		     (False, cases.RECLAIM)):
		group = [case for case in todo if (case.lost, case.provoked) == kind]
		wrong += run(group, kind == (False, None), report, boots)
	print('\n'.join(wrong))
	sys.exit(bool(report.failed or wrong))


main()
