"""Certificates made on the spot: an authority, and who it vouches for."""

import subprocess
from pathlib import Path


def authority(directory: Path, name: str = "ca") -> Path:
    """Make an authority and return its certificate; its key lies beside it."""
    key, certificate = directory / f"{name}.key", directory / f"{name}.crt"
    _openssl(
        "req",
        "-x509",
        *_NEW_KEY,
        "-nodes",
        "-days",
        "2",
        "-subj",
        f"/CN={name}",
        "-keyout",
        key,
        "-out",
        certificate,
    )
    return certificate


def signed(directory: Path, name: str, by: Path) -> tuple[Path, Path]:
    """Make a certificate for `localhost` and 127.0.0.1 that an authority vouches for: it, and its key."""
    key, request, certificate = (directory / f"{name}.{end}" for end in ("key", "csr", "crt"))
    _openssl("req", *_NEW_KEY, "-nodes", "-subj", f"/CN={name}", "-keyout", key, "-out", request)
    names = directory / f"{name}.ext"
    names.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    _openssl(
        "x509", "-req", "-in", request, "-CA", by, "-CAkey", by.with_suffix(".key"), "-CAcreateserial",
        "-days", "2", "-extfile", names, "-out", certificate,
    )  # fmt: skip
    return certificate, key


_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=60)
