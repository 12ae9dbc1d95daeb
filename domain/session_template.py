"""Session templates: name, key, trigger, scope, bound, reminders and tasks (PS-3 to PS-7)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from domain.agreement_draft import check_placed
from domain.definition import DefinitionStatus, Reader
from domain.errors import ScopeRefused, TemplateNotIssuable
from domain.fault import Fault
from domain.reminder import MOST as MOST_REMINDERS
from domain.setting import SettingLevel
from domain.setting_level import faults_on
from domain.task import TaskKind
from domain.upload import UploadScope, check_retention, check_upload, retention_of

OF_SIGNATURES = ("fields", "step_up")
TRIGGERS = ("manual", "lifecycle")
SUBJECTS = ("none", "optional", "required")
LONGEST_BOUND_DAYS = 366
MOST_TASKS = 50
MOST_PAGES = 200
"""Of a document; how many it has is known when it is published."""
DEFAULT_REMINDERS = (3, 1)
TASK_MEMBERS = frozenset(
    ["key", "kind", "title", "help", "form", "document", "statement", "upload", "fields", "step_up"]
)
MEMBERS = frozenset(
    [
        "key",
        "name",
        "description",
        "trigger",
        "scope",
        "time_bound_days",
        "ordered",
        "reminders",
        "retention_days",
        "settings",
        "tasks",
    ]
)


@dataclass(frozen=True, slots=True)
class Scope:
    """Which party, lifecycle state and subject a template is for; empty means any (PS-6)."""

    party_kinds: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    subject: str = "none"

    def check_issue(self, kind: str, state: str, subject: str) -> None:
        """Raises `ScopeRefused` if the template is not for this party (PS-39)."""
        if self.party_kinds and kind not in self.party_kinds:
            raise ScopeRefused(
                f"This template is for {_listed(self.party_kinds)}, not for a {kind}."
            )
        self.check_state(state)
        if self.subject == "required" and not subject:
            raise ScopeRefused("This template needs a subject.")
        if self.subject == "none" and subject:
            raise ScopeRefused("This template takes no subject.")

    def check_state(self, state: str) -> None:
        """Raises `ScopeRefused` if the party is in another state than expected (PS-39)."""
        if self.states and state not in self.states:
            raise ScopeRefused(
                f"The party is in the state {state!r}, not in {_listed(self.states)}."
            )


def _listed(values: Collection[str]) -> str:
    return " or ".join(repr(each) for each in values)


@dataclass(frozen=True, slots=True)
class TaskDefinition:
    """One task as the template defines it."""

    key: str
    kind: TaskKind
    title: str
    help: str
    form: str | None
    document: str | None
    statement: str | None
    upload: UploadScope | None = None


@dataclass(frozen=True, slots=True)
class SessionTemplate:
    """One version of a template; `retention` after its end a session's captures are erased.

    `settings` are those that its sessions have instead of the workspace's, plain values by name.
    """

    key: str
    name: str
    trigger: str
    scope: Scope
    time_bound: timedelta
    ordered: bool
    reminders: tuple[int, ...]
    tasks: tuple[TaskDefinition, ...]
    retention: timedelta | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, definition: Mapping[str, Any]) -> "SessionTemplate":
        """The value of a definition that has no faults."""
        return cls(
            key=definition["key"],
            name=definition["name"],
            trigger=definition.get("trigger", "manual"),
            scope=_scope(definition.get("scope", {})),
            time_bound=timedelta(days=definition["time_bound_days"]),
            ordered=definition.get("ordered", True),
            reminders=_reminders(definition),
            tasks=tuple(map(_task, definition["tasks"])),
            retention=retention_of(definition),
            settings=definition.get("settings", {}),
        )


def _scope(raw: Mapping[str, Any]) -> Scope:
    return Scope(
        tuple(raw.get("party_kinds", ())), tuple(raw.get("states", ())), raw.get("subject", "none")
    )


def _reminders(definition: Mapping[str, Any]) -> tuple[int, ...]:
    stated = definition.get("reminders", {}).get("days_before_end")
    if stated is not None:
        return tuple(stated)
    return tuple(days for days in DEFAULT_REMINDERS if days < definition["time_bound_days"])


def _task(raw: Mapping[str, Any]) -> TaskDefinition:
    return TaskDefinition(
        raw["key"],
        TaskKind(raw["kind"]),
        raw["title"],
        raw.get("help", ""),
        raw.get("form"),
        raw.get("document"),
        raw.get("statement"),
        UploadScope.of(raw["upload"]) if "upload" in raw else None,
    )


def issuable_statuses(*, test_party: bool) -> tuple[DefinitionStatus, ...]:
    """Published versions issue to anybody, drafts to test parties, retired ones never (PS-35)."""
    drafts = (DefinitionStatus.DRAFT,) if test_party else ()
    return (DefinitionStatus.PUBLISHED, *drafts)


def check_issuable(key: str, status: DefinitionStatus, *, test_party: bool) -> None:
    """Raises `TemplateNotIssuable` if this status does not issue to such a party (PS-35)."""
    if status not in issuable_statuses(test_party=test_party):
        raise TemplateNotIssuable(key, status)


@dataclass(frozen=True, slots=True)
class Referable:
    """The keys of the workspace that a template may name."""

    forms: Collection[str]
    documents: Collection[str]


def faults_of(definition: Mapping[str, Any], referable: Referable) -> tuple[Fault, ...]:
    """Every fault of a template, given the workspace's forms and documents."""
    read = Reader()
    read.only(definition, MEMBERS, "")
    read.key(definition, "key", "")
    read.text(definition, "name", "", longest=120)
    read.text(definition, "description", "", optional=True, longest=2000)
    read.one_of({"trigger": "manual"} | dict(definition), "trigger", TRIGGERS, "")
    read.switch(definition, "ordered", "")
    bound = read.number(definition, "time_bound_days", "", low=1, high=LONGEST_BOUND_DAYS)
    _check_scope(read, definition.get("scope", {}))
    _check_reminders(read, definition.get("reminders", {}), bound)
    check_retention(read, definition, "")
    _check_settings(read, definition.get("settings", {}))
    tasks = read.objects(definition, "tasks", "", least=1, most=MOST_TASKS)
    keys = [_check_task(read, each, f"/tasks/{at}", referable) for at, each in enumerate(tasks)]
    read.unique(keys, "/tasks")
    return tuple(read.faults)


