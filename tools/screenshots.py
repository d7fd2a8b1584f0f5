"""`python -m tools.screenshots`: the pictures of pages in docs/images, of the demonstration in Chromium."""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

IMAGES = Path(__file__).parent.parent / "docs" / "images"

FEATURE = "/models/arrival-delay/1/features/arr_delay"

DARK = "--blink-settings=preferredColorScheme=0"

PICTURES = (
    ("overview.png", "/", "1100,1180", ()),
    ("feature.png", FEATURE, "1100,1240", ()),
    ("feature-dark.png", FEATURE, "1100,1240", (DARK,)),
    ("phone.png", "/", "500,1400", ()),
)
"""File, address, size of the window, further options."""


def main() -> int:
    """Run the demonstration to its end and take every picture."""
    command = [sys.executable, "-u", "-m", "detector", "demo", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as demo:  # noqa: S603 - our own
        assert demo.stdout is not None
        for line in demo.stdout:
            found = re.search(r"still serving (http://[^;]+);", line)
            if found is not None:
                break
        else:
            return 1
        try:
            for name, path, size, options in PICTURES:
                _take(found[1] + path, IMAGES / name, size, options)
        finally:
            demo.terminate()
    return 0


def _take(url: str, to: Path, size: str, options: tuple[str, ...]) -> None:
    """Take one picture, with a profile of its own."""
    with tempfile.TemporaryDirectory() as profile:
        plain = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars")
        where = (f"--user-data-dir={profile}", f"--window-size={size}", f"--screenshot={to}")
        command = ["chromium", *plain, *where, *options, url]
        subprocess.run(command, check=True, capture_output=True, timeout=60)  # noqa: S603 - our own
    sys.stdout.write(f"{to.name}: {to.stat().st_size:,} bytes\n")


if __name__ == "__main__":
    sys.exit(main())
