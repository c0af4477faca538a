# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Faults of ttm_evict_scope.c, from top to bottom."""

from .fault import BOOTED, faults

IS_VICTIM = """\
	for (; scope && scope->outer; scope = scope->outer)
		if (scope->bo == bo)
			return true;
"""

KEEPS_SELF = """\
	for (s = scope; s; s = s->outer)
		if (s->bo == bo)
			return false;
"""

KEEPS_MAN = """\
	for (s = scope->outer; s; s = s->outer)
		if (s->man == scope->man)
			return false;
"""

KEEPS_CHAIN = """\
	for (s = scope; s; s = s->outer)
		if (ttm_evict_scope_locked(s, resv) ||
		    ttm_evict_scope_has(s, resv))
			return true;
"""

LOCKED = 'return scope->outer && scope->bo->base.resv == resv;'

EVICT_SCOPE = faults(
	('nothing is kept', '\t\tif (ttm_evict_scope_at(scope, i - 1)->base.resv == resv)\n',
	 '\t\tif (false)\n'),
	('all is kept', '\t\tif (ttm_evict_scope_at(scope, i - 1)->base.resv == resv)\n',
	 '\t\tif (true)\n'),
	('the latest alone is kept', 'i = scope->num; i; i--)',
	 'i = scope->num; i == scope->num && i; i--)'),
	('what the caller holds serves', LOCKED, LOCKED.replace('scope->outer && ', ''), BOOTED),
	("victims' reservations are others'", LOCKED, 'return false;', BOOTED),
	("all is a victim's reservation", LOCKED,
	 LOCKED.replace(' && scope->bo->base.resv == resv', '')),
	('a lent victim is evicted for its own place', IS_VICTIM, '', BOOTED),
	('an outer lent victim is evicted', IS_VICTIM,
	 IS_VICTIM.replace('scope = scope->outer)', 'scope = NULL)'), BOOTED),
	('a searching buffer is no place for victims', IS_VICTIM,
	 IS_VICTIM.replace('scope && scope->outer;', 'scope;'), BOOTED),
	('the searching buffer is evicted', KEEPS_SELF, '', BOOTED),
	('an outer victim is evicted', KEEPS_SELF, KEEPS_SELF.replace('s = s->outer', 's = NULL'),
	 BOOTED),
	('a search does not see what it keeps',
	 '\tif (ttm_evict_scope_has(scope, resv))\n\t\treturn true;\n', '', BOOTED),
	('searches nest on and on', KEEPS_MAN, '', BOOTED),
	("the outermost's manager isn't left to it", KEEPS_MAN,
	 KEEPS_MAN.replace('s; s = s->outer', 's; s = NULL'), BOOTED),
	('outer searches keep nothing for nested ones', KEEPS_CHAIN, ''),
	('the next outer search alone keeps', KEEPS_CHAIN,
	 KEEPS_CHAIN.replace('s = s->outer', 's = s == scope ? s->outer : NULL'), BOOTED),
	('victims share no reservations', KEEPS_CHAIN,
	 KEEPS_CHAIN.replace('ttm_evict_scope_locked(s, resv) ||\n\t\t    ', ''), BOOTED),
	("outer searches keep victims' reservations only", KEEPS_CHAIN,
	 KEEPS_CHAIN.replace(' ||\n\t\t    ttm_evict_scope_has(s, resv)', '')),
	('there is no room for what is kept',
	 '\tif (scope->num >= scope->max && !ttm_evict_scope_grow(scope))\n\t\treturn false;\n',
	 '', BOOTED),
	('the first few are forgotten',
	 '\tif (!scope->more)\n\t\tmemcpy(more, scope->few, sizeof(scope->few));\n', '', BOOTED),
	("what is kept is none's", '\t\tscope->few[scope->num++] = bo;\n', '\t\t;\n'),
	('one is kept', '\t\tscope->few[scope->num++] = bo;\n',
	 '\t\tscope->few[0] = bo;\n\t\tscope->num = 1;\n'),
	('none is worthless', '\t\tif (scope->worthless[i] == bo)\n', '\t\tif (false)\n', BOOTED),
	('all are worthless', '\t\tif (scope->worthless[i] == bo)\n', '\t\tif (true)\n'),
	('one is worthless', '\tfor (unsigned int i = 0; i < scope->num_worthless; i++)\n',
	 '\tfor (unsigned int i = 0; i < 1 && scope->num_worthless; i++)\n', BOOTED),
	('the worthless are not counted', 'scope->worthless[scope->num_worthless++] = bo;',
	 'scope->worthless[0] = bo;', BOOTED),
	('one is given back', '\twhile (scope->num) {\n', '\tif (scope->num) {\n'),
	('reservations are not given back',
	 '\t\tdma_resv_unlock(bo->base.resv);\n\t\tttm_evict_scope_put(bo);\n',
	 '\t\tttm_evict_scope_put(bo);\n'),
	('references are not given back',
	 '\t\tdma_resv_unlock(bo->base.resv);\n\t\tttm_evict_scope_put(bo);\n',
	 '\t\tdma_resv_unlock(bo->base.resv);\n'),
	('references are given back first',
	 '\t\tdma_resv_unlock(bo->base.resv);\n\t\tttm_evict_scope_put(bo);\n',
	 '\t\tttm_evict_scope_put(bo);\n\t\tdma_resv_unlock(bo->base.resv);\n', BOOTED),
)
