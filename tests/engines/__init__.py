"""Holdline in the browser engines that the gate does not start: `./run engines`."""
