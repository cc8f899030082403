"""The least that could take a batch: parse, insert into PostgreSQL, commit, answer. `python -m ... URL PORT`."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_TABLE = "CREATE TABLE IF NOT EXISTS bare (id uuid PRIMARY KEY, kind text, version bigint, body jsonb)"
_INSERT = "INSERT INTO bare SELECT * FROM unnest(%s::uuid[], %s::text[], %s::bigint[], %s::jsonb[])"


def bare_app(database: str) -> Starlette:
    """Keeps whatever comes, checks nothing, and tells nobody apart."""
    pool = AsyncConnectionPool(database, open=False, min_size=1, max_size=2)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with pool, pool.connection() as connection:
            await connection.execute(_TABLE)
            await connection.commit()
            print("ready", flush=True)
            yield

    async def records(request: Request) -> Response:
        batch: list[dict[str, Any]] = json.loads(await request.body())["records"]
        columns = (
            [record["id"] for record in batch],
            [record["kind"] for record in batch],
            [record["version"] for record in batch],
            [Jsonb(record["body"]) for record in batch],
        )
        async with pool.connection() as connection:
            await connection.execute(_INSERT, columns)
        return Response(json.dumps({"stored": len(batch)}), media_type="application/json")

    return Starlette(routes=[Route("/records", records, methods=["POST"])], lifespan=lifespan)


if __name__ == "__main__":
    uvicorn.run(bare_app(sys.argv[1]), host="127.0.0.1", port=int(sys.argv[2]), log_level="error", access_log=False)
