import { Token } from '@lumino/coreutils';
import type { RestClient } from './model/client';
import type { JobsModel } from './model/jobsModel';
import type { ProfileModel } from './model/profileModel';
import type { GuardRegistry } from './model/registry';

/**
 * What the plugins share: the server's routes, the kernels' guards, and the models over them.
 */
export interface ISecureMl {
  readonly client: RestClient;
  readonly registry: GuardRegistry;
  readonly jobs: JobsModel;
  readonly profile: ProfileModel;
}

/** The token of {@link ISecureMl}. */
export const ISecureMl = new Token<ISecureMl>(
  'secure-ml-ext:ISecureMl',
  'Governance of SageMaker requests: the guards of the kernels, their jobs and the environment.'
);

/** The commands of the extension. */
export namespace CommandIDs {
  export const loadGuard = 'secure-ml-ext:load-guard';
  export const setMode = 'secure-ml-ext:set-mode';
  export const refresh = 'secure-ml-ext:refresh';
  export const showPanel = 'secure-ml-ext:show-panel';
}

/** The description of a command that takes no arguments. */
export const NO_ARGUMENTS = { args: { type: 'object', properties: {} } };
