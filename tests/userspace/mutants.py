#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Break what user space has of TTM in small ways, and see which tests notice.

mutants.py [--some|--full] SOURCE OUT [NAME...]

SOURCE is ttm_resource.c of a tree, OUT a folder to build in. Each mutant is a piece
of that, of a file beside it, or of ttm_resource.h, and what it is replaced by; they
are in mutants_*.py. A NAME is a mutant's, or its file's. --some tries a few, and each
only until it is noticed; --full has all explored, and not only what else went
unnoticed. Of the walks and of making room there are some that only the suites of a
booted kernel notice: ../kunit/mutants.py tries these. What notices:

  checks   CONFIG_DRM_TTM_LRU_DEBUG alone, on random histories
  random   random histories against the model
  corpus   the fuzzer's corpus against the model
  explore  the quick set of the explorer
  walks    walks over reserved buffers, for mutants of these
  outcome  the quick form of the judge of making room, until something is wrong
"""

import argparse
import os
import queue
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import mutants_core
import mutants_evict
import mutants_walk

HERE = Path(__file__).resolve().parent
HEADER = "ttm_resource.h"
INTERNAL = "ttm_lru_internal.h"

# The files that a mutant may be of, and what the Makefile calls them.
FILES = {
    "ttm_resource.c": "SOURCE",
    "ttm_lru_walk.c": "WALKER",
    "ttm_evict.c": "EVICT",
    "ttm_evict_scope.c": "SCOPE",
    HEADER: None,
    INTERNAL: None,
}

CORE = ("ours/explore", "random/random")
WALKS = ("walks/walks", "outcome/outcome")
OUTCOME = ("outcome/outcome",)

# Mutants, the files that they are of, the programs that notice, and every how
# manieth is among --some.
LISTS = (
    (mutants_core.MUTANTS, ("ttm_resource.c", HEADER, INTERNAL), CORE, 12),
    (mutants_walk.WALKS, ("ttm_lru_walk.c", "ttm_resource.c", HEADER, INTERNAL), WALKS, 12),
    (mutants_walk.CORE, ("ttm_resource.c",), OUTCOME, 12),
    (mutants_evict.EVICT, ("ttm_evict.c",), OUTCOME, 16),
    (mutants_evict.SCOPE, ("ttm_evict_scope.c",), OUTCOME, 8),
)

# What can't be told from the original, and why.
EQUIVALENT = {**mutants_core.EQUIVALENT, **mutants_walk.EQUIVALENT,
              **mutants_evict.EQUIVALENT}
# What is left to the suites of a booted kernel.
BOOTED = mutants_walk.BOOTED | mutants_evict.BOOTED


def run(command, seconds, **env):
    """True if it is well, and what it says."""
    try:
        done = subprocess.run(command, timeout=seconds, text=True,
                              errors="replace", stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT,
                              env={**os.environ, **env})
    except subprocess.TimeoutExpired:
        return False, "hangs"
    return done.returncode == 0, done.stdout


def build(out, programs, **sources):
    well, said = run(["make", "-s", "-C", HERE, f"O={out}",
                      *[f"{name}={source}" for name, source in sources.items()],
                      *[f"{out}/{program}" for program in programs]], 600)
    if not well:
        sys.exit(f"mutants: can't build\n{said}")


def layers(out, programs):
    if programs is CORE:
        corpus = sorted(str(f) for f in (HERE / "corpus").iterdir())
        random, explore = f"{out}/random/random", f"{out}/ours/explore"
        return {
            "checks": ([random, "2"], 60, {"JUDGE": "warnings"}),
            "random": ([random, "2"], 60, {}),
            "corpus": ([random, *corpus], 120, {}),
            "explore": ([explore, "quick"], 1800, {"PROGRESS": "1e9"}),
        }
    outcome = f"{out}/outcome/outcome"
    judge = {"outcome": ([outcome, "quick", "20000"], 600, {"UNTIL_BAD": "1"})}
    if programs is OUTCOME:
        return judge
    return {"walks": ([f"{out}/walks/walks"], 60, {}), **judge}


def write(path, text):
    """So that what stays isn't built again."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


class Mutant:
    def __init__(self, mutant, files, programs):
        self.name, self.old, self.new = mutant
        self.files, self.programs = files, programs

    def of(self, texts):
        """@texts by file, with this mutant in one of them."""
        found = [file for file in self.files
                 for _ in range(texts[file].count(self.old))]
        if len(found) != 1:
            sys.exit(f"mutants: '{self.name}' applies {len(found)} times")
        file = found[0]
        return {**texts, file: texts[file].replace(self.old, self.new)}


class Bench:
    """Tries mutants; there is one for each CPU, with a folder of its own."""

    def __init__(self, out, texts, some, full):
        self.out, self.texts = out, texts
        self.some, self.full = some, full

    def build(self, mutant):
        for file, text in mutant.of(self.texts).items():
            folder = "include/drm/ttm" if file == HEADER else ""
            write(self.out / folder / file, text)
        # Ahead of the tree's, which others of TTM's headers include.
        extra = f"-I{self.out}/include -include {self.out / INTERNAL}"
        build(self.out, mutant.programs, EXTRA=extra,
              **{name: self.out / file for file, name in FILES.items() if name})

    def noticed_by(self, mutant):
        self.build(mutant)
        noticed = []
        for layer, (command, seconds, env) in layers(self.out,
                                                     mutant.programs).items():
            once = layer == "outcome" or layer == "explore" and not self.full
            if noticed and (self.some or once):
                break
            if not run(command, seconds, **env)[0]:
                noticed.append(layer)
        return noticed


def verdict(name, noticed):
    """Is it as it should be, and what to say of it?"""
    if name in EQUIVALENT:
        return not noticed, " ".join(noticed) or "equivalent"
    return bool(noticed), " ".join(noticed) or "NOT NOTICED"


def chosen(args, texts):
    """The mutants to try. All must apply."""
    for mutants, files, programs, nth in LISTS:
        mutants = [Mutant(m, files, programs) for m in mutants]
        for mutant in mutants:
            mutant.of(texts)
        mutants = [m for m in mutants if m.name not in BOOTED]
        if args.some:
            mutants = [m for m in mutants if m.name not in EQUIVALENT][::nth]
        yield from (m for m in mutants if not args.names or
                    {m.name, files[0]} & set(args.names))


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--some", action="store_true")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("source", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()

    include = args.source.resolve().parents[4] / "include/drm/ttm"
    texts = {file: (include / file if file == HEADER else
                    args.source.with_name(file)).read_text() for file in FILES}
    mutants = list(chosen(args, texts))
    benches = queue.SimpleQueue()
    for cpu in range(os.cpu_count()):
        benches.put(Bench(args.out / str(cpu), texts, args.some, args.full))

    def try_one(mutant):
        bench = benches.get()
        try:
            return bench.noticed_by(mutant)
        finally:
            benches.put(bench)

    bad = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for mutant, noticed in zip(mutants, pool.map(try_one, mutants)):
            well, said = verdict(mutant.name, noticed)
            bad += not well
            print(f"{mutant.name:64} {said}", flush=True)

    print(f"{len(mutants)} mutants, {bad} not as they should be")
    return bad > 0


sys.exit(main())
