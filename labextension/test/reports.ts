import type {
  ICard,
  IControlState,
  IFinding,
  IIam,
  ISubject
} from '../src/generated/records';

/** A translator that fills in numbers and names, and translates nothing. */
export const trans = {
  __: (text: string, ...values: unknown[]) => filled(text, values),
  _n: (one: string, many: string, count: number, ...values: unknown[]) =>
    filled(count === 1 ? one : many, [count, ...values])
} as never;

function filled(text: string, values: unknown[]): string {
  return text.replace(/%(\d)/g, (_, number) => String(values[number - 1]));
}

/** A finding, changed where a test needs it. */
export function finding(parts: Partial<IFinding> = {}): IFinding {
  return {
    rule: 'training-vpc',
    control: 'vpc',
    severity: 'error',
    pointer: '/VpcConfig',
    message: 'no subnets or security groups',
    expected: null,
    actual: null,
    fix: [],
    references: [],
    missing: [],
    waiver: null,
    why: '',
    ...parts
  };
}

/** IAM's answer. */
export function iam(parts: Partial<IIam> = {}): IIam {
  return {
    verdict: 'not-evaluated',
    question: null,
    outcomes: [],
    unsatisfiable: [],
    statements: [],
    ...parts
  };
}

/** IAM's answer where the demo's service control policy denies, by so many statements. */
export function denied(count = 1): IIam {
  const sids = ['DenyNoVpc', 'DenyNoSecurityGroup', 'DenyNoVolumeKey'];
  return iam({
    verdict: 'explicitly-denied',
    statements: Array.from({ length: count }, (_, index) => ({
      layer: 'scp:1',
      policy: 'sm-mlops-dev-guardrails',
      sid: sids[index] ?? `Deny${index}`,
      index,
      why: 'denies sagemaker:CreateTrainingJob: sagemaker:VpcSubnets is absent (Null true)'
    }))
  });
}

/** A subject of a report. */
export function subject(parts: Partial<ISubject> = {}): ISubject {
  return {
    path: null,
    kind: 'request',
    operation: 'CreateTrainingJob',
    name: 'abalone',
    where: null,
    controls: [],
    findings: [],
    iam: iam(),
    fix: [],
    note: null,
    ...parts
  };
}

/** A step of a pipeline. */
export function step(where: string, parts: Partial<ISubject> = {}): ISubject {
  return subject({ kind: 'pipeline-step', name: null, where, ...parts });
}

/** A card about these subjects. */
export function card(
  parts: Partial<ICard> = {},
  subjects = [subject()]
): ICard {
  return {
    report: {
      schema: 'secure-ml/report@1',
      subjects,
      summary: { error: 0, warning: 0, info: 0 },
      notes: []
    },
    mode: 'warn',
    action: 'warned',
    held: null,
    kernel: null,
    changes: [],
    code: null,
    request: {},
    ...parts
  };
}

/** The state of a control. */
export function control(name: string, state: string): IControlState {
  return { control: name, state, pointer: null, note: null } as IControlState;
}
