"""A language model behind HTTP: a real server of the standard library on this machine answers."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from pmg_openai import language_model
from pmg_openai.language_model import OpenAILanguageModel
from pmg_sdk.errors import BackendError, ConfigError
from pmg_sdk.interfaces import Chat, SupportsChoice

ANSWER = {"choices": [{"message": {"role": "assistant", "content": " cat, dog\nand more"}}]}


class Server(ThreadingHTTPServer):
    """Answers with the queued statuses first, then with `answer`; keeps what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.queue: list[int] = []
        self.answer: bytes | None = None
        self.headers: dict[str, str] = {}
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append({"path": self.path, **body})
        self.server.keys.append(self.headers.get("Authorization"))
        status = self.server.queue.pop(0) if self.server.queue else 200
        last = body["messages"][-1]["content"]
        echo = {"choices": [{"message": {"content": f"about {last}"}}]} if last != "Which?" else ANSWER
        data = self.server.answer if self.server.answer is not None else json.dumps(echo).encode()
        self.send_response(status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Nothing: tests are quiet."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setattr(language_model.time, "sleep", lambda _: None)
    running = Server()
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield running
    running.shutdown()
    running.server_close()


def ask(text: str = "Which?") -> list[Chat]:
    return [[{"role": "system", "content": "Read."}, {"role": "user", "content": text}]]


def test_the_first_line_of_the_answer_comes_back(server: Server) -> None:
    llm = OpenAILanguageModel(model="tiny", base_url=server.url)
    assert llm.complete(ask(), max_tokens=7, seed=5) == ["cat, dog"]
    (asked,) = server.asked
    assert asked["path"] == "/v1/chat/completions"
    assert (asked["model"], asked["max_tokens"], asked["seed"], asked["temperature"]) == ("tiny", 7, 5, 0)
    assert asked["messages"] == ask()[0]


def test_a_text_with_lone_surrogates_is_sent_without_them(server: Server) -> None:
    llm = OpenAILanguageModel(model="tiny", base_url=server.url)
    assert llm.complete(ask("a \ud83d and \udc00")) == ["about a ? and ?"]
    assert llm.count_tokens("\ud83d") == 1


def test_many_prompts_come_back_in_order(server: Server) -> None:
    llm = OpenAILanguageModel(model="tiny", base_url=server.url, parallel=3)
    prompts = [ask(f"question {number}")[0] for number in range(12)]
    assert llm.complete(prompts) == [f"about question {number}" for number in range(12)]


def test_the_key_comes_from_the_environment(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    OpenAILanguageModel(model="tiny", base_url=server.url).complete(ask())
    monkeypatch.setenv("MY_KEY", "abc")
    OpenAILanguageModel(model="tiny", base_url=server.url, api_key_env="MY_KEY").complete(ask())
    assert server.keys == [None, "Bearer abc"]


def test_an_overloaded_server_is_asked_again(server: Server) -> None:
    server.queue = [503, 429]
    assert OpenAILanguageModel(model="tiny", base_url=server.url).complete(ask()) == ["cat, dog"]
    assert len(server.asked) == 3


def test_the_server_says_how_long_to_wait(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(language_model.time, "sleep", waits.append)
    server.queue, server.headers = [429, 503], {"Retry-After": "7"}
    OpenAILanguageModel(model="tiny", base_url=server.url).complete(ask())
    server.queue, server.headers = [429, 503], {}
    OpenAILanguageModel(model="tiny", base_url=server.url).complete(ask())
    assert waits == [7.0, 7.0, 0.5, 1.0]


def test_after_the_last_try_there_is_an_error(server: Server) -> None:
    server.queue = [500] * 9
    with pytest.raises(BackendError, match=r"after 3 tries \(HTTP 500\)"):
        OpenAILanguageModel(model="tiny", base_url=server.url, retries=2).complete(ask())


@pytest.mark.parametrize(
    ("status", "word"), [(401, "OPENAI_API_KEY"), (404, "model"), (400, "HTTP 400"), (302, "302")]
)
def test_what_asking_again_cannot_help_is_an_error_at_once(server: Server, status: int, word: str) -> None:
    server.queue = [status]
    with pytest.raises(BackendError, match=word):
        OpenAILanguageModel(model="tiny", base_url=server.url).complete(ask())
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "answer", [b"", b"<html>", b"[]", b'{"choices": []}', b'{"choices": [{"message": null}]}']
)
def test_another_answer_than_a_chat_completion_is_an_error(server: Server, answer: bytes) -> None:
    server.answer = answer
    with pytest.raises(BackendError, match="chat completion was expected"):
        OpenAILanguageModel(model="tiny", base_url=server.url).complete(ask())


def test_no_server_is_an_error_that_says_where_it_was_looked_for(server: Server) -> None:
    server.shutdown()
    server.server_close()
    with pytest.raises(BackendError, match=rf"{server.url}.*ConnectError"):
        OpenAILanguageModel(model="tiny", base_url=server.url, retries=1).complete(ask())


def test_a_slow_server_is_given_up(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    done = threading.Event()
    monkeypatch.setattr(Handler, "do_POST", lambda _: done.wait(5))
    with pytest.raises(BackendError, match="ReadTimeout"):
        OpenAILanguageModel(model="tiny", base_url=server.url, timeout=0.05, retries=0).complete(ask())
    done.set()


def test_options_out_of_range_are_refused_at_once() -> None:
    with pytest.raises(ConfigError, match="base_url"):
        OpenAILanguageModel(model="tiny", base_url="localhost:8000")
    with pytest.raises(ConfigError, match="timeout"):
        OpenAILanguageModel(model="tiny", timeout=0)


@pytest.mark.parametrize(
    "address", ["http://[::1", "http://localhost:port/v1", "http://a\x00b/v1", "http:///v1"]
)
def test_an_address_that_is_none_is_refused_before_any_try(address: str, server: Server) -> None:
    with pytest.raises(ConfigError, match="base_url: an address like"):
        OpenAILanguageModel(model="tiny", base_url=address).complete(ask())


def test_it_writes_but_does_not_rate() -> None:
    assert not isinstance(OpenAILanguageModel(model="tiny"), SupportsChoice)
