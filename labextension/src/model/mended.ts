import type { IFinding, IPatchOp } from '../generated/records';

/**
 * Whether a patch does everything that the finding's own fix would.
 *
 * The patch that is sent leaves out what is not mended without asking, and writes together
 * what several findings wish for; so paths and values are looked for inside its steps.
 */
export function isMended(
  finding: IFinding,
  patch: readonly IPatchOp[]
): boolean {
  return (
    list(finding.fix).length > 0 &&
    finding.fix.every(step =>
      step.op === 'remove'
        ? patch.some(
            ({ op, path }) => op === 'remove' && isInside(step.path, path)
          )
        : isApplied(step.path, step.value, patch)
    )
  );
}

/**
 * Which findings look like another one: the same control says the same of another place.
 */
export function alikeFindings(
  findings: readonly IFinding[]
): ReadonlySet<IFinding> {
  const isAlike = (one: IFinding, other: IFinding) =>
    one !== other &&
    one.control === other.control &&
    one.message === other.message;
  return new Set(
    findings.filter(one => findings.some(other => isAlike(one, other)))
  );
}

function isApplied(
  path: string,
  value: unknown,
  patch: readonly IPatchOp[]
): boolean {
  const isWritten = patch.some(
    step =>
      step.op !== 'remove' &&
      isInside(path, step.path) &&
      includes(valueAt(step.value, path.slice(step.path.length)), value)
  );
  if (isWritten || !isRecord(value)) {
    return isWritten;
  }
  const members = Object.entries(value);
  return (
    members.length > 0 &&
    members.every(([key, inner]) =>
      isApplied(`${path}/${escapeKey(key)}`, inner, patch)
    )
  );
}

function isInside(path: string, outer: string): boolean {
  return path === outer || path.startsWith(`${outer}/`);
}

function valueAt(value: unknown, pointer: string): unknown {
  return pointer
    .split('/')
    .slice(1)
    .map(part => part.replace(/~1/g, '/').replace(/~0/g, '~'))
    .reduce<unknown>(
      (inner, part) =>
        typeof inner === 'object' && inner !== null && hasOwn(inner, part)
          ? (inner as Record<string, unknown>)[part]
          : undefined,
      value
    );
}

/** Whether a value holds another: members of members, items of lists, or the same. */
function includes(whole: unknown, part: unknown): boolean {
  if (Array.isArray(whole) && Array.isArray(part)) {
    return part.every(item => whole.some(known => includes(known, item)));
  }
  if (isRecord(whole) && isRecord(part)) {
    return Object.entries(part).every(
      ([key, item]) => hasOwn(whole, key) && includes(whole[key], item)
    );
  }
  return whole === part;
}

function hasOwn(value: object, key: string): boolean {
  return Object.prototype.hasOwnProperty.call(value, key);
}

function escapeKey(key: string): string {
  return key.replace(/~/g, '~0').replace(/\//g, '~1');
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
