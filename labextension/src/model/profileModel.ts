import { Signal, type ISignal } from '@lumino/signaling';
import type { IProfileReply } from '../generated/records';
import { PROFILE_NAMES } from '../generated/words';
import type { RestClient } from './client';
import { Failure } from './failure';

/** One line of the environment: a value with its source, or a name that nobody provided. */
export interface IProfileLine {
  name: string;
  values: string[];
  source: string | null;
  /** Where a missing value was looked for. */
  looked: string[];
}

/**
 * The organisation's environment as the server found it.
 */
export class ProfileModel {
  constructor(client: RestClient) {
    this._client = client;
  }

  /** The last good answer. */
  get profile(): IProfileReply | null {
    return this._profile;
  }

  /** Why there is no newer answer. */
  get failure(): Failure | null {
    return this._failure;
  }

  get isLoading(): boolean {
    return this._isLoading;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /**
   * Ask the server; `fresh` makes it ask AWS again instead of its cache.
   */
  async refresh(fresh = false): Promise<void> {
    if (this._isLoading) {
      return;
    }
    this._isLoading = true;
    this._changed.emit();
    try {
      this._profile = await this._client.profile(fresh);
      this._failure = null;
    } catch (reason) {
      this._failure = Failure.from(reason);
    }
    this._isLoading = false;
    this._changed.emit();
  }

  private _client: RestClient;
  private _profile: IProfileReply | null = null;
  private _failure: Failure | null = null;
  private _isLoading = false;
  private _changed = new Signal<this, void>(this);
}

/**
 * The lines of a profile: what was found, then what is missing, each in its fixed order.
 */
export function profileLines(profile: IProfileReply): IProfileLine[] {
  const names = [
    ...new Set([...PROFILE_NAMES, ...Object.keys(profile.values)])
  ];
  const lines = names.map(name => {
    const found = profile.values[name];
    return {
      name,
      values: found
        ? Array.isArray(found.value)
          ? found.value
          : [found.value]
        : [],
      source: found?.source ?? null,
      looked: profile.looked[name] ?? []
    };
  });
  const missing = new Set(profile.missing);
  return [
    ...lines.filter(line => line.values.length > 0),
    ...lines.filter(line => line.values.length === 0 && missing.has(line.name))
  ];
}

/**
 * One line that says which environment this is: name, region, network access.
 */
export function profileSummary(profile: IProfileReply): string[] {
  const one = (name: string) => {
    const value = profile.values[name]?.value;
    return Array.isArray(value) ? value.join(' ') : value;
  };
  return [
    profile.name ?? one('environment'),
    profile.region,
    one('network_access')
  ].filter((part): part is string => !!part);
}
