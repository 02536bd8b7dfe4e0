"""Decodes the parameters of a request and checks them against the SDK's own typed dictionaries (`stripe.params`).

Stripe generates those from the description of its API, so a parameter that they do not name, or name with another
type, is one that Stripe refuses. Values arrive as text and leave with their types.
"""

from __future__ import annotations

import re
import typing
from functools import cache
from importlib import import_module
from types import NoneType, UnionType
from typing import Any, Literal, NotRequired, Required, Union
from urllib.parse import parse_qsl

from stripe._request_options import RequestOptions
from stripe._stripe_object import UntypedStripeObject
from typing_extensions import is_typeddict

from .errors import InvalidParameters, Json

_NUMBERS = {int: re.compile(r"-?[0-9]+"), float: re.compile(r"-?[0-9]+(\.[0-9]+)?")}
MAX_METADATA_KEYS, MAX_METADATA_KEY, MAX_METADATA_VALUE = 50, 40, 500


def decode(encoded: str) -> Json:
    """Returns the nested form of `a[b][0]=c`; lists are dictionaries until the schema says that they are lists.

    >>> decode("a[b][0]=c&expand[]=d")
    {'a': {'b': {'0': 'c'}}, 'expand': {'0': 'd'}}
    """
    decoded: Json = {}
    for name, value in parse_qsl(encoded, keep_blank_values=True):
        *path, last = name.replace("]", "").split("[")
        inner = decoded
        for step in path:
            inner = inner.setdefault(step or str(len(inner)), {})
            if not isinstance(inner, dict):
                raise InvalidParameters(f"Invalid object: {name}", param=name)
        inner[last or str(len(inner))] = value
    return decoded


def check(params_class: str, given: Json) -> Json:
    """Returns the parameters with their types; `params_class` is a name in `stripe.params`, as `RefundCreateParams`."""
    module, _, name = params_class.rpartition(".")
    found = getattr(import_module(f"stripe.params.{module}".rstrip(".")), name)
    params = _dictionary(found, given, "")
    _check_metadata(params)
    return params


@cache
def fields_of(typed_dict: type) -> dict[str, tuple[Any, bool]]:
    """Returns the type of each field and whether it is required, without the options of the SDK itself."""
    own = {
        name: hint
        for name, hint in typed_dict.__annotations__.items()
        if name not in RequestOptions.__annotations__
    }
    # The annotations name what only their module knows, so they are evaluated as those of a class of that module.
    stand_in = type(typed_dict.__name__, (), {"__annotations__": own, "__module__": typed_dict.__module__})
    fields = {}
    for name, hint in typing.get_type_hints(stand_in, include_extras=True).items():
        is_required = typing.get_origin(hint) is not NotRequired
        is_wrapped = typing.get_origin(hint) in (NotRequired, Required)
        fields[name] = (typing.get_args(hint)[0] if is_wrapped else hint, is_required)
    return fields


def _dictionary(typed_dict: type, given: Json, path: str) -> Json:
    fields = fields_of(typed_dict)
    unknown = [_join(path, name) for name in given if name not in fields]
    if unknown:
        plural = "s" if len(unknown) > 1 else ""
        message = f"Received unknown parameter{plural}: {', '.join(unknown)}"
        raise InvalidParameters(message, code="parameter_unknown", param=unknown[0])
    for name, (_, is_required) in fields.items():
        if is_required and name not in given:
            param = _join(path, name)
            raise InvalidParameters(
                f"Missing required param: {param}.", code="parameter_missing", param=param
            )
    return {name: _value(fields[name][0], value, _join(path, name)) for name, value in given.items()}


def _join(path: str, name: str) -> str:
    return f"{path}[{name}]" if path else name


