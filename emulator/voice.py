"""The emulator's voice: eSpeak NG where its wheel is installed, tones otherwise; 24 kHz PCM16 either way."""

from __future__ import annotations

import asyncio
import ctypes
import logging
import math
import zlib
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

SAMPLE_RATE_HZ = 24_000
BYTES_PER_MS = SAMPLE_RATE_HZ * 2 // 1000

_CACHE_BYTES = 48 * 1024 * 1024
_TONE_WORD_S = 0.28
_TONE_PAUSE_S = 0.07

_logger = logging.getLogger("emulator")

#: The prebuilt voices of the API, spread over eSpeak NG's variants.
PREBUILT_VOICES = [
    "Achernar",
    "Achird",
    "Algenib",
    "Algieba",
    "Alnilam",
    "Aoede",
    "Autonoe",
    "Callirrhoe",
    "Charon",
    "Despina",
    "Enceladus",
    "Erinome",
    "Fenrir",
    "Gacrux",
    "Iapetus",
    "Kore",
    "Laomedeia",
    "Leda",
    "Orus",
    "Puck",
    "Pulcherrima",
    "Rasalgethi",
    "Sadachbia",
    "Sadaltager",
    "Schedar",
    "Sulafat",
    "Umbriel",
    "Vindemiatrix",
    "Zephyr",
    "Zubenelgenubi",
]
_VARIANTS = ("f2", "m3", "f3", "m1", "f4", "m7", "f5", "m2")

Synthesiser = Callable[[str, str, str], bytes]


def is_known_voice(name: str) -> bool:
    """True for a prebuilt voice name, in any case."""
    return name.lower() in {voice.lower() for voice in PREBUILT_VOICES}


def tones(text: str, voice: str = "", language: str = "") -> bytes:
    """One tone a word, its pitch made from the word's letters: a stand-in for speech without the eSpeak NG wheel."""
    pieces = [np.zeros(0)]
    time_s = np.arange(int(SAMPLE_RATE_HZ * _TONE_WORD_S)) / SAMPLE_RATE_HZ
    envelope = np.sin(np.pi * time_s / _TONE_WORD_S) ** 0.5
    pause = np.zeros(int(SAMPLE_RATE_HZ * _TONE_PAUSE_S))
    for word in text.split():
        frequency = 180 * 2 ** (zlib.crc32(word.lower().encode()) % 24 / 12)
        pieces += [0.3 * envelope * np.sin(2 * math.pi * frequency * time_s), pause]
    return _pcm16(np.concatenate(pieces) * 32767)


def resample(samples: np.ndarray, from_hz: int, to_hz: int) -> np.ndarray:
    """Resample by linear interpolation, which is plenty for speech."""
    if from_hz == to_hz or not len(samples):
        return samples
    count = int(len(samples) * to_hz / from_hz)
    positions = np.arange(count) * (from_hz / to_hz)
    return np.interp(positions, np.arange(len(samples)), samples)


def _pcm16(samples: np.ndarray) -> bytes:
    return np.clip(samples, -32768, 32767).astype("<i2").tobytes()


class EspeakSynthesiser:
    """eSpeak NG through ctypes; not thread-safe, one thread owns it.

    Raises `OSError` or `ImportError` where it is missing.
    """

    _SYNCHRONOUS, _NO_EXIT, _UTF8 = 2, 0x8000, 1

    def __init__(self) -> None:
        import espeakng_loader

        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        data = str(espeakng_loader.get_data_path()).encode()
        self._rate_hz = self._library.espeak_Initialize(self._SYNCHRONOUS, 0, data, self._NO_EXIT)
        if self._rate_hz <= 0:
            raise OSError("eSpeak NG could not be initialised")
        kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
        self._collected: list[bytes] = []
        self._callback = kind(self._collect)
        self._library.espeak_SetSynthCallback(self._callback)

    def __call__(self, text: str, voice: str, language: str) -> bytes:
        """Speak `text` with the variant that stands for the prebuilt `voice`, in `language` where eSpeak NG has it."""
        variant = _VARIANTS[zlib.crc32(voice.lower().encode()) % len(_VARIANTS)]
        for name in (
            f"{language.lower()}+{variant}",
            f"{language[:2].lower()}+{variant}",
            f"en-us+{variant}",
        ):
            if self._library.espeak_SetVoiceByName(name.encode()) == 0:
                break
        self._collected.clear()
        data = text.encode() + b"\0"
        self._library.espeak_Synth(data, ctypes.c_size_t(len(data)), 0, 1, 0, self._UTF8, None, None)
        samples = np.frombuffer(b"".join(self._collected), dtype="<i2").astype(np.float64)
        return _pcm16(resample(samples, self._rate_hz, SAMPLE_RATE_HZ))

    def _collect(self, samples: ctypes._Pointer[ctypes.c_short], count: int, _events: int) -> int:
        if samples and count:
            self._collected.append(ctypes.string_at(samples, count * 2))
        return 0


def _best_synthesiser() -> Synthesiser:
    try:
        return EspeakSynthesiser()
    except (ImportError, OSError) as error:
        _logger.warning("eSpeak NG is not available (%s): answers are tones", error)
        return tones


class Voice:
    """Speaks sentences in a thread of its own and keeps the last ones."""

    def __init__(self, *, enabled: bool = True) -> None:
        self._executor = ThreadPoolExecutor(1, "voice")
        self._synthesiser: Synthesiser | None = None if enabled else tones
        self._cache: OrderedDict[tuple[str, str, str], bytes] = OrderedDict()
        self._cached_bytes = 0

    async def speak(self, text: str, voice: str = "", language: str = "en-us") -> bytes:
        """Return `text` spoken, as 24 kHz mono PCM16."""
        key = (text, voice, language)
        if (known := self._cache.get(key)) is not None:
            self._cache.move_to_end(key)
            return known
        pcm = await asyncio.get_running_loop().run_in_executor(self._executor, self._synthesise, *key)
        self._keep(key, pcm)
        return pcm

    def close(self) -> None:
        """Stop the thread."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _synthesise(self, text: str, voice: str, language: str) -> bytes:
        if self._synthesiser is None:
            self._synthesiser = _best_synthesiser()
        return self._synthesiser(text, voice, language)

    def _keep(self, key: tuple[str, str, str], pcm: bytes) -> None:
        self._cached_bytes += len(pcm) - len(self._cache.get(key, b""))
        self._cache[key] = pcm
        while self._cached_bytes > _CACHE_BYTES:
            _, oldest = self._cache.popitem(last=False)
            self._cached_bytes -= len(oldest)
