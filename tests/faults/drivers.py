"""Starts `sim` again and again in forked processes, which have nothing to import, and kills each at random.

`drivers.py KILLS SEED FOLDER WORD...`: FOLDER/parts is watched, so that each gets some way and none gets to the end.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from pathlib import Path

from sim.cli import main
from sim.experiments.sweep import runs
from sim.experiments.sweep.work import warm_up

kills, seed, folder, *words = sys.argv[1:]
parts, dice = Path(folder) / "parts", random.Random(int(seed))
runs._BATCH_SECONDS = runs._KEEP_SECONDS = 0.03  # many parts, so that kills fall into their being written
warm_up()
for _ in range(int(kills)):
    before = len(list(parts.glob("*.parquet")))
    child = os.fork()
    if not child:
        sys.argv = ["sim", *words]
        main()
    more, over = dice.randrange(3), False
    while not over and len(list(parts.glob("*.parquet"))) < before + more:
        over = os.waitpid(child, os.WNOHANG) != (0, 0)
        time.sleep(0.001)
    if not over:
        time.sleep(dice.uniform(0.0, 0.08))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    print(len(list(parts.glob("*.parquet"))), len(list(parts.glob(".*.tmp"))), flush=True)
