"""A token endpoint for tests (RFC 6749): gives numbered tokens, keeps what it was asked, and answers as a script says.

    with TokenEndpoint(answers=[(503, {})]) as endpoint:
        ...
        assert endpoint.asked[0]["grant_type"] == "client_credentials"

The first questions get the answers of the script, later ones a new token. A token is good until it is withdrawn.
"""

import json
import threading
from collections.abc import Iterable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import parse_qs

Answer = tuple[int, Mapping[str, object]]


class TokenEndpoint:
    """Listens on a free port of 127.0.0.1 while the context is open."""

    def __init__(self, answers: Iterable[Answer] = (), *, expires_in: int = 3600, rotates: bool = False) -> None:
        self.asked: list[dict[str, str]] = []
        """Each form as it came."""
        self.good: set[str] = set()
        """The tokens that a mail server takes."""
        self.expires_in = expires_in
        self.answers = list(answers)
        self._rotates = rotates
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/token"

    def withdraw(self) -> None:
        """No token given so far is good any more."""
        with self._lock:
            self.good.clear()

    def answer(self, form: dict[str, str]) -> Answer:
        with self._lock:
            self.asked.append(form)
            if self.answers:
                return self.answers.pop(0)
            number = len(self.asked)
            self.good.add(f"token-{number}")
            given = {"token_type": "Bearer", "access_token": f"token-{number}", "expires_in": self.expires_in}
            return 200, given | ({"refresh_token": f"refresh-{number}"} if self._rotates else {})


class _Server(ThreadingHTTPServer):
    def __init__(self, address: tuple[str, int], endpoint: TokenEndpoint) -> None:
        super().__init__(address, _Question)
        self.endpoint = endpoint


class _Question(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {name: values[0] for name, values in parse_qs(body, strict_parsing=True).items()}
        status, said = self.server.endpoint.answer(form)
        octets = json.dumps(said).encode()
        self.send_response(status)
        if location := said.get("location"):
            self.send_header("Location", location)
        self.send_header("Content-Length", str(len(octets)))
        self.end_headers()
        self.wfile.write(octets)

    def log_message(self, *_: object) -> None:
        """Say nothing on stderr."""
