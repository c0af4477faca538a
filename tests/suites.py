# SPDX-License-Identifier: GPL-2.0 OR MIT
"""The KUnit suites: which run in one boot, and what such a boot has to show."""

from collections import Counter
from dataclasses import dataclass

import guest	# summary has added its folder
import kernel
from summary import count, why_failed


@dataclass
class Group:
	name: str
	glob: str
	least: int	# at least so many cases must pass
	provoked: tuple = ()
	leaks: bool = True	# lost memory is a complaint

	@property
	def args(self):
		"""The kernel's, to run these suites."""
		return ('kunit.enable=1', f'kunit.filter_glob={self.glob}')


# Lockdep turns itself off after its first report. So the suites of mainline, which
# provoke a report, have a boot of their own. It also shows that lockdep works.
GROUPS = (
	# All suites but the stress suite: no other name ends in s.
	Group('lru', 'ttm_lr*[!s]', 504),
	Group('stress', 'ttm_lru_stress', 1),
	# 361 doctests and 2 cases of them are Linux's own.
	Group('rust', 'rust*', 805),
	# The suites of Linux 7.3: 58 functions, and 14 with 44 parameters. Some of
	# them lose memory.
	Group('ttm', 'ttm_[!l]*', 102, leaks=False, provoked=(
		'WARNING: drivers/gpu/drm/ttm/ttm_device.c at ttm_device_init',
		'WARNING: include/drm/ttm/ttm_bo.h at ttm_bo_reserve_no_wait_ticket',
		'WARNING: possible recursive locking detected',
	)),
)


def run(group, boot, least=None, lockdep=True):
	"""Run a group in a kernel. @least overrides the group's; without @lockdep the
	kernel has none.
	"""
	tests = kernel.results(boot)
	for suite in tests.subtests:
		n = suite.counts
		count(suite.name, n.passed, n.failed + n.crashed, why_failed(suite))

	least = least or group.least
	wrong = []
	if tests.counts.passed < least:
		wrong.append(f'{least} cases should pass, {tests.counts.passed} did')
	if boot.hung:
		wrong.append('the kernel hangs')
	elif not boot.powered_off:
		wrong.append('the kernel crashed')
	if lockdep and not any('Lock dependency validator' in line for line in boot.lines):
		wrong.append('lockdep is not there')
	wrong += [match[1] for line in boot.lines if (match := guest.FAILED.search(line))]
	seen = Counter(boot.reports())
	meant = Counter(report for report in group.provoked
			if lockdep or not kernel.LOCKDEP.search(report))
	wrong += [f'the kernel says: {report}' for report in seen - meant]
	wrong += [f'the kernel should say: {report}' for report in meant - seen]
	if wrong:
		count(f'the boot of {group.glob}', 0, len(wrong),
		      [*wrong, f'see {boot.log}'])
