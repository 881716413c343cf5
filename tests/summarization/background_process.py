"""`python -m tests.summarization.background_process`: what a web process does beside serving, without the serving."""

import signal

import django

if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})  # or a thread may get it, whom it kills
    django.setup()
    from summarization.queue import start_background_work

    start_background_work()
    signal.sigwait({signal.SIGTERM})
