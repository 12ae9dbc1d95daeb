"""A party kind's lifecycle: states, transitions, what they issue and what completing does."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from domain.definition import Reader
from domain.errors import TransitionRefused
from domain.fault import Fault


@dataclass(frozen=True, slots=True)
class State:
    """A place a party can be in, and the templates issued on entering it."""

    key: str
    title: str
    issues: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Transition:
    """A way from some states to one, and the templates issued on passing it."""

    key: str
    title: str
    origins: tuple[str, ...]
    target: str
    issues: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """The whole of one party kind."""

    kind: str
    initial: str
    states: tuple[State, ...]
    transitions: tuple[Transition, ...]
    completions: Mapping[str, str]

    @classmethod
    def of(cls, definition: Mapping[str, Any]) -> "Lifecycle":
        """The value of a definition that has no faults."""
        return cls(
            kind=definition["kind"],
            initial=definition["initial"],
            states=tuple(map(_state, definition["states"])),
            transitions=tuple(map(_transition, definition["transitions"])),
            completions={
                each["template"]: each["transition"] for each in definition["completions"]
            },
        )

    def state(self, key: str) -> State:
        """The state with this key."""
        return next(each for each in self.states if each.key == key)

    def transition(self, key: str) -> Transition:
        """The transition with this key; raises `TransitionRefused`."""
        for each in self.transitions:
            if each.key == key:
                return each
        raise TransitionRefused(key, "any")

    def passing(self, key: str, state: str) -> Transition:
        """The transition, if it starts from `state`; raises `TransitionRefused`."""
        transition = self.transition(key)
        if state not in transition.origins:
            raise TransitionRefused(key, state)
        return transition

    def issued_by(self, transition: Transition) -> tuple[str, ...]:
        """The templates issued by passing a transition and entering its target, each once."""
        return tuple(dict.fromkeys((*transition.issues, *self.state(transition.target).issues)))

    def on_completion(self, template: str) -> str | None:
        """The transition that completing this template passes."""
        return self.completions.get(template)

    def triggers_of(self, template: str) -> tuple[str, ...]:
        """Where this lifecycle issues a template: `enter:{state}`, `pass:{transition}` (PS-4)."""
        entering = [f"enter:{each.key}" for each in self.states if template in each.issues]
        passing = [f"pass:{each.key}" for each in self.transitions if template in each.issues]
        return (*entering, *passing)


def _state(raw: Mapping[str, Any]) -> State:
    return State(raw["key"], raw.get("title", raw["key"]), tuple(raw.get("issues", ())))


def _transition(raw: Mapping[str, Any]) -> Transition:
    return Transition(
        raw["key"],
        raw.get("title", raw["key"]),
        tuple(raw["from"]),
        raw["to"],
        tuple(raw.get("issues", ())),
    )


@dataclass(frozen=True, slots=True)
class Known:
    """The templates of the workspace a lifecycle may name: key → trigger and party kinds."""

    triggers: Mapping[str, str]
    party_kinds: Mapping[str, tuple[str, ...]]


def faults_of(definition: Mapping[str, Any], known: Known) -> tuple[Fault, ...]:
    """Every fault of a lifecycle, given the workspace's templates."""
    read = Reader()
    kind = read.key(definition, "kind", "")
    read.only(definition, {"kind", "initial", "states", "transitions", "completions"}, "")
    states = [
        _check_state(read, each, f"/states/{at}", kind, known)
        for at, each in enumerate(read.objects(definition, "states", "", least=1))
    ]
    read.unique(states, "/states")
    passages = [
        _check_transition(read, each, f"/transitions/{at}", states, kind, known)
        for at, each in enumerate(read.objects(definition, "transitions", ""))
    ]
    read.unique([each[0] for each in passages], "/transitions")
    initial = read.one_of(definition, "initial", states, "")
    _check_completions(read, definition, [each[0] for each in passages], kind, known)
    if not read.faults:
        _check_reachable(read, initial, states, passages)
    return tuple(read.faults)


def _check_state(read: Reader, raw: Mapping[str, Any], at: str, kind: str, known: Known) -> str:
    read.only(raw, {"key", "title", "issues"}, at)
    read.text(raw, "title", at, optional=True)
    _check_issues(read, raw, at, kind, known)
    return read.key(raw, "key", at)


def _check_transition(
    read: Reader,
    raw: Mapping[str, Any],
    at: str,
    states: list[str],
    kind: str,
    known: Known,
) -> tuple[str, list[str], str]:
    read.only(raw, {"key", "title", "from", "to", "issues"}, at)
    read.text(raw, "title", at, optional=True)
    origins = read.texts(raw, "from", at, least=1)
    for index, origin in enumerate(origins):
        read.known(origin, states, f"{at}/from/{index}", "state")
    target = read.one_of(raw, "to", states, at)
    _check_issues(read, raw, at, kind, known)
    return read.key(raw, "key", at), origins, target


def _check_issues(read: Reader, raw: Mapping[str, Any], at: str, kind: str, known: Known) -> None:
    for index, template in enumerate(read.texts(raw, "issues", at, optional=True)):
        place = f"{at}/issues/{index}"
        if not read.known(template, known.triggers, place, "template"):
            continue
        if known.triggers[template] == "manual":
            read.fault(place, f"the template {template!r} is issued by hand only (trigger: manual)")
        _check_kind(read, template, place, kind, known)


def _check_kind(read: Reader, template: str, place: str, kind: str, known: Known) -> None:
    kinds = known.party_kinds[template]
    if kinds and kind not in kinds:
        read.fault(place, f"the scope of {template!r} does not cover the party kind {kind!r}")


def _check_completions(
    read: Reader, definition: Mapping[str, Any], keys: list[str], kind: str, known: Known
) -> None:
    templates = []
    for index, raw in enumerate(read.objects(definition, "completions", "")):
        at = f"/completions/{index}"
        read.only(raw, {"template", "transition"}, at)
        template = read.text(raw, "template", at)
        if read.known(template, known.triggers, f"{at}/template", "template"):
            _check_kind(read, template, f"{at}/template", kind, known)
        templates.append(template)
        read.one_of(raw, "transition", keys, at)
    read.unique(templates, "/completions")


def _check_reachable(
    read: Reader, initial: str, states: list[str], passages: list[tuple[str, list[str], str]]
) -> None:
    reached = _reached(initial, passages)
    for index, state in enumerate(states):
        if state not in reached:
            read.fault(
                f"/states/{index}", f"the state {state!r} cannot be reached from {initial!r}"
            )


def _reached(initial: str, passages: Iterable[tuple[str, list[str], str]]) -> set[str]:
    reached, before = {initial}, set[str]()
    while reached != before:
        before = set(reached)
        reached |= {target for _, origins, target in passages if reached & set(origins)}
    return reached
