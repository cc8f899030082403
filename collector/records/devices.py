"""Companies and their appliances, as far as records need them."""

from __future__ import annotations

from uuid import UUID, uuid4

from collector.database import Transaction


async def company_named(work: Transaction, name: str, country: str = "CN") -> UUID:
    """The company of this name; made where there is none."""
    await work.run("INSERT INTO company (name, country) VALUES (%s, %s) ON CONFLICT (name) DO NOTHING", [name, country])
    row = await work.row("SELECT id FROM company WHERE name = %s", [name])
    assert row is not None
    return UUID(str(row["id"]))


async def add_device(
    work: Transaction, company: UUID, name: str, *, device: UUID | None = None, imported: bool = False
) -> UUID:
    """An appliance that was not known; its row of `device_progress` comes with it."""
    device = device or uuid4()
    await work.run(
        "INSERT INTO device (id, company, name, imported) VALUES (%s, %s, %s, %s)", [device, company, name, imported]
    )
    return device
