"""Redis and PostgreSQL on loopback, in temporary folders, for tests of stores."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, NoReturn

import pytest

from corscore_store import StoreError, open_store

if TYPE_CHECKING:
    from collections.abc import Callable

_SECONDS = 30.0
# The lowest common start of net.ipv4.ip_local_port_range, which Debian has.
_CLIENTS_FROM = 32_768
_BIN = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)


def wait_for(condition: Callable[[], bool], seconds: float = _SECONDS) -> float:
    """Wait until a condition holds, and return the seconds."""
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < seconds, "the condition did not hold in time"
        time.sleep(0.005)
    return time.monotonic() - start


def free_port() -> int:
    """Return a free port of loopback, outside of the range of clients.

    A server that is killed needs its port again, and clients that look for it meanwhile would get
    it as their own, and connect to themselves.
    """
    while True:
        port = 10_000 + secrets.randbelow(_CLIENTS_FROM - 10_000)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


class StoreServer:
    """A server of a store, which can be killed and started again with the data it has."""

    url: str
    process: subprocess.Popen[bytes] | None = None

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()

    def command(self) -> list[str]:
        raise NotImplementedError

    def start(self) -> None:
        self._launch()
        wait_for(self._answers)

    def _launch(self) -> None:
        self.process = subprocess.Popen(
            self.command(),
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            user=_unprivileged(),
        )

    def _answers(self) -> bool:
        if self.process is None or self.process.poll() is not None:
            # PostgreSQL refuses to start until the last process of a killed server has ended.
            self._launch()
        with suppress(StoreError):
            store = open_store(self.url)
            store.state()
            store.disconnect()
            return True
        return False

    def kill(self) -> None:
        """Kill the server and its processes, as ``kill -9`` does."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None


class RedisServer(StoreServer):
    """Redis with an append-only file, each write of which is on the disk before its answer."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.program = _program("redis-server")
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def command(self) -> list[str]:
        return [
            self.program,
            *("--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self.folder)),
            *("--appendonly", "yes", "--appendfsync", "always", "--save", ""),
        ]


class PostgresServer(StoreServer):
    """PostgreSQL with a new cluster."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.program = _program("postgres", *_BIN)
        self.url = f"postgresql://corscore:secret@127.0.0.1:{self.port}/postgres"
        password = folder / "password"
        password.write_text("secret")
        subprocess.run(
            [
                _program("initdb", *_BIN),
                *("--pgdata", str(folder / "data"), "--username", "corscore", "--no-sync"),
                *("--auth", "scram-sha-256", "--pwfile", str(password), "--no-instructions"),
            ],
            check=True,
            cwd="/",
            stdout=subprocess.DEVNULL,
            user=_unprivileged(),
        )

    def command(self) -> list[str]:
        return [
            self.program,
            *("-D", str(self.folder / "data"), "-p", str(self.port), "-h", "127.0.0.1"),
            *("-k", str(self.folder), "-c", "shared_buffers=16MB", "-c", "max_connections=60"),
        ]

    def kill(self) -> None:
        super().kill()
        (self.folder / "data" / "postmaster.pid").unlink(missing_ok=True)


class PgBouncer(StoreServer):
    """A pooler in transaction mode, in front of a PostgreSQL."""

    def __init__(self, folder: Path, server: StoreServer) -> None:
        super().__init__(folder)
        self.program = shutil.which("pgbouncer", path=os.environ["PATH"] + ":/usr/sbin")
        if self.program is None:
            pytest.skip("pgbouncer is missing: apt-get install pgbouncer")
        self.url = f"postgresql://corscore@127.0.0.1:{self.port}/postgres"
        self._settings = folder / "pgbouncer.ini"
        self._settings.write_text(
            "[databases]\n"
            f"postgres = host=127.0.0.1 port={server.port} user=corscore password=secret\n"
            "[pgbouncer]\n"
            f"listen_addr = 127.0.0.1\nlisten_port = {self.port}\nunix_socket_dir =\n"
            "auth_type = any\npool_mode = transaction\n"
        )

    def command(self) -> list[str]:
        return [str(self.program), str(self._settings)]


