"""Speech, read by espeak-ng from this project's licence."""

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np

from bench.debian import CACHE, unpacked
from bench.engines.music.songs import Samples, excerpt

# Voice and words a minute.
VOICES = (("en+f2", 150), ("en-us+m3", 160), ("en-gb-x-rp+m1", 170), ("en+f4", 180), ("de+m2", 165), ("fr+f3", 175))

_TEXT = Path(__file__).parents[3] / "LICENSE"
_CHARACTERS = 1800  # about two minutes

# What espeak-ng needs besides what every Debian has, where it is not installed.
_PACKAGES = (
    "espeak-ng",
    "espeak-ng-data",
    "libespeak-ng1",
    "libpcaudio0",
    "libsonic0",
    "libasound2",
    "libpulse0",
    "libsndfile1",
    "libasyncns0",
    "libdbus-1-3",
    "libapparmor1",
    "libx11-6",
    "libxcb1",
    "libxau6",
    "libxdmcp6",
    "libbsd0",
    "libmd0",
    "libflac12",
    "libmpg123-0",
    "libmp3lame0",
    "libogg0",
    "libopus0",
    "libvorbis0a",
    "libvorbisenc2",
)


def speeches() -> list[Samples]:
    """A minute or two of each voice, without silence at the ends, mono, 44.1 kHz. Raises `SystemExit` without espeak-ng."""
    program, environment = _espeak()
    text = _TEXT.read_text(encoding="utf-8")
    folder = CACHE / "speech"
    folder.mkdir(parents=True, exist_ok=True)
    read = []
    for number, (voice, speed) in enumerate(VOICES):
        path = folder / f"{number}.wav"
        said = text[number * _CHARACTERS :][:_CHARACTERS]
        command = [program, "-v", voice, "-s", str(speed), "-w", str(path), said]
        subprocess.run(command, env=environment, check=True)  # noqa: S603 - fixed words
        samples = excerpt(path, 0, 600)
        loud = np.flatnonzero(np.abs(samples) > 0.01)
        read.append(samples[loud[0] : loud[-1]])
    return read


def _espeak() -> tuple[str, dict[str, str]]:
    """The program, and the environment to run it in: the installed one, or else the one out of Debian's packages."""
    if installed := shutil.which("espeak-ng"):
        return installed, dict(os.environ)
    folders = [unpacked(package) for package in _PACKAGES]
    libraries = [str(path.parent) for folder in folders for path in folder.rglob("lib*.so*")]
    (data,) = unpacked("espeak-ng-data").glob("usr/lib/*/espeak-ng-data")
    program = unpacked("espeak-ng") / "usr" / "bin" / "espeak-ng"
    environment = {"LD_LIBRARY_PATH": ":".join(sorted(set(libraries))), "ESPEAK_DATA_PATH": str(data.parent)}
    if subprocess.run([program, "--version"], env=environment, capture_output=True, check=False).returncode:  # noqa: S603 - one of ours
        msg = "music: espeak-ng is needed and cannot be run out of its package here: apt-get install espeak-ng"
        raise SystemExit(msg)
    return str(program), environment