def _check_scope(read: Reader, raw: Any) -> None:
    if not isinstance(raw, Mapping):
        read.fault("/scope", "must be an object")
        return
    read.only(raw, {"party_kinds", "states", "subject"}, "/scope")
    read.texts(raw, "party_kinds", "/scope", optional=True)
    read.texts(raw, "states", "/scope", optional=True)
    read.one_of({"subject": "none"} | dict(raw), "subject", SUBJECTS, "/scope")


def _check_reminders(read: Reader, raw: Any, bound: int | None) -> None:
    days = raw.get("days_before_end", []) if isinstance(raw, Mapping) else None
    if not isinstance(days, list) or not all(_is_day(each) for each in days):
        read.fault("/reminders", 'must be {"days_before_end": [whole days, 1 or more]}')
        return
    if len(days) > MOST_REMINDERS:
        read.fault(
            "/reminders/days_before_end", f"must be {MOST_REMINDERS} at most, are {len(days)}"
        )
    for index, day in enumerate(days):
        if bound is not None and day >= bound:
            read.fault(
                f"/reminders/days_before_end/{index}",
                f"{day} days before the end is not within the time bound of {bound} days",
            )


def _check_settings(read: Reader, raw: Any) -> None:
    if not isinstance(raw, Mapping):
        read.fault("/settings", "must be an object of settings by name")
        return
    read.faults += faults_on(SettingLevel.TEMPLATE, raw, "/settings")


def _is_day(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _check_task(read: Reader, raw: Mapping[str, Any], at: str, referable: Referable) -> str:
    read.only(raw, TASK_MEMBERS, at)
    kind = read.one_of(raw, "kind", [each.value for each in TaskKind], at)
    read.text(raw, "title", at, longest=120)
    read.text(raw, "help", at, optional=True)
    if kind:
        TASK_CHECKS[TaskKind(kind)](read, raw, at, referable)
    return read.key(raw, "key", at)


def _check_form_task(read: Reader, raw: Mapping[str, Any], at: str, referable: Referable) -> None:
    form = read.text(raw, "form", at)
    if form:
        read.known(form, referable.forms, f"{at}/form", "form")
    _unwanted(read, raw, at, ("document", "statement", "upload", *OF_SIGNATURES))


def _check_acknowledgment_task(
    read: Reader, raw: Mapping[str, Any], at: str, referable: Referable
) -> None:
    document = read.text(raw, "document", at)
    if document:
        read.known(document, referable.documents, f"{at}/document", "document")
    read.text(raw, "statement", at, longest=2000)
    _unwanted(read, raw, at, ("form", "upload", *OF_SIGNATURES))


def _check_confirmation_task(
    read: Reader, raw: Mapping[str, Any], at: str, referable: Referable
) -> None:
    if "document" in raw:
        _check_acknowledgment_task(read, raw, at, referable)
        return
    read.text(raw, "statement", at, longest=2000)
    _unwanted(read, raw, at, ("form", "upload", *OF_SIGNATURES))


def _check_upload_task(read: Reader, raw: Mapping[str, Any], at: str, _: Referable) -> None:
    check_upload(read, raw.get("upload"), f"{at}/upload")
    _unwanted(read, raw, at, ("form", "document", "statement", *OF_SIGNATURES))


def _check_signature_task(
    read: Reader, raw: Mapping[str, Any], at: str, referable: Referable
) -> None:
    document = read.text(raw, "document", at)
    if document:
        read.known(document, referable.documents, f"{at}/document", "document")
    read.text(raw, "statement", at, longest=2000)
    read.switch(raw, "step_up", at)
    check_placed(read, raw, at, MOST_PAGES)
    _unwanted(read, raw, at, ("form", "upload"))


def _unwanted(read: Reader, raw: Mapping[str, Any], at: str, names: tuple[str, ...]) -> None:
    for name in names:
        if name in raw:
            read.fault(f"{at}/{name}", f"does not belong to a task of the kind {raw['kind']!r}")


TASK_CHECKS = {
    TaskKind.FORM: _check_form_task,
    TaskKind.ACKNOWLEDGMENT: _check_acknowledgment_task,
    TaskKind.CONFIRMATION: _check_confirmation_task,
    TaskKind.UPLOAD: _check_upload_task,
    TaskKind.SIGNATURE: _check_signature_task,
}
