"""How an appliance gets its certificate, and a new one in time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from firmware.errors import DeliveryError, DeliveryRefused
from firmware.journal import journal
from firmware.sync.collector_client import CollectorClient
from firmware.sync.identity import Identity, IdentityFolder, claim_id

# A renewal that did not work is tried again this much later, for as long as the old certificate is good.
_RENEW_AGAIN_SECONDS = 3600.0

_log = journal("enrolment")


async def _nothing() -> None:
    """Where nothing depends on whom this appliance belongs to."""


class Enrolment:
    """Gives the client its identity. `claim` reads the configured code, None where there is none; it may block.

    `anew` is done before a new identity counts. Raises: StorageError.
    """

    def __init__(
        self,
        client: CollectorClient,
        folder: IdentityFolder,
        claim: Callable[[], str | None],
        anew: Callable[[], Awaitable[None]] = _nothing,
    ) -> None:
        self._client = client
        self._anew = anew
        self._folder = folder
        self._claim = claim
        self._renew_not_before = float("-inf")

    @property
    def certificate_ends(self) -> datetime | None:
        """Of the present certificate."""
        return self._client.identity.certificate.ends if self._client.identity else None

    async def ensure(self) -> None:
        """The client is enrolled afterwards, and its certificate renewed where that is due.

        Raises: DeliveryError, StorageError.
        """
        if self._client.identity is None:
            self._client.identity = await asyncio.to_thread(self._folder.load)
        if self._client.identity is None:
            await self._enrol()
        await self._renew_if_due()

    async def refused(self) -> bool:
        """The collector does not take us: enrol anew where a person has set another code. Raises: as `ensure`."""
        code = await asyncio.to_thread(self._claim)
        identity = self._client.identity
        if code is None or (identity is not None and identity.claim_id == claim_id(code)):
            return False
        await self._enrol()
        return True

    async def _enrol(self) -> None:
        code = await asyncio.to_thread(self._claim)
        if code is None:
            raise DeliveryRefused(
                "this appliance is not enrolled with its collector; "
                "make a code there (linekeeper-collector claim NAME) and write it into sync.claim"
            )
        key = await asyncio.to_thread(self._folder.key_for, code)
        answer = await self._client.enrol(code, await asyncio.to_thread(key.request_pem))
        await self._anew()
        self._client.identity = await asyncio.to_thread(self._folder.keep, answer, key, claim_id(code))
        _log.info("enrolled", device=self._client.identity.device)

    async def _renew_if_due(self) -> None:
        identity = self._client.identity
        assert identity is not None  # `ensure` has seen to it
        now = datetime.fromtimestamp(self._client.now_ms() / 1000, UTC)
        loop_seconds = asyncio.get_running_loop().time()
        if now < identity.certificate.renew_from or loop_seconds < self._renew_not_before:
            return
        self._renew_not_before = loop_seconds + _RENEW_AGAIN_SECONDS
        try:
            await self._renew(identity)
        except DeliveryError as error:
            if now >= identity.certificate.ends:
                self._renew_not_before = float("-inf")
                raise
            _log.warning("the certificate could not be renewed yet", error=str(error))

    async def _renew(self, identity: Identity) -> None:
        request_pem = await asyncio.to_thread(identity.key.request_pem)
        answer = await self._client.request("POST", "/certificate", value={"csr_pem": request_pem})
        whole = {"device": identity.device, "company": identity.company, **answer}
        self._client.identity = await asyncio.to_thread(self._folder.keep, whole, identity.key, identity.claim_id)
        self._renew_not_before = float("-inf")
        _log.info("the certificate was renewed", ends=self._client.identity.certificate.ends.isoformat())