def _value(hint: Any, given: Any, path: str) -> Any:
    """Returns the given text with the type of the hint; the first member of a union that accepts it counts."""
    options = _options(hint)
    if given == "" and "" not in [literal for option in options for literal in _literals(option)]:
        message = (
            f"You passed an empty string for '{path}'. We assume empty values are an attempt to unset a parameter; "
            f"however '{path}' cannot be unset. You should remove '{path}' from your request or supply a "
            "non-empty value."
        )
        raise InvalidParameters(message, code="parameter_invalid_empty", param=path)
    error: InvalidParameters | None = None
    for option in options:
        try:
            return _single(option, given, path)
        except InvalidParameters as refused:
            # The most telling of several: that of the option with the shape that was given.
            if error is None or isinstance(given, dict) == (_is_dictionary(option) or _is_list(option)):
                error = refused
    assert error is not None
    raise error


def _options(hint: Any) -> list[Any]:
    """Returns the members of a union. Where the SDK adds `str` to known values, only the known ones are accepted."""
    if typing.get_origin(hint) not in (Union, UnionType):
        return [hint]
    options = [
        inner for member in typing.get_args(hint) for inner in _options(member) if inner is not NoneType
    ]
    if any(_literals(option) not in ((), ("",)) for option in options):
        options = [option for option in options if option is not str]
    return options


def _literals(option: Any) -> tuple[Any, ...]:
    return typing.get_args(option) if typing.get_origin(option) is Literal else ()


def _is_list(option: Any) -> bool:
    return typing.get_origin(option) is list


def _is_dictionary(option: Any) -> bool:
    return typing.get_origin(option) in (dict, UntypedStripeObject) or is_typeddict(option)


def _single(option: Any, given: Any, path: str) -> Any:
    if _is_list(option):
        if not isinstance(given, dict) or list(given) != [str(number) for number in range(len(given))]:
            raise InvalidParameters("Invalid array", param=path)
        [inner] = typing.get_args(option)
        return [_value(inner, value, f"{path}[{number}]") for number, value in given.items()]
    if _is_dictionary(option):
        if not isinstance(given, dict):
            raise InvalidParameters("Invalid object", param=path)
        if is_typeddict(option):
            return _dictionary(option, given, path)
        inner = typing.get_args(option)[-1]
        return {
            key: given[key] if given[key] == "" else _value(inner, given[key], f"{path}[{key}]")
            for key in given
        }
    if isinstance(given, dict):
        raise InvalidParameters(f"Invalid string: {given}", param=path)
    return _scalar(option, given, path)


def _scalar(option: Any, given: str, path: str) -> Any:
    if _literals(option):
        if given not in _literals(option):
            allowed = ", ".join(literal for literal in _literals(option) if literal)
            raise InvalidParameters(f"Invalid {path}: must be one of {allowed}", param=path)
        return given
    if option is bool:
        if given not in ("true", "false"):
            raise InvalidParameters(f"Invalid boolean: {given}", param=path)
        return given == "true"
    if option in _NUMBERS:
        # Python reads " 5", "1_000" and digits of other alphabets too.
        if not _NUMBERS[option].fullmatch(given):
            message = f"Invalid {'integer' if option is int else 'decimal'}: {given}"
            code = "parameter_invalid_integer" if option is int else ""
            raise InvalidParameters(message, code=code, param=path)
        return option(given)
    return given


def _check_metadata(params: Any, path: str = "") -> None:
    """Checks the limits of every `metadata` in the parameters: 50 keys of 40 letters with values of 500."""
    for name, value in params.items() if isinstance(params, dict) else ():
        param = _join(path, name)
        if name != "metadata" or not isinstance(value, dict):
            _check_metadata(value, param)
            continue
        if len(value) > MAX_METADATA_KEYS:
            raise InvalidParameters(f"Metadata can have at most {MAX_METADATA_KEYS} keys.", param=param)
        for key, text in value.items():
            for what, part, most in (("key", key, MAX_METADATA_KEY), ("value", text, MAX_METADATA_VALUE)):
                if len(part) > most:
                    message = (
                        f"Metadata {what}s can have up to {most} characters, but you passed in a {what} that is "
                        f"{len(part)} characters. Invalid {what}: {part}"
                    )
                    raise InvalidParameters(message, param=param)
