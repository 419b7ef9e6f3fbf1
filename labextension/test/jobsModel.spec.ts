import { describe, expect, it } from 'vitest';
import type { IJobList } from '../src/generated/records';
import { RestClient } from '../src/model/client';
import { JobsModel } from '../src/model/jobsModel';
import { GuardRegistry } from '../src/model/registry';
import { FakeDocument, FakeKernel, settle, submission } from './fakes';

interface IAsked {
  path: string;
  answer: (status: number, body: unknown) => void;
}

function list(kernel: string, problem: IJobList['problem'] = null): IJobList {
  return {
    kernel,
    guard: { state: 'loaded', mode: 'warn', locked: false, version: null },
    jobs: [],
    problem,
    as_of: ''
  };
}

async function setUp(isOffline = false) {
  const asked: IAsked[] = [];
  const client = new RestClient(
    path =>
      new Promise(resolve =>
        asked.push({
          path,
          answer: (status, body) => resolve({ status, body })
        })
      )
  );
  const registry = new GuardRegistry();
  const kernels = [new FakeKernel('k1'), new FakeKernel('k2')] as const;
  const documents = [
    new FakeDocument('1.ipynb', kernels[0]),
    new FakeDocument('2.ipynb', kernels[1])
  ] as const;
  documents.forEach(document => registry.add(document));
  await settle();
  kernels.forEach(kernel => kernel.hello());
  const jobs = new JobsModel({
    client,
    registry,
    interval: 60_000,
    isOffline: () => isOffline
  });
  await settle();
  return { asked, registry, kernels, documents, jobs };
}

async function ticks(): Promise<void> {
  for (let index = 0; index < 5; index++) {
    await settle();
  }
}

describe('JobsModel', () => {
  it('asks nothing while nobody looks, and asks when somebody does', async () => {
    const { asked, registry, documents, jobs } = await setUp();
    registry.follow(documents[0]);
    await ticks();
    expect(asked).toEqual([]);
    jobs.isVisible = true;
    await ticks();
    expect(asked.map(({ path }) => path)).toEqual(['jobs?kernel=k1']);
    jobs.dispose();
  });

  it('asks nothing while the server is away', async () => {
    const { asked, registry, documents, jobs } = await setUp(true);
    registry.follow(documents[0]);
    jobs.isVisible = true;
    await ticks();
    expect(asked).toEqual([]);
    jobs.dispose();
  });

  it('drops the late reply of a kernel the user no longer looks at', async () => {
    const { asked, registry, documents, jobs } = await setUp();
    jobs.isVisible = true;
    registry.follow(documents[0]);
    await ticks();
    registry.follow(documents[1]);
    asked[0]?.answer(503, {
      code: 'no-credentials',
      message: 'There are no credentials.',
      remedy: ''
    });
    await ticks();
    expect(jobs.kernel).toBe('k2');
    expect(jobs.failure).toBeNull();
    expect(jobs.list).toBeNull();
    jobs.dispose();
  });

  it('asks again as soon as the kernel has said something', async () => {
    const { asked, registry, documents, kernels, jobs } = await setUp();
    jobs.isVisible = true;
    registry.follow(documents[0]);
    await ticks();
    asked[0]?.answer(200, list('k1'));
    await ticks();
    expect(asked).toHaveLength(1);
    kernels[0].push({ records: [submission()] });
    expect(jobs.rows.map(({ status }) => status)).toEqual(['Submitted']);
    await ticks();
    expect(asked).toHaveLength(2);
    jobs.touch('k2');
    await ticks();
    expect(asked).toHaveLength(2);
    jobs.dispose();
  });

  it('turns an error reply into a typed failure with its remedy', async () => {
    const { asked, registry, documents, jobs } = await setUp();
    jobs.isVisible = true;
    registry.follow(documents[0]);
    await ticks();
    asked[0]?.answer(403, {
      code: 'access-denied',
      message: 'AWS refused sagemaker:DescribeTrainingJob.',
      remedy: 'Allow it.',
      action: 'sagemaker:DescribeTrainingJob'
    });
    await ticks();
    expect(jobs.failure).toMatchObject({
      code: 'access-denied',
      remedy: 'Allow it.',
      action: 'sagemaker:DescribeTrainingJob'
    });
    jobs.dispose();
  });
});
