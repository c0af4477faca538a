# SPDX-License-Identifier: GPL-2.0 OR MIT
"""The table of the last results in Documentation/gpu: a row for each cell, a column for each
configuration.
"""

import csv
from pathlib import Path

from configurations import CONFIGURATIONS

TABLE = Path(__file__).resolve().parents[2] / 'Documentation/gpu/ttm-machines.csv'


def record(configuration, results):
	"""Put @results, {cell: (passed, failed)}, into the column of @configuration."""
	rows = {}
	if TABLE.exists():
		with TABLE.open(newline='') as file:
			rows = {row['cell']: row for row in csv.DictReader(file)}
	for cell, (passed, failed) in results.items():
		row = rows.setdefault(cell, {'cell': cell})
		row[configuration] = f'{passed}, {failed} failed' if failed else passed
	order = dict.fromkeys(cell for config in CONFIGURATIONS.values()
			      for cell in config.cells)
	with TABLE.open('w', newline='') as file:
		out = csv.DictWriter(file, ['cell', *CONFIGURATIONS], lineterminator='\n')
		out.writeheader()
		out.writerows(rows[cell] for cell in order if cell in rows)
