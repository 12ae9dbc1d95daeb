"""The order to erase, as the API takes it."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from api.shapes.field import Rationale, Wanted
from domain.erasure import CONFIRMATION


def _confirmed(value: Any) -> Any:
    if value != CONFIRMATION:
        raise ValueError(f'must be "{CONFIRMATION}": nothing of it can be brought back')
    return value


class ErasureOrder(Wanted):
    """Why something is erased, and that this is meant."""

    rationale: Rationale = Field(
        description="Stays readable for ever, so it should not say who was erased"
    )
    confirm: Annotated[Literal["erase"], BeforeValidator(_confirmed)]

    @model_validator(mode="before")
    @classmethod
    def _stated(cls, raw: Any) -> Any:
        # One that is missing is told what to send, as another one is.
        return {"confirm": "", **raw} if isinstance(raw, dict) else raw
