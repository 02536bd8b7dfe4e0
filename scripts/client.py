"""Writes the calls and objects of the Python client from the OpenAPI document, which the tests compare with the file.

    .venv/bin/python scripts/client.py

A document that says more than this understands ends it with an error, so that no call is written wrongly.
"""

from __future__ import annotations

import json
import keyword
import re
import subprocess
import sys
from pathlib import Path
from textwrap import indent
from typing import Any

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "docs" / "reference" / "openapi.json"
FILE = ROOT / "clients" / "python" / "src" / "partway_client" / "calls.py"

_HEAD = '''\
"""The calls of the API and the objects that they take and return, written by scripts/client.py."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, NotRequired, TypedDict

from .transport import UNSET, Transport, Unset, path_part
'''


def client() -> str:
    """Returns the file as text, formatted."""
    document = json.loads(DOCUMENT.read_text())
    schemas: dict[str, Any] = document["components"]["schemas"]
    groups: dict[str, list[str]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            group = "_".join(operation["tags"][0].lower().split())
            groups.setdefault(group, []).append(_call(group, path, method, operation, schemas))
    start = "def __init__(self, transport: Transport) -> None:\n    self._transport = transport\n"
    classes = []
    for group, calls in groups.items():
        docstring = f'"""Calls of {group.replace("_", " ")}."""'
        classes.append(
            f"class {_class_name(group)}:\n" + indent("\n\n".join([docstring, start, *calls]), "    ")
        )
    fields = "\n".join(f"self.{group} = {_class_name(group)}(transport)" for group in groups)
    start = f"def __init__(self, transport: Transport) -> None:\n{indent(fields, '    ')}"
    docstring = '"""All calls, by subject."""'
    classes.append("class Calls:\n" + indent(f"{docstring}\n\n{start}", "    "))
    types = _used_types("\n\n".join(classes), schemas)
    return _formatted("\n\n".join([_HEAD, *types, *classes]))


def _used_types(text: str, schemas: dict[str, Any]) -> list[str]:
    """Returns the types that this text names, and those that these name, in alphabetical order."""
    found: dict[str, str] = {}
    texts = [text]
    while texts:
        names = set(re.findall(r"\w+", texts.pop())) & schemas.keys() - found.keys()
        for name in names:
            found[name] = _type(name, schemas[name])
            texts.append(found[name])
    return [found[name] for name in sorted(found)]


def _formatted(text: str) -> str:
    command = [sys.executable, "-m", "ruff", "format", "--config", str(ROOT / "pyproject.toml"), "-"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


def _class_name(group: str) -> str:
    return "".join(word.title() for word in group.split("_")) + "Calls"


def _type(name: str, schema: dict[str, Any]) -> str:
    """Returns the type of a schema: names of an enum, or the fields of an object."""
    if "enum" in schema:
        return f"{name} = Literal[{', '.join(map(repr, schema['enum']))}]"
    required = schema.get("required", ())
    fields = {
        field: _python(said) if field in required else f"NotRequired[{_python(said)}]"
        for field, said in schema.get("properties", {}).items()
    }
    summary = schema.get("description", "").replace("`", "").split("\n\n")[0]
    if any(map(keyword.iskeyword, fields)):
        said = ", ".join(f'"{field}": "{python}"' for field, python in fields.items())
        return f"# {summary}\n{name} = TypedDict({name!r}, {{{said}}})"
    return f"class {name}(TypedDict):\n" + indent(
        f'"""{summary}"""\n\n' + "\n".join(f"{field}: {python}" for field, python in fields.items()), "    "
    )


def _python(schema: dict[str, Any]) -> str:
    """Returns the type of a field as Python writes it."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    for union in ("anyOf", "allOf"):
        if union in schema:
            return " | ".join(dict.fromkeys(map(_python, schema[union])))
    if schema["type"] == "array":
        return f"list[{_python(schema['items'])}]"
    if isinstance(schema.get("additionalProperties"), dict):
        return f"dict[str, {_python(schema['additionalProperties'])}]"
    simple = {
        "string": "str",
        "integer": "int",
        "boolean": "bool",
        "null": "None",
        "object": "dict[str, Any]",
    }
    return simple[schema["type"]]


def _optional(python: str) -> str:
    """Returns the type of an argument that can be left out, with None last."""
    return f"{python.removesuffix(' | None')} | Unset{' | None' if python.endswith(' | None') else ''}"


def _argument(name: str) -> str:
    return f"{name}_" if keyword.iskeyword(name) else name


def _call(group: str, path: str, method: str, operation: dict[str, Any], schemas: dict[str, Any]) -> str:
    """Returns the method of one call; of a list there is a second one, which reads all of its pages."""
    name = operation["operationId"].removeprefix(f"{group}_")
    sent = {each["name"]: each for each in operation["parameters"] if each["in"] == "query"}
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    body = _python(content["schema"]) if content else ""
    given = (
        dict(schemas[body].get("properties", {})) if body else {n: each["schema"] for n, each in sent.items()}
    )
    required = (
        schemas[body].get("required", ()) if body else [n for n, each in sent.items() if each["required"]]
    )
    ids = [each["name"] for each in operation["parameters"] if each["in"] == "path"]
    answer = next(said for status, said in operation["responses"].items() if status[0] == "2")
    returns = _python(answer["content"]["application/json"]["schema"]) if "content" in answer else "None"
    arguments = [f"{_argument(field)}: {_python(given[field])}" for field in given if field in required]
    arguments += [
        f"{_argument(field)}: {_optional(_python(given[field]))} = UNSET"
        for field in given
        if field not in required
    ]
    if method == "post":
        arguments.append("idempotency_key: str | None = None")
    address = path
    for each in ids:
        address = address.replace(f"{{{each}}}", f"{{path_part({each})}}")
    address = f'f"{address}"' if ids else f'"{address}"'
    values = "{" + ", ".join(f'"{field}": {_argument(field)}' for field in given) + "}"
    signature = ", ".join(
        ["self", *(f"{each}: str" for each in ids), *(["*"] if arguments else []), *arguments]
    )
    docstring = f'"""{operation["summary"]}."""'
    where = "body" if method in ("post", "patch") else "query"
    extra = ", idempotency_key=idempotency_key" if method == "post" else ""
    call = f'self._transport.call("{method.upper()}", {address}, {where}={values}{extra})'
    result = f"found: {returns} = {call}\n    return found" if returns != "None" else call
    made = f"def {name}({signature}) -> {returns}:\n    {docstring}\n    {result}"
    if "cursor" not in given:
        return made
    item = _python(schemas[returns]["properties"]["data"]["items"])
    kept = ", ".join(f"{_argument(field)}={_argument(field)}" for field in given if field != "cursor")
    without = ", ".join(part for part in signature.split(", ") if not part.startswith("cursor:"))
    return made + (
        f"\n\ndef {'each' if name == 'index' else f'each_of_{name}'}({without}) -> Iterator[{item}]:\n"
        f'    """{operation["summary"]}: all of them, page by page."""\n'
        '    cursor = ""\n'
        "    while True:\n"
        f"        page = self.{name}({', '.join([*ids, kept])}, cursor=cursor)\n"
        '        yield from page["data"]\n'
        '        if page["next"] is None:\n'
        "            return\n"
        '        cursor = page["next"]'
    )


if __name__ == "__main__":
    FILE.write_text(client())
