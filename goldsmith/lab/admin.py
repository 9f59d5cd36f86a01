"""The lab's admin API: what happened in it, and orders for trouble."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from goldsmith.errors import ToolError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import requests

    from goldsmith.lab.state import State

_TIMEOUT_SECONDS = (5, 90)
"""To connect, and until the answer: the lab holds a waiting request for 60 s."""
_PROBLEM = 400


@dataclass(frozen=True, kw_only=True)
class Admin:
    """One vCenter of a lab, seen from behind.

    Raises ``UnreachableError`` when the lab does not answer, ``ToolError`` when it refuses.
    """

    url: str
    token: str = field(repr=False)
    vcenter: str = "lab"

    @classmethod
    def of(cls, state: State, vcenter: str = "lab") -> Admin:
        """Return the door to *vcenter* of a lab that is up."""
        return cls(url=state.admin, token=state.token, vcenter=vcenter)

    def events(self, *, since: int = 0, wait: bool = False) -> list[dict[str, Any]]:
        """Return what happened after event *since*; with *wait*, hold until something did."""
        return self._list("GET", "events", since=since, wait=wait)

    def mutations(self, *, since: int = 0) -> list[dict[str, Any]]:
        """Return the calls that changed something: seq, time, method, object, user, user_agent."""
        return self._list("GET", "mutations", since=since)

    def vms(self) -> list[dict[str, Any]]:
        """Return the VMs: ref, name, container, image, source, power, template, address, tools."""
        return self._list("GET", "vms")

    def console(self, vm: str) -> str:
        """Return everything that the VM's console showed."""
        return self._ask("GET", f"vm/{quote(vm, safe='')}/console").text

    def add_fault(self, **rule: Any) -> dict[str, Any]:
        """Order a fault: method, object, nth, count, probability, delay_ms, fault, fields, message, mode."""
        added: dict[str, Any] = self._ask("POST", "faults", body=rule).json()
        return added

    def faults(self) -> list[dict[str, Any]]:
        """Return the orders, with how often each was seen and hit."""
        return self._list("GET", "faults")

    def clear_faults(self) -> None:
        """Forget all orders."""
        self._ask("DELETE", "faults")

    def deny(self, *privileges: str, entities: Sequence[str] = (), enforce: bool = True) -> None:
        """Take privileges away (globs); with none, give all back."""
        body = {"privileges": list(privileges), "entities": list(entities), "enforce": enforce}
        self._ask("PUT", "deny", body=body)

    def put_barrier(self, name: str, *, method: str, object: str = "*") -> None:  # noqa: A002 - the API's word
        """Let the next calls of *method* on *object* stop before they run."""
        self._ask("PUT", f"barriers/{quote(name, safe='')}", body={"method": method, "object": object})

    def wait_at(self, name: str) -> list[dict[str, Any]]:
        """Return who stands at the barrier, as soon as somebody does; nobody after a minute."""
        found: list[dict[str, Any]] = self._ask("GET", f"barriers/{quote(name, safe='')}", wait=True).json()["waiting"]
        return found

    def release(self, name: str, *, refuse: bool = False) -> None:
        """Remove the barrier: those who wait go on, or with *refuse* are sent away."""
        self._ask("DELETE", f"barriers/{quote(name, safe='')}", refuse=refuse)

    def outage(self, *, on: bool) -> None:
        """Take the vCenter away from its clients, or give it back."""
        self._ask("POST" if on else "DELETE", "outage")

    def expire_sessions(self) -> None:
        """End every login."""
        self._ask("POST", "expire-sessions")

    def _list(self, method: str, path: str, **query: int | bool) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._ask(method, path, None, **query).json() or []
        return found

    def _ask(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, **query: int | bool
    ) -> requests.Response:
        import requests

        url = f"{self.url}/vc/{self.vcenter}/{path}"
        with requests.Session() as session:
            session.trust_env = False  # no proxy lies between a machine and itself
            try:
                answer = session.request(
                    method,
                    url,
                    json=body,
                    params={name: int(value) for name, value in query.items() if value},
                    headers={"Authorization": f"Bearer {self.token}"},
                    timeout=_TIMEOUT_SECONDS,
                )
            except requests.RequestException as error:
                raise UnreachableError(
                    "the lab does not answer",
                    where=url,
                    why=str(error),
                    next="./inv lab-status shows what is left of it",
                ) from None
        if answer.status_code >= _PROBLEM:
            raise ToolError("the lab refuses an order", where=f"{method} {url}", why=answer.text.strip())
        return answer
