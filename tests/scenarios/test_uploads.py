"""A recording comes to a real server over a line that is torn twice, and the server stays as small as it is."""

from __future__ import annotations

from pathlib import Path

from tests.bench.measuring import memory_kb
from tests.bench.uploads import Sender, Watched, upload, write_wav
from tests.services.web import WebServer

MOST_GROWN_KB = 20_000


def test_25_mb_over_a_torn_line_come_whole_and_cost_no_memory(web: WebServer, tmp_path: Path) -> None:
    small, large = tmp_path / "small.wav", tmp_path / "large.wav"
    hashes = write_wav(small, 1), write_wav(large, 25)
    sender = Sender(web.host, web.log_in("alice"))
    upload(sender, small, hashes[0], is_torn=False)
    before_kb = memory_kb(web.pid)
    watched = Watched(web.pid)
    try:
        _, _, in_vain = upload(sender, large, hashes[1], is_torn=True)
    finally:
        largest_kb = watched.end()
    assert largest_kb - before_kb < MOST_GROWN_KB
    assert 0 < in_vain < 10_000_000
