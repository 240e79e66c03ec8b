"""Download a file by HTTP within limits of size and time, uncompressed."""

import queue
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import requests
from tqdm.auto import tqdm

LARGEST = 2**30  # bytes of a file whose size nobody states
TOTAL_SECONDS = 3600.0  # for one file, with all tries and redirects
# No progress: fewer than so many bytes within so many seconds. A server that sends a byte now and
# then makes none.
STALL_SECONDS, STALL_BYTES = 30.0, 16 * 1024
REDIRECTS = 10
_CHUNK = 64 * 1024


class DownloadError(OSError):
    """The file was not downloaded; the message says why and what to do."""


class InterruptedDownloadError(DownloadError, requests.RequestException):
    """The same, where another try may go well; pooch makes it."""


def _deadline() -> float:
    return time.monotonic() + TOTAL_SECONDS


@dataclass
class Downloader:
    """Downloads for pooch, which renames the file when it is complete and its hash is right.

    Args:
        largest: bytes that the file may have.
        bar: show progress.
        deadline: reading of ``time.monotonic`` at which it gives up.

    Raises, when called:
        DownloadError: the server refuses, sends more than ``largest`` bytes, compresses them, or
            redirects to a scheme other than HTTPS and its own.
        InterruptedDownloadError: no connection, a broken one, no progress, or out of time.
        OSError: the file cannot be written.
    """

    largest: int = LARGEST
    bar: bool = False
    deadline: float = field(default_factory=_deadline)

    def __call__(self, url: str, output_file: str, pooch: object = None) -> None:
        for _ in range(REDIRECTS + 1):
            with closing(_Transfer(url, self.deadline)) as transfer:
                answer = transfer.answer()
                target = _redirected(url, answer)
                if target is None:
                    _check(answer)
                    self._receive(transfer, Path(output_file))
                    return
            url = target
        raise DownloadError(f"more than {REDIRECTS} redirects; do not use this address")

    def _receive(self, transfer: "_Transfer", path: Path) -> None:
        size = transfer.answer().raw.length_remaining or 0  # as the header states it, if it does
        self._check_size(size)
        received = 0
        with (
            path.open("wb") as file,
            tqdm(total=size or None, unit="B", unit_scale=True, disable=not self.bar) as bar,
        ):
            for chunk in transfer.body():
                received += len(chunk)
                self._check_size(received)
                file.write(chunk)
                bar.update(len(chunk))

    def _check_size(self, size: int) -> None:
        if size > self.largest:
            raise DownloadError(
                f"the server sends more than the {self.largest} bytes that the file may have; do "
                "not use this address"
            )


def _redirected(url: str, answer: requests.Response) -> str | None:
    """The address that an answer from ``url`` redirects to, if it does."""
    if not answer.is_redirect:
        return None
    location = answer.headers["Location"]
    try:
        target = urljoin(url, location)
        allowed = urlsplit(target).scheme in ("https", urlsplit(url).scheme)
    except ValueError:
        allowed = False
    if not allowed:
        raise DownloadError(f"the server redirects to {location!r}; do not use this address")
    return target


def _check(answer: requests.Response) -> None:
    """Refuse an answer that is not the file as it is."""
    status = f"the server answers {answer.status_code} {answer.reason or ''}".strip()
    if answer.status_code == 429 or answer.status_code >= 500:
        raise InterruptedDownloadError(f"{status}; try again later")
    if answer.status_code != 200:
        raise DownloadError(f"{status}; correct the address")
    encoding = answer.headers.get("Content-Encoding", "identity")
    if encoding.lower() != "identity":
        raise DownloadError(
            f"the server sends content encoding {encoding!r}, though asked for none; do not use "
            "this address"
        )


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """None, or requests would read the whole body of a redirect, however long."""


class _Transfer:
    """A request that runs in a thread of its own, so that nothing a server does can hold us up.

    requests' timeout does not do: it starts anew with every byte of a header or of a chunk's size.
    """

    def __init__(self, url: str, deadline: float) -> None:
        self._deadline = deadline
        self._items: queue.Queue[requests.Response | bytes | Exception] = queue.Queue(maxsize=8)
        self._stopped = threading.Event()
        self._answer: requests.Response | None = None
        threading.Thread(target=self._run, args=(url,), daemon=True).start()

    def answer(self) -> requests.Response:
        """Status and header; of the body, nothing is read into it."""
        if self._answer is None:
            item = self._next(time.monotonic() + STALL_SECONDS, f"no answer in {STALL_SECONDS:g} s")
            assert isinstance(item, requests.Response)
            self._answer = item
        return self._answer

    def body(self) -> Iterator[bytes]:
        """The body as it comes, without its transfer encoding."""
        since, new = time.monotonic(), 0
        while True:
            chunk = self._next(since + STALL_SECONDS, f"only {new} bytes in {STALL_SECONDS:g} s")
            assert isinstance(chunk, bytes)
            if not chunk:
                return
            new += len(chunk)
            if new >= STALL_BYTES:
                since, new = time.monotonic(), 0
            yield chunk

    def close(self) -> None:
        """Close the connection, whatever the thread is waiting for."""
        self._stopped.set()
        while not self._items.empty():
            self._items.get_nowait()  # makes room for a thread that waits to put
        if self._answer is not None:
            with suppress(OSError, ValueError, RuntimeError):  # the connection is closed already
                self._answer.raw.shutdown()

    def _next(self, stalled: float, had: str) -> requests.Response | bytes:
        now = time.monotonic()
        try:
            if now >= self._deadline:
                raise queue.Empty
            item = self._items.get(timeout=max(min(stalled, self._deadline) - now, 0))
        except queue.Empty:
            late = time.monotonic() >= self._deadline
            what = f"not complete after {TOTAL_SECONDS:g} s" if late else had
            raise InterruptedDownloadError(f"{what}; try again later") from None
        if isinstance(item, Exception):
            raise _plain(item) from item
        return item

    def _run(self, url: str) -> None:
        try:
            with (
                _Session() as session,
                session.get(
                    url,
                    headers={"Accept-Encoding": "identity"},
                    timeout=2
                    * STALL_SECONDS,  # for the thread to end; whoever waits gives up earlier
                    stream=True,
                    allow_redirects=False,
                ) as answer,
            ):
                self._items.put(answer)
                while not self._stopped.is_set():
                    chunk = answer.raw.read1(_CHUNK, decode_content=False)
                    self._items.put(chunk)
                    if not chunk:
                        return
        except Exception as error:
            if not self._stopped.is_set():
                self._items.put(error)


def _plain(error: Exception) -> DownloadError:
    """What went wrong, in words for a line; the innermost cause says it shortest."""
    if isinstance(error, ValueError) and isinstance(error, requests.RequestException):
        return DownloadError(
            f"{error}; correct the address"
        )  # it is no address, or not one of HTTP
    cause: BaseException = error
    while inner := cause.__cause__ or cause.__context__:
        cause = inner
    reason = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
    return InterruptedDownloadError(f"{' '.join(reason.split())[:200]}; check the network")
