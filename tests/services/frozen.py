"""Loaded last by the process that programs of tests are forks of: what is there by then stays, and is no garbage."""

import gc

gc.collect()
gc.freeze()
