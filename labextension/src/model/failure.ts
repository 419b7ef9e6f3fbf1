import type { ProblemCode } from '../generated/records';

/**
 * What can go wrong between the browser and the server extension, beside the
 * problems AWS itself reports.
 */
export type FailureCode =
  | ProblemCode
  | 'server-missing'
  | 'server-unreachable'
  | 'unauthorized'
  | 'unexpected';

/**
 * A failed request as a typed state: what happened, and what to do next. Where the
 * server said neither, the view finds the words by the code.
 */
export class Failure extends Error {
  constructor(options: Failure.IOptions) {
    super(options.message);
    this.name = 'Failure';
    this.code = options.code;
    this.remedy = options.remedy;
    this.action = options.action ?? null;
  }

  readonly code: FailureCode;
  readonly remedy: string;
  /** The IAM action that is missing, where AWS named one. */
  readonly action: string | null;

  /**
   * Read an error reply of the server extension; anything else is told by its status.
   *
   * @param status - The HTTP status.
   * @param body - The decoded body, or null where it was not JSON.
   */
  static fromReply(status: number, body: unknown): Failure {
    if (isErrorBody(body)) {
      return new Failure({
        code: body.code as FailureCode,
        message: body.message,
        remedy: typeof body.remedy === 'string' ? body.remedy : '',
        action: typeof body.action === 'string' ? body.action : null
      });
    }
    const code =
      status === 404
        ? 'server-missing'
        : status === 401 || status === 403
          ? 'unauthorized'
          : 'unexpected';
    return new Failure({ code, message: `HTTP ${status}`, remedy: '' });
  }

  /**
   * Read anything that was thrown by a request.
   */
  static from(reason: unknown): Failure {
    if (reason instanceof Failure) {
      return reason;
    }
    const message = reason instanceof Error ? reason.message : String(reason);
    return new Failure({ code: 'server-unreachable', message, remedy: '' });
  }
}

export namespace Failure {
  /** The parts of a failure. */
  export interface IOptions {
    code: FailureCode;
    message: string;
    remedy: string;
    action?: string | null;
  }
}

interface IErrorBody {
  code: string;
  message: string;
  remedy?: unknown;
  action?: unknown;
}

function isErrorBody(body: unknown): body is IErrorBody {
  const error = body as Partial<IErrorBody> | null;
  return (
    typeof error === 'object' &&
    error !== null &&
    typeof error.code === 'string' &&
    typeof error.message === 'string'
  );
}
