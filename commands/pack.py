"""Loads a pack: a folder of definitions as files that a person can edit.

`forms/*.yaml`, `documents/*.md` (a `title:` between `---` lines, then Markdown),
`session_templates/*.yaml`, `lifecycles/*.yaml`. A file's name is its key. Loading again saves what
changed as new versions and nothing else; all of it or, if anything has a fault, none of it.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any
from uuid import UUID

import yaml

from commands.definition import (
    SaveDefinition,
    publish_template,
    save_document,
    save_form,
    save_lifecycle,
    save_template,
)
from commands.signing_certificate import certificate_kept
from commands.work import Work
from domain.actor import OPERATOR
from domain.definition import DefinitionStatus
from domain.task import TaskKind
from store.definition import DefinitionRow

FENCE = "---"
SIGNATURE = TaskKind.SIGNATURE.value
SAVE = {
    "forms": save_form,
    "documents": save_document,
    "session_templates": save_template,
    "lifecycles": save_lifecycle,
}
"""The folders of a pack, in the order in which they refer to each other."""


class PackError(Exception):
    """A file of a pack cannot be read; the text names it."""


async def load_pack(work: Work, workspace_id: UUID, folder: Path, *, publish: bool) -> list[str]:
    """Saves every definition of a folder; returns one line about each.

    Raises `PackError`, or `DefinitionFaulty` with every fault of the first faulty file.
    """
    lines = []
    for part, save in SAVE.items():
        for path in _files(folder / part):
            wanted = SaveDefinition(workspace_id, path.stem, _body(path), OPERATOR)
            row = await save(work, wanted)
            if publish and SIGNATURE in {each["kind"] for each in row.body.get("tasks", ())}:
                await certificate_kept(work, workspace_id, OPERATOR)
            if publish and row.status == DefinitionStatus.DRAFT:
                await work.db.flush()
                row = await publish_template(work, workspace_id, row.key, OPERATOR)
            lines.append(_line(row))
        await work.db.flush()
    if not lines:
        raise PackError(f"{folder} has none of the folders {', '.join(SAVE)}")
    return lines


def _files(folder: Path) -> Iterable[Path]:
    return sorted(path for path in folder.glob("*") if path.suffix in {".yaml", ".md"})


def _line(row: DefinitionRow) -> str:
    return f"{row.kind.replace('_', ' '):17}{row.key:32}version {row.version} {row.status}"


def _body(path: Path) -> dict[str, Any]:
    text = path.read_text(encoding="utf-8")
    try:
        if path.suffix == ".yaml":
            return _mapping(path, yaml.safe_load(text))
        _, header, markdown = text.split(FENCE, 2)
        return _mapping(path, yaml.safe_load(header)) | {"markdown": markdown.strip() + "\n"}
    except yaml.YAMLError as error:
        raise PackError(f"{path} is not YAML: {error}") from error
    except ValueError as error:
        raise PackError(f"{path} must begin with a title between two lines of {FENCE}") from error


def _mapping(path: Path, read: Any) -> dict[str, Any]:
    if not isinstance(read, dict):
        raise PackError(f"{path} must hold a mapping")
    return read
