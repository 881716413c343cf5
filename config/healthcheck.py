"""`python -m config.healthcheck [PORT [SECONDS]]`: whether the web process on a port of this machine is alive.

Ends with 0 as soon as `/healthz` answers, and with 1 and a sentence when it has not within so many seconds; without a
number it is asked once. For containers and units, which have no curl: the standard library alone, so that asking costs
little. It asks for one of the hosts that are allowed, for Django answers no others.
"""

import http.client
import os
import sys
import time

PORT = 8000
ANSWER_LIMIT_S = 3
PAUSE_S = 0.2


def allowed_host(hosts: str) -> str:
    """A name that the server answers to, of the list that ALLOWED_HOSTS is."""
    return hosts.partition(",")[0].strip().removeprefix(".") or "localhost"


def failure(port: int, host: str) -> str:
    """What is wrong, in a few words; empty when the process is alive."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_LIMIT_S)
    try:
        connection.request("GET", "/healthz", headers={"Host": host})
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return str(error) or type(error).__name__
    finally:
        connection.close()
    return "" if status == http.HTTPStatus.OK else f"it answers {status}"


def main(words: list[str]) -> int:
    port, seconds = [int(word) for word in words] + [PORT, 0][len(words) :]
    host = allowed_host(os.environ.get("ALLOWED_HOSTS", ""))
    until = time.monotonic() + seconds
    while wrong := failure(port, host):
        if time.monotonic() >= until:
            print(f"The web process on port {port} is not well: {wrong}.", file=sys.stderr)
            return 1
        time.sleep(PAUSE_S)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
