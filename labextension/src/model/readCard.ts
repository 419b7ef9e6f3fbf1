import type {
  ICard,
  IFinding,
  IIam,
  INote,
  IStatement,
  ISubject
} from '../generated/records';

type Json = Record<string, unknown>;

/**
 * Whether anything that a saved output may hold can be shown as a card.
 *
 * A saved notebook can hold anything under our MIME type; what does not have the
 * shape of a card is refused as a whole. Strings are shown as text, whatever they hold.
 * Members that came with later versions may be absent.
 */
export function readCard(data: unknown): ICard | null {
  if (
    !isObject(data) ||
    !isObject(data.report) ||
    !Array.isArray(data.report.subjects)
  ) {
    return null;
  }
  const { report } = data;
  const subjects = data.report.subjects;
  if (subjects.length === 0 || !subjects.every(isSubject)) {
    return null;
  }
  const code = isObject(data.code) ? data.code : null;
  return {
    report: {
      ...(report as unknown as ICard['report']),
      subjects: subjects.map(readSubject),
      notes: readNotes(report.notes)
    },
    mode: text(data.mode, 'warn') as ICard['mode'],
    action: text(data.action, 'warned') as ICard['action'],
    held: textOrNull(data.held),
    kernel: textOrNull(data.kernel),
    changes: list(data.changes).filter(
      (change): change is ICard['changes'][number] =>
        isObject(change) && isText(change.path)
    ),
    code: code && {
      v3: text(code.v3, ''),
      v2: text(code.v2, ''),
      boto3: text(code.boto3, '')
    },
    request: isObject(data.request) ? data.request : {}
  };
}

function isSubject(data: unknown): data is Json {
  return (
    isObject(data) &&
    isText(data.operation) &&
    isListOf(
      data.controls,
      control => isText(control.control) && isText(control.state)
    ) &&
    isListOf(
      data.findings,
      finding =>
        isText(finding.rule) &&
        isText(finding.control) &&
        isText(finding.message) &&
        Array.isArray(finding.references) &&
        Array.isArray(finding.missing)
    ) &&
    isObject(data.iam) &&
    isListOf(data.iam.statements, statement => isText(statement.layer)) &&
    isListOf(data.fix, step => isText(step.path))
  );
}

/** What is drawn as text is text; the rest is drawn by what can take anything. */
function readSubject(data: Json): ISubject {
  const subject = data as unknown as ISubject;
  return {
    ...subject,
    name: textOrNull(data.name),
    where: textOrNull(data.where),
    note: textOrNull(data.note),
    controls: subject.controls.map(control => ({
      ...control,
      note: textOrNull(control.note)
    })),
    findings: subject.findings.map(readFinding),
    iam: readIam(data.iam as Json)
  };
}

function readFinding(finding: IFinding): IFinding {
  return {
    ...finding,
    pointer: text(finding.pointer, ''),
    why: text(finding.why, ''),
    fix: list(finding.fix).filter(
      (step): step is IFinding['fix'][number] =>
        isObject(step) && isText(step.path)
    ),
    references: list(finding.references).filter(isText),
    missing: list(finding.missing).flatMap(missing =>
      isObject(missing) && isText(missing.value)
        ? [
            {
              value: missing.value,
              looked: list(missing.looked).filter(isText)
            }
          ]
        : []
    ),
    waiver: isObject(finding.waiver) ? finding.waiver : null
  };
}

function readIam(iam: Json): IIam {
  return {
    verdict: text(iam.verdict, 'not-evaluated') as IIam['verdict'],
    question: textOrNull(iam.question),
    outcomes: list(iam.outcomes).filter(isText),
    unsatisfiable: list(iam.unsatisfiable).filter(isText),
    statements: list(iam.statements)
      .filter(isObject)
      .map((statement): IStatement => ({
        layer: text(statement.layer, ''),
        policy: text(statement.policy, ''),
        sid: textOrNull(statement.sid),
        index: typeof statement.index === 'number' ? statement.index : -1,
        why: text(statement.why, '')
      }))
  };
}

function readNotes(data: unknown): INote[] {
  return list(data).flatMap(note =>
    isObject(note) && isText(note.message)
      ? [
          {
            message: note.message,
            where: textOrNull(note.where),
            path: textOrNull(note.path)
          }
        ]
      : []
  );
}

function isListOf(data: unknown, test: (item: Json) => boolean): boolean {
  return (
    Array.isArray(data) && data.every(item => isObject(item) && test(item))
  );
}

function isObject(data: unknown): data is Json {
  return typeof data === 'object' && data !== null && !Array.isArray(data);
}

function isText(data: unknown): data is string {
  return typeof data === 'string';
}

function text(data: unknown, otherwise: string): string {
  return isText(data) ? data : otherwise;
}

function textOrNull(data: unknown): string | null {
  return isText(data) ? data : null;
}

function list(data: unknown): unknown[] {
  return Array.isArray(data) ? data : [];
}
