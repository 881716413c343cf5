"""Talk with Gemini by typing, with tokens of a Holdline server: one conversation over as many connections as it takes.

    pip install google-genai
    HOLDLINE_URL=https://talk.example.org HOLDLINE_ACCESS_KEY=hl_... python own_client.py

Type a line, read what is spoken; end with Ctrl-D. docs/own-client.md says what the server answers, and what is missing.
"""

import asyncio
import json
import os
import sys
import threading
import urllib.error
import urllib.request
from typing import Any

from google import genai
from google.genai import errors, live
from websockets.exceptions import WebSocketException

FAILURES_IN_A_ROW = 5


def ask_for_token() -> dict[str, Any]:
    """For each connection one of its own: nothing has to be kept, and nothing expires meanwhile."""
    headers = {"Authorization": f"Bearer {os.environ['HOLDLINE_ACCESS_KEY']}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{os.environ['HOLDLINE_URL']}/api/tokens/", b'{"uses": 1}', headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        if error.code >= 500:
            raise  # it may be over in a moment
        raise SystemExit(f"Holdline gives no token: {json.load(error)['error']['text']}") from None


class Conversation:
    def __init__(self, lines: asyncio.Queue[str]) -> None:
        self.lines = lines
        self.said = ""  # and not answered yet: said again if the connection goes first
        self.answered = asyncio.Event()
        self.handle: str | None = None  # resumes the session as it was when this came,
        self.is_covered = False  # and whether that was after the last answer
        self.failures = 0

    async def run(self) -> None:
        while True:
            config: Any = {"response_modalities": ["AUDIO"], "output_audio_transcription": {}}
            config |= {"session_resumption": {"handle": self.handle}}
            is_open = False
            try:
                token = await asyncio.to_thread(ask_for_token)
                client = genai.Client(api_key=token["token"], http_options={"api_version": token["api_version"]})
                async with client.aio.live.connect(model=token["model"], config=config) as session:
                    is_open = True
                    if await self.talk(session):
                        return
                self.failures = 0
            except (errors.APIError, WebSocketException, OSError) as error:
                self.failures += 1
                if self.failures == FAILURES_IN_A_ROW:
                    raise SystemExit(f"There is no connection: {error}") from None
                if isinstance(error, errors.APIError) and not is_open:
                    self.handle = None  # it is refused, and a session without it is a new one
                print(f"({error} Connecting again.)", file=sys.stderr)
                await asyncio.sleep(self.failures)

    async def talk(self, session: live.AsyncSession) -> bool:
        """Until it is time for another connection or, which is true, until nobody types any more."""
        reading, writing = asyncio.create_task(self.read(session)), asyncio.create_task(self.write(session))
        done, pending = await asyncio.wait({reading, writing}, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        for task in done:
            task.result()
        return writing in done

    async def read(self, session: live.AsyncSession) -> None:
        """Until Gemini wants to close, all is answered, and there is a handle that knows the last answer."""
        must_leave = False
        while True:  # for `receive` ends with each answer
            async for message in session.receive():
                update, content = message.session_resumption_update, message.server_content
                if update and update.resumable and update.new_handle:
                    self.handle, self.is_covered = update.new_handle, True
                if content and content.output_transcription:
                    print(content.output_transcription.text or "", end="", flush=True)
                if content and content.turn_complete:
                    print(flush=True)
                    self.said, self.is_covered, self.failures = "", False, 0
                    self.answered.set()
                if message.go_away:
                    print(f"(Gemini closes in {message.go_away.time_left}.)", file=sys.stderr)
                    must_leave = True
                if must_leave and self.is_covered and not self.said:
                    return

    async def write(self, session: live.AsyncSession) -> None:
        while self.said or (line := await self.lines.get()):
            self.said, self.is_covered = self.said or line, False
            self.answered.clear()
            await session.send_realtime_input(text=self.said)
            await self.answered.wait()


async def main() -> None:
    loop, lines = asyncio.get_running_loop(), asyncio.Queue[str]()

    def listen_to_the_keyboard() -> None:
        for line in filter(str.strip, sys.stdin):
            loop.call_soon_threadsafe(lines.put_nowait, line.strip())
        loop.call_soon_threadsafe(lines.put_nowait, "")

    threading.Thread(target=listen_to_the_keyboard, daemon=True).start()
    await Conversation(lines).run()


asyncio.run(main())
