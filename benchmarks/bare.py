"""A FastAPI application with one route that does nothing: what the framework and the server alone cost.

Only ``benchmarks/api.py`` serves it, in the same way as the product's API.
"""

from fastapi import FastAPI

app = FastAPI()


@app.get("/")
async def nothing() -> dict[str, str]:
    return {"status": "ok"}
