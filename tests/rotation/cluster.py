"""A PostgreSQL server of Debian's packages in a throw-away folder: a socket there, and a port of loopback.

PostgreSQL refuses to run as root, so root starts it as `nobody`. It speaks TLS, with a certificate for `localhost`. The
role `trusted` gets in with any password, and of the role `asked` the server wants it in clear.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import psycopg

ADMIN, ADMIN_PASSWORD = "chief", "a-word-of-the-chief"
_SETTINGS = (
    "fsync=off",
    "full_page_writes=off",
    "autovacuum=off",
    "shared_buffers=8MB",
    "log_statement=all",
    "ssl=on",
)
_HBA = """\
host all trusted 127.0.0.1/32 trust
host all asked 127.0.0.1/32 password
"""
_AS_NOBODY = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]


def programs() -> Path:
    """Return the folder of the newest server's programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    return found[-1]


def _run(*argv: str) -> None:
    before = _AS_NOBODY if os.geteuid() == 0 else []
    done = subprocess.run([*before, *argv], cwd="/", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@dataclass(frozen=True)
class Cluster:
    """A server: `folder` holds its data, its log and its socket; `port` is that of both ways to it."""

    folder: Path
    port: int

    def start(self) -> None:
        """Start it and wait until it lets people in."""
        options = [f"-c {setting}" for setting in _SETTINGS]
        options += [
            f"-k {self.folder}",
            f"-p {self.port}",
            "-c listen_addresses=127.0.0.1",
            "-c log_statement=all",
            "-c ssl=on",
        ]
        data, log = str(self.folder / "data"), str(self.folder / "log")
        _run(str(programs() / "pg_ctl"), "-D", data, "-w", "-s", "-l", log, "-o", " ".join(options), "start")

    def stop(self) -> None:
        """Stop it at once; a second time does no harm."""
        if (self.folder / "data" / "postmaster.pid").exists():
            _run(str(programs() / "pg_ctl"), "-D", str(self.folder / "data"), "-w", "-s", "-m", "immediate", "stop")

    @property
    def authority(self) -> Path:
        """The certificate that its own is made good by: that itself."""
        return self.folder / "data" / "server.crt"

    @property
    def log(self) -> str:
        """All that it wrote into its log; statements stand in it."""
        return (self.folder / "log").read_text()

    def sql(self, *statements: str) -> None:
        """Run statements as the administrator."""
        with self.connect(ADMIN, ADMIN_PASSWORD) as session:
            for statement in statements:
                session.execute(statement.encode())

    def connect(self, user: str, password: str) -> psycopg.Connection:
        """Log in over TCP. Raises psycopg.OperationalError where it is refused."""
        where = {"host": "127.0.0.1", "port": self.port, "dbname": "postgres"}
        return psycopg.connect(**where, user=user, password=password, autocommit=True)

    def lets_in(self, user: str, password: str) -> bool:
        """Tell whether somebody can log in."""
        try:
            self.connect(user, password).close()
        except psycopg.OperationalError:
            return False
        return True


def _certify(folder: Path) -> None:
    """Write a key, and a certificate for `localhost`."""
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-keyout", f"{folder}/server.key"]
    _run("openssl", "req", "-x509", "-days", "2", "-out", f"{folder}/server.crt", *key, *subject)


def make() -> Cluster:
    """Make a server and start it."""
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = folder / "words"
    words.write_text(ADMIN_PASSWORD + "\n")
    if os.geteuid() == 0:
        shutil.chown(folder, "nobody", "nogroup")
        shutil.chown(words, "nobody", "nogroup")
    login = ["-A", "scram-sha-256", "-U", ADMIN, f"--pwfile={words}"]
    _run(str(programs() / "initdb"), "-D", str(folder / "data"), *login, "--no-sync", "--locale=C.UTF-8")
    hba = folder / "data" / "pg_hba.conf"
    hba.write_text(_HBA + hba.read_text())
    _certify(folder / "data")
    cluster = Cluster(folder, port)
    cluster.start()
    return cluster


def remove(cluster: Cluster) -> None:
    """Stop a server and remove its folder."""
    cluster.stop()
    shutil.rmtree(cluster.folder, ignore_errors=True)
