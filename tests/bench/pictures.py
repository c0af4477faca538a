# SPDX-License-Identifier: GPL-2.0 OR MIT
"""The table drawn, by gnuplot: as SVG for pages, as PNG for mails."""

import subprocess

LINUX, OURS, OTHER = '#b0413e', '#3a6ea5', '#8a8a8a'

# What is drawn as bars, and what it is called there.
BARS = (
	('raw list, hitches told', 'loose', 'raw list'),
	('step, lock held', 'loose', 'step, held'),
	('step that parks', 'loose', 'step, parks'),
	('step, lock dropped', 'loose', 'dropped'),
	('step, all busy', 'loose', 'busy'),
	('move to the tail', 'loose', 'to the tail'),
	('insert', 'loose', 'insert'),
	('delete', 'loose', 'delete'),
	('bulk move', '1 bulk', 'bulk move'),
)


def table(name, lines):
	return f'${name} << END\n' + '\n'.join(
		' '.join(f'"{cell}"' if isinstance(cell, str) else f'{cell:g}'
			 for cell in line) for line in lines) + '\nEND\n'


def bars(rows):
	by_key = {row.key: row for row in rows}
	for what, shape, title in BARS:
		row = by_key['kernel', what, shape, 10000, 0, '-', 'instructions']
		yield title, row.linux, row.ours


def growth(rows, what, shape, times_n=False):
	"""By the number of buffers, or with @times_n for all of them."""
	for row in rows:
		if (row.where, row.what, row.shape, row.cursors, row.counts) == (
				'program', what, shape, 0, 'instructions'):
			times = row.n if times_n else 1
			yield row.n, row.linux * times, row.ours * times


def by_cursors(rows):
	for row in rows:
		if (row.where, row.what, row.n, row.counts) == (
				'program', 'bulk move', 10000, 'instructions') and \
				row.place in ('-', 'spread'):
			yield row.cursors, row.linux, row.ours


def firsts(rows):
	"""By K: from the head each time, and with a hitch."""
	ways = {}
	for row in rows:
		if row.what.startswith('first of') and row.counts == 'looked at':
			_, _, k, *_, way = row.what.replace('pull off', 'pull').split()
			ways.setdefault(int(k), {})[way] = row.ours
	for k, looks in sorted(ways.items()):
		yield k, looks['restart'], looks['hitch']


def script(rows, out):
	return f'''
{table('bars', bars(rows))}
{table('busy', growth(rows, 'step, all busy', '10 bulks', True))}
{table('cursors', by_cursors(rows))}
{table('first', firsts(rows))}
set output "{out}"
set multiplot layout 2,2 spacing 0.13,0.16 margins 0.09,0.98,0.11,0.94
set style fill solid noborder
set grid ytics lc rgb "#dddddd"
set key top left reverse Left samplen 1
set border 3
set tics nomirror

set title "Instructions for one, in a kernel"
set style data histograms
set style histogram clustered gap 1
set xtics rotate by -35
set yrange [0:*]
plot $bars using 2:xtic(1) title "Linux 7.3" lc rgb "{LINUX}", \\
	'' using 3 title "here" lc rgb "{OURS}"

set xtics norotate
set style data linespoints
set logscale xy
set format y "10^{{%T}}"
set yrange [*:*]
set xrange [50:2e6]
set format x "10^{{%T}}"
set xlabel "buffers"
set title "A walk over busy buffers in 10 bulks, instructions"
plot $busy using 1:2 title "Linux 7.3" lc rgb "{LINUX}" pt 7, \\
	'' using 1:3 title "here" lc rgb "{OURS}" pt 7

unset logscale x
set format x "%g"
set xrange [-2:66]
set xlabel "cursors inside"
set yrange [100:*]
set title "A bulk move, 10,000 members, instructions"
plot $cursors using 1:2 title "Linux 7.3" lc rgb "{LINUX}" pt 7, \\
	'' using 1:3 title "here" lc rgb "{OURS}" pt 7

set logscale x
set format x "10^{{%T}}"
set xrange [5:2e4]
set yrange [*:*]
set xlabel "first K that can't be evicted"
set title "Buffers looked at until one could be evicted"
plot $first using 1:2 title "from the head again" lc rgb "{OTHER}" pt 7, \\
	'' using 1:3 title "with a hitch" lc rgb "{OURS}" pt 7
unset multiplot
'''


def draw(rows, folder):
	"""Makes ttm-bench.svg and ttm-bench.png in @folder."""
	for terminal, end in (('svg size 960,760 dynamic font "sans,12"', 'svg'),
			      ('pngcairo size 960,760 font "sans,10"', 'png')):
		text = (f'set terminal {terminal} background "white"\n' +
			script(rows, folder / f'ttm-bench.{end}'))
		subprocess.run(['gnuplot'], input=text, text=True, check=True)