class TlsRedis(RedisServer):
    """Redis with TLS, a password and a self-signed certificate."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.certificate = certificate(folder)
        self.url = f"rediss://:hunter2@127.0.0.1:{self.port}/0?ssl_ca_certs={self.certificate}"

    def command(self) -> list[str]:
        key = self.certificate.with_name("server.key")
        return [
            *(self.program, "--port", "0", "--tls-port", str(self.port), "--bind", "127.0.0.1"),
            *("--tls-cert-file", str(self.certificate), "--tls-key-file", str(key)),
            *("--tls-auth-clients", "no", "--requirepass", "hunter2", "--save", ""),
        ]


class TlsPostgres(PostgresServer):
    """PostgreSQL that takes TLS only."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.certificate = certificate(folder)
        access = folder / "data" / "pg_hba.conf"
        access.write_text("hostssl all all 127.0.0.1/32 scram-sha-256\n")
        self.url += f"?sslmode=verify-full&sslrootcert={self.certificate}"

    def command(self) -> list[str]:
        key = self.certificate.with_name("server.key")
        settings = {"ssl": "on", "ssl_cert_file": self.certificate, "ssl_key_file": key}
        given = (f"{name}={value}" for name, value in settings.items())
        return [*super().command(), *(part for one in given for part in ("-c", one))]


def certificate(folder: Path) -> Path:
    """Write a certificate of 127.0.0.1, beside its key."""
    key, found = folder / "server.key", folder / "server.crt"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(key), "-out", str(found)),
        ],
        check=True,
        capture_output=True,
        user=_unprivileged(),
    )
    return found


SERVERS: dict[str, type[StoreServer]] = {"redis": RedisServer, "postgres": PostgresServer}


class StoreServers:
    """The servers that tests have needed so far."""

    def __init__(self) -> None:
        # The unprivileged user cannot open pytest's folders.
        self._base = Path(mkdtemp(prefix="corscore-stores-"))
        self._base.chmod(0o711)
        self._started: dict[str, StoreServer] = {}

    def url(self, engine: str, folder: Path) -> str:
        """Return the URL of a store, in a folder for an engine without a server."""
        return self[engine].url if engine in SERVERS else f"{engine}:{folder}/store"

    def __getitem__(self, engine: str) -> StoreServer:
        if engine not in self._started:
            self.start(engine, SERVERS[engine])
        return self._started[engine]

    def start(self, name: str, kind: Callable[[Path], StoreServer]) -> StoreServer:
        """Start a server; skip the test where it is missing."""
        folder = self._base / name
        folder.mkdir(mode=0o700)
        user = _unprivileged()
        if user is not None:
            os.chown(folder, user, -1)
        server = kind(folder)
        server.start()
        self._started[name] = server
        return server

    def kill(self) -> None:
        for server in self._started.values():
            server.kill()
        shutil.rmtree(self._base, ignore_errors=True)


def _unprivileged() -> int | None:
    """Return the user for the servers where root runs the tests, since PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return None
    # Imported late: only POSIX has it, and every run of the tests imports this module.
    import pwd

    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name).pw_uid
    return _missing("there is no unprivileged user")


def _program(name: str, *folders: Path) -> str:
    found = shutil.which(name, path=os.pathsep.join([*map(str, folders), os.environ["PATH"]]))
    return found or _missing(f"{name} is missing: apt-get install redis-server postgresql")


def _missing(reason: str) -> NoReturn:
    if os.environ.get("CORSCORE_REQUIRE_STORES"):
        pytest.fail(f"{reason} (CORSCORE_REQUIRE_STORES is set)", pytrace=False)
    pytest.skip(reason)
