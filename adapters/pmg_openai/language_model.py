"""LLM_g on a server that speaks `POST /chat/completions`."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from pmg_sdk.errors import BackendError, ConfigError, MissingExtra
from pmg_sdk.interfaces import Chat, LanguageModel
from pmg_sdk.tokenizable import well_formed

if TYPE_CHECKING:
    import httpx

__all__ = ["OpenAILanguageModel"]

_WORTH_RETRYING = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
_LONGEST_WAIT = 30.0


class OpenAILanguageModel(LanguageModel):
    """Chats over HTTP, several at a time; temperature 0 and a seed, as far as the server honours them.

    The key is read from an environment variable at the first call and stays out of configs, logs and
    errors. No request is made before the first `complete`.

    Args:
        model: the server's name of the model.
        base_url: up to and including the version, as "http://localhost:8000/v1".
        api_key_env: the environment variable that holds the key; unset means none is sent.
        timeout: seconds for one request.
        retries: further tries after a timeout, a lost connection or an overloaded server.
        parallel: requests at once.
        context: tokens that prompt and answer may have together.
    """

    def __init__(
        self,
        *,
        model: str,
        base_url: str = "http://localhost:8000/v1",
        api_key_env: str = "OPENAI_API_KEY",
        timeout: float = 60.0,
        retries: int = 3,
        parallel: int = 4,
        context: int = 8192,
    ) -> None:
        if not base_url.startswith(("http://", "https://")):
            raise ConfigError(
                f'base_url: an address like "http://localhost:8000/v1" was expected; got {base_url!r}'
            )
        if timeout <= 0 or retries < 0 or parallel < 1 or context < 1:
            raise ConfigError(
                "timeout is above 0, retries not negative, parallel and context at least 1; "
                f"got {timeout}, {retries}, {parallel} and {context}"
            )
        self.model = model
        self.base_url = base_url.rstrip("/")
        self._api_key_env = api_key_env
        self._timeout = timeout
        self._retries = retries
        self._parallel = parallel
        self._context = context

    @property
    def context_tokens(self) -> int:
        """The option `context`: servers do not say."""
        return self._context

    def complete(self, prompts: Sequence[Chat], *, max_tokens: int = 32, seed: int = 0) -> list[str]:
        """The first line of every answer.

        Raises:
            BackendError: the server cannot be reached, refuses, or answers something else.
            ConfigError: base_url is no address.
            MissingExtra: httpx is not installed.
        """
        if not prompts:
            return []
        try:
            import httpx
        except ImportError as error:
            raise MissingExtra("the LLM 'openai' needs httpx: pip install 'pmg-sdk[openai]'") from error

        self._check_address()
        key = os.environ.get(self._api_key_env, "")
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        bodies = [
            {
                "model": self.model,
                "messages": [{**turn, "content": well_formed(turn["content"])} for turn in chat],
                "max_tokens": max_tokens,
                "temperature": 0,
                "seed": seed,
                "stop": ["\n"],
            }
            for chat in prompts
        ]
        with httpx.Client(headers=headers, timeout=self._timeout, follow_redirects=False) as client:
            if len(bodies) == 1:
                return [self._answer(client, bodies[0])]
            with ThreadPoolExecutor(self._parallel) as pool:
                return list(pool.map(lambda body: self._answer(client, body), bodies))

    def _check_address(self) -> None:
        import httpx

        problem = "it names no server"
        try:
            if httpx.URL(self.base_url).host:
                return
        except httpx.InvalidURL as error:
            problem = str(error)
        raise ConfigError(
            f'base_url: an address like "http://localhost:8000/v1" was expected; got {self.base_url!r} '
            f"({problem})"
        )

    def _answer(self, client: httpx.Client, body: dict[str, Any]) -> str:
        import httpx

        problem, wait = "", 0.0
        for attempt in range(self._retries + 1):
            if attempt:
                time.sleep(wait)
            wait = min(0.5 * 2.0**attempt, _LONGEST_WAIT)
            try:
                response = client.post(f"{self.base_url}/chat/completions", json=body)
            except httpx.HTTPError as error:
                problem = f"{type(error).__name__}"
                continue
            if response.status_code in _WORTH_RETRYING:
                problem = f"HTTP {response.status_code}"
                wait = _wait_asked_for(response) or wait
                continue
            return self._text(response)
        raise BackendError(
            f"no answer from the language model at {self.base_url} after {self._retries + 1} tries "
            f"({problem}). Check that the server runs and the address is right."
        )

    def _text(self, response: httpx.Response) -> str:
        if response.status_code in (401, 403):
            raise BackendError(
                f"the server at {self.base_url} refused the key (HTTP {response.status_code}). "
                f"Put a valid one into the environment variable {self._api_key_env}."
            )
        if response.status_code == 404:
            raise BackendError(
                f"the server at {self.base_url} knows no model {self.model!r}, or no /chat/completions. "
                "Check model and base_url."
            )
        if response.status_code != 200:
            raise BackendError(
                f"an answer with HTTP 200 was expected from {self.base_url}; got HTTP {response.status_code}"
            )
        try:
            content = response.json()["choices"][0]["message"]["content"]
        except (ValueError, LookupError, TypeError) as error:
            raise BackendError(
                f"a chat completion was expected from {self.base_url}; got something else "
                f"({type(error).__name__})"
            ) from error
        return str(content or "").strip().partition("\n")[0].strip()


def _wait_asked_for(response: httpx.Response) -> float | None:
    """Seconds of a Retry-After header, at most `_LONGEST_WAIT`."""
    try:
        return max(0.0, min(float(response.headers["Retry-After"]), _LONGEST_WAIT))
    except (KeyError, ValueError):
        return None
