import type { IChange, IPatchOp, ISubject, State } from '../generated/records';
import { CONTROLS } from '../generated/words';

/** An age as a number and a unit, for the view to put into words. */
export interface IAge {
  value: number;
  unit: 'second' | 'minute' | 'hour' | 'day';
}

/**
 * How long ago a moment was; a moment ahead of this clock counts as now.
 *
 * @param iso - The moment, ISO 8601.
 * @param now - Milliseconds since the epoch.
 */
export function ageOf(iso: string, now: number): IAge | null {
  const then = Date.parse(iso);
  if (Number.isNaN(then)) {
    return null;
  }
  const seconds = Math.max(0, Math.floor((now - then) / 1000));
  if (seconds < 60) {
    return { value: seconds, unit: 'second' };
  }
  if (seconds < 3600) {
    return { value: Math.floor(seconds / 60), unit: 'minute' };
  }
  if (seconds < 48 * 3600) {
    return { value: Math.floor(seconds / 3600), unit: 'hour' };
  }
  return { value: Math.floor(seconds / 86400), unit: 'day' };
}

/**
 * How many controls are in each state, in the order of importance.
 */
export function countStates(
  controls: readonly { state: State }[]
): { state: State; count: number }[] {
  const order: State[] = ['fail', 'warn', 'depends', 'pass', 'na', 'exempt'];
  return order
    .map(state => ({
      state,
      count: controls.filter(control => control.state === state).length
    }))
    .filter(entry => entry.count > 0);
}

/**
 * A subject's controls in the order of the chips.
 */
export function sortControls(
  controls: ISubject['controls']
): ISubject['controls'] {
  const rank = (name: string) => {
    const index = (CONTROLS as readonly string[]).indexOf(name);
    return index < 0 ? CONTROLS.length : index;
  };
  return [...controls].sort((a, b) => rank(a.control) - rank(b.control));
}

/**
 * A JSON pointer as people write it: `/VpcConfig/Subnets/0` is `VpcConfig.Subnets[0]`.
 */
export function pathOf(pointer: string): string {
  return pointer
    .split('/')
    .slice(1)
    .map(part => part.replace(/~1/g, '/').replace(/~0/g, '~'))
    .reduce(
      (path, part) =>
        /^(\d+|-)$/.test(part)
          ? `${path}[${part === '-' ? '' : part}]`
          : path
            ? `${path}.${part}`
            : part,
      ''
    );
}

/**
 * A value of a request in one line, two blanks between its parts: a part is a string or
 * the path of one inside the value (`VpcConfig.Subnets: subnet-1`).
 */
export function valueText(value: unknown): string {
  return value === null || value === undefined ? '' : parts(value).join('  ');
}

function parts(value: unknown, path = ''): string[] {
  const label = path ? `${path}: ` : '';
  if (Array.isArray(value) && value.some(isObject)) {
    return value.flatMap((item, index) => parts(item, `${path}[${index}]`));
  }
  if (Array.isArray(value) && value.length > 0) {
    const [first, ...others] = value.map(item => parts(item).join(' '));
    return [`${label}${first}`, ...others];
  }
  if (isObject(value) && Object.keys(value).length > 0) {
    return entriesOf(value).flatMap(([key, item]) =>
      parts(item, path ? `${path}.${key}` : key)
    );
  }
  return [
    label +
      (value === null || value === undefined || isObject(value)
        ? '–'
        : String(value))
  ];
}

/** The members in an order that does not depend on who wrote the JSON: subnets first. */
function entriesOf(value: object): [string, unknown][] {
  const rank = (key: string) => (/^Subnet(s|Ids)$/.test(key) ? 0 : 1);
  return Object.entries(value).sort(
    ([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1)
  );
}

/**
 * The end of an ARN, which tells it from its neighbours; other values as they are.
 */
export function shortValue(value: string): string {
  return /^arn:[^:]*:[^:]*:[^:]*:[^:]*:(.+)$/.exec(value)?.[1] ?? value;
}

/** One line of a difference. */
export interface IDiffLine {
  sign: '+' | '−' | '~';
  path: string;
  before: string;
  after: string;
  source: string | null;
}

/**
 * The difference a fix makes, as lines.
 */
export function diffOfChanges(changes: readonly IChange[]): IDiffLine[] {
  return changes.map(change => {
    const before = valueText(change.before);
    const after = valueText(change.after);
    return {
      sign: after === '' ? '−' : before === '' ? '+' : '~',
      path: change.path.startsWith('/') ? pathOf(change.path) : change.path,
      before,
      after,
      source: change.source
    };
  });
}

/**
 * A patch as lines, where nothing is known about what stood there before.
 */
export function diffOfPatch(patch: readonly IPatchOp[]): IDiffLine[] {
  return patch.map(step => ({
    sign: step.op === 'add' ? '+' : step.op === 'remove' ? '−' : '~',
    path: pathOf(step.path),
    before: '',
    after: valueText(step.value),
    source: null
  }));
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
