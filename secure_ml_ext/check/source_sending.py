"""One call that sends a request through the SageMaker SDK, argument by argument."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from ..inventory.paths import parse
from .sdk import Part
from .source_names import short
from .source_values import Instance, Ref, Table, Unknown, Value

if TYPE_CHECKING:
    from .source_calls import Arguments, Calls

PIPELINE_STEP: Final = "a step of a pipeline: its role sends the request when it runs"
LEFT_OUT: Final = "what is left out may come from defaults of the SageMaker SDK configuration"
_SESSIONS: Final = ("PipelineSession", "LocalPipelineSession")


class Sending:
    """One call of a method that sends a request: the request grows in ``members``."""

    def __init__(
        self, calls: Calls, node: ast.Call, receiver: Instance, arguments: Arguments
    ) -> None:
        self.calls = calls
        self.node = node
        self.receiver = receiver
        self.args = receiver.args
        self.arguments = arguments
        self.text = short(node.func)
        self.given = Table(arguments.keywords, arguments.keywords.open or arguments.open)
        self.members = Table()

    def put(self, pointer: str, value: Value) -> None:
        """Set a member of the request; None takes it away."""
        path = parse(pointer)
        node: Value = self.members
        for part in path[:-1]:
            inner = node.get(part)
            if not isinstance(inner, Table):
                inner = node[part] = Table()
            node = inner
        if value is None:
            node.pop(path[-1], None)
        else:
            node[path[-1]] = value

    def get(self, args: Table, name: str) -> Value:
        """Return an argument: None where it is not given, unknown where it may be."""
        if name in args:
            return args[name]
        return Unknown(args.open) if args.open is not None else None

    def take(self, args: Table, **pointers: str) -> None:
        """Carry arguments over to the request, those that are given."""
        for name, pointer in pointers.items():
            value = self.get(args, name)
            if value is not None:
                self.put(pointer, value)

    def need(self, args: Table, name: str, pointer: str) -> None:
        """Carry an argument over; without it the SDK puts something of its own there."""
        value = self.get(args, name)
        self.put(pointer, Unknown("the SDK's own") if value is None else value)

    def carry(self, part: Part, args: Table) -> None:
        """Carry over the arguments of which ``sdk`` tells where they go."""
        for name, target in part.args.items():
            value = self.get(args, name)
            if value is None:
                continue
            if isinstance(target, str):
                self.put(target, value)
            elif isinstance(value, (Instance, Table)):
                self.carry(target, value.args if isinstance(value, Instance) else value)
            else:
                for pointer in target.pointers():
                    network, _, end = pointer.rpartition("/")
                    whole = end in ("Subnets", "SecurityGroupIds")
                    self.put(network if whole else pointer, value)

    def send(self, operation: str) -> None:
        """Keep the request as it has grown, and start the next one."""
        members, self.members = self.members, Table()
        session = self.args.get("sagemaker_session")
        step = isinstance(session, Instance) and session.name in _SESSIONS
        if self.calls.configured:
            opened(members, "defaults of the SageMaker SDK configuration")
        note = PIPELINE_STEP if step else LEFT_OUT
        self.calls.submit(self.node, operation, members, note)
        self.calls.sdk = True

    def local(self, *places: Table) -> bool:
        """Tell whether local mode is asked for, which sends nothing."""
        kinds = [args.get("instance_type") for args in (self.args, *places)]
        session, mode = self.args.get("sagemaker_session"), self.args.get("training_mode")
        found = (
            any(isinstance(kind, str) and kind.startswith("local") for kind in kinds)
            or (isinstance(session, Instance) and session.name.startswith("Local"))
            or (isinstance(mode, Ref) and mode.name.startswith("LOCAL"))
        )
        if found:
            self.calls.say(self.node.lineno, "local mode: no request is sent")
        return found


def opened(table: Table, why: str) -> None:
    table.open = table.open or why
    for value in table.values():
        if isinstance(value, Table):
            opened(value, why)
