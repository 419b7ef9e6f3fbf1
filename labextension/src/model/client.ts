import type { IJobList, IProfileReply, IReport } from '../generated/records';
import { Failure } from './failure';

/**
 * Sends one request to the Jupyter server and returns status and decoded body
 * (null where it is not JSON). It rejects only when there was no answer.
 */
export type Transport = (
  path: string,
  init: { method: 'GET' | 'POST'; body?: string }
) => Promise<{ status: number; body: unknown }>;

/**
 * The routes of the server extension.
 */
export class RestClient {
  constructor(transport: Transport) {
    this._transport = transport;
  }

  /**
   * The jobs of one kernel, newest first.
   */
  jobs(kernel: string): Promise<IJobList> {
    return this._request(`jobs?kernel=${encodeURIComponent(kernel)}`);
  }

  /**
   * The organisation's environment; `fresh` asks AWS again.
   */
  profile(fresh = false): Promise<IProfileReply> {
    return this._request(fresh ? 'profile?fresh=1' : 'profile');
  }

  /**
   * Check a request without sending it.
   */
  validate(operation: string, params: unknown): Promise<IReport> {
    return this._request('validate', { operation, params });
  }

  private async _request<T>(path: string, payload?: unknown): Promise<T> {
    let reply: { status: number; body: unknown };
    try {
      reply = await this._transport(
        path,
        payload === undefined
          ? { method: 'GET' }
          : { method: 'POST', body: JSON.stringify(payload) }
      );
    } catch (reason) {
      throw Failure.from(reason);
    }
    if (reply.status >= 400 || reply.body === null) {
      throw Failure.fromReply(
        reply.status >= 400 ? reply.status : 404,
        reply.body
      );
    }
    return reply.body as T;
  }

  private _transport: Transport;
}
