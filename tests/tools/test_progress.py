"""Long work shows that it goes on, on a terminal and in a log."""

import io

from tools.installers import Account
from tools.progress import CLEAR_LINE, Progress


class Clock:
    """Stands still until it is moved on."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_log_gets_the_first_news_at_once_and_then_a_line_every_three_seconds() -> None:
    log, clock = io.StringIO(), Clock()
    progress = Progress(log, clock)
    for number in range(10):
        progress.show(f"{number} of 10")
        clock.now += 1
    assert log.getvalue().splitlines() == ["0 of 10", "3 of 10", "6 of 10", "9 of 10"]


def test_a_log_is_told_now_and_then_that_nothing_has_changed() -> None:
    log, clock = io.StringIO(), Clock()
    progress = Progress(log, clock)
    for _ in range(32):
        progress.show("fetching numpy")
        clock.now += 1
    assert log.getvalue().splitlines() == ["fetching numpy", "fetching numpy (15 s)", "fetching numpy (30 s)"]


def test_a_terminal_has_one_line_that_is_rewritten_and_goes_in_the_end() -> None:
    terminal, clock = Terminal(), Clock()
    progress = Progress(terminal, clock)
    progress.show("1 of 2")
    clock.now += 2
    progress.show("2 of 2")
    progress.end()
    assert terminal.getvalue() == f"{CLEAR_LINE}1 of 2 (0 s){CLEAR_LINE}2 of 2 (2 s){CLEAR_LINE}"
    assert "\n" not in terminal.getvalue()


def read(*lines: str) -> Account:
    account = Account()
    for line in lines:
        account.read(line)
    return account


def test_what_pip_says_is_counted_and_named() -> None:
    account = read(
        "Collecting aiohttp==3.14.5 (from -r requirements.txt (line 1))",
        "  Downloading aiohttp-3.14.5-cp311-cp311-manylinux_2_28_x86_64.whl.metadata (8.1 kB)",
        "Using cached attrs-26.1.0-py3-none-any.whl (67 kB)",
        "Downloading typing_extensions-4.16.0-py3-none-any.whl (44 kB)",
    )
    assert (account.fetched, account.current, account.fetching) == (2, "typing-extensions 4.16.0 (44 kB)", True)
    account.read("Installing collected packages: attrs, aiohttp")
    assert not account.fetching


def test_what_uv_says_is_read_too() -> None:
    account = read("Resolved 87 packages in 5ms", "Downloading numpy (15.9MiB)")
    assert (account.current, account.fetching) == ("numpy (15.9MiB)", True)
    account.read("Prepared 87 packages in 2.10s")
    assert not account.fetching
