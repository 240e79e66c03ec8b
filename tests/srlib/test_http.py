"""srlib.http: whatever a server does, the file comes whole and as it is, or there is an error."""

import contextlib
import gzip
import itertools
import socketserver
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from socket import SO_LINGER, SOL_SOCKET, socket

import pytest

from srlib import http
from srlib.http import Downloader, DownloadError, InterruptedDownloadError

BODY = bytes(range(256)) * 100
OK = b"HTTP/1.1 200 OK\r\n"
WHOLE = OK + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
NO_LENGTH, CHUNKED = OK + b"\r\n", OK + b"Transfer-Encoding: chunked\r\n\r\n"


class Server(socketserver.ThreadingTCPServer):
    """Answers every request by its path, from a table of functions that write to the socket."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, answers: dict[str, Callable[[socket], None]]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers, self.requests = answers, list[bytes]()
        self.address = "http://127.0.0.1:{1}".format(*self.server_address)


class Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        assert isinstance(self.server, Server)
        request = b"".join(iter(self.rfile.readline, b"\r\n"))
        self.server.requests.append(request)
        with contextlib.suppress(OSError):  # the other side hangs up
            self.server.answers[request.split()[1].decode()](self.connection)


def once(data: bytes) -> Callable[[socket], None]:
    return lambda connection: connection.sendall(data)


def endless(head: bytes, piece: bytes, pause: float = 0.0) -> Callable[[socket], None]:
    """Sends ``piece`` again and again, until the other side hangs up."""

    def answer(connection: socket) -> None:
        connection.sendall(head)
        while True:
            connection.sendall(piece)
            time.sleep(pause)

    return answer


def reset(connection: socket) -> None:
    """Ends in the middle with a reset instead of an end."""
    connection.sendall(WHOLE[:1000])
    connection.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def redirect(target: str) -> Callable[[socket], None]:
    return once(
        b"HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % target.encode()
    )


MEBI = bytes(2**20)
PACKED = gzip.compress(MEBI)
ANSWERS: dict[str, Callable[[socket], None]] = {
    "/whole": once(WHOLE),
    "/chunked": once(CHUNKED + b"%x\r\n" % len(BODY) + BODY + b"\r\n0\r\n\r\n"),
    "/until-closed": once(NO_LENGTH + BODY),
    "/identity": once(WHOLE.replace(b"OK\r\n", b"OK\r\nContent-Encoding: Identity\r\n")),
    "/absurd-length": once(OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n" + BODY),
    "/moved": redirect("/moved-again"),
    "/moved-again": redirect("whole"),
    "/moved-with-a-body": endless(b"HTTP/1.1 302 Found\r\nLocation: /whole\r\n\r\n", MEBI),
    "/endless": endless(NO_LENGTH, MEBI),
    "/endless-chunked": endless(CHUNKED, b"100000\r\n" + MEBI + b"\r\n"),
    "/states-too-much": once(OK + b"Content-Length: 99999999999\r\n\r\n" + BODY),
    "/drip": endless(NO_LENGTH, b"x", 0.02),
    "/drip-of-stated-length": endless(OK + b"Content-Length: 9999\r\n\r\n", b"x", 0.02),
    "/drip-of-a-chunk-size": endless(CHUNKED, b"0", 0.02),
    "/drip-of-a-header": endless(OK + b"X: ", b"x", 0.02),
    "/endless-header": endless(OK, b"X: x\r\n", 0.001),
    "/endless-continue": endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.001),
    "/endless-trailer": endless(CHUNKED + b"0\r\n", b"X: x\r\n", 0.001),
    "/slow": endless(NO_LENGTH, bytes(2048), 0.05),
    "/silent": endless(b"", b"", 30),
    "/silent-after-the-header": endless(NO_LENGTH, b"", 30),
    "/gzip": once(OK + b"Content-Encoding: gzip\r\n\r\n" + PACKED),
    "/deflate-twice": once(OK + b"Content-Encoding: deflate, deflate\r\n\r\n" + PACKED),
    "/reset": reset,
    "/closed-at-once": lambda connection: None,
    "/truncated": once(WHOLE[:-1]),
    "/truncated-chunk": once(CHUNKED + b"%x\r\n" % len(BODY) + BODY[:-1]),
    "/truncated-between-chunks": once(CHUNKED + b"%x\r\n" % len(BODY) + BODY + b"\r\n"),
    "/no-http": once(b"220 ftp.example.org ready\r\n"),
    "/404": once(b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone"),
    "/204": once(b"HTTP/1.1 204 No Content\r\n\r\n"),
    "/206": once(b"HTTP/1.1 206 Partial Content\r\nContent-Length: 1\r\n\r\nx"),
    "/503": once(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"),
    "/to-file": redirect("file:///etc/hostname"),
    "/to-ftp": redirect("ftp://127.0.0.1/file"),
    "/to-nonsense": redirect("http://[nonsense"),
    "/circle": redirect("/circle"),
}
NETWORK = "; check the network$"
REFUSED: dict[str, tuple[type[DownloadError], str]] = {
    "/endless": (DownloadError, "more than the 100000 bytes that the file may have"),
    "/endless-chunked": (DownloadError, "more than the 100000 bytes"),
    "/states-too-much": (DownloadError, "more than the 100000 bytes"),
    "/drip": (InterruptedDownloadError, r"^only \d+ bytes in 0.5 s; try again later$"),
    "/drip-of-stated-length": (InterruptedDownloadError, r"^only \d+ bytes in 0.5 s"),
    "/drip-of-a-chunk-size": (InterruptedDownloadError, r"^only 0 bytes in 0.5 s"),
    "/drip-of-a-header": (InterruptedDownloadError, "^no answer in 0.5 s; try again later$"),
    "/endless-header": (InterruptedDownloadError, "100 headers"),
    "/endless-continue": (InterruptedDownloadError, "^no answer in 0.5 s"),
    "/endless-trailer": (InterruptedDownloadError, "^only 0 bytes in 0.5 s"),
    "/slow": (InterruptedDownloadError, "^not complete after 0.7 s; try again later$"),
    "/silent": (InterruptedDownloadError, "^no answer in 0.5 s"),
    "/silent-after-the-header": (InterruptedDownloadError, "^only 0 bytes in 0.5 s"),
    "/gzip": (DownloadError, "content encoding 'gzip', though asked for none"),
    "/deflate-twice": (DownloadError, "content encoding 'deflate, deflate'"),
    "/reset": (InterruptedDownloadError, "Connection reset by peer" + NETWORK),
    "/closed-at-once": (InterruptedDownloadError, "without response" + NETWORK),
    "/truncated": (InterruptedDownloadError, "IncompleteRead.*1 more expected.*" + NETWORK),
    "/truncated-chunk": (InterruptedDownloadError, "IncompleteRead.*" + NETWORK),
    "/truncated-between-chunks": (InterruptedDownloadError, NETWORK),
    "/no-http": (InterruptedDownloadError, NETWORK),
    "/404": (DownloadError, "^the server answers 404 Not Found; correct the address$"),
    "/204": (DownloadError, "answers 204 No Content"),
    "/206": (DownloadError, "answers 206 Partial Content"),
    "/503": (InterruptedDownloadError, "^the server answers 503 Service Unavailable; try again"),
    "/to-file": (DownloadError, "redirects to 'file:///etc/hostname'"),
    "/to-ftp": (DownloadError, "redirects to 'ftp://"),
    "/to-nonsense": (DownloadError, "redirects to 'http://.nonsense'"),
    "/circle": (DownloadError, "more than 10 redirects"),
}


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(ANSWERS) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.faults("servers")
@pytest.mark.parametrize(
    "path",
    [
        "/whole",
        "/chunked",
        "/until-closed",
        "/absurd-length",
        "/identity",
        "/moved",
        "/moved-with-a-body",
    ],
)
def test_the_file_comes_as_it_is(server: Server, tmp_path: Path, path: str) -> None:
    Downloader(len(BODY))(server.address + path, str(tmp_path / "file"))
    assert (tmp_path / "file").read_bytes() == BODY
    assert all(b"\r\nAccept-Encoding: identity\r\n" in request for request in server.requests)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "STALL_SECONDS", 0.5)


@pytest.fixture
def short_of_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "TOTAL_SECONDS", 0.7)


@pytest.mark.faults("servers")
@pytest.mark.parametrize("path", REFUSED)
def test_a_bad_answer_is_refused_in_time(
    server: Server, tmp_path: Path, path: str, request: pytest.FixtureRequest
) -> None:
    kind, message = REFUSED[path]
    # Only where that is what is tested: on a busy machine a good answer takes its time.
    if "in 0.5 s" in message:
        request.getfixturevalue("impatient")
    if "after 0.7 s" in message:
        request.getfixturevalue("short_of_time")
    started = time.monotonic()
    with pytest.raises(DownloadError, match=message) as caught:
        Downloader(100_000)(server.address + path, str(tmp_path / "file"))
    assert type(caught.value) is kind and "\n" not in str(caught.value)
    assert time.monotonic() - started < 5
    written = (tmp_path / "file").stat().st_size if (tmp_path / "file").exists() else 0
    assert written <= 100_000


@pytest.mark.usefixtures("short_of_time")
def test_the_time_is_that_of_all_tries(server: Server, tmp_path: Path) -> None:
    download = Downloader(10**9)
    with pytest.raises(InterruptedDownloadError, match="not complete after"):
        download(server.address + "/slow", str(tmp_path / "file"))
    with pytest.raises(InterruptedDownloadError, match="not complete after"):
        download(server.address + "/whole", str(tmp_path / "file"))


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://127.0.0.1/a", "no address", ""])
def test_what_is_no_http_is_not_read(tmp_path: Path, url: str) -> None:
    with pytest.raises(DownloadError, match="correct the address"):
        Downloader()(url, str(tmp_path / "file"))


def test_a_machine_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InterruptedDownloadError, match="refused; check the network$"):
        Downloader()("http://127.0.0.1:9/file", str(tmp_path / "file"))


def test_a_file_that_cannot_be_written_is_no_matter_of_the_network(
    server: Server, tmp_path: Path
) -> None:
    with pytest.raises(FileNotFoundError):
        Downloader()(server.address + "/whole", str(tmp_path / "none" / "file"))


@pytest.mark.usefixtures("impatient")
def test_no_thread_goes_on_reading(server: Server, tmp_path: Path) -> None:
    before = threading.active_count()
    for path in ("/endless", "/drip-of-a-chunk-size", "/endless-trailer", "/gzip"):
        with pytest.raises(DownloadError):
            Downloader(100_000)(server.address + path, str(tmp_path / "file"))
    for _ in itertools.takewhile(lambda _: threading.active_count() > before, range(100)):
        time.sleep(0.05)
    assert threading.active_count() <= before
