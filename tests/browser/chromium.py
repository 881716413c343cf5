"""How the tests start Chromium: with a microphone that needs no machine, and without what no page notices."""

from __future__ import annotations

import os
from pathlib import Path

from playwright.sync_api import Browser, Playwright

from tests.services.processes import HANGS_AFTER_S
from tools.browsers import find_chromium

UNUSED_FEATURES = (
    # Chromium takes the last list of features it is given, so what Playwright turns off stands here too: what asks
    # servers of Google's, insists on https, or shows a page later than it is there.
    *("AimEnabled", "HttpsFirstBalancedModeAutoEnable", "HttpsUpgrades", "LensOverlay", "MediaRouter"),
    *("NetworkTimeServiceQuerying", "OptimizationHints", "PaintHolding", "PreconnectToSearch"),
    *("AvoidCorsURLLoaderRestartOnRedirect", "AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose"),
    "ThirdPartyStoragePartitioning",
    # The list under the address bar is a page of its own, which every context would load, and nobody sees.
    *("WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "WebUIOmniboxFullPopup"),
)
"""Parts of Chromium that no page notices and that take time."""


def launch(playwright: Playwright, wav: Path | None = None) -> Browser:
    """A Chromium whose microphone hears this WAV file once and then silence; without a file, a steady beep."""
    options = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", "--process-per-site"]
    options.append(f"--disable-features={','.join(UNUSED_FEATURES)}")
    if wav is not None:
        options.append(f"--use-file-for-fake-audio-capture={wav.absolute()}%noloop")
    if os.geteuid() == 0:
        options.append("--no-sandbox")
    return playwright.chromium.launch(executable_path=find_chromium(), args=options, timeout=HANGS_AFTER_S * 1000)
