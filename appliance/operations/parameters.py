"""Read the parameters of a request: unknown fields are refused, every value is checked, nothing is changed."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from appliance.errors import InvalidRequest

Model = TypeVar("Model", bound="Parameters")


class Parameters(BaseModel):
    """Base of what a kind of operation accepts."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def read(model: type[Model], parameters: Mapping[str, Any]) -> Model:
    """Raises InvalidRequest that names the field."""
    try:
        return model.model_validate(dict(parameters))
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise InvalidRequest(f"{field}: {first['msg']}. Nothing was changed.", field=field) from None
